/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: walks a table of steps in two processes, lets them meet where the actor changes,
 * and undoes HOST's rows when one fails.
 *
 * They speak over a SEQPACKET pair. A message says that the sender's rows up to the next row of
 * the other are done, or what failed. What comes from INIT is bounded and not believed further:
 * it may already stand in a hostile root filesystem.
 */
#include "birth/birth.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/clone.h"
#include "os/seal.h"

enum message_kind { MESSAGE_DONE, MESSAGE_FAILED, MESSAGE_EXEC_FAILED };

struct message {
	enum message_kind kind;
	uint32_t row_us[STEPS_MAX]; /* sent only where somebody wants to know */
	struct err e;		    /* sent only with a failure */
};

static int send_message(int sync, const struct message *m, size_t size, const int *fds, int n)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * HAND_OVER_MAX)];
	} control = { 0 };
	struct iovec io = { .iov_base = (void *)m, .iov_len = size };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };

	if (n) {
		h.msg_control = control.room;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
		memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)n);
	}
	return sendmsg(sync, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The rows so far are done; what INIT made for HOST goes along. */
static int send_done(struct birth *b)
{
	struct message m = { .kind = MESSAGE_DONE };
	size_t size = sizeof(m.kind);

	if (b->actor == HOST) {
		bool is_new = b->netns >= 0 && !b->netns_sent;

		b->netns_sent |= is_new;
		return send_message(b->sync, &m, size, &b->netns, is_new);
	}
	if (log_wants(LOG_LEVEL_DEBUG)) {
		memcpy(m.row_us, b->row_us, sizeof(m.row_us));
		size = offsetof(struct message, e);
	}
	return send_message(b->sync, &m, size, b->give, b->n_give);
}

int birth_send_fd(int sync, int fd)
{
	struct message m = { .kind = MESSAGE_DONE };

	return send_message(sync, &m, sizeof(m.kind), &fd, 1);
}

int birth_send_error(int sync, const struct err *e, bool exec_failed)
{
	struct message m = { .kind = exec_failed ? MESSAGE_EXEC_FAILED : MESSAGE_FAILED, .e = *e };

	return send_message(sync, &m, sizeof(m), NULL, 0);
}

enum { PEER_GONE = 1, PEER_EXEC_FAILED = 2 };

/*
 * One message: 0 for rows that are done, PEER_GONE at the end of the connection,
 * PEER_EXEC_FAILED with e set when the program itself could not be executed, or the failure of
 * the other side in e.
 */
static int receive(struct birth *b, int *ret_fds, int *ret_n, struct err *e)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int) * HAND_OVER_MAX)];
	} control;
	struct message m = { 0 };
	struct iovec io = { .iov_base = &m, .iov_len = sizeof(m) };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	bool reset = false;
	ssize_t n;

	*ret_n = 0;
	/* INIT gave up its own long ago, and is busy; in exec that is so when it has gone */
	if (b->actor == HOST && b->init.pidfd >= 0 && !b->is_exec)
		seal_let_go();
	for (;;) {
		n = recvmsg(b->sync, &h, MSG_CMSG_CLOEXEC);
		if (n >= 0 || (errno != EINTR && (errno != ECONNRESET || reset)))
			break;
		/* it died before it heard us out: told once, and then what it had said before */
		reset |= errno == ECONNRESET;
	}
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return PEER_GONE;
	if (n < 0)
		return err_set(e, errno, "receive from the other process");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*ret_n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret_fds, CMSG_DATA(c), sizeof(int) * (size_t)*ret_n);
	}
	if (m.kind == MESSAGE_DONE) {
		if (b->actor == HOST)
			memcpy(b->row_us, m.row_us, sizeof(b->row_us));
		return 0;
	}
	*e = m.e;
	err_distrust(e);
	if (e->code <= 0)
		e->code = EPROTO;
	return m.kind == MESSAGE_EXEC_FAILED ? PEER_EXEC_FAILED : -e->code;
}

int birth_receive(struct birth *b, int *ret_fds, int *ret_n, struct err *e)
{
	int r = receive(b, ret_fds, ret_n, e);

	if (r == PEER_GONE)
		return err_set(e, EPIPE, "the container's first process died");
	if (r == PEER_EXEC_FAILED)
		b->exec_code = e->code;
	return r == PEER_EXEC_FAILED ? -e->code : r;
}

void birth_become_init(struct birth *b)
{
	fd_close(&b->sync);
	b->sync = take_fd(&b->sync_peer);
	b->actor = INIT;
	seal_let_go();
}

/* In test builds CLADE_FAULT=NAME[:n] makes the n-th row of that name fail instead of running. */
#ifdef CLADE_FAULTS
static int fault(const struct step *s, struct err *e)
{
	const char *name = getenv("CLADE_FAULT");

	if (!name || !str_starts(name, s->who == HOST ? "host:" : "init:") ||
		!str_eq(strchr(name, ':') + 1, s->name))
		return 0;
	return err_set(e, EIO, "fault asked for by CLADE_FAULT");
}
#else
static int fault(const struct step *s, struct err *e)
{
	return 0;
}
#endif

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* HOST tells of both: INIT's standard error may be the container's already. */
static int run_row(struct birth *b, const struct step *table, const struct step *s, struct err *e)
{
	int64_t started = log_wants(LOG_LEVEL_DEBUG) ? now_us() : 0;
	int r = fault(s, e);

	if (r == 0)
		r = s->run(b, e);
	if (started && b->actor == HOST)
		log_debug("host: %s: %lld us%s", s->name, (long long)(now_us() - started),
			r < 0 ? ", failed" : "");
	else if (started && s->who == INIT)
		b->row_us[s - table] = (uint32_t)(now_us() - started) + 1;
	return r < 0 ? err_wrap(e, "%s", s->name) : 0;
}

static void tell_rows(struct birth *b, const struct step *table)
{
	for (size_t i = 0; table[i].name; i++) {
		if (b->row_us[i] && table[i].who == INIT)
			log_debug("init: %s: %u us", table[i].name, b->row_us[i] - 1);
		b->row_us[i] = 0;
	}
}

/* INIT's end, one way or the other: it never returns to the caller of birth(). */
static _Noreturn void init_die(struct birth *b, const struct err *e)
{
	char text[640];

	if (b->sync >= 0 && birth_send_error(b->sync, e, b->exec_code != 0) == 0)
		_exit(1);
	/* HOST has gone home: what INIT says now goes to the container's own standard error */
	dprintf(STDERR_FILENO, "clade: %s\n", err_text(e, text, sizeof(text)));
	_exit(b->exec_code == ENOENT ? 127 : b->exec_code ? 126 : 1);
}

/* The next row that takes place, or NULL. */
static const struct step *next_row(const struct step *s, const struct plan *p)
{
	while (s->name && s->needs && !s->needs(p))
		s++;
	return s->name ? s : NULL;
}

/* Is all that the other does from s on, until our turn, done beside our work? */
static bool is_all_beside(const struct step *s, const struct plan *p)
{
	enum actor who = s->who;

	/* whoever wants to know how long INIT's rows took is told after each run of them */
	if (log_wants(LOG_LEVEL_DEBUG))
		return false;
	for (; s && s->who == who; s = next_row(s + 1, p))
		if (!s->beside)
			return false;
	return true;
}

/* Takes what the other made: INIT the network namespace, HOST the terminal's master. */
static int meet(struct birth *b, const struct step *table, int owed, struct err *e)
{
	for (; owed > 0; owed--) {
		int fds[HAND_OVER_MAX], n, r = birth_receive(b, fds, &n, e);

		if (r < 0)
			return r;
		if (b->actor == HOST)
			tell_rows(b, table);
		for (int i = 0; i < n; i++) {
			if (b->actor == HOST && b->n_give < HAND_OVER_MAX)
				b->give[b->n_give++] = fds[i];
			else if (b->actor == INIT && b->netns < 0)
				b->netns = fds[i];
			else
				close(fds[i]);
		}
	}
	return 0;
}

static void forget_given(struct birth *b)
{
	while (b->n_give > 0)
		fd_close(&b->give[--b->n_give]);
}

/* A row beside INIT's failed: when INIT has died, what it said of that is the reason. */
static int first_cause(struct birth *b, struct err *e)
{
	struct pollfd fd = { .fd = b->sync, .events = POLLIN };
	int fds[HAND_OVER_MAX], n = 0;
	struct err said = { 0 };

	if (poll(&fd, 1, 0) == 1 && birth_receive(b, fds, &n, &said) < 0 && said.code != EPIPE)
		*e = said;
	for (int i = 0; i < n; i++)
		close(fds[i]);
	return -e->code;
}

/*
 * Walks the table as the actor we are; *ret_at: the row that failed. owed: how many runs of the
 * other's rows lie behind us that we have not yet heard of.
 */
static int walk(
	struct birth *b, const struct step *table, const struct step **ret_at, struct err *e)
{
	const struct step *s = next_row(table, b->plan), *next;
	bool cloned = false, must_meet = false;
	int owed = 0, later = 0, r;

	for (; s; s = next) {
		next = next_row(s + 1, b->plan);
		*ret_at = s;
		if (s->who != b->actor) {
			must_meet |= b->actor == INIT && !s->beside;
			if (next && next->who != b->actor)
				continue;
			/* nobody tells HOST of what it does not wait for */
			if (b->actor == HOST && next && is_all_beside(next, b->plan))
				continue;
			owed += 1 + later;
			later = 0;
			continue;
		}
		if (!s->beside || must_meet) {
			r = meet(b, table, owed, e);
			if (r < 0)
				return r;
			owed = 0;
			must_meet = false;
		}
		if (!next && b->actor == INIT && b->sync >= 0 && log_wants(LOG_LEVEL_DEBUG))
			send_done(b);
		r = run_row(b, table, s, e);
		if (r < 0)
			return s->beside ? first_cause(b, e) : r;
		if (b->actor == INIT && !cloned) {
			/* born just now, in HOST's row: HOST's following rows are owed to us */
			cloned = true;
			owed = next && next->who == HOST ? 0 : 1;
			/* that we are born is all there is to say: heard with what comes next */
			if (b->in_place) {
				later = owed;
				owed = 0;
			}
			continue;
		}
		/* before the clone there is nobody to tell */
		if (b->sync_peer < 0 && next && next->who != b->actor &&
			!(b->actor == INIT && is_all_beside(next, b->plan))) {
			r = send_done(b);
			if (r < 0 && r != -EPIPE && r != -ECONNRESET)
				return err_set(e, -r, "tell the other process");
			if (b->actor == INIT) {
				forget_given(b);
				memset(b->row_us, 0, sizeof(b->row_us));
			}
		}
	}
	/* the last of INIT's runs ends in another program, which has nothing to say to us */
	return b->actor == HOST && owed > 1 ? meet(b, table, owed - 1, e) : 0;
}

/* HOST's rows that were run, from the one that failed upwards. */
static void undo(struct birth *b, const struct step *table, const struct step *at)
{
	for (; at >= table; at--)
		if (at->who == HOST && at->undo && (!at->needs || at->needs(b->plan)))
			at->undo(b);
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; fds && i < n; i++)
		fd_close(&fds[i]);
	free(fds);
}

static void done(struct birth *b)
{
	fd_close(&b->sync);
	fd_close(&b->sync_peer);
	fd_close(&b->tty_master);
	fd_close(&b->template);
	fd_close(&b->netns);
	forget_given(b);
	proc_ref_done(&b->init);
	for (size_t i = 0; i < b->n_cgroups; i++) {
		fd_close(&b->cgroups[i].fd);
		free(b->cgroups[i].dir);
	}
	free(b->cgroups);
	free(b->cgroup_path);
	close_all(b->joins, b->plan->namespaces.n_joins);
	close_all(b->sources, b->plan->n_mounts);
}

/* The last thing HOST hears: the end of the connection, which exec closes, or why it failed. */
static int wait_for_exec(struct birth *b, const struct step *table, struct err *e)
{
	int fds[HAND_OVER_MAX], n, r;

	r = receive(b, fds, &n, e);
	if (r == 0 && n == 0 && log_wants(LOG_LEVEL_DEBUG)) {
		tell_rows(b, table);
		r = receive(b, fds, &n, e);
	}
	for (int i = 0; i < n; i++)
		close(fds[i]);
	if (r == PEER_GONE)
		return 0;
	if (r == PEER_EXEC_FAILED) {
		b->exec_code = e->code;
		return -e->code;
	}
	return r < 0 ? r : err_say(e, "the container's first process said too much");
}

static int carry_out(
	struct birth *b, const struct step *table, struct birth_result *ret, struct err *e)
{
	const struct step *at = table;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	b->sync = pair[0];
	b->sync_peer = pair[1];
	r = walk(b, table, &at, e);
	if (b->actor == INIT) /* exec does not return when it succeeds */
		init_die(b, e);
	if (r == 0 && !b->wait_for_start)
		r = wait_for_exec(b, table, e);
	seal_let_go();
	if (r < 0) {
		int exec_code = b->exec_code;

		undo(b, table, at);
		done(b);
		return exec_code ? BIRTH_EXEC_FAILED : r;
	}
	ret->init = b->init;
	b->init = PROC_REF_NONE;
	ret->tty_master = take_fd(&b->tty_master);
	done(b);
	return 0;
}

static struct birth begin(const struct plan *plan)
{
	return (struct birth){
		.plan = plan,
		.actor = HOST,
		.start_fd = FD_NONE,
		.stdio = { FD_NONE, FD_NONE, FD_NONE },
		.sync = FD_NONE,
		.sync_peer = FD_NONE,
		.init = PROC_REF_NONE,
		.tty_master = FD_NONE,
		.root = FD_NONE,
		.procfs = FD_NONE,
		.mounted_procfs = FD_NONE,
		.template = FD_NONE,
		.netns = FD_NONE,
		.tty_slave = FD_NONE,
	};
}

int birth(const struct birth_request *req, struct birth_result *ret, struct err *e)
{
	struct birth b = begin(req->plan);

	b.clone_parent = req->clone_parent;
	b.wait_for_start = req->plan->waits_for_start;
	b.start_fd = b.wait_for_start ? req->start_fd : FD_NONE;
	b.new_session = req->new_session;
	b.plain_output = req->plain_output;
	b.die_with_parent = req->die_with_parent;
	memcpy(b.stdio, req->stdio, sizeof(b.stdio));
	b.born = req->born;
	b.prepare = req->prepare;
	b.state_json = req->state_json;
	b.ret_cgroup_path = req->ret_cgroup_path;
	b.ret_resctrl_made = req->ret_resctrl_made;
	b.data = req->data;
	b.network = req->network;
	return carry_out(&b, birth_steps, ret, e);
}

int birth_join(const struct join_request *req, struct birth_result *ret, struct err *e)
{
	struct birth b = begin(req->plan);

	b.is_exec = true;
	b.clone_parent = req->clone_parent;
	b.new_session = req->new_session;
	b.plain_output = req->plain_output;
	b.of = req->init;
	b.of_namespaces = req->namespaces;
	b.cgroup_paths = req->cgroup_paths;
	b.ignore_paused = req->ignore_paused;
	memcpy(b.stdio, req->stdio, sizeof(b.stdio));
	return carry_out(&b, join_steps, ret, e);
}
