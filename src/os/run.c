/* SPDX-License-Identifier: Apache-2.0 */
#include "os/run.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/clone.h"
#include "os/file.h"

/* In the child: never returns. why: where errno goes when there is nothing to execute. */
static void become(const char *const *argv, const struct run_streams *s, int why, pid_t parent)
{
	int in = s->in >= 0 ? s->in : open("/dev/null", O_RDONLY | O_CLOEXEC), code;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (dup2(in, 0) >= 0 && (s->out < 0 || dup2(s->out, 1) >= 0) &&
		(s->err < 0 || dup2(s->err, 2) >= 0))
		execvp(argv[0], (char *const *)argv);
	code = errno;
	file_write_all(why, &code, sizeof(code));
	_exit(127);
}

int run_start(const char *const *argv, const struct run_streams *streams)
{
	autofd pidfd = FD_NONE, reads = FD_NONE, writes = FD_NONE;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	int ends[2], code = 0, status;
	pid_t parent = getpid(), child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reads = ends[0];
	writes = ends[1];
	child = clone_process(&args);
	if (child == 0)
		become(argv, streams, writes, parent);
	if (child < 0)
		return child;
	fd_close(&writes);
	if (read(reads, &code, sizeof(code)) == sizeof(code)) {
		clone_wait(pidfd, &status);
		return -code;
	}
	return take_fd(&pidfd);
}

static int exit_code(int pidfd)
{
	int status, r = clone_wait(pidfd, &status);

	if (r < 0)
		return r;
	return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

int run_program(const char *const *argv, const struct run_streams *streams)
{
	autofd pidfd = run_start(argv, streams);

	return pidfd < 0 ? pidfd : exit_code(pidfd);
}

int run_read(const char *const *argv, size_t max, char **ret, size_t *ret_n)
{
	struct run_streams streams = { FD_NONE, FD_NONE, FD_NONE };
	autofd reads = FD_NONE, pidfd = FD_NONE;
	autofree char *text = NULL;
	int ends[2], code;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reads = ends[0];
	streams.out = ends[1];
	pidfd = run_start(argv, &streams);
	close(ends[1]);
	if (pidfd < 0)
		return pidfd;
	n = file_read_fd(reads, max, &text);
	fd_close(&reads);
	code = exit_code(pidfd);
	if (code)
		return code;
	if (n < 0)
		return (int)n;
	*ret = take_ptr(text);
	*ret_n = (size_t)n;
	return 0;
}
