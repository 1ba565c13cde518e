/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of processes and of PID namespaces, for every command that lists them. */
#pragma once

#include "base/cols.h"
#include "procs/pids_limit.h"
#include "procs/seen.h"
#include "procs/snapshot.h"
#include "procs/users.h"
#include "procs/zombies.h"

struct proc_rows {
	const struct snapshot *s;
	const uint32_t *procs; /* one a row; NULL: zombies are the rows */
	const struct zombie *zombies;
	const struct seen *seen; /* may be NULL: no ages of zombies */
	struct users *users;	 /* may be NULL: numbers */
};

struct pidns_rows {
	const struct snapshot *s;
	const struct pids_limit *limits; /* one a namespace */
};

extern const struct col proc_cols[];   /* data: struct proc_rows */
extern const struct col zombie_cols[]; /* the same, with zombies */
extern const struct col pidns_cols[];  /* data: struct pidns_rows */

/* What a snapshot must hold for these columns: enum snapshot_wants. */
unsigned proc_cols_wants(const struct col *const *picked);

/* "1234/17/1" */
void proc_cols_add_pids(struct text *t, const struct proc *p);

/* For struct cols_style: zombies red, PID 1 of a namespace below bold; namespaces with zombies. */
const char *proc_cols_row_colour(const void *data, size_t row);
const char *pidns_cols_row_colour(const void *data, size_t row);
