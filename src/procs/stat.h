/* SPDX-License-Identifier: Apache-2.0 */
/* The line of /proc/PID/stat. Source: proc_pid_stat(5), which numbers the fields. */
#pragma once

#include "procs/snapshot.h"

/*
 * Fills what stat knows of p: numbers, state, times. text: NUL-terminated; lent. The name, which
 * may hold spaces, parentheses and newlines, is ret_comm[0..*ret_comm_len) inside text.
 * Returns 0, or -EBADMSG for a text that is no such line, leaving p alone.
 */
int stat_parse(const char *text, struct proc *p, const char **ret_comm, size_t *ret_comm_len);
