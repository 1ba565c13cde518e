/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/reap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/fd.h"
#include "base/mem.h"
#include "procs/reap_refuse.h"

struct reap_sighting {
	pid_t host_pid;
	uint64_t start_ticks;
	int64_t since_ms; /* CLOCK_MONOTONIC */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int compare(const void *a, const void *b)
{
	const struct reap_sighting *x = a, *y = b;

	if (x->host_pid != y->host_pid)
		return x->host_pid < y->host_pid ? -1 : 1;
	return x->start_ticks < y->start_ticks ? -1 : x->start_ticks > y->start_ticks;
}

void reap_memory_done(struct reap_memory *m)
{
	free(m->sightings);
	*m = (struct reap_memory){ 0 };
}

void reap_memory_turn(struct reap_memory *before, struct reap_memory *now)
{
	reap_memory_done(before);
	*before = *now;
	*now = (struct reap_memory){ 0 };
	if (before->n)
		qsort(before->sightings, before->n, sizeof(*before->sightings), compare);
}

/* Notes a zombie; returns since when it has been one, as far as we know. */
static int64_t remember(
	const struct reap_memory *before, struct reap_memory *now, const struct reap_zombie *z)
{
	struct reap_sighting key = { z->host_pid, z->start_ticks, now_ms() };
	const struct reap_sighting *old = NULL;

	if (before->n)
		old = bsearch(&key, before->sightings, before->n, sizeof(key), compare);
	if (old)
		key.since_ms = old->since_ms;
	if ((now->n & (now->n - 1)) == 0)
		now->sightings = mem_resize(now->sightings, now->n ? 2 * now->n : 1, sizeof(key));
	now->sightings[now->n++] = key;
	return key.since_ms;
}

/* Which of the family are to be reaped now. Returns how many. */
static size_t choose(struct reap_family *f, const struct reap_wish *w,
	const struct reap_memory *before, struct reap_memory *now)
{
	int64_t settled_ms = now_ms() - REAP_SETTLE_MS;
	size_t chosen = 0, kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct reap_zombie *z = &f->zombies[i];

		if (w->only && z->host_pid != w->only)
			continue;
		if (remember(before, now, z) > settled_ms && z->fate == REAP_REAPABLE)
			z->fate = REAP_LEFT_YOUNG;
		else if (z->fate == REAP_REAPABLE && z->origin == REAP_ORIGIN_OWN && !w->own)
			z->fate = REAP_LEFT_OWN;
		else if (z->fate == REAP_REAPABLE && z->origin == REAP_ORIGIN_UNKNOWN &&
			 !w->unknown)
			z->fate = REAP_LEFT_UNKNOWN;
		chosen += z->fate == REAP_REAPABLE;
		f->zombies[kept++] = *z; /* those not meant are not spoken of */
	}
	f->n = kept;
	return chosen;
}

/* Reaps the chosen ones, a batch an attach. */
static int reap_chosen(struct reap_family *f, const struct reap_listener *l,
	struct reap_report *report, struct err *e)
{
	int r = 0;

	while (r == 0 && reap_family_hold(f, REAP_BATCH_MAX) > 0) {
		uint64_t held_ns = 0;

		r = reap_attach(f, l->slow, l->data, &held_ns, e);
		reap_family_let_go(f);
		if (r == 0)
			report->attaches++;
		if (held_ns > report->held_ns)
			report->held_ns = held_ns;
	}
	return r;
}

int reap_round(pid_t parent, const struct reap_wish *w, const struct reap_memory *before,
	struct reap_memory *now, const struct reap_listener *l, struct err *e)
{
	struct reap_family f = { .parent.pidfd = FD_NONE };
	struct reap_report report = { .family = &f };
	struct err why = { 0 };
	size_t chosen;

	if (reap_family_read(parent, &f, e) < 0)
		return -e->code;
	/* one filter is the container's own; a second is the program's, and may forbid anything */
	if (w->may_wait && f.parent.filters == 1)
		f.parent.seccomp = false;
	/* the first look only remembers */
	if (before->n)
		reap_family_ask_kernel(&f, w->may_load);
	chosen = choose(&f, w, before, now);
	if (reap_refuse(&f.parent, &why) < 0 ||
		(chosen > 0 && !w->dry_run && reap_chosen(&f, l, &report, &why) < 0))
		report.why = &why;
	l->told(l->data, &report);
	reap_family_done(&f);
	return 0;
}

void reap_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void reap_pause(void)
{
	const long ms = REAP_SETTLE_MS + 10;

	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}
