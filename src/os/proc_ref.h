/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that cannot be mistaken for another: its number alone is given to somebody else once
 * it has been reaped, so the kernel's descriptor and the start time go with it.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_ref {
	pid_t pid;	      /* in the PID namespace of our /proc */
	int pidfd;	      /* owned */
	uint64_t start_ticks; /* since boot, /proc/PID/stat field 22; 0: not known */
};

#define PROC_REF_NONE ((struct proc_ref){ .pidfd = -EBADF })

/*
 * Takes hold of a process. start_ticks: the start time it was once recorded with, or 0 to take
 * whoever has the number now.
 * Returns 0, or -ESRCH if it has gone or the number belongs to a younger process; a zombie is
 * still there.
 */
int proc_ref_open(pid_t pid, uint64_t start_ticks, struct proc_ref *ret);

/* The same for a pidfd that clone3() gave; it is taken only on success. */
int proc_ref_adopt(pid_t pid, int pidfd, struct proc_ref *ret);

/* Lets go; r is as PROC_REF_NONE. */
void proc_ref_done(struct proc_ref *r);

/* Has it not exited? A zombie has. */
bool proc_ref_alive(const struct proc_ref *r);

/* 0, or -ESRCH for one that was reaped, -EPERM. signal 0 only asks. */
int proc_ref_signal(const struct proc_ref *r, int signal);

/* Waits until it exits, whoever its parent is. timeout_ms -1: for ever. 0, or -ETIMEDOUT. */
int proc_ref_wait(const struct proc_ref *r, int timeout_ms);

/* The start time of a process by number; 0 or -errno (-ESRCH: there is none). */
int proc_start_ticks(pid_t pid, uint64_t *ret);
