/* SPDX-License-Identifier: Apache-2.0 */
/* ps(1)'s own table, of some processes only: what docker's `top` shows. */
#pragma once

#include "base/str.h"
#include "procs/snapshot.h"

/*
 * Runs `ps ARGS...` (NULL: -ef) and adds to t its heading and the lines whose PID is wanted.
 * args: NULL-terminated, or NULL. wanted[i]: for s->procs[i].
 */
int ps_table(const struct snapshot *s, const bool *wanted, const char *const *args, struct text *t,
	struct err *e);
