/* SPDX-License-Identifier: Apache-2.0 */
/* How the calling process is scheduled and what it may use; each 0 or -errno. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* sched_setattr(2); times in nanoseconds. */
struct sched_setting {
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};
int sched_set(const struct sched_setting *s);

/* ioprio_set(2); class IOPRIO_CLASS_*, 0 to 7. */
int sched_set_io_priority(int class, int priority);

/* set_mempolicy(2); nodes: n_bits bits. */
int sched_set_memory_policy(int mode, const uint64_t *nodes, size_t n_bits);

/* sched_setaffinity(2) of the caller. */
int sched_set_affinity(const uint64_t *cpus, size_t n_bits);

/* prlimit(2) on a process; pid 0: the caller. */
int sched_set_rlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard);

/* A session keyring of its own (keyctl(2)); without a name, so that it costs the same always. */
int sched_new_keyring(void);
