/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts on who does not wait for zombies, and why. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/str.h"
#include "os/procfs.h"
#include "procs/doctor_look.h"
#include "procs/reap_refuse.h"

enum { RECENT = 50, THREADS_LOOKED_AT = 64 };

static int newest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/*
 * What leaks zombies forks short-lived children, so their start times tell how fast it does: the
 * newest fifty over the time since the oldest of those began. It fades once the leak has stopped.
 */
double doctor_zombie_rate(const struct snapshot *s, uint32_t ns)
{
	uint64_t *starts = mem_alloc(((size_t)s->ns[ns].n_zombies + 1) * sizeof(*starts));
	size_t n = 0, k;
	double rate = 0;

	for (uint32_t i = s->ns[ns].first_member; i != NO_PROC && n < s->ns[ns].n_zombies;
		i = s->procs[i].next_in_ns)
		if (proc_is_zombie(&s->procs[i]))
			starts[n++] = s->procs[i].start_ticks;
	qsort(starts, n, sizeof(*starts), newest_first);
	k = n < RECENT ? n : RECENT;
	if (k >= 2 && s->now_ticks > starts[k - 1])
		rate = (double)k * (double)s->ticks_per_second /
		       (double)(s->now_ticks - starts[k - 1]);
	free(starts);
	return rate;
}

bool doctor_is_in(const struct snapshot *s, const struct proc *p, const long *calls, size_t n_calls)
{
	pid_t *tids = NULL;
	size_t n = 0;
	bool found = false;

	if (procfs_tids(s->procfs, p->pid, &tids, &n) < 0)
		return false;
	for (size_t i = 0; i < n && i < THREADS_LOOKED_AT && !found; i++) {
		char path[48], text[256];
		long number;

		snprintf(path, sizeof(path), "task/%d/syscall", tids[i]);
		if (procfs_read(s->procfs, p->pid, path, text, sizeof(text)) <= 0 || *text < '0' ||
			*text > '9')
			continue;
		number = strtol(text, NULL, 10);
		for (size_t k = 0; k < n_calls; k++)
			found |= number == calls[k];
	}
	free(tids);
	return found;
}

static bool is_waiting(const struct snapshot *s, const struct proc *p)
{
	static const long calls[] = { SYS_wait4, SYS_waitid };

	return doctor_is_in(s, p, calls, ARRAY_LEN(calls));
}

/* "does not catch SIGCHLD; no thread of it is in wait" */
static const char *habits(struct doctor *d, const struct proc *p)
{
	char text[8192];
	uint64_t bit = UINT64_C(1) << (SIGCHLD - 1);
	const char *chld = "";

	if (procfs_read(d->s->procfs, p->pid, "status", text, sizeof(text)) > 0)
		chld = doctor_mask(text, "\nSigCgt:") & bit ? ", though it catches SIGCHLD"
							    : ", does not catch SIGCHLD";
	return arena_printf(d->a, "%s%s", chld,
		is_waiting(d->s, p) ? ", is in wait for some other child" : ", is not in wait");
}

static void say_not_waiting(struct doctor *d, struct finding *f, const struct zombie *z)
{
	const struct proc *child = &d->s->procs[z->proc];
	const char *who = doctor_proc(d, z->parent);

	if (z->fault == FAULT_INIT) {
		f->evidence = arena_printf(d->a, "%s adopts orphans and never waits%s; adopted: %s",
			who, habits(d, &d->s->procs[z->parent]),
			child->proof ? child->proof : "yes");
		f->now = arena_printf(d->a, "clade reap %s", doctor_target(d, z->parent));
		f->for_good = "an init as PID 1: --init, or clade-init in the image; or the last "
			      "command of what leaves the orphans by exec";
		return;
	}
	f->evidence = arena_printf(d->a, "%s does not wait for children%s%s", who,
		z->fault == FAULT_PARENT ? " it forked itself"
					 : " (its own or adopted: nothing proves either)",
		habits(d, &d->s->procs[z->parent]));
	f->now = arena_printf(d->a, "clade reap --%s %d, which then misses their exit status",
		z->fault == FAULT_PARENT ? "own" : "unknown", d->s->procs[z->parent].pid);
	f->for_good =
		z->fault == FAULT_PARENT
			? "a fault of that program: no init can help while it lives"
			: "wait in that program, if it forks them; an init as PID 1, if others do";
}

static void say_stopped(struct doctor *d, struct finding *f, const struct zombie *z)
{
	const struct proc *p = &d->s->procs[z->parent];
	const char *who = doctor_proc(d, z->parent);
	char text[8192];
	const char *line;

	if (str_eq(f->kind, "parent-is-frozen")) {
		f->evidence = arena_printf(d->a, "%s is frozen by its cgroup", who);
		f->now = arena_printf(d->a, "clade unpause %s, or whatever froze it thaws it",
			doctor_target(d, z->parent));
		f->for_good = "it waits once it runs";
	} else if (p->state == 't') {
		line = procfs_read(d->s->procfs, p->pid, "status", text, sizeof(text)) > 0
			       ? strstr(text, "\nTracerPid:")
			       : NULL;
		f->evidence = arena_printf(d->a, "%s is held by its tracer %d", who,
			line ? (int)strtol(line + 11, NULL, 10) : 0);
		f->now = "the tracer (a debugger, strace) lets it go on or detaches";
		f->for_good = "it waits once it runs";
	} else if (p->state == 'D') {
		if (procfs_read(d->s->procfs, p->pid, "wchan", text, 64) <= 0)
			text[0] = '\0';
		f->evidence = arena_printf(d->a, "%s hangs in the kernel%s%.60s", who,
			*text && *text != '0' ? ": " : "", *text != '0' ? text : "");
		f->now = "what it waits for (a disk, a network file system) comes back";
		f->for_good = "see dmesg for hung tasks";
	} else {
		f->evidence = arena_printf(d->a, "%s is stopped by a signal", who);
		f->now = arena_printf(d->a, "kill -CONT %d", p->pid);
		f->for_good = "whoever stopped it lets it go on";
	}
}

static void say(struct doctor *d, struct finding *f, const struct zombie *z)
{
	uint32_t tracer;

	switch (z->fault) {
	case FAULT_THREADS:
		f->evidence = arena_printf(d->a,
			"the first thread of %s has ended, %d run on: not dead, only shown so",
			doctor_proc(d, z->proc), d->s->procs[z->proc].n_threads - 1);
		f->now = "nothing: it can be waited for when its last thread ends";
		f->for_good = "the program ends with exit(3), not pthread_exit(3) in main";
		break;
	case FAULT_TRACED:
		tracer = snapshot_find(d->s, z->tracer);
		f->evidence = arena_printf(d->a,
			"%s is traced by %s, who must wait for it before its parent can",
			doctor_proc(d, z->proc),
			tracer == NO_PROC ? "somebody" : doctor_proc(d, tracer));
		f->now = arena_printf(d->a, "end the tracer: kill %d", z->tracer);
		f->for_good = "the debugger or tracer waits for what it traces";
		break;
	case FAULT_STOPPED:
		say_stopped(d, f, z);
		break;
	default:
		if (z->parent != NO_PROC)
			say_not_waiting(d, f, z);
		else
			f->evidence = "its parent is outside of what is seen from here";
	}
}

static const char *kind_of(const struct doctor *d, const struct zombie *z, bool frozen)
{
	char state = z->parent == NO_PROC ? 'S' : d->s->procs[z->parent].state;

	switch (z->fault) {
	case FAULT_THREADS:
		return "first-thread-gone";
	case FAULT_TRACED:
		return "tracer-does-not-wait";
	default:
		if (frozen)
			return "parent-is-frozen";
		if (z->fault == FAULT_STOPPED)
			return state == 't'   ? "parent-is-traced"
			       : state == 'D' ? "parent-is-stuck"
					      : "parent-is-stopped";
		return z->fault == FAULT_INIT ? "init-does-not-reap" : "parent-does-not-wait";
	}
}

/* A parent's zombies differ in kind only by fault: a place for each. */
struct by_parent {
	uint32_t finding[FAULT_COUNT]; /* + 1 */
	bool looked, frozen;
};

void doctor_zombies(struct doctor *d, const struct zombie *zombies, size_t n)
{
	struct by_parent *known = mem_alloc(((size_t)d->s->n + 1) * sizeof(*known));

	for (size_t i = 0; i < n; i++) {
		const struct zombie *z = &zombies[i];
		bool alone = z->fault == FAULT_THREADS || z->fault == FAULT_TRACED;
		uint32_t about = alone || z->parent == NO_PROC ? z->proc : z->parent;
		struct by_parent *k = &known[about];
		enum zombie_fault fault = z->fault;
		struct zombie frozen = *z;
		struct finding *f;

		if (!alone && !k->looked && z->parent != NO_PROC)
			k->frozen = reap_refuse_is_frozen(d->s->procs[z->parent].pid);
		k->looked = true;
		if (k->frozen && !alone)
			frozen.fault = fault = FAULT_STOPPED;
		if (k->finding[fault]) {
			(*d->all)[k->finding[fault] - 1].count++;
			continue;
		}
		f = doctor_add(d, kind_of(d, z, k->frozen && !alone), about,
			d->s->procs[z->proc].ns, alone ? 0 : 1);
		k->finding[fault] = (uint32_t)*d->n;
		say(d, f, &frozen);
	}
	free(known);
}
