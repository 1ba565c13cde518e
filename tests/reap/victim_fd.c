/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and waiting on descriptors. */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static void write_eight(long fd)
{
	(void)!write((int)fd, "\1\0\0\0\0\0\0", 8);
}

static void read_much(long fd)
{
	static char b[1 << 20];

	(void)!read((int)fd, b, sizeof(b));
}

static int pipe_written_later(void)
{
	int fds[2];

	if (pipe(fds) < 0)
		exit(3);
	victim_later(write_eight, fds[1]);
	return fds[0];
}

static bool read_pipe(void)
{
	char b[8];

	return victim_holds(read(pipe_written_later(), b, 8) == 8, "did not read 8");
}

static bool write_full_pipe(void)
{
	static char b[4096];
	int fds[2];

	if (pipe(fds) < 0)
		exit(3);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], b, sizeof(b)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	victim_later(read_much, fds[0]);
	return victim_holds(write(fds[1], b, sizeof(b)) == sizeof(b), "wrote less");
}

static bool read_eventfd(void)
{
	int fd = eventfd(0, 0);
	uint64_t v = 0;

	victim_later(write_eight, fd);
	return victim_is(read(fd, &v, 8), 0) && victim_holds(v == 1, "read another number");
}

static bool read_timer(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec t = { .it_value = victim_span() };
	uint64_t v = 0;

	timerfd_settime(fd, 0, &t, NULL);
	return victim_is(read(fd, &v, 8), 0) && victim_holds(v == 1, "it rang more than once");
}

static bool read_signal(void)
{
	struct signalfd_siginfo info = { 0 };
	sigset_t one;

	victim_block(SIGUSR1);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	victim_signal_later(SIGUSR1);
	return victim_is(read(signalfd(-1, &one, 0), &info, sizeof(info)), 0) &&
	       victim_holds(info.ssi_signo == SIGUSR1, "another signal");
}

static bool read_inotify(void)
{
	char path[] = "/tmp/victimXXXXXX", b[4096];
	int file = mkstemp(path), fd = inotify_init();

	inotify_add_watch(fd, path, IN_MODIFY);
	unlink(path);
	victim_later(write_eight, file);
	return victim_is(read(fd, b, sizeof(b)), 0);
}

static bool poll_forever(void)
{
	struct pollfd p = { pipe_written_later(), POLLIN, 0 };

	return victim_is(poll(&p, 1, -1), 0) && victim_holds(p.revents == POLLIN, "no event");
}

static bool select_forever(void)
{
	int fd = pipe_written_later();
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return victim_holds(select(fd + 1, &set, NULL, NULL, NULL) == 1, "not one descriptor");
}

static bool epoll(int fd, int timeout_ms, int events, const sigset_t *mask)
{
	int set = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };

	if (fd >= 0)
		epoll_ctl(set, EPOLL_CTL_ADD, fd, &ev);
	return victim_is(epoll_pwait(set, &ev, 1, timeout_ms, mask) - events, 0);
}

static bool epoll_forever(void)
{
	return epoll(pipe_written_later(), -1, 1, NULL);
}

static bool epoll_masked(void)
{
	sigset_t all;

	sigfillset(&all);
	return epoll(pipe_written_later(), -1, 1, &all);
}

static bool epoll_limited(void)
{
	return epoll(-1, (int)victim_ms(), 0, NULL);
}

static bool receive(int flags, int timeout_s)
{
	struct timeval limit = { timeout_s, 0 };
	char b[8];
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		exit(3);
	if (timeout_s)
		setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	victim_later(write_eight, fds[1]);
	return victim_holds(recv(fds[0], b, 8, flags) == 8, "did not receive 8");
}

static bool receive_forever(void)
{
	return receive(0, 0);
}

static bool receive_limited(void)
{
	return receive(0, 3600);
}

static bool receive_message(void)
{
	char b[8];
	struct iovec io = { b, 8 };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		exit(3);
	victim_later(write_eight, fds[1]);
	return victim_holds(recvmsg(fds[0], &m, 0) == 8, "did not receive 8");
}

static void connect_to(long fd)
{
	struct sockaddr_un at;
	socklen_t n = sizeof(at);

	getsockname((int)fd, (struct sockaddr *)&at, &n);
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&at, n);
}

static bool accept_one(void)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	bind(fd, (struct sockaddr *)&any, sizeof(sa_family_t)); /* a name of the kernel's choice */
	listen(fd, 1);
	victim_later(connect_to, fd);
	return victim_is(accept(fd, NULL, NULL), 0);
}

static void open_for_writing(long path)
{
	close(open((const char *)path, O_WRONLY));
}

static bool open_fifo(void)
{
	char folder[] = "/tmp/victimXXXXXX", path[sizeof(folder) + 2];
	bool good;

	if (!mkdtemp(folder))
		exit(3);
	snprintf(path, sizeof(path), "%s/f", folder);
	if (mkfifo(path, 0600) < 0)
		exit(3);
	victim_later(open_for_writing, (long)path);
	good = victim_is(open(path, O_RDONLY), 0);
	unlink(path);
	rmdir(folder);
	return good;
}

const struct kind fd_kinds[] = {
	{ "read-pipe", read_pipe },
	{ "write-full-pipe", write_full_pipe },
	{ "read-eventfd", read_eventfd },
	{ "read-timerfd", read_timer },
	{ "read-signalfd", read_signal },
	{ "read-inotify", read_inotify },
	{ "poll-forever", poll_forever },
	{ "select-forever", select_forever },
	{ "epoll-forever", epoll_forever },
	{ "epoll-masked", epoll_masked },
	{ "epoll-timeout", epoll_limited, .retimed = true },
	{ "recv", receive_forever },
	{ "recv-timeout", receive_limited },
	{ "recvmsg", receive_message },
	{ "accept", accept_one },
	{ "open-fifo", open_fifo },
	{ 0 },
};
