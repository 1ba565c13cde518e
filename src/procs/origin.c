/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/origin.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/procfs.h"
#include "procs/nspid.h"
#include "procs/reap_origin.h"

/* Marks in by_thread the children on lists of threads other than the first. Linear in them. */
static void mark_thread_children(const struct snapshot *s, uint32_t parent, bool *by_thread)
{
	const struct proc *p = &s->procs[parent];
	autofree pid_t *tids = NULL;
	size_t n;

	if (p->n_threads < 2 || procfs_tids(s->procfs, p->pid, &tids, &n) < 0)
		return;
	for (size_t t = 0; t < n; t++) {
		autofree char *list = NULL;
		char path[40], *end;

		if (tids[t] == p->pid)
			continue;
		snprintf(path, sizeof(path), "task/%d/children", tids[t]);
		if (procfs_read_all(s->procfs, p->pid, path, &list) < 0)
			continue;
		for (char *c = list;; c = end) {
			long pid = strtol(c, &end, 10);
			uint32_t i;

			if (end == c)
				break;
			i = snapshot_find(s, (pid_t)pid);
			if (i != NO_PROC)
				by_thread[i] = true;
		}
	}
}

/* Its session as its parent's namespace numbers it; false where that cannot be said. */
static bool session_in(const struct snapshot *s, const struct proc *c, unsigned level, pid_t *ret)
{
	char text[8192];
	struct nspid sids;
	uint32_t leader;

	if (level == 0 || c->sid == 0) {
		*ret = c->sid;
		return true;
	}
	leader = snapshot_find(s, c->sid);
	if (leader != NO_PROC && s->procs[leader].sid == c->sid) {
		const struct proc *l = &s->procs[leader];

		*ret = l->levels > level && l->nspid ? l->nspid[level] : 0;
		return l->levels <= level || l->nspid[level] != 0;
	}
	/* the leader has gone, its number stays in the status of those it left */
	if (procfs_read(s->procfs, c->pid, "status", text, sizeof(text)) < 0 ||
		nspid_parse(text, "NSsid", &sids) != 0)
		return false;
	*ret = (int)level < sids.depth ? sids.pid[level] : 0;
	return true;
}

static void judge(struct snapshot *s, uint32_t i, const bool *by_thread)
{
	struct proc *c = &s->procs[i], *p = &s->procs[c->parent];
	unsigned level = p->levels - 1u;
	struct reap_kin_parent kp = {
		.pid = p->nspid[level],
		.start_ticks = p->start_ticks,
		.leader_alive = p->state != 'Z' && p->state != 'X',
		.execs_known = s->has_kernel_words && p->self_exec,
		.self_exec = p->self_exec,
	};
	struct reap_kin_child kc = {
		.start_ticks = c->start_ticks,
		.exit_signal = c->exit_signal,
		.born_exec = c->born_exec,
		.on_leader_list = !by_thread[i],
	};

	/* Not all that is needed was to be seen, or it runs in a namespace beside its parent's. */
	if (!kp.pid || c->levels <= level || !c->nspid[level])
		return;
	kc.pid = c->nspid[level];
	if (!session_in(s, p, level, &kp.sid) || !session_in(s, c, level, &kc.sid))
		return;
	switch (reap_origin(&kp, &kc, &c->proof)) {
	case REAP_ORIGIN_OWN:
		c->origin = ORIGIN_OWN;
		break;
	case REAP_ORIGIN_ADOPTED:
		c->origin = ORIGIN_ADOPTED;
		p->is_subreaper = p->is_subreaper || !proc_is_init(p);
		break;
	default:
		break;
	}
}

void origin_find(struct snapshot *s, bool live)
{
	bool *by_thread = mem_alloc(s->n + 1), *marked = mem_alloc(s->n + 1);

	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *c = &s->procs[i];

		if (c->parent == NO_PROC || c->kernel_thread || (!live && !proc_is_zombie(c)))
			continue;
		if (!marked[c->parent]) {
			mark_thread_children(s, c->parent, by_thread);
			marked[c->parent] = true;
		}
		judge(s, i, by_thread);
	}
	free(by_thread);
	free(marked);
}
