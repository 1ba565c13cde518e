/* SPDX-License-Identifier: Apache-2.0 */
/* attach: our standard streams and the container's, by way of its minder's socket. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "keep/wire.h"
#include "life/internal.h"
#include "os/file.h"
#include "os/tty.h"

int attach_connect(const struct held *h, bool quiet, int *ret_sock, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autofd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct wire_frame f = { .kind = WIRE_QUIET };

	snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/attach.sock", h->dir);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, errno, "connect to the minder of container %s", h->record.name);
	if (quiet && send(fd, &f, WIRE_HEAD, MSG_NOSIGNAL) < 0)
		return err_set(e, errno, "talk to the minder of container %s", h->record.name);
	*ret_sock = take_fd(&fd);
	return 0;
}

int life_attach(
	const struct life *l, const char *ref, struct life_attach **ret_attach, struct err *e)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	int sock;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.status == LIFE_PAUSED)
		return err_say(e, "container %s is paused; unpause it", h.record.name);
	if (now.status != LIFE_RUNNING && now.status != LIFE_RESTARTING)
		return err_say(e, "container %s is not running", h.record.name);
	if (attach_connect(&h, false, &sock, e) < 0)
		return -e->code;
	*ret_attach = mem_alloc(sizeof(**ret_attach));
	**ret_attach = (struct life_attach){ .sock = sock, .init = now.init, .tty = h.record.tty };
	now.init = PROC_REF_NONE;
	return 0;
}

void life_attach_free(struct life_attach *at)
{
	if (!at)
		return;
	fd_close(&at->sock);
	proc_ref_done(&at->init);
	free(at);
}

struct run {
	struct life_attach *at;
	struct console console;
	bool sig_proxy, reads; /* reads: standard input has not ended */
	unsigned streams;
	struct wire_frame in, out;
	size_t in_len; /* what of in waits to be sent; 0: nothing */
	int code;
};

static void send_size(struct run *r)
{
	struct wire_frame f = { .kind = WIRE_RESIZE };
	uint16_t rows, cols;

	if (!r->at->tty || (tty_get_size(STDIN_FILENO, &rows, &cols) < 0 &&
				   tty_get_size(STDOUT_FILENO, &rows, &cols) < 0))
		return;
	f.a = rows;
	f.b = cols;
	send(r->at->sock, &f, WIRE_HEAD, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Sends what waits, as far as it is taken now. */
static void push(struct run *r)
{
	if (r->in_len && (send(r->at->sock, &r->in, r->in_len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
				 (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)))
		r->in_len = 0;
}

/* One read of standard input; LIFE_DETACHED when the keys were typed. */
static int take_input(struct run *r)
{
	char data[WIRE_DATA_MAX - 16];
	ssize_t n = read(STDIN_FILENO, data, sizeof(data));
	size_t len = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0) {
		r->reads = false;
		r->in.kind = WIRE_EOF;
		r->in_len = WIRE_HEAD;
		push(r);
		return 0;
	}
	if (console_filter(&r->console, data, (size_t)n, r->in.data, &len))
		return LIFE_DETACHED;
	if (!len)
		return 0;
	r->in.kind = WIRE_STDIN;
	r->in_len = WIRE_HEAD + len;
	push(r);
	return 0;
}

enum { GOES_ON = 100, ENDED };

static int take_output(struct run *r, struct err *e)
{
	ssize_t n = recv(r->at->sock, &r->out, sizeof(r->out), MSG_DONTWAIT);
	int w;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return GOES_ON;
	if (n < (ssize_t)WIRE_HEAD)
		return err_say(e, "the container's minder, clade-keep, has gone");
	switch (r->out.kind) {
	case WIRE_STDOUT:
	case WIRE_STDERR:
		if (!(r->streams & (r->out.kind == WIRE_STDERR ? LIFE_STDERR : LIFE_STDOUT)))
			return GOES_ON;
		w = file_write_all(r->out.kind == WIRE_STDERR ? STDERR_FILENO : STDOUT_FILENO,
			r->out.data, (size_t)n - WIRE_HEAD);
		if (w < 0 && w != -EAGAIN)
			return err_set(e, -w, "write what the container says");
		return GOES_ON;
	case WIRE_EXIT:
		r->code = r->out.a;
		return r->out.b ? GOES_ON : ENDED;
	}
	return GOES_ON;
}

static void take_signal(struct run *r)
{
	int s = console_signal(&r->console);

	if (s == SIGWINCH)
		send_size(r);
	else if (s && r->sig_proxy)
		proc_ref_signal(&r->at->init, s);
	else if (s)
		console_die(&r->console, s);
}

static int loop(struct run *r, struct err *e)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = r->at->sock,
				.events = (short)(POLLIN | (r->in_len ? POLLOUT : 0)) },
			{ .fd = r->console.signals, .events = POLLIN },
			{ .fd = r->reads && !r->in_len ? STDIN_FILENO : -1, .events = POLLIN },
		};
		int end;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(e, errno, "wait for the container");
		}
		if (fds[1].revents)
			take_signal(r);
		if (fds[0].revents & POLLOUT)
			push(r);
		if (fds[2].revents && take_input(r) == LIFE_DETACHED)
			return LIFE_DETACHED;
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			end = take_output(r, e);
			if (end != GOES_ON)
				return end == ENDED ? 0 : end;
		}
	}
}

int life_attach_run(struct life_attach *at, bool sig_proxy, const char *detach_keys,
	unsigned streams, int *ret_code, struct err *e)
{
	bool with_stdin = streams & LIFE_STDIN;
	struct run *r = mem_alloc(sizeof(*r));
	struct wire_frame take = { .kind = WIRE_TAKE };
	int end;

	*r = (struct run){
		.at = at, .sig_proxy = sig_proxy, .reads = with_stdin, .streams = streams
	};
	end = console_begin(&r->console, at->tty && with_stdin, sig_proxy, detach_keys, e);
	if (end == 0) {
		send_size(r);
		if (!with_stdin && at->is_first) {
			r->in.kind = WIRE_EOF;
			r->in_len = WIRE_HEAD;
			push(r);
		}
		end = loop(r, e);
	}
	console_end(&r->console);
	if (end == 0 && at->is_first)
		send(at->sock, &take, WIRE_HEAD, MSG_NOSIGNAL);
	if (end == 0)
		*ret_code = r->code;
	if (end == 0 && at->keep > 0)
		waitpid(at->keep, NULL, 0);
	free(r);
	return end;
}
