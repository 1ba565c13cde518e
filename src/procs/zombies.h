/* SPDX-License-Identifier: Apache-2.0 */
/* Zombies: whose they are, whose fault it is, and what helps. Derived from one snapshot. */
#pragma once

#include "procs/snapshot.h"

enum zombie_fault {
	FAULT_INIT,    /* adopted, and whoever adopts here does not wait */
	FAULT_PARENT,  /* its parent forked it and does not wait: no init can help */
	FAULT_UNKNOWN, /* the parent does not wait; whether it forked it cannot be proved */
	FAULT_STOPPED, /* its parent is stopped, traced, frozen or in D: it may wait once it runs */
	FAULT_THREADS, /* not dead: its first thread has gone, others live */
	FAULT_TRACED,  /* its tracer must wait for it before its parent can */
	FAULT_COUNT,
};

struct zombie {
	uint32_t proc, parent; /* indices; parent NO_PROC: outside of what is seen */
	enum zombie_fault fault;
	pid_t tracer; /* 0: none */
};

/* All zombies of a snapshot (SNAP_ORIGIN), in order of PID, in the arena. Reads status of each. */
void zombies_find(const struct snapshot *s, struct arena *a, struct zombie **ret, size_t *ret_n);

/* "init", "parent", "unknown", "stopped", "threads", "traced" */
const char *zombie_fault_word(enum zombie_fault f);

/* What helps, as a sentence that names the parent; to t, escaped. */
struct text;
void zombie_advice(const struct snapshot *s, const struct zombie *z, struct text *t);
