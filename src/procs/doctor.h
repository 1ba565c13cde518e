/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the families of a host: verdicts, each with its evidence and what helps. */
#pragma once

#include "procs/seen.h"
#include "procs/snapshot.h"
#include "procs/zombies.h"

/*
 * kind is one of
 *   init-does-not-reap, parent-does-not-wait, parent-is-stopped, parent-is-traced,
 *   parent-is-frozen, parent-is-stuck, first-thread-gone, tracer-does-not-wait,
 *   namespace-cannot-die, near-pids-limit, deaf-to-term, never-entered,
 *   init-ended, held-empty
 */
struct finding {
	const char *kind; /* constant */
	uint32_t proc;	  /* whom it is about; NO_PROC: a namespace alone */
	uint32_t ns;
	unsigned count;			       /* zombies, processes; 0: does not apply */
	const char *evidence, *now, *for_good; /* sentences, in the arena, escaped */
};

/* A zombie its parent may be about to wait for: not yet a finding. */
enum { DOCTOR_TRANSIENT_MS = 1000 };

/*
 * Looks at every namespace at or below ns (0: all). s: with SNAP_ORIGIN. seen: since when zombies
 * are known; those for less than DOCTOR_TRANSIENT_MS are left out (NULL: none are). In order of
 * namespaces. Reads more of the processes it suspects.
 */
void doctor_examine(struct snapshot *s, const struct seen *seen, uint32_t ns, struct arena *a,
	struct finding **ret, size_t *ret_n);

/* Are there zombies so young that a second look, a second later, would say more? */
bool doctor_is_early(const struct snapshot *s, const struct seen *seen);

/* How many zombies a second a namespace gets lately; 0 where that cannot be said. */
double doctor_zombie_rate(const struct snapshot *s, uint32_t ns);

/* Was PID 1 of this namespace killed, and cannot die because somebody in there stays? */
bool doctor_is_dying(const struct snapshot *s, uint32_t ns);
