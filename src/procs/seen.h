/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Since when zombies are known. The kernel does not say when a process died; the views remember
 * when they first saw each zombie, in a small file, so that the next look knows its age at least.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "procs/snapshot.h"

struct seen_zombie {
	pid_t pid;
	uint64_t start_ticks; /* with the PID: which process it is */
	uint64_t since_ticks; /* since boot, of the first sight */
};

/* Ready when zeroed. */
struct seen {
	struct seen_zombie *items; /* owned, ascending by PID */
	size_t n;
};

/* Reads what the last look left at path; a file that is not there or not right is an empty one. */
void seen_load(struct seen *x, const char *path);

/* Takes up the zombies of s and forgets those that have gone; true if anything changed. */
bool seen_update(struct seen *x, const struct snapshot *s);

/* Writes it whole, by rename; whoever may not write there goes without. */
void seen_save(const struct seen *x, const char *path);

/* How long this zombie has been one at least, in milliseconds; -1 where it was not seen. */
int64_t seen_age_ms(const struct seen *x, const struct snapshot *s, const struct proc *p);

void seen_done(struct seen *x);
