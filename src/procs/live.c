/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/live.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "os/proc_ref.h"
#include "os/procfs.h"
#include "procs/events.h"
#include "procs/facts.h"
#include "procs/forest.h"
#include "procs/pidns_table.h"
#include "procs/scan.h"
#include "procs/stat.h"

enum {
	REREAD_MIN_MS = 5000, /* with events */
	POLL_MIN_MS = 2000,   /* without */
	COST_FACTOR = 120,    /* a reading of 100 ms makes for one in 12 s */
	STALE_MS = 500,	      /* when it is known to be wrong */
	STALE_FACTOR = 40,
	USAGE_FRESH_MS = 700,
	GATHER_MIN_MS = 200,
	PROCS_PER_MS = 20,
};

/* Times used by a process at a time, by PID. */
struct usage {
	pid_t pid;
	uint64_t start_ticks, cpu_ticks;
	int64_t at_ms;
	float percent;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct usage *usage_of(const struct live *l, pid_t pid)
{
	uint32_t h = (uint32_t)pid * 2654435769u >> 8;

	if (!l->usage)
		return NULL;
	while (l->usage[h & l->usage_mask].pid && l->usage[h & l->usage_mask].pid != pid)
		h++;
	return &l->usage[h & l->usage_mask];
}

static void note_usage(const struct live *l, const struct proc *p, int64_t at_ms)
{
	struct usage *u = usage_of(l, p->pid);
	double ticks, ms;

	if (!u->pid || u->start_ticks != p->start_ticks) {
		*u = (struct usage){ p->pid, p->start_ticks, p->cpu_ticks, at_ms, -1 };
		return;
	}
	if (at_ms - u->at_ms < USAGE_FRESH_MS)
		return;
	ticks = (double)(p->cpu_ticks - u->cpu_ticks);
	ms = (double)(at_ms - u->at_ms);
	u->percent = (float)(ticks * 1e5 / (double)l->s->ticks_per_second / ms);
	u->cpu_ticks = p->cpu_ticks;
	u->at_ms = at_ms;
}

/* A table for twice as many as there are, with what is known of those who live on. */
static void renew_usage(struct live *l, int64_t at_ms)
{
	struct usage *old = l->usage;
	uint32_t old_mask = l->usage_mask, size = 64;

	while (size < 4 * l->s->n)
		size *= 2;
	l->usage = mem_alloc(size * sizeof(*l->usage));
	l->usage_mask = size - 1;
	for (uint32_t i = 0; old && i <= old_mask; i++) {
		uint32_t k = old[i].pid ? snapshot_find(l->s, old[i].pid) : NO_PROC;

		if (k != NO_PROC && l->s->procs[k].start_ticks == old[i].start_ticks)
			*usage_of(l, old[i].pid) = old[i];
	}
	free(old);
	for (uint32_t i = 0; i < l->s->n; i++)
		note_usage(l, &l->s->procs[i], at_ms);
}

static int read_whole(struct live *l, struct err *e)
{
	int64_t begun = now_ms();

	free(l->procs);
	l->procs = NULL;
	if (l->source.read(l->source.data, &l->s, e) < 0) {
		l->s = NULL;
		return -e->code;
	}
	l->n_dirty = 0;
	l->stale = false;
	l->read_at_ms = now_ms();
	l->read_cost_ms = l->read_at_ms - begun;
	renew_usage(l, l->read_at_ms);
	return 0;
}

/* Whatever happened to a process, /proc says what is true now. */
static void mark(struct live *l, pid_t pid)
{
	if (l->n_dirty == l->dirty_room) {
		l->dirty_room = l->dirty_room ? 2 * l->dirty_room : 256;
		l->dirty = mem_resize(l->dirty, l->dirty_room, sizeof(*l->dirty));
	}
	l->dirty[l->n_dirty++] = pid;
}

static void heard(void *data, const struct event *ev)
{
	struct live *l = data;

	l->n_orphans += ev->kind == EVENT_ORPHAN;
	l->n_adopted += ev->kind == EVENT_ADOPT;
	l->n_exits += ev->kind == EVENT_EXIT;
	l->n_reaped += ev->kind == EVENT_REAP;
	if (ev->kind == EVENT_LOST) {
		l->n_lost += ev->lost;
		l->stale = true;
	} else if (ev->kind != EVENT_ZOMBIE && ev->kind != EVENT_ORPHAN) {
		mark(l, ev->pid);
	}
	if (l->heard)
		l->heard(l->heard_data, ev);
}

int live_open(struct live *l, const struct live_source *source, struct err *e)
{
	struct err no_events = { 0 };

	l->source = *source;
	l->has_events = events_open(&l->events, &no_events) == 0;
	return read_whole(l, e);
}

void live_done(struct live *l)
{
	events_free(l->has_events ? l->events : NULL);
	free(l->procs);
	free(l->usage);
	free(l->dirty);
	arena_done(&l->links[0]);
	arena_done(&l->links[1]);
	*l = (struct live){ 0 };
}

/* Where a newborn is: as a rule where its parent is. */
static void place(struct live *l, struct proc *p, const struct facts *f)
{
	struct snapshot *s = l->s;
	uint32_t parent = snapshot_find(s, f->ppid), ns;
	uint64_t inode = facts_pidns(f->pid);

	ns = parent == NO_PROC ? NO_NS : s->procs[parent].ns;
	if (inode && (ns == NO_NS || s->ns[ns].inode != inode))
		ns = snapshot_find_ns(s, inode);
	if (ns == NO_NS || s->ns[ns].level + 1 != f->levels) {
		/* a new namespace: whose it is, the next whole reading knows */
		uint32_t up = parent == NO_PROC ? 0 : s->procs[parent].ns;

		while (s->ns[up].level + 2 > f->levels && s->ns[up].parent != NO_NS)
			up = s->ns[up].parent;
		ns = pidns_add(s, inode);
		s->ns[ns].parent = up;
		s->ns[ns].parent_guessed = true;
		s->ns[ns].level = (uint8_t)(f->levels - 1);
		l->stale = true;
	}
	p->ns = ns;
	p->owner = parent != NO_PROC && s->procs[parent].ns == ns ? s->procs[parent].owner
								  : s->ns[ns].owner;
	if (parent != NO_PROC) {
		p->uid = s->procs[parent].uid;
		p->sid = s->procs[parent].sid;
		p->pgid = s->procs[parent].pgid;
	}
}

static void take_facts(struct live *l, struct proc *p, const struct facts *f)
{
	pid_t *pids;

	if (f->ppid != p->ppid && p->start_ticks == f->start_ticks && p->pid) {
		p->origin = ORIGIN_ADOPTED; /* it was seen */
		p->proof = "the adoption was seen";
	}
	if (!p->comm || !str_eq(p->comm, f->comm)) {
		p->comm = arena_strdup(l->s->arena, f->comm);
		p->args = f->state == 'Z' ? p->args : scan_args(l->s->procfs, l->s->arena, f->pid);
	}
	if (!p->nspid || p->levels != f->levels) {
		pids = arena_array(l->s->arena, (size_t)f->levels, sizeof(*pids));
		memcpy(pids, f->nspid, (size_t)f->levels * sizeof(*pids));
		p->nspid = pids;
		p->levels = (uint8_t)f->levels;
	}
	p->pid = f->pid;
	p->ppid = f->ppid;
	p->state = f->state;
	p->n_threads = f->n_threads;
	p->exit_signal = f->exit_signal;
	p->exit_status = f->state == 'Z' ? f->wait_status : -1;
	p->start_ticks = f->start_ticks;
	p->cpu_ticks = f->cpu_ticks;
	p->rss_pages = (int64_t)f->rss_pages;
}

static void make_room(struct live *l)
{
	struct snapshot *s = l->s;

	if (l->procs && s->n < l->room)
		return;
	l->room = (size_t)s->n * 2 + 64;
	if (l->procs) {
		l->procs = mem_resize(l->procs, l->room, sizeof(*l->procs));
	} else {
		l->procs = mem_alloc(l->room * sizeof(*l->procs));
		memcpy(l->procs, s->procs, s->n * sizeof(*l->procs));
	}
	s->procs = l->procs;
}

static void look_at(struct live *l, pid_t pid)
{
	uint32_t i = snapshot_find(l->s, pid);
	struct proc *p;
	struct facts f;

	if (facts_read(pid, &f) < 0) {
		if (i != NO_PROC)
			l->procs[i].pid = 0;
		return;
	}
	if (i != NO_PROC && l->procs[i].start_ticks == f.start_ticks) {
		take_facts(l, &l->procs[i], &f);
		return;
	}
	if (i != NO_PROC)
		l->procs[i].pid = 0; /* the number has another owner */
	make_room(l);
	p = &l->procs[l->s->n++];
	*p = (struct proc){ .uid = (uid_t)-1 };
	place(l, p, &f);
	take_facts(l, p, &f);
}

static int by_pid(const void *a, const void *b)
{
	const struct proc *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Parents, children, members and counts anew: linear, a few nanoseconds a process. */
static void relink(struct live *l)
{
	struct snapshot *s = l->s;
	struct arena *own = s->arena;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->procs[i].pid)
			s->procs[n++] = s->procs[i];
	s->n = n;
	/* numbers grow, so that newborns stand right at the end as a rule */
	for (uint32_t i = 1; i < s->n; i++)
		if (s->procs[i - 1].pid > s->procs[i].pid) {
			qsort(s->procs, s->n, sizeof(*s->procs), by_pid);
			break;
		}
	for (uint32_t i = 0; i < s->n_ns; i++) {
		struct pidns *ns = &s->ns[i];

		ns->n_procs = ns->n_zombies = ns->n_threads = 0;
		ns->init = ns->first_member = NO_PROC;
	}
	for (uint32_t i = s->n; i-- > 0;) {
		struct proc *p = &s->procs[i];
		struct pidns *ns = &s->ns[p->ns];

		p->parent = p->first_child = p->last_child = p->next_sibling = NO_PROC;
		p->next_in_ns = ns->first_member;
		ns->first_member = i;
		ns->n_procs++;
		ns->n_zombies += proc_is_zombie(p);
		ns->n_threads += (uint32_t)(p->n_threads > 0 ? p->n_threads : 0);
		if (proc_is_init(p) && (int)ns->level + 1 == p->levels)
			ns->init = i;
	}
	/* the hash of the links before is still looked at until the next one is there */
	l->which = !l->which;
	arena_done(&l->links[l->which]);
	s->arena = &l->links[l->which];
	forest_link(s);
	s->arena = own;
}

static void clock_now(struct snapshot *s)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	s->now_ticks = (uint64_t)t.tv_sec * (uint64_t)s->ticks_per_second +
		       (uint64_t)t.tv_nsec / (1000000000u / (uint64_t)s->ticks_per_second);
}

static void apply(struct live *l)
{
	pid_t last = 0;

	make_room(l);
	qsort(l->dirty, l->n_dirty, sizeof(*l->dirty), by_number);
	for (size_t i = 0; i < l->n_dirty; i++) {
		if (l->dirty[i] != last)
			look_at(l, l->dirty[i]);
		last = l->dirty[i];
	}
	l->n_dirty = 0;
	relink(l);
}

static bool is_time_to_read(const struct live *l, int64_t now)
{
	int64_t since = now - l->read_at_ms, wait = l->read_cost_ms * COST_FACTOR;
	int64_t least = l->has_events ? REREAD_MIN_MS : POLL_MIN_MS;

	if (l->stale && since >= STALE_MS + l->read_cost_ms * STALE_FACTOR)
		return true;
	return since >= (wait > least ? wait : least);
}

/* Events gather for so long: each batch costs what is linear in the processes. */
static int gather_ms(const struct live *l)
{
	int ms = (int)(l->s->n / PROCS_PER_MS);

	return ms < GATHER_MIN_MS ? GATHER_MIN_MS : ms;
}

int live_wait(struct live *l, int input_fd, int timeout_ms, struct err *e)
{
	int64_t quiet_ms = l->applied_ms + gather_ms(l) - now_ms();
	bool quiet = quiet_ms > 0;
	struct pollfd fds[2] = { { .fd = input_fd, .events = POLLIN },
		{ .fd = l->has_events && !quiet ? events_fd(l->events) : -1, .events = POLLIN } };
	int ready, result = 0;

	if (quiet && timeout_ms > quiet_ms)
		timeout_ms = (int)quiet_ms;
	ready = poll(fds, 2, timeout_ms);
	if (ready < 0 && errno != EINTR)
		return err_set(e, errno, "wait for keys and events");
	if (ready < 0 || fds[0].revents)
		result |= LIVE_INPUT;
	if (l->has_events && events_wait(l->events, 0, heard, l, e) < 0)
		return -e->code;
	clock_now(l->s);
	if (now_ms() < l->applied_ms + gather_ms(l))
		return result;
	if (is_time_to_read(l, now_ms())) {
		if (read_whole(l, e) < 0)
			return -e->code;
		l->applied_ms = now_ms();
		return result | LIVE_CHANGED;
	}
	if (!l->n_dirty)
		return result;
	/* many at once: one whole reading is cheaper than each alone */
	if (l->n_dirty > l->s->n / 2 + 1000) {
		l->stale = true;
		l->n_dirty = 0;
		return result;
	}
	apply(l);
	l->applied_ms = now_ms();
	return result | LIVE_CHANGED;
}

void live_refresh(struct live *l, const uint32_t *procs, size_t n)
{
	int64_t now = now_ms();
	char text[SCAN_BUF];
	const char *comm;
	size_t len;

	make_room(l);
	for (size_t i = 0; i < n; i++) {
		struct proc *p = &l->procs[procs[i]], fresh = *p;

		if (procfs_read(l->s->procfs, p->pid, "stat", text, sizeof(text)) <= 0 ||
			stat_parse(text, &fresh, &comm, &len) < 0 ||
			fresh.start_ticks != p->start_ticks)
			continue;
		p->state = fresh.state;
		p->cpu_ticks = fresh.cpu_ticks;
		p->rss_pages = fresh.rss_pages;
		p->n_threads = fresh.n_threads;
		note_usage(l, p, now);
	}
}

double live_cpu(const struct live *l, const struct proc *p)
{
	const struct usage *u = usage_of(l, p->pid);

	return u && u->pid && u->start_ticks == p->start_ticks ? (double)u->percent : -1;
}

int live_signal(const struct proc *p, int signal, struct err *e)
{
	struct proc_ref ref = PROC_REF_NONE;
	int r = proc_ref_open(p->pid, p->start_ticks, &ref);

	if (r == 0)
		r = proc_ref_signal(&ref, signal);
	proc_ref_done(&ref);
	return r < 0 ? err_set(e, -r, "signal process %d", p->pid) : 0;
}
