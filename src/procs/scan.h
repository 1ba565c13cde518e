/* SPDX-License-Identifier: Apache-2.0 */
/* The one pass over the files of /proc, on several threads where there are many processes. */
#pragma once

#include "procs/snapshot.h"

/* Enough for any stat or status file, and for command lines as long as anybody reads. */
enum { SCAN_BUF = 16384 };

/*
 * Reads every process into s->procs, ascending by PID, linked to nothing yet. The namespace's
 * inode of each goes into inodes[i] (0: refused), NSpid where it had to be read into nspid.
 */
int scan_read(struct snapshot *s, unsigned wants, uint64_t **ret_inodes, struct err *e);

/* PIDs at every level from status, into the arena. 0 or -errno; p is left alone on failure. */
int scan_nspid(int procfs, struct arena *a, struct proc *p);

/* The command line of p with spaces between the words, or NULL. */
const char *scan_args(int procfs, struct arena *a, pid_t pid);

/* The text of its cgroup file, or NULL. */
const char *scan_cgroup(int procfs, struct arena *a, pid_t pid);

/* The value of a variable in its environment as it was started, or NULL. */
const char *scan_environment(int procfs, struct arena *a, pid_t pid, const char *name);
