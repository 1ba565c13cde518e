/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is attached. One piece of output is handed round at a time: the next is read when everybody
 * has it, so that a slow reader slows the container down, as a pipe would. A reader that has taken
 * nothing for STALL_MS is let go; the first client, for whom the container was started, never.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "keep/keep.h"

enum { STALL_MS = 10000 };

struct client {
	int fd;
	bool is_first, quiet, owes, ended;
	int place; /* in poll's list; -1: not watched */
};

static struct client clients[CLIENTS_MAX];
static int listener = -1, listener_place = -1;
static bool first_took, somebody_came;
static struct wire_frame out, in;
static size_t out_len;
static int64_t stalled_since_ms;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clients_init(int listen_fd, int first_fd)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i].fd = -1;
	listener = listen_fd;
	if (first_fd >= 0)
		clients[0] = (struct client){ .fd = first_fd, .is_first = true };
}

static void let_go(struct client *c)
{
	if (c->is_first)
		input_eof(true);
	close(c->fd);
	*c = (struct client){ .fd = -1 };
}

bool clients_has_first(void)
{
	return clients[0].fd >= 0 && clients[0].is_first;
}

bool clients_first_took(void)
{
	return first_took;
}

bool clients_came(void)
{
	bool came = somebody_came;

	somebody_came = false;
	return came;
}

bool clients_owe(void)
{
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd >= 0 && clients[i].owes)
			return true;
	return false;
}

static void hand_out(struct client *c)
{
	if (send(c->fd, &out, WIRE_HEAD + out_len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		c->owes = false;
		return;
	}
	if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR)
		return;
	let_go(c);
}

void clients_send(int kind, const char *data, size_t n)
{
	out.kind = kind;
	out.a = out.b = 0;
	memcpy(out.data, data, n);
	out_len = n;
	stalled_since_ms = now_ms();
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].fd < 0 || clients[i].quiet)
			continue;
		clients[i].owes = true;
		hand_out(&clients[i]);
	}
}

int clients_patience_ms(void)
{
	int64_t left;

	if (!clients_owe())
		return -1;
	left = stalled_since_ms + STALL_MS - now_ms();
	if (left > 0)
		return (int)left;
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd >= 0 && clients[i].owes && !clients[i].is_first)
			let_go(&clients[i]);
	stalled_since_ms = now_ms();
	return clients_owe() ? STALL_MS : -1;
}

void clients_exit(int code, bool restarting)
{
	struct wire_frame f;

	f.kind = WIRE_EXIT;
	f.a = code;
	f.b = restarting;
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (clients[i].fd >= 0)
			send(clients[i].fd, &f, WIRE_HEAD, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void watch(struct pollfd *fds, int *n, int *place, int fd, short events)
{
	*place = *n;
	fds[(*n)++] = (struct pollfd){ .fd = fd, .events = events };
}

void clients_watch(struct pollfd *fds, int *n, bool reads)
{
	listener_place = -1;
	if (listener >= 0)
		watch(fds, n, &listener_place, listener, POLLIN);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];
		short events = (short)((reads ? POLLIN : 0) | (c->owes ? POLLOUT : 0));

		c->place = -1;
		/* a pending hang-up would wake us for ever while its last words cannot be taken */
		if (c->fd >= 0 && (events || !c->ended))
			watch(fds, n, &c->place, c->fd, events);
	}
}

static void come_in(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	somebody_came = true;
	for (int i = 1; i < CLIENTS_MAX; i++) {
		if (clients[i].fd >= 0)
			continue;
		clients[i] = (struct client){ .fd = fd, .place = -1 };
		return;
	}
	close(fd);
}

static void obey(struct client *c, size_t n)
{
	switch (in.kind) {
	case WIRE_STDIN:
		input_add(in.data, n - WIRE_HEAD);
		break;
	case WIRE_EOF:
		input_eof(c->is_first);
		break;
	case WIRE_RESIZE:
		input_resize(in.a, in.b);
		break;
	case WIRE_QUIET:
		c->quiet = true;
		c->owes = false;
		break;
	case WIRE_TAKE:
		first_took |= c->is_first;
		break;
	}
}

static void hear(struct client *c)
{
	ssize_t n = recv(c->fd, &in, sizeof(in), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < (ssize_t)WIRE_HEAD)
		let_go(c);
	else
		obey(c, (size_t)n);
}

void clients_turn(const struct pollfd *fds)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];
		short got = c->fd >= 0 && c->place >= 0 ? fds[c->place].revents : 0;

		if (got & POLLOUT && c->owes)
			hand_out(c);
		if (c->fd >= 0 && got & POLLIN)
			hear(c);
		else if (c->fd >= 0 && got & (POLLERR | POLLHUP)) {
			if (fds[c->place].events & POLLIN)
				let_go(c);
			else
				c->ended = true;
		}
	}
	if (listener >= 0 && listener_place >= 0 && fds[listener_place].revents)
		come_in();
}
