/* SPDX-License-Identifier: Apache-2.0 */
/* How a service says that it is ready, and how it is asked. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/services/engine.h"

/* sd_notify(3): a datagram socket of the abstract namespace, so that a read-only root is no matter.
 */
void ready_open_notify(struct service *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct buf b = { a.sun_path + 1, 0, sizeof(a.sun_path) - 1 };
	int on = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	buf_add(&b, "clade-init-%d-%d-%ld", (int)getpid(), engine_of(s), (long)s->started_ms);
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (fd < 0 ||
		bind(fd, (struct sockaddr *)&a,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + b.len)) < 0) {
		note(NOTE_ERROR, "%s: notification socket: %s", s->def->name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	s->notify_fd = fd;
	engine_watch(fd, EPOLLIN, ON_NOTIFY, engine_of(s));
}

void ready_begin(struct service *s)
{
	const struct sv_def *d = s->def;

	s->give_up_ms = d->ready_timeout_ms >= 0 ? sv.now_ms + d->ready_timeout_ms : -1;
	switch (d->ready) {
	case READY_AT_ONCE:
		engine_event(s, EV_READY);
		break;
	case READY_ALIVE:
		s->due_ms = sv.now_ms + d->ready_ms;
		break;
	case READY_FD:
		if (s->ready_fd >= 0)
			engine_watch(s->ready_fd, EPOLLIN, ON_READY, engine_of(s));
		break;
	case READY_EXEC:
	case READY_TCP:
		s->check_ms = sv.now_ms;
		break;
	case READY_NOTIFY:
	case READY_ENDED:
		break;
	}
}

void ready_end(struct service *s)
{
	engine_close(&s->ready_fd);
	engine_close(&s->tcp_fd);
	if (!s->pid)
		engine_close(&s->notify_fd);
	s->check_ms = s->give_up_ms = -1;
	if (s->check_pid)
		kill(-s->check_pid, SIGKILL);
}

/* s6: "a newline"; what comes before it is of no meaning. */
void ready_fd_event(struct service *s)
{
	char text[256];
	ssize_t n = read(s->ready_fd, text, sizeof(text));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !memchr(text, '\n', (size_t)n))
		return;
	engine_close(&s->ready_fd);
	if (n > 0 && s->state == SV_STARTING)
		engine_event(s, EV_READY);
}

/* --- sd_notify ------------------------------------------------------------------------------- */

static void take_main_pid(struct service *s, const char *value, size_t n)
{
	long pid = text_number(value, n, 1 << 22);

	/* a process of the same group or session, not just anybody's */
	if (pid <= 1 || pid == s->pid || s->isolated || kill((pid_t)pid, 0) < 0 ||
		(getpgid((pid_t)pid) != s->pgid && getsid((pid_t)pid) != getsid(s->pid)))
		return;
	note(NOTE_INFO, "%s: its main process is %ld now", s->def->name, pid);
	s->pid = (pid_t)pid;
}

static void take_line(struct service *s, const char *line, size_t n)
{
	if (text_is(line, n, "READY=1")) {
		if (s->state == SV_STARTING)
			engine_event(s, EV_READY);
	} else if (text_is(line, n, "STOPPING=1")) {
		note(NOTE_INFO, "%s is stopping", s->def->name);
	} else if (n > 7 && strncmp(line, "STATUS=", 7) == 0) {
		struct buf b = BUF(s->note);

		s->note[0] = '\0';
		buf_bytes(&b, line + 7, n - 7);
		for (size_t i = 0; i < b.len; i++)
			if ((unsigned char)s->note[i] < ' ' || s->note[i] == 127)
				s->note[i] = '?';
	} else if (n > 8 && strncmp(line, "MAINPID=", 8) == 0) {
		take_main_pid(s, line + 8, n - 8);
	}
}

void ready_notify_event(struct service *s)
{
	char text[2048];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(64 * sizeof(int))];
	} control;
	struct iovec iov = { text, sizeof(text) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(s->notify_fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	uid_t wanted = s->def->user.set ? s->def->user.uid : geteuid();
	bool trusted = false;

	if (n < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;

			memcpy(&who, CMSG_DATA(c), sizeof(who));
			trusted = who.uid == 0 || who.uid == wanted;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			/* FDSTORE is not ours: what is sent along must not pile up */
			for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
				close(fd);
			}
		}
	}
	for (const char *line = text, *end = text + n; trusted && line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = newline ? (size_t)(newline - line) : (size_t)(end - line);

		take_line(s, line, len);
		line += len + 1;
	}
}

/* --- checks ---------------------------------------------------------------------------------- */

static void check_tcp(struct service *s)
{
	uint16_t port = htons((uint16_t)s->def->ready_port);
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = port, .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = port };
	bool six =
		s->def->ready_host && inet_pton(AF_INET6, s->def->ready_host, &a6.sin6_addr) == 1;
	int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s->def->ready_host && !six)
		inet_pton(AF_INET, s->def->ready_host, &a.sin_addr);

	engine_close(&s->tcp_fd);
	s->check_ms = sv.now_ms + s->def->ready_every_ms;
	if (fd < 0)
		return;
	s->tcp_fd = fd;
	if (connect(fd, six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a,
		    six ? sizeof(a6) : sizeof(a)) == 0) {
		engine_close(&s->tcp_fd);
		engine_event(s, EV_READY);
	} else if (errno == EINPROGRESS) {
		engine_watch(fd, EPOLLOUT, ON_TCP, engine_of(s));
	} else {
		engine_close(&s->tcp_fd);
	}
}

void ready_tcp_event(struct service *s)
{
	int why = 0;
	socklen_t n = sizeof(why);

	getsockopt(s->tcp_fd, SOL_SOCKET, SO_ERROR, &why, &n);
	engine_close(&s->tcp_fd);
	if (why == 0 && s->state == SV_STARTING)
		engine_event(s, EV_READY);
}

void ready_check(struct service *s)
{
	if (s->state != SV_STARTING)
		return;
	if (s->def->ready == READY_TCP) {
		check_tcp(s);
		return;
	}
	s->check_pid = spawn_check(s);
	if (s->check_pid < 0) {
		s->check_pid = 0;
		s->check_ms = sv.now_ms + s->def->ready_every_ms;
	}
}
