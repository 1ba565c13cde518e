/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon a listener looks again. Being woken for an event costs whoever made it more than the
 * event does, so only so many wake-ups a second are had at once; what is beyond gathers first.
 */
#pragma once

#include <stdint.h>

enum {
	PACE_PER_SECOND = 500, /* wake-ups at once, in the long run */
	PACE_SAVED_MAX = 250,  /* those of a quiet time, for a burst */
	PACE_GATHER_MS = 5,
};

/* Ready when zeroed. */
struct pace {
	int64_t at_us;	      /* when it was last asked */
	int64_t saved_micros; /* millionths of a wake-up */
};

/* Milliseconds to let events gather now (of CLOCK_MONOTONIC): 0 or PACE_GATHER_MS. */
int pace_gather_ms(struct pace *p, int64_t now_us);
