/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: one listening socket, a few places for clients. Nothing a client does or
 * leaves undone holds anybody up: it is never waited for, its answer has to fit the socket's
 * buffer, and the oldest one's place is given away.
 */
#include "init/services/ctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct client clients[CLIENTS];
/* apart: a place that was never taken costs no memory */
static struct request {
	char text[HTTP_MAX + 1];
	const char *words[CTL_WORDS];
} requests[CLIENTS];
static int listening = -1, inet_listening = -1;
static char path[108];

/* --- the socket ------------------------------------------------------------------------------ */

static bool address(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(name) >= sizeof(a->sun_path))
		return false;
	memcpy(a->sun_path, name, strlen(name));
	return true;
}

/* Whether somebody listens there: what is left of one who does no more is removed. */
static bool is_taken(const struct sockaddr_un *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	bool taken = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 || errno == EAGAIN;

	close(fd);
	if (!taken && lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(a->sun_path);
	return taken;
}

static int listen_at(const char *name)
{
	const struct sv_settings *set = &sv.now->set;
	struct sockaddr_un a;
	int fd = -1, r;
	mode_t old;

	if (!address(&a, name))
		return -ENAMETOOLONG;
	if (is_taken(&a))
		return -EADDRINUSE;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	old = umask(0777 & ~(mode_t)set->socket_mode);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(old);
	if (r == 0 && set->socket_uid != (uid_t)-1 &&
		chown(name, set->socket_uid, set->socket_gid) < 0)
		r = -errno;
	if (r == 0 && (listen(fd, 16) < 0 || !engine_watch(fd, EPOLLIN, ON_LISTEN, 0)))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	strcpy(path, name);
	listening = fd;
	return 0;
}

/* [inet_http_server]; false: said why not. */
static bool listen_inet(void)
{
	const struct sv_http *h = &sv.now->set.http[1];
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)h->port),
		.sin_addr = { htonl(h->any ? INADDR_ANY : INADDR_LOOPBACK) } };
	int fd, on = 1;

	if (!h->port)
		return true;
	if (h->host)
		inet_pton(AF_INET, h->host, &a.sin_addr);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 16) < 0 ||
		!engine_watch(fd, EPOLLIN, ON_LISTEN, 1)) {
		note(NOTE_CRIT, "inet_http_server: listen on port %d: %s", h->port,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	inet_listening = fd;
	if (!h->username)
		note(NOTE_CRIT, "Server 'inet_http_server' running without any HTTP authentication "
				"checking");
	return true;
}

static bool listen_unix(void)
{
	static const char *const places[] = { CTL_PLACES };
	const char *wanted = sv.now->set.socket;
	int r = 0;

	if (wanted && strcmp(wanted, "none") == 0)
		return true;
	for (size_t i = 0; !wanted && i < sizeof(places) / sizeof(places[0]); i++) {
		r = listen_at(places[i]);
		if (r == 0)
			return true;
	}
	if (wanted)
		r = listen_at(wanted);
	if (r < 0)
		note(wanted ? NOTE_ERROR : NOTE_WARN, "control socket %s: %s",
			wanted ? wanted : places[0], strerror(-r));
	return r == 0 || !wanted || r != -EADDRINUSE;
}

bool ctl_begin(void)
{
	for (int i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	if (!listen_inet() || !listen_unix())
		return false;
	if (sv.is_supervisor && sv.now->set.socket && !sv.now->set.http[0].username)
		note(NOTE_CRIT, "Server 'unix_http_server' running without any HTTP authentication "
				"checking");
	if (sv.is_supervisor)
		note(NOTE_INFO, "RPC interface 'supervisor' initialized");
	return true;
}

void ctl_end(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].fd >= 0)
			ctl_finish(&clients[i]);
	if (listening >= 0)
		unlink(path);
}

/* --- clients --------------------------------------------------------------------------------- */

static void drop(struct client *c)
{
	engine_close(&c->fd);
	sv.clients--;
	c->wait = WAIT_NONE;
}

void ctl_accept(bool inet)
{
	static unsigned long count;
	struct client *c = &clients[0];
	int fd = accept4(
		    inet ? inet_listening : listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
	    bytes = 256 << 10;

	if (fd < 0)
		return;
	for (int i = 0; i < CLIENTS; i++)
		if (clients[i].fd < 0 || (c->fd >= 0 && clients[i].since < c->since))
			c = &clients[i];
	if (c->fd >= 0)
		drop(c);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	*c = (struct client){ .fd = fd, .since = ++count, .follows = -1, .inet = inet };
	sv.clients++;
	c->request = requests[c - clients].text;
	c->words = requests[c - clients].words;
	if (!engine_watch(fd, EPOLLIN, ON_CLIENT, (int)(c - clients)))
		drop(c);
}

/* Our own language has no passwords: who is asked for one by HTTP has to be root or us here. */
static bool may(const struct client *c)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	if (c->inet)
		return false;
	return !sv.now->set.http[0].username ||
	       (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
		       (who.uid == 0 || who.uid == geteuid()));
}

/* Splits a complete request into words; 0: not complete, -1: none there will be. */
static int split(struct client *c)
{
	size_t at = 0;

	for (c->n_words = 0; at < c->n; at += strlen(c->request + at) + 1) {
		if (!memchr(c->request + at, '\0', c->n - at))
			break;
		if (!c->request[at])
			return c->n_words ? 1 : -1;
		if (c->n_words == CTL_WORDS)
			return -1;
		c->words[c->n_words++] = c->request + at;
	}
	return c->n == CTL_REQUEST_MAX ? -1 : 0;
}

void ctl_client(int number)
{
	struct client *c = &clients[number];
	char ignored[256];
	ssize_t n;
	int complete;

	if (c->fd < 0)
		return;
	if (c->asked) {
		/* all it may do now is go */
		if (recv(c->fd, ignored, sizeof(ignored), 0) <= 0 && errno != EAGAIN &&
			errno != EINTR)
			drop(c);
		return;
	}
	n = recv(c->fd, c->request + c->n, (http_is(c) ? HTTP_MAX : CTL_REQUEST_MAX) - c->n, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->n += (size_t)n;
	complete = n <= 0 ? -1 : http_is(c) ? http_split(c) : split(c);
	if (complete == 0)
		return;
	if (complete < 0) {
		drop(c);
		return;
	}
	c->asked = true;
	sv.count.requests++;
	sv.used = true;
	if (http_is(c))
		http_command(c);
	else if (may(c))
		ctl_command(c);
	else
		drop(c);
}

/* who reads too slowly for 256 KiB is not waited for */
void ctl_send(struct client *c, const char *data, size_t n)
{
	if (c->fd >= 0 && send(c->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
		drop(c);
}

void ctl_bytes(struct client *c, enum ctl_kind kind, const char *data, size_t n)
{
	if (c->http) {
		if (kind != CTL_EXIT)
			http_bytes(c, data, n);
		return;
	}
	while (c->fd >= 0) {
		size_t part = n < CTL_DATA_MAX ? n : CTL_DATA_MAX;
		char frame[CTL_HEAD + CTL_DATA_MAX];

		frame[0] = (char)kind;
		frame[1] = (char)(part >> 8);
		frame[2] = (char)part;
		memcpy(frame + CTL_HEAD, data, part);
		ctl_send(c, frame, CTL_HEAD + part);
		data += part;
		n -= part;
		if (!n)
			break;
	}
}

void ctl_say(struct client *c, const char *fmt, ...)
{
	char text[1024];
	struct buf b = BUF(text);
	va_list args;

	va_start(args, fmt);
	buf_vadd(&b, fmt, args);
	va_end(args);
	if (b.len == b.size - 1)
		b.len--;
	buf_bytes(&b, "\n", 1);
	ctl_bytes(c, CTL_OUT, text, b.len);
}

void ctl_finish(struct client *c)
{
	char code = (char)c->code;

	if (c->rpc && !rpc_finish(c))
		return;
	if (c->http)
		http_end(c);
	ctl_bytes(c, CTL_EXIT, &code, 1);
	if (c->fd >= 0)
		drop(c);
}

/* --- waiting --------------------------------------------------------------------------------- */

void ctl_wait_for(struct client *c, const struct service *s)
{
	int i = engine_of(s);

	if (c->pending[i / 8] & 1 << i % 8)
		return;
	c->pending[i / 8] |= (unsigned char)(1 << i % 8);
	c->n_pending++;
}

/* Has what was asked of it come out one way or the other? Says so. */
static bool came_out(struct client *c, const struct service *s)
{
	char text[300];
	struct buf b = BUF(text);

	if (c->rpc)
		return rpc_came_out(c, s);
	text[0] = '\0';
	ctl_name(&b, s->def->group, s->def->name);
	if (c->wait == WAIT_UPDATE)
		return s->state == SV_STOPPED || s->state == SV_EXITED || s->state == SV_FATAL;
	if (c->wait == WAIT_STOP || c->wait == WAIT_RESTART) {
		if (s->state != SV_STOPPED && s->state != SV_EXITED && s->state != SV_FATAL)
			return false;
		ctl_say(c, "%s: stopped", text);
		return true;
	}
	if (s->state == SV_RUNNING || (s->state == SV_EXITED && s->def->rule.oneshot)) {
		ctl_say(c, "%s: started", text);
		return true;
	}
	if (s->state == SV_BACKOFF || s->state == SV_FATAL) {
		ctl_say(c, "%s: ERROR (spawn error)", text);
	} else if ((s->state == SV_STOPPED && !s->start_asked) || s->state == SV_EXITED) {
		ctl_say(c, "%s: ERROR (abnormal termination)", text);
	} else {
		return false;
	}
	c->code = 7;
	return true;
}

void ctl_changed(const struct service *s)
{
	int i = engine_of(s);

	for (int k = 0; k < CLIENTS; k++) {
		struct client *c = &clients[k];

		if (c->fd < 0 || !(c->pending[i / 8] & 1 << i % 8) || !came_out(c, s))
			continue;
		c->pending[i / 8] &= (unsigned char)~(1 << i % 8);
		if (--c->n_pending > 0)
			continue;
		if (c->wait == WAIT_RESTART)
			ctl_restart_now(c);
		else
			ctl_finish(c);
	}
}

void ctl_line(const struct service *s, int which, const char *data, size_t n)
{
	for (int k = 0; k < CLIENTS; k++)
		if (clients[k].fd >= 0 && clients[k].wait == WAIT_TAIL &&
			clients[k].follows == engine_of(s) && clients[k].stream == which)
			ctl_bytes(&clients[k], CTL_OUT, data, n);
}

void ctl_main_line(const char *data, size_t n)
{
	for (int k = 0; k < CLIENTS; k++)
		if (clients[k].fd > 0 && clients[k].wait == WAIT_MAINTAIL)
			ctl_bytes(&clients[k], CTL_OUT, data, n);
}
