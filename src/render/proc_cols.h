/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of processes and of PID namespaces, for every command that lists them. */
#pragma once

#include "base/cols.h"
#include "procs/snapshot.h"
#include "procs/zombies.h"

struct proc_rows {
	const struct snapshot *s;
	const uint32_t *procs; /* one a row; NULL: zombies are the rows */
	const struct zombie *zombies;
};
extern const struct col proc_cols[];   /* data: struct proc_rows */
extern const struct col zombie_cols[]; /* the same, with zombies */
extern const struct col pidns_cols[];  /* data: struct snapshot */

/* What a snapshot must hold for these columns: enum snapshot_wants. */
unsigned proc_cols_wants(const struct col *const *picked);

/* "1234/17/1" */
void proc_cols_add_pids(struct text *t, const struct proc *p);
