/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/doctor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "os/procfs.h"
#include "procs/owner.h"

enum { PIDS_NEAR_PERCENT = 80 };

struct doctor {
	struct snapshot *s;
	struct arena *a;
	struct finding **all;
	size_t *n;
};

static struct finding *add(
	struct doctor *d, const char *kind, uint32_t proc, uint32_t ns, unsigned count)
{
	struct finding *f = arena_grow(d->a, d->all, d->n, sizeof(*f));

	*f = (struct finding){ .kind = kind, .proc = proc, .ns = ns, .count = count };
	return f;
}

/* "container web" or "process 1234 (nginx)", safe to show. */
static const char *name_of(struct doctor *d, uint32_t proc)
{
	const struct proc *p = &d->s->procs[proc];
	const struct owner *o = p->owner;
	struct text t = { 0 };
	const char *name;

	if (o && o->runtime[0])
		text_add_escaped(&t, o->name ? o->name : o->id, strlen(o->name ? o->name : o->id));
	else
		text_addf(&t, "%d", p->pid);
	name = arena_strdup(d->a, t.p ? t.p : "");
	text_done(&t);
	return name;
}

static const char *comm_of(struct doctor *d, uint32_t proc)
{
	struct text t = { 0 };
	const char *comm;

	text_add_escaped(&t, d->s->procs[proc].comm, strlen(d->s->procs[proc].comm));
	comm = arena_strdup(d->a, t.p ? t.p : "");
	text_done(&t);
	return comm;
}

/* Zombies by parent and fault: one verdict for a parent's thousand. */
static void examine_zombies(struct doctor *d, const struct zombie *zombies, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct zombie *z = &zombies[i];
		uint32_t parent = z->parent, ns = d->s->procs[z->proc].ns;
		const struct proc *p = parent == NO_PROC ? NULL : &d->s->procs[parent];
		struct finding *f = NULL;
		static const char *const kinds[] = { "init-does-not-reap", "parent-does-not-wait",
			"parent-does-not-wait", "parent-is-stopped", "first-thread-gone" };

		for (size_t k = 0; k < *d->n; k++)
			if ((*d->all)[k].proc == parent && (*d->all)[k].kind == kinds[z->fault])
				f = &(*d->all)[k];
		if (f) {
			f->count++;
			continue;
		}
		f = add(d, kinds[z->fault], parent, ns, 1);
		if (!p)
			continue;
		switch (z->fault) {
		case FAULT_INIT:
			f->evidence = arena_printf(d->a,
				"%d (%s) adopts orphans and never waits: each stays defunct",
				p->pid, comm_of(d, parent));
			f->now = arena_printf(d->a, "clade reap %s", name_of(d, parent));
			f->for_good = "an init as PID 1: --init, or clade-init in the image";
			break;
		case FAULT_PARENT:
		case FAULT_UNKNOWN:
			f->evidence = arena_printf(d->a, "%d (%s) does not wait for children%s",
				p->pid, comm_of(d, parent),
				z->fault == FAULT_PARENT ? " it forked itself" : "");
			f->now = arena_printf(d->a,
				"clade reap --%s %d, which then misses their exit status",
				z->fault == FAULT_PARENT ? "own" : "unknown", p->pid);
			f->for_good = "a fault of that program: no init can help";
			break;
		case FAULT_STOPPED:
			f->evidence = arena_printf(d->a, "%d (%s) is %s", p->pid,
				comm_of(d, parent), p->state == 't' ? "traced" : "stopped");
			f->now = arena_printf(d->a, "kill -CONT %d", p->pid);
			f->for_good = "whoever stopped it lets it go on";
			break;
		case FAULT_THREADS:
			f->evidence =
				"the first thread has ended, others run: not dead, only shown so";
			f->now = "nothing: it is reaped when the last thread ends";
			f->for_good = "the program ends with exit(3), not pthread_exit(3) in main";
			break;
		}
	}
}

/* Does PID 1 of a namespace have a handler for TERM? Without, the kernel drops it. */
static void examine_term(struct doctor *d, uint32_t ns)
{
	uint32_t init = d->s->ns[ns].init;
	char text[8192];
	const char *at;
	uint64_t caught;
	struct finding *f;

	if (init == NO_PROC || proc_is_zombie(&d->s->procs[init]) ||
		procfs_read(d->s->procfs, d->s->procs[init].pid, "status", text, sizeof(text)) < 0)
		return;
	at = strstr(text, "\nSigCgt:");
	caught = at ? strtoull(at + 8, NULL, 16) : UINT64_MAX;
	/* a sigwait(3)er has it blocked instead */
	at = strstr(text, "\nSigBlk:");
	caught |= at ? strtoull(at + 8, NULL, 16) : 0;
	if (caught & (UINT64_C(1) << (SIGTERM - 1)))
		return;
	f = add(d, "deaf-to-term", init, ns, 0);
	f->evidence =
		arena_printf(d->a, "PID 1, %d (%s), has no handler for TERM: the kernel drops it",
			d->s->procs[init].pid, comm_of(d, init));
	f->now = "stop with another signal (--stop-signal), or kill it";
	f->for_good =
		"an init as PID 1, or a handler in the program: else stop takes its whole time";
}

/* The pids controller's "max" of a process's cgroup; false: none is set. */
static bool pids_limit(struct snapshot *s, uint32_t proc, int64_t *ret_current, int64_t *ret_max)
{
	const char *line = snapshot_cgroup(s, proc), *path = NULL;
	char file[4400], text[64];
	FILE *from;
	bool found = false;

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *colon = strchr(line, ':'),
			   *second = colon ? strchr(colon + 1, ':') : NULL;

		if (!second)
			continue;
		if (strncmp(colon + 1, "pids", (size_t)(second - colon - 1)) == 0 &&
			second > colon + 1)
			path = second + 1;
		else if (!path && second == colon + 1)
			path = second + 1;
	}
	if (!path)
		return false;
	for (int i = 0; i < 4 && !found; i++) {
		static const char *const places[] = { "/sys/fs/cgroup/pids", "/sys/fs/cgroup" };

		snprintf(file, sizeof(file), "%s%.*s/pids.%s", places[i / 2],
			(int)strcspn(path, "\n"), path, i % 2 ? "current" : "max");
		from = fopen(file, "re");
		if (!from || !fgets(text, sizeof(text), from)) {
			if (from)
				fclose(from);
			i |= 1;
			continue;
		}
		fclose(from);
		if (i % 2 == 0) {
			*ret_max = strtoll(text, NULL, 10);
			if (*ret_max <= 0)
				return false;
		} else {
			*ret_current = strtoll(text, NULL, 10);
			found = true;
		}
	}
	return found;
}

static void examine_limit(struct doctor *d, uint32_t ns)
{
	uint32_t init = d->s->ns[ns].init;
	int64_t current = 0, max = 0;
	struct finding *f;

	if (init == NO_PROC || !pids_limit(d->s, init, &current, &max) ||
		current * 100 < max * PIDS_NEAR_PERCENT)
		return;
	f = add(d, "near-pids-limit", init, ns, (unsigned)current);
	f->evidence = arena_printf(d->a,
		"%lld of %lld processes and threads are used, %u of them zombies: fork fails at "
		"the end of that",
		(long long)current, (long long)max, d->s->ns[ns].n_zombies);
	f->now = d->s->ns[ns].n_zombies ? arena_printf(d->a, "clade reap %s", name_of(d, init))
					: "a larger limit (clade update --pids-limit)";
	f->for_good =
		d->s->ns[ns].n_zombies ? "see who leaks the zombies" : "find what forks so much";
}

static void examine_empty(struct doctor *d, uint32_t ns)
{
	struct finding *f;

	if (d->s->ns[ns].held != PIDNS_NOT_ENTERED)
		return;
	f = add(d, "never-entered", d->s->ns[ns].holder, ns, 0);
	f->evidence = "a process unshared this namespace and has not forked into it yet";
	f->now = "nothing: its next child will be PID 1 of it";
	f->for_good = "unshare --fork, or clone(2) with CLONE_NEWPID";
}

static bool is_below(const struct snapshot *s, uint32_t ns, uint32_t top)
{
	while (ns != NO_NS && ns != top)
		ns = s->ns[ns].parent;
	return ns == top;
}

void doctor_examine(
	struct snapshot *s, uint32_t ns, struct arena *a, struct finding **ret, size_t *ret_n)
{
	struct doctor d = { s, a, ret, ret_n };
	struct zombie *zombies;
	size_t n, kept = 0;

	*ret = NULL;
	*ret_n = 0;
	zombies_find(s, a, &zombies, &n);
	for (size_t i = 0; i < n; i++)
		if (is_below(s, s->procs[zombies[i].proc].ns, ns))
			zombies[kept++] = zombies[i];
	examine_zombies(&d, zombies, kept);
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (s->ns[i].level == 0 || !is_below(s, i, ns))
			continue;
		examine_term(&d, i);
		examine_limit(&d, i);
		examine_empty(&d, i);
	}
}
