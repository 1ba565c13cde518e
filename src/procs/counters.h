/* SPDX-License-Identifier: Apache-2.0 */
/* What the events add up to, for metrics. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { COUNTERS_CODES = 256 };

struct counters {
	struct events *events; /* owned; NULL: not ours to hear, and nothing is counted */
	uint64_t orphans, lost;
	uint64_t adopted_by_init, adopted_by_subreaper;
	uint64_t reaped_by_init, reaped_by_parent;
	uint64_t exits[COUNTERS_CODES]; /* by the shell's code: 128 + n for signal n */
	bool gathers;			/* there are events that wait for more */
};

/* Begins to count. Where events are not to be had, e says why and *c counts nothing. */
int counters_open(struct counters *c, struct err *e);

/*
 * Counts until other_fd can be read or timeout_ms (-1: for ever) are over. 0, or what failed.
 */
int counters_wait(struct counters *c, int other_fd, int timeout_ms, struct err *e);

void counters_done(struct counters *c);
