/* SPDX-License-Identifier: Apache-2.0 */
#include "life/relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/tty.h"

static char *room_of(struct flow *f)
{
	if (!f->data)
		f->data = mem_resize(NULL, FLOW_ROOM, 1);
	return f->data;
}

static void flow_read(struct flow *f)
{
	ssize_t n = read(f->from, room_of(f), FLOW_ROOM);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	f->at = 0;
	f->len = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		f->from = FD_NONE;
}

static int flow_write(struct flow *f)
{
	ssize_t n = write(f->to, f->data + f->at, f->len - f->at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0) {
		int r = -errno;

		f->len = 0;
		f->from = FD_NONE;
		return r;
	}
	f->at += (size_t)n;
	if (f->at == f->len)
		f->len = f->at = 0;
	return 0;
}

static void resize(struct relay *r)
{
	uint16_t rows, cols;

	if (r->tty >= 0 && tty_get_size(STDIN_FILENO, &rows, &cols) == 0)
		tty_set_size(r->tty, rows, cols);
}

/* What the user types, without the detach keys; true: they are complete. */
static bool flow_type(struct relay *r)
{
	char typed[FLOW_ROOM - 16];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		r->in.from = FD_NONE;
		return false;
	}
	r->in.at = 0;
	return console_filter(&r->console, typed, (size_t)n, room_of(&r->in), &r->in.len);
}

static int run(struct relay *r, struct err *e)
{
	bool ended = false;

	resize(r);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = ended ? -1 : r->process->pidfd, .events = POLLIN },
			{ .fd = r->console.signals, .events = POLLIN },
			{ .fd = r->in.len ? r->in.to : r->in.from,
				.events = r->in.len ? POLLOUT : POLLIN },
			{ .fd = r->out.len ? r->out.to : r->out.from,
				.events = r->out.len ? POLLOUT : POLLIN },
			{ .fd = r->err.len ? r->err.to : r->err.from,
				.events = r->err.len ? POLLOUT : POLLIN },
		};
		int w = 0, n = poll(fds, ARRAY_LEN(fds), ended ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return err_set(e, errno, "wait for the process");
		/* its own children may keep the pipes open: what is there now is enough */
		if (ended && (n <= 0 || !(fds[3].revents || fds[4].revents)))
			return 0;
		if (n <= 0)
			continue;
		if (fds[1].revents) {
			int s = console_signal(&r->console);

			if (s == SIGWINCH)
				resize(r);
			else if (s)
				proc_ref_signal(r->process, s);
		}
		if (fds[2].revents && r->in.len)
			flow_write(&r->in);
		else if (fds[2].revents && flow_type(r))
			return LIFE_DETACHED;
		if (r->in.from < 0 && !r->in.len && r->closes_in) {
			fd_close(&r->in.to);
			r->closes_in = false;
		}
		if (fds[3].revents && r->out.len)
			w = flow_write(&r->out);
		else if (fds[3].revents)
			flow_read(&r->out);
		if (w == 0 && fds[4].revents && r->err.len)
			w = flow_write(&r->err);
		else if (w == 0 && fds[4].revents)
			flow_read(&r->err);
		if (w < 0)
			return err_set(e, -w, "write what the process says");
		if (fds[0].revents)
			ended = true;
	}
}

int relay_run(struct relay *r, struct err *e)
{
	int end = run(r, e);

	free(r->in.data);
	free(r->out.data);
	free(r->err.data);
	return end;
}
