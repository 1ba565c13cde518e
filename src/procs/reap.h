/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing zombies from a running program whose process does not wait for them: the process is
 * made to wait for them itself (reap_attach.h). It cures the symptom; the cause is a container
 * without a reaping init, or a program with a fault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "procs/reap_attach.h"
#include "procs/reap_family.h"

enum {
	REAP_SETTLE_MS =
		1000, /* a zombie must have been one for so long: its parent may be about to wait */
	REAP_BATCH_MAX = 1024, /* zombies in one attach; 1,000 take some 20 ms */
};

struct reap_wish {
	bool own;      /* also children the parent forked itself: it will miss their exit status */
	bool unknown;  /* also those of which neither is proved */
	bool may_load; /* a BPF program for once, to prove origins; a pinned one is always asked */
	bool may_wait; /* the filter its container began with is known to let wait4 pass */
	bool dry_run;  /* say what would be done, touch nothing */
	pid_t only;    /* host PID of the one zombie that is meant; 0: all */
};

/* The zombies seen in the last round and since when. Ready when zeroed. */
struct reap_memory {
	struct reap_sighting *sightings; /* owned, sorted */
	size_t n;
};

void reap_memory_done(struct reap_memory *m);

/* What came of one parent. family is lent; why: the refusal, or NULL; held_ns: 0 if not attached.
 */
struct reap_report {
	const struct reap_family *family;
	const struct err *why;
	uint64_t held_ns;
	unsigned attaches;
};

struct reap_listener {
	void (*told)(void *data, const struct reap_report *r);
	reap_slow_fn slow;
	void *data;
};

/*
 * One look at one parent: what was seen already REAP_SETTLE_MS before, and is wished for, is
 * reaped; the rest is remembered in m. A first round therefore only remembers.
 * now holds what this round saw and becomes the memory for the next by reap_memory_turn().
 *
 * Returns 0, also for a refusal (it is in the report), or an error if the parent is not there.
 */
int reap_round(pid_t parent, const struct reap_wish *w, const struct reap_memory *before,
	struct reap_memory *now, const struct reap_listener *l, struct err *e);

/* now becomes before, sorted; what before held is freed. */
void reap_memory_turn(struct reap_memory *before, struct reap_memory *now);

/* Raises the limit of open descriptors as far as it goes: a batch needs one for each zombie. */
void reap_raise_limits(void);

/* Sleeps until the next round makes sense. */
void reap_pause(void);
