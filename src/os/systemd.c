/* SPDX-License-Identifier: Apache-2.0 */
#include "os/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/clone.h"

static _Noreturn void be_helper(const char *const *argv, int said)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(said, STDERR_FILENO);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* Its sentence, without the newline; what does not fit is read and dropped. */
static void listen(int fd, char *why, size_t size)
{
	size_t len = 0;
	char rest[256];
	ssize_t n;

	for (;;) {
		n = len + 1 < size ? read(fd, why + len, size - 1 - len)
				   : read(fd, rest, sizeof(rest));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += len + 1 < size ? (size_t)n : 0;
	}
	why[len] = '\0';
	why[strcspn(why, "\n")] = '\0';
}

int systemd_run(const char *exe, const char *const *words, char *why, size_t size)
{
	struct arena a = { 0 };
	const char **argv = NULL;
	size_t n = 0;
	int pipe_fds[2], pidfd = FD_NONE, status = 0, r;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	pid_t child;

	*(const char **)arena_grow(&a, &argv, &n, sizeof(*argv)) = exe;
	for (; *words; words++)
		*(const char **)arena_grow(&a, &argv, &n, sizeof(*argv)) = *words;
	arena_grow(&a, &argv, &n, sizeof(*argv));
	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		r = -errno;
		arena_done(&a);
		return r;
	}
	child = clone_process(&args);
	if (child == 0)
		be_helper(argv, pipe_fds[1]);
	close(pipe_fds[1]);
	if (child > 0)
		listen(pipe_fds[0], why, size);
	close(pipe_fds[0]);
	r = child < 0 ? (int)child : clone_wait(pidfd, &status);
	fd_close(&pidfd);
	arena_done(&a);
	if (r < 0)
		return r;
	if (status == 127 << 8)
		return -ENOENT;
	/* the alarm it sets itself */
	if ((status & 0x7f) == SIGALRM)
		snprintf(why, size, "systemd does not answer");
	else if (status && !why[0])
		snprintf(why, size, "the helper ended with status %d", status);
	return status != 0;
}
