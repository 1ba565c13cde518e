/* SPDX-License-Identifier: Apache-2.0 */
/* The one pass over the files of /proc, on several threads where there are many processes. */
#pragma once

#include "procs/snapshot.h"

/* Enough for any stat or status file, and for command lines as long as anybody reads. */
enum { SCAN_BUF = 16384 };

struct scan_result {
	uint64_t *inodes; /* of each process's namespace; 0: refused */
	uint64_t *above;  /* of the one that is in; NULL: the kernel must be asked */
};

/*
 * Reads every process into s->procs, ascending by PID, linked to nothing yet. The namespace's
 * inode of each goes into inodes[i] (0: refused), NSpid where it had to be read into nspid.
 * kernel: this is the kernel's own /proc, so its task iterator may stand in for it.
 */
int scan_read(
	struct snapshot *s, unsigned wants, bool kernel, struct scan_result *ret, struct err *e);

/*
 * The same from the BPF task iterator: pinned, or loaded for this where there are many_enough.
 * False where it is not to be had; then nothing was changed.
 */
bool scan_tasks(struct snapshot *s, bool many_enough, struct scan_result *ret);

/* PIDs at every level from status, into the arena. 0 or -errno; p is left alone on failure. */
int scan_nspid(int procfs, struct arena *a, struct proc *p);

/* The command line of p with spaces between the words, or NULL. */
const char *scan_args(int procfs, struct arena *a, pid_t pid);

/* The text of its cgroup file, or NULL. */
const char *scan_cgroup(int procfs, struct arena *a, pid_t pid);

/* The value of a variable in its environment as it was started, or NULL. */
const char *scan_environment(int procfs, struct arena *a, pid_t pid, const char *name);
