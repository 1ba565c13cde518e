/* SPDX-License-Identifier: Apache-2.0 */
#include "os/proc_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

/* Field 22 counts from the last parenthesis: the name before it may hold anything. */
enum { FIELDS_BEFORE_START = 20 };

static int parse_start(const char *stat, uint64_t *ret)
{
	const char *s = strrchr(stat, ')');
	unsigned long long v;
	char *end;

	for (int i = 0; s && i < FIELDS_BEFORE_START; i++)
		s = strchr(s + 1, ' ');
	if (!s)
		return -EBADMSG;
	v = strtoull(s + 1, &end, 10);
	if (end == s + 1)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int proc_start_ticks(pid_t pid, uint64_t *ret)
{
	char path[32], text[1024];
	autofd fd = FD_NONE;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return n < 0 ? -errno : -ESRCH;
	text[n] = '\0';
	return parse_start(text, ret);
}

int proc_ref_adopt(pid_t pid, int pidfd, struct proc_ref *ret)
{
	struct proc_ref r = { .pid = pid, .pidfd = pidfd };
	int e = proc_start_ticks(pid, &r.start_ticks);

	if (e < 0)
		return e;
	/* Still there after the read: what was read was its own and not its number's next owner's.
	 */
	e = proc_ref_signal(&r, 0);
	if (e < 0 && e != -EPERM)
		return e;
	*ret = r;
	return 0;
}

int proc_ref_open(pid_t pid, uint64_t start_ticks, struct proc_ref *ret)
{
	autofd fd = FD_NONE;
	struct proc_ref r;
	int e;

	if (pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	e = proc_ref_adopt(pid, fd, &r);
	if (e < 0)
		return e;
	if (start_ticks && r.start_ticks != start_ticks)
		return -ESRCH;
	*ret = r;
	take_fd(&fd);
	return 0;
}

void proc_ref_done(struct proc_ref *r)
{
	fd_close(&r->pidfd);
	*r = PROC_REF_NONE;
}

int proc_ref_signal(const struct proc_ref *r, int signal)
{
	return syscall(SYS_pidfd_send_signal, r->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int proc_ref_wait(const struct proc_ref *r, int timeout_ms)
{
	struct pollfd p = { .fd = r->pidfd, .events = POLLIN };
	int64_t end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int left = timeout_ms, n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR) {
		if (timeout_ms > 0 && (left = (int)(end - now_ms())) < 0)
			left = 0;
	}
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ETIMEDOUT;
	return p.revents & POLLNVAL ? -EBADF : 0;
}

bool proc_ref_alive(const struct proc_ref *r)
{
	return r->pidfd >= 0 && proc_ref_wait(r, 0) == -ETIMEDOUT;
}
