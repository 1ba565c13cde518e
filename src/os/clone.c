/* SPDX-License-Identifier: Apache-2.0 */
#include "os/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/file.h"

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

/* struct clone_args of clone3(2) in its size of Linux 5.7; libc headers have it in pieces. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

pid_t clone_process(const struct clone_args_of *args)
{
	struct clone3_args c = {
		.flags = args->flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)args->ret_pidfd,
		/* with CLONE_PARENT the kernel takes our own */
		.exit_signal = args->flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long r;

	if (args->cgroup_fd >= 0) {
		c.flags |= CLONE_INTO_CGROUP;
		c.cgroup = (uint64_t)args->cgroup_fd;
	}
	r = syscall(SYS_clone3, &c, sizeof(c));
	return r < 0 ? -errno : (pid_t)r;
}

int clone_wait(int pidfd, int *ret_status)
{
	siginfo_t info = { 0 };

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status;
	return 0;
}

pid_t clone_pid_of(int pidfd)
{
	char path[64], text[1024];
	const char *line;
	pid_t pid;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (file_read(-1, path, text, sizeof(text)) < 0)
		return -ESRCH;
	line = strstr(text, "\nPid:");
	pid = line ? (pid_t)strtol(line + 5, NULL, 10) : -1;
	return pid > 0 ? pid : -ESRCH;
}

int clone_join(int fd, int flags)
{
	return setns(fd, flags) < 0 ? -errno : 0;
}

int clone_unshare(int flags)
{
	return unshare(flags) < 0 ? -errno : 0;
}
