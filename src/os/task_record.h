/* SPDX-License-Identifier: Apache-2.0 */
/* What the BPF program writes of a process; included by it, which has no C library. */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

/* The shape of the record below: a pinned program may be of another clade. */
#define TASK_RECORD_MAGIC  0xc1ade004u
#define TASK_RECORD_LEVELS 33 /* pid_namespaces(7) */
#define TASK_RECORD_COMM   16

struct task_level {
	uint32_t pid;
	uint32_t ns; /* inode */
};

/* As the first PID namespace numbers everything; size bytes long, n_levels of levels[]. */
struct task_record {
	uint32_t magic, size;
	uint32_t pid, ppid, pgid, sid, euid;
	uint32_t state; /* __state | exit_state, as the kernel has them */
	uint32_t flags; /* PF_* */
	int32_t exit_code, exit_signal;
	uint32_t n_threads;
	uint64_t start_ns;		/* since boot */
	uint64_t cgroup_v2, cgroup_v1;	/* inode of cgroup2's, id of the pids hierarchy's */
	uint32_t born_exec, self_exec;	/* its parent's execs when it was born, and its own */
	uint8_t n_levels, is_subreaper; /* PR_SET_CHILD_SUBREAPER */
	uint8_t pad[6];
	char comm[TASK_RECORD_COMM];
	struct task_level levels[TASK_RECORD_LEVELS]; /* outermost first */
};
