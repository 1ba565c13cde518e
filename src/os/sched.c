/* SPDX-License-Identifier: Apache-2.0 */
#include "os/sched.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct sched_attr of sched_setattr(2), first version */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

static int result(long r)
{
	return r < 0 ? -errno : 0;
}

int sched_set(const struct sched_setting *s)
{
	struct attr a = {
		.size = sizeof(a),
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};

	return result(syscall(SYS_sched_setattr, 0, &a, 0));
}

int sched_set_io_priority(int class, int priority)
{
	enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 };

	return result(syscall(SYS_ioprio_set, WHO_PROCESS, 0, class << CLASS_SHIFT | priority));
}

int sched_set_memory_policy(int mode, const uint64_t *nodes, size_t n_bits)
{
	/* maxnode counts one more than there are bits, since ever */
	return result(syscall(SYS_set_mempolicy, mode, nodes, n_bits ? n_bits + 1 : 0));
}

int sched_set_affinity(const uint64_t *cpus, size_t n_bits)
{
	return result(syscall(SYS_sched_setaffinity, 0, (n_bits + 63) / 64 * 8, cpus));
}

int sched_set_rlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	return result(prlimit(pid, resource, &limit, NULL));
}

int sched_new_keyring(void)
{
	return result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL));
}
