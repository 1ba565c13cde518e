/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's process connector: every fork, exec and exit of the host, as it happens, over
 * netlink. It needs CAP_NET_ADMIN in the initial user and PID namespaces (Linux 6.6: none of the
 * capability). It says nothing of reaping, and loses events when they come too fast.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum cn_what { CN_FORK, CN_EXEC, CN_EXIT };

struct cn_event {
	enum cn_what what;
	pid_t pid;	 /* process (thread group) */
	pid_t ppid;	 /* fork: who forked it; exit: its parent now (Linux 4.18, else 0) */
	int wait_status; /* exit */
	uint64_t at_ns;	 /* CLOCK_MONOTONIC */
};

enum { CN_CPUS_MAX = 1024 };

/* The next sequence number of each CPU, by which losses are noticed. Ready when zeroed. */
struct cn_sequence {
	uint32_t next[CN_CPUS_MAX];
	uint8_t known[CN_CPUS_MAX];
};

/* A socket that is subscribed, non-blocking; or -errno: -EPERM in any but the initial namespaces.
 */
int cn_proc_open(void);

/*
 * Reads what is there, at most max events (threads' own events are left out). Returns how many, 0
 * for none now, or -errno. *lost grows by the events that never arrived, at least by one.
 */
ssize_t cn_proc_read(
	int fd, struct cn_sequence *seq, struct cn_event *ret, size_t max, uint64_t *lost);
