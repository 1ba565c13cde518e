/* SPDX-License-Identifier: Apache-2.0 */
/* Making processes and waiting for them, always with their descriptor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct clone_args_of {
	uint64_t flags; /* CLONE_NEW*, CLONE_PARENT; CLONE_PIDFD is added */
	int cgroup_fd;	/* CLONE_INTO_CGROUP (Linux 5.7); FD_NONE: none */
	int *ret_pidfd; /* owned by the caller; only in the parent */
};

/*
 * clone3(2) without a shared memory: returns twice, like fork(2): 0 in the child, its PID in the
 * parent; or -errno. Without CLONE_PARENT the end is told by SIGCHLD.
 */
pid_t clone_process(const struct clone_args_of *args);

/* Waits for a child by its descriptor and reaps it; *ret_status as of waitpid(2). 0 or -errno. */
int clone_wait(int pidfd, int *ret_status);

/* The PID a pidfd stands for, in this PID namespace's numbers (fdinfo); -ESRCH: gone or not ours.
 */
pid_t clone_pid_of(int pidfd);

/* Joins namespaces by a pidfd or an nsfs descriptor; unshares. 0 or -errno. */
int clone_join(int fd, int flags);
int clone_unshare(int flags);
