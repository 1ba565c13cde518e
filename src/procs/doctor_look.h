/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor's files share: one examination and how a verdict is put down. */
#pragma once

#include "procs/doctor.h"

struct doctor {
	struct snapshot *s;
	const struct seen *seen; /* may be NULL */
	struct arena *a;
	struct finding **all;
	size_t *n;
};

struct finding *doctor_add(
	struct doctor *d, const char *kind, uint32_t proc, uint32_t ns, unsigned count);

/* "1234 (nginx)", safe to show. */
const char *doctor_proc(struct doctor *d, uint32_t proc);

/* What `clade reap` takes for it: the container's name, else the PID. */
const char *doctor_target(struct doctor *d, uint32_t proc);

/* The value of a hexadecimal line of a status text, all ones where it is not there. */
uint64_t doctor_mask(const char *status, const char *label);

/* Is a thread of it in one of these system calls now? */
bool doctor_is_in(
	const struct snapshot *s, const struct proc *p, const long *calls, size_t n_calls);

/* Zombies by parent and fault: one verdict for a parent's thousand. */
void doctor_zombies(struct doctor *d, const struct zombie *zombies, size_t n);
