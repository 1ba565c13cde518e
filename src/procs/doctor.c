/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/str.h"
#include "os/procfs.h"
#include "procs/doctor_look.h"
#include "procs/owner.h"
#include "procs/pids_limit.h"

enum { PIDS_NEAR_PERCENT = 80, SOON_S = 3600 };

struct finding *doctor_add(
	struct doctor *d, const char *kind, uint32_t proc, uint32_t ns, unsigned count)
{
	struct finding *f = arena_grow(d->a, d->all, d->n, sizeof(*f));

	*f = (struct finding){ .kind = kind, .proc = proc, .ns = ns, .count = count };
	return f;
}

static const char *safe(struct doctor *d, const char *s)
{
	autotext t = { 0 };

	text_add_escaped(&t, s, strlen(s));
	return arena_strdup(d->a, t.p ? t.p : "");
}

const char *doctor_proc(struct doctor *d, uint32_t proc)
{
	const struct proc *p = &d->s->procs[proc];

	return arena_printf(d->a, "%d (%s)", p->pid, safe(d, p->comm));
}

const char *doctor_target(struct doctor *d, uint32_t proc)
{
	const struct proc *p = &d->s->procs[proc];
	const struct owner *o = p->owner;

	if (o && o->runtime[0] && proc_is_init(p))
		return safe(d, o->name ? o->name : o->id);
	return arena_printf(d->a, "%d", p->pid);
}

uint64_t doctor_mask(const char *status, const char *label)
{
	const char *at = strstr(status, label);

	return at ? strtoull(at + strlen(label), NULL, 16) : UINT64_MAX;
}

/* Does PID 1 of a namespace have a handler for TERM? Without, the kernel drops it. */
static void examine_term(struct doctor *d, uint32_t ns)
{
	uint32_t init = d->s->ns[ns].init;
	char text[8192];
	uint64_t caught, waited;
	static const long waits[] = { SYS_rt_sigtimedwait };
	struct finding *f;

	if (init == NO_PROC || proc_is_zombie(&d->s->procs[init]) ||
		procfs_read(d->s->procfs, d->s->procs[init].pid, "status", text, sizeof(text)) < 0)
		return;
	caught = doctor_mask(text, "\nSigCgt:");
	/* a sigwait(3)er has it blocked instead */
	waited = doctor_mask(text, "\nSigBlk:");
	if ((caught | waited) & (UINT64_C(1) << (SIGTERM - 1)))
		return;
	/* which the kernel lifts while it waits */
	if (doctor_is_in(d->s, &d->s->procs[init], waits, ARRAY_LEN(waits)))
		return;
	f = doctor_add(d, "deaf-to-term", init, ns, 0);
	f->evidence = arena_printf(d->a,
		"PID 1, %s, has no handler for TERM: the kernel drops it, and stop takes the whole "
		"grace period",
		doctor_proc(d, init));
	f->now = "stop with another signal (--stop-signal), or kill it";
	f->for_good = "an init as PID 1 (--init), or a handler in the program";
}

static void examine_limit(struct doctor *d, uint32_t ns)
{
	uint32_t init = d->s->ns[ns].init;
	struct pids_limit limit;
	unsigned zombies = d->s->ns[ns].n_zombies;
	double rate = doctor_zombie_rate(d->s, ns), left_s = 0;
	struct finding *f;
	const char *full = "";

	if (init == NO_PROC)
		return;
	pids_limit_read(snapshot_cgroup(d->s, init), &limit);
	if (limit.current < 0 || limit.max <= 0)
		return;
	if (rate > 0)
		left_s = (double)(limit.max - limit.current) / rate;
	if (limit.current * 100 < limit.max * PIDS_NEAR_PERCENT && !(rate > 0 && left_s < SOON_S))
		return;
	if (rate > 0)
		full = arena_printf(d->a, ", %.2g more a second: full in %.0f s", rate,
			left_s > 0 ? left_s : 0);
	f = doctor_add(d, "near-pids-limit", init, ns, (unsigned)limit.current);
	f->evidence = arena_printf(d->a,
		"%lld of %lld processes and threads are used, %u of them zombies (%lld %%)%s; then "
		"fork fails",
		(long long)limit.current, (long long)limit.max, zombies,
		limit.current ? (long long)zombies * 100 / (long long)limit.current : 0, full);
	f->now = zombies ? arena_printf(d->a, "clade reap %s", doctor_target(d, init))
			 : "a larger limit (clade update --pids-limit)";
	f->for_good = zombies ? "see who leaks the zombies" : "find what forks so much";
}

bool doctor_is_dying(const struct snapshot *s, uint32_t ns)
{
	uint32_t init = s->ns[ns].init;
	char wchan[64];

	return init != NO_PROC && s->ns[ns].level &&
	       procfs_read(s->procfs, s->procs[init].pid, "wchan", wchan, sizeof(wchan)) > 0 &&
	       str_starts(wchan, "zap_pid_ns_processes");
}

/* PID 1 has been killed, and waits until its namespace is empty: who is it that stays? */
static void examine_dying(struct doctor *d, uint32_t ns)
{
	uint32_t init = d->s->ns[ns].init, held = NO_PROC, outside = NO_PROC;
	struct finding *f;

	if (!doctor_is_dying(d->s, ns))
		return;
	for (uint32_t i = d->s->ns[ns].first_member; i != NO_PROC; i = d->s->procs[i].next_in_ns) {
		uint32_t up = d->s->procs[i].parent;

		if (i == init || (held != NO_PROC && outside != NO_PROC))
			continue;
		held = i;
		if (up != NO_PROC && d->s->procs[up].ns != ns)
			outside = up;
	}
	f = doctor_add(d, "namespace-cannot-die", init, ns,
		d->s->ns[ns].n_procs ? d->s->ns[ns].n_procs - 1 : 0);
	f->evidence = arena_printf(d->a,
		"PID 1, %s, was killed and waits in zap_pid_ns_processes; %s%s%s",
		doctor_proc(d, init),
		held == NO_PROC ? "what it waits for is below it" : doctor_proc(d, held),
		held == NO_PROC ? "" : " stays",
		outside == NO_PROC
			? ""
			: arena_printf(d->a, " until its parent outside, %s, has waited for it",
				  doctor_proc(d, outside)));
	if (outside != NO_PROC) {
		f->now = arena_printf(d->a, "clade reap --own --unknown %d, or end that process",
			d->s->procs[outside].pid);
		f->for_good = "whoever enters a container waits for what it started there";
	} else {
		f->now = "see what the process that stays hangs in (state D: a disk, a network)";
		f->for_good = "-";
	}
}

static void examine_empty(struct doctor *d, uint32_t ns)
{
	const struct pidns *n = &d->s->ns[ns];
	const char *holder = n->holder == NO_PROC ? "somebody" : doctor_proc(d, n->holder);
	struct finding *f;

	if (n->held == PIDNS_LIVE || n->n_procs)
		return;
	if (n->held == PIDNS_NOT_ENTERED) {
		f = doctor_add(d, "init-ended", n->holder, ns, 0);
		f->evidence = arena_printf(d->a,
			"%s unshared namespace %llu, whose PID 1 has ended: no process can begin "
			"in there any more, its forks fail with ENOMEM",
			holder, (unsigned long long)n->inode);
		f->now = "end that process";
		f->for_good = "the first child after unshare(2) is the init: it must stay";
		return;
	}
	f = doctor_add(d, "held-empty", n->holder, ns, 0);
	f->evidence = arena_printf(d->a, "namespace %llu has no process and is held by %s of %s",
		(unsigned long long)n->inode,
		n->held == PIDNS_HELD_MOUNT ? "a bind mount" : "a descriptor", holder);
	f->now = n->held == PIDNS_HELD_MOUNT ? "umount it: nothing can run in there any more"
					     : "close it, or end that process";
	f->for_good = "whoever keeps namespaces lets go of those whose init has ended";
}

/* The kernel shows the namespace for the children only once the first of them is there. */
static void examine_unshared(struct doctor *d, uint32_t i)
{
	const struct proc *p = &d->s->procs[i];
	uint64_t inode;
	struct finding *f;

	if (p->kernel_thread || p->ns_guessed || proc_is_zombie(p) ||
		procfs_pidns(d->s->procfs, p->pid, "ns/pid_for_children", &inode) != -ENOENT ||
		procfs_pidns(d->s->procfs, p->pid, "ns/pid", &inode) != 0)
		return;
	f = doctor_add(d, "never-entered", i, p->ns, 0);
	f->evidence = arena_printf(d->a,
		"%s unshared a PID namespace and has not forked into it: itself it stays where it "
		"was",
		doctor_proc(d, i));
	f->now = "nothing: its next child will be PID 1 there";
	f->for_good = "unshare --fork, or clone(2) with CLONE_NEWPID";
}

static bool *namespaces_below(const struct snapshot *s, uint32_t top, struct arena *a)
{
	bool *below = arena_array(a, (size_t)s->n_ns + 1, sizeof(*below));

	for (uint32_t i = 0; i < s->n_ns; i++)
		below[i] = top == 0 || i == top ||
			   (s->ns[i].parent != NO_NS && below[s->ns[i].parent]);
	return below;
}

static bool is_transient(const struct snapshot *s, const struct seen *seen, const struct proc *p)
{
	int64_t ms = p->n_threads > 1 ? -1 : seen_age_ms(seen, s, p);

	return ms >= 0 && ms < DOCTOR_TRANSIENT_MS;
}

bool doctor_is_early(const struct snapshot *s, const struct seen *seen)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (proc_is_zombie(&s->procs[i]) && is_transient(s, seen, &s->procs[i]))
			return true;
	return false;
}

void doctor_examine(struct snapshot *s, const struct seen *seen, uint32_t ns, struct arena *a,
	struct finding **ret, size_t *ret_n)
{
	struct doctor d = { s, seen, a, ret, ret_n };
	const bool *below = namespaces_below(s, ns, a);
	struct zombie *zombies;
	size_t n, kept = 0;

	*ret = NULL;
	*ret_n = 0;
	zombies_find(s, a, &zombies, &n);
	for (size_t i = 0; i < n; i++) {
		const struct proc *p = &s->procs[zombies[i].proc];

		if (p->ns != NO_NS && below[p->ns] && !is_transient(s, seen, p))
			zombies[kept++] = zombies[i];
	}
	doctor_zombies(&d, zombies, kept);
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (s->ns[i].level == 0 || !below[i])
			continue;
		examine_dying(&d, i);
		examine_empty(&d, i);
		/* a container's inner namespaces are its own affair */
		if (s->ns[i].parent != NO_NS && s->ns[i].owner &&
			s->ns[i].owner == s->ns[s->ns[i].parent].owner)
			continue;
		examine_term(&d, i);
		examine_limit(&d, i);
	}
	for (uint32_t i = 0; i < s->n; i++)
		if (s->procs[i].ns != NO_NS && below[s->procs[i].ns])
			examine_unshared(&d, i);
}
