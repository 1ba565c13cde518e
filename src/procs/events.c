/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/events.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <time.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/cn_proc.h"
#include "procs/doomed.h"
#include "procs/events_table.h"
#include "procs/pace.h"

enum { BATCH = DOOMED_MAX, WAKES = 64 };

#define SECOND_NS 1000000000ll

struct events {
	int netlink, epoll; /* owned; the epoll set also holds the pidfds of the unreaped */
	struct cn_sequence sequence;
	struct node_table table;
	uint64_t lost; /* not yet told */
	unsigned generation;
	int64_t tended_ms; /* when the unreaped were last looked at */
	struct pace pace;
	struct cn_event batch[BATCH];
	bool ends[BATCH]; /* in the same batch */
	struct doomed doomed;
	/* for the length of one events_wait() */
	event_fn tell;
	void *data;
	int64_t now_ns, real_ns; /* CLOCK_MONOTONIC; and CLOCK_REALTIME less that */
	int64_t at_ns;		 /* of the event in hand, as now_ns; now_ns where it is of now */
};

static const char *const words[EVENT_KINDS] = { "fork", "exec", "exit", "orphan", "adopt", "zombie",
	"reap", "ns", "lost" };

const char *event_word(enum event_kind kind)
{
	return words[kind];
}

int event_kinds_parse(const char *list, unsigned *ret, struct err *e)
{
	unsigned kinds = 0;

	while (*list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < EVENT_KINDS && (strlen(words[i]) != n || memcmp(words[i], list, n) != 0))
			i++;
		if (i == EVENT_KINDS)
			return err_say(e,
				"%.*s: there is no such event (fork, exec, exit, orphan, "
				"adopt, zombie, reap, ns)",
				(int)n, list);
		kinds |= 1u << i;
		list += n + (list[n] == ',');
	}
	*ret = kinds;
	return 0;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

static void read_clocks(struct events *s)
{
	s->now_ns = clock_ns(CLOCK_MONOTONIC);
	s->real_ns = clock_ns(CLOCK_REALTIME) - s->now_ns;
	s->at_ns = s->now_ns;
}

/* The kernel's word, unless our time namespace counts otherwise. */
static void set_time(struct events *s, const struct cn_event *cn)
{
	int64_t ago = s->now_ns - (int64_t)cn->at_ns;

	s->at_ns = ago >= 0 && ago < 60 * SECOND_NS ? (int64_t)cn->at_ns : s->now_ns;
}

static struct event describe(const struct events *s, enum event_kind kind, const struct node *n)
{
	const struct node *parent = n ? node_find(&s->table, n->ppid) : NULL;
	struct event ev = { .kind = kind };

	ev.parent_is_init = n && (n->ppid == 1 || (parent && parent->ns_pid == 1));

	ev.at.tv_sec = (s->real_ns + s->at_ns) / SECOND_NS;
	ev.at.tv_nsec = (s->real_ns + s->at_ns) % SECOND_NS;
	if (n) {
		ev.pid = n->pid;
		ev.ns_pid = n->ns_pid;
		ev.ppid = n->ppid;
		ev.pidns = n->pidns;
		ev.wait_status = n->wait_status;
		memcpy(ev.comm, n->comm, sizeof(ev.comm));
		memcpy(ev.runtime, n->runtime, sizeof(ev.runtime));
		memcpy(ev.container, n->container, sizeof(ev.container));
	}
	return ev;
}

static void tell(struct events *s, const struct event *ev)
{
	if (s->tell)
		s->tell(s->data, ev);
}

static void tell_kind(struct events *s, enum event_kind kind, const struct node *n)
{
	struct event ev = describe(s, kind, n);

	tell(s, &ev);
}

/* What /proc knows of a living process; what its parent is tells the rest if it is gone already. */
static int learn(struct events *s, struct node *n, bool with_container)
{
	const struct node *parent = node_find(&s->table, n->ppid);
	struct facts f;
	int r = facts_read(n->pid, &f);

	if (r < 0) {
		if (parent && !n->comm[0])
			memcpy(n->comm, parent->comm, sizeof(n->comm));
		return r;
	}
	memcpy(n->comm, f.comm, sizeof(n->comm));
	n->ns_pid = f.nspid[f.levels - 1];
	n->levels = f.levels;
	/* the same namespace and container as the parent's, unless the depth says otherwise */
	if (parent && parent->levels == f.levels && !with_container) {
		n->pidns = parent->pidns;
		memcpy(n->runtime, parent->runtime, sizeof(n->runtime));
		memcpy(n->container, parent->container, sizeof(n->container));
		return f.state;
	}
	n->pidns = facts_pidns(n->pid);
	facts_container(n->pid, n->runtime, sizeof(n->runtime), n->container, sizeof(n->container));
	return f.state;
}

/*
 * A fork copies name, container and, as a rule, namespace: one link tells whether it did. Of one
 * that has ended by now (ends) nothing is read, unless it stays as a zombie.
 */
static void learn_newborn(struct events *s, struct node *n, bool ends)
{
	const struct node *parent = node_find(&s->table, n->ppid);
	uint64_t inode = parent && parent->pidns && !ends ? facts_pidns(n->pid) : 0;

	n->unread = ends && (!parent || parent->levels != 1);
	if (n->unread && (!parent || !parent->pidns)) {
		if (parent)
			memcpy(n->comm, parent->comm, sizeof(n->comm));
		return;
	}

	if (!parent || !parent->pidns || (inode && inode != parent->pidns) ||
		(inode && parent->levels > 1)) {
		learn(s, n, inode && parent && inode != parent->pidns);
		return;
	}
	memcpy(n->comm, parent->comm, sizeof(n->comm));
	memcpy(n->runtime, parent->runtime, sizeof(n->runtime));
	memcpy(n->container, parent->container, sizeof(n->container));
	n->pidns = parent->pidns;
	n->levels = parent->levels;
	n->ns_pid = n->levels == 1 ? n->pid : 0;
}

static void tell_ns_born(struct events *s, const struct node *n)
{
	struct event ev = describe(s, EVENT_NS, n);

	ev.born = true;
	if (n->ns_pid == 1 && n->levels > 1)
		tell(s, &ev);
}

static void on_fork(struct events *s, const struct cn_event *cn, bool ends)
{
	struct node *n = node_add(&s->table, cn->pid);

	node_set_parent(&s->table, n, cn->ppid);
	learn_newborn(s, n, ends);
	tell_ns_born(s, n);
	tell_kind(s, EVENT_FORK, n);
}

static void on_exec(struct events *s, const struct cn_event *cn, bool ends)
{
	struct node *n = node_find(&s->table, cn->pid);

	if (!n)
		n = node_add(&s->table, cn->pid);
	n->unread = ends;
	if (!ends)
		learn(s, n, true);
	tell_kind(s, EVENT_EXEC, n);
}

/* The children of one that ended have another parent by now. */
static void hand_over_children(struct events *s, struct node *parent)
{
	struct node *next;

	for (struct node *c = parent->children; c; c = next) {
		struct event ev;
		struct facts f;

		next = c->next_sibling;
		if (facts_read(c->pid, &f) < 0 || f.ppid == parent->pid)
			continue;
		ev = describe(s, EVENT_ORPHAN, c);
		ev.adopter = f.ppid;
		tell(s, &ev);
		node_set_parent(&s->table, c, f.ppid);
		ev = describe(s, EVENT_ADOPT, c);
		ev.adopter = f.ppid;
		tell(s, &ev);
	}
}

static void on_reaped(struct events *s, struct node *n)
{
	struct event ev = describe(s, EVENT_REAP, n);

	ev.after_ms = n->died_ms ? s->at_ns / 1000000 - n->died_ms : 0;
	tell(s, &ev);
	node_remove(&s->table, n);
}

/* Takes pidfd: from now on it tells of the reaping (HUP, Linux 6.9; before that tend() looks). */
static void watch_dead(struct events *s, struct node *n, int pidfd)
{
	struct epoll_event want = { .data.ptr = n };

	node_set_dead(&s->table, n, pidfd < 0 ? FD_NONE : pidfd, s->at_ns / 1000000);
	if (pidfd >= 0)
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, pidfd, &want);
}

static void on_exit_of(struct events *s, const struct cn_event *cn)
{
	struct node *n = node_find(&s->table, cn->pid);
	bool gone;
	int pidfd;

	if (n && n->died_ms)
		return;
	if (!n)
		n = node_add(&s->table, cn->pid);
	if (cn->ppid && cn->ppid != n->ppid)
		node_set_parent(&s->table, n, cn->ppid);
	n->wait_status = cn->wait_status;
	pidfd = pidfd_open(n->pid, 0);
	gone = pidfd < 0 && errno == ESRCH;
	if (n->unread && !gone) {
		learn(s, n, true);
		tell_ns_born(s, n);
	}
	tell_kind(s, EVENT_EXIT, n);
	hand_over_children(s, n);
	if (n->ns_pid == 1 && n->levels > 1)
		tell_kind(s, EVENT_NS, n);
	if (gone)
		on_reaped(s, n);
	else
		watch_dead(s, n, pidfd);
}

static bool is_gone(const struct node *n)
{
	if (n->pidfd < 0)
		return kill(n->pid, 0) < 0 && errno == ESRCH;
	return pidfd_send_signal(n->pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

/* Once a second: who has been a zombie for long enough, and who is gone without a HUP. */
static void tend(struct events *s)
{
	int64_t now = s->now_ns / 1000000;
	struct node *next;

	if (now - s->tended_ms < EVENTS_SETTLE_MS / 4)
		return;
	s->tended_ms = now;
	for (struct node *n = s->table.dead; n; n = next) {
		next = n->next_dead;
		if (is_gone(n)) {
			on_reaped(s, n);
		} else if (!n->told && now - n->died_ms >= EVENTS_SETTLE_MS) {
			n->told = true;
			tell_kind(s, EVENT_ZOMBIE, n);
		}
	}
}

static void forget_if_unseen(void *data, struct node *n)
{
	struct events *s = data;

	if (n->generation != s->generation)
		node_remove(&s->table, n);
}

/* Reads /proc whole: at the start, and after events were lost. */
static int rescan(struct events *s)
{
	pid_t *pids = NULL;
	ssize_t n = facts_list(&pids);

	if (n < 0)
		return (int)n;
	s->generation++;
	for (ssize_t i = 0; i < n; i++) {
		struct node *node = node_find(&s->table, pids[i]);
		struct facts f;
		int pidfd;

		if (facts_read(pids[i], &f) < 0)
			continue;
		if (!node)
			node = node_add(&s->table, pids[i]);
		node->generation = s->generation;
		node_set_parent(&s->table, node, f.ppid);
		learn(s, node, false);
		if (f.state == 'Z' && f.n_threads <= 1 && !node->died_ms) {
			node->wait_status = f.wait_status;
			pidfd = pidfd_open(node->pid, 0);
			if (pidfd >= 0 || errno != ESRCH)
				watch_dead(s, node, pidfd);
		}
	}
	free(pids);
	node_each(&s->table, forget_if_unseen, s);
	return 0;
}

int events_open(struct events **ret, struct err *e)
{
	struct events *s = mem_alloc(sizeof(*s));
	int r;

	node_table_init(&s->table);
	read_clocks(s);
	s->netlink = cn_proc_open();
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = s->netlink < 0 ? s->netlink : s->epoll < 0 ? -errno : 0;
	if (r == 0)
		r = epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->netlink,
			    &(struct epoll_event){ .events = EPOLLIN }) < 0
			    ? -errno
			    : rescan(s);
	if (r == 0) {
		*ret = s;
		return 0;
	}
	events_free(s);
	if (r == -EPERM || r == -ECONNREFUSED || r == -EPROTONOSUPPORT)
		return err_say(e,
			"the kernel tells of processes only to root in the initial PID and "
			"user namespaces (the process connector, CAP_NET_ADMIN)");
	return err_set(e, -r, "subscribe to the process connector");
}

static int drain(struct events *s, struct err *e)
{
	ssize_t n;

	do {
		n = cn_proc_read(s->netlink, &s->sequence, s->batch, BATCH, &s->lost);
		if (n < 0)
			return err_set(e, (int)-n, "read the process connector");
		doomed_find(&s->doomed, s->batch, (size_t)n, s->ends);
		for (ssize_t i = 0; i < n; i++) {
			set_time(s, &s->batch[i]);
			if (s->batch[i].what == CN_FORK)
				on_fork(s, &s->batch[i], s->ends[i]);
			else if (s->batch[i].what == CN_EXEC)
				on_exec(s, &s->batch[i], s->ends[i]);
			else
				on_exit_of(s, &s->batch[i]);
		}
		read_clocks(s);
	} while (n == BATCH && !s->lost);
	return 0;
}

static void heal(struct events *s)
{
	struct event ev = describe(s, EVENT_LOST, NULL);

	ev.lost = s->lost;
	s->lost = 0;
	tell(s, &ev);
	rescan(s);
}

int events_wait(struct events *s, int timeout_ms, event_fn told, void *data, struct err *e)
{
	struct epoll_event ready[WAKES];
	int n, r = 0, gather_ms;

	s->tell = told;
	s->data = data;
	if (s->table.dead && (timeout_ms < 0 || timeout_ms > EVENTS_SETTLE_MS / 4))
		timeout_ms = EVENTS_SETTLE_MS / 4;
	/* who does not wait here lets them gather itself */
	gather_ms = timeout_ms ? pace_gather_ms(&s->pace, clock_ns(CLOCK_MONOTONIC) / 1000) : 0;
	if (gather_ms)
		poll(NULL, 0, gather_ms);
	n = epoll_wait(s->epoll, ready, WAKES, timeout_ms);
	if (n < 0 && errno != EINTR)
		return err_set(e, errno, "wait for events");
	read_clocks(s);
	/* the reaped first: their nodes may not outlive what the connector says next */
	for (int i = 0; i < n; i++) {
		if (ready[i].data.ptr && (ready[i].events & EPOLLHUP))
			on_reaped(s, ready[i].data.ptr);
	}
	r = drain(s, e);
	tend(s);
	if (r == 0 && s->lost)
		heal(s);
	s->tell = NULL;
	return r;
}

int events_fd(const struct events *s)
{
	return s->epoll;
}

void events_free(struct events *s)
{
	if (!s)
		return;
	node_table_done(&s->table);
	fd_close(&s->netlink);
	fd_close(&s->epoll);
	free(s);
}
