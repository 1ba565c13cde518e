/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with the families of a host: verdicts, each with its evidence and what helps. */
#pragma once

#include "procs/snapshot.h"
#include "procs/zombies.h"

struct finding {
	const char *kind; /* "init-does-not-reap", constant */
	uint32_t proc;	  /* whom it is about; NO_PROC: a namespace alone */
	uint32_t ns;
	unsigned count;			       /* zombies, processes; 0: does not apply */
	const char *evidence, *now, *for_good; /* sentences, in the arena, escaped */
};

/*
 * Looks at every namespace below ns (0: all), levels above the reader's own only where a zombie or
 * a stopped parent is. s: with SNAP_ORIGIN. In order of namespaces.
 */
void doctor_examine(
	struct snapshot *s, uint32_t ns, struct arena *a, struct finding **ret, size_t *ret_n);
