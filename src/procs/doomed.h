/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most processes live shorter than a batch of events gathers: that one is gone by the time its
 * birth is read is known from the batch itself, and then nobody need look for it in /proc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "os/cn_proc.h"

enum { DOOMED_MAX = 1024 /* events in a batch */ };

/* Ready when zeroed; kept from batch to batch, so that nothing has to be cleared. */
struct doomed {
	struct {
		pid_t pid;
		unsigned batch;
	} slots[4 * DOOMED_MAX];
	unsigned batch;
};

/* ret[i]: the process of events[i] (a fork, an exec) has its exit later in the same batch. */
void doomed_find(struct doomed *d, const struct cn_event *events, size_t n, bool *ret);
