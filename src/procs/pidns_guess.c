/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/pidns_guess.h"

#include <string.h>

#include "base/str.h"
#include "procs/forest.h"
#include "procs/pidns_table.h"

/* A cgroup and level as one number: the key under which inits are found. */
static uint64_t key_of(const struct proc *p)
{
	uint64_t h = 0xcbf29ce484222325u ^ p->levels;

	for (const char *c = p->cgroup; *c; c++)
		h = (h ^ (unsigned char)*c) * 0x100000001b3u;
	return h;
}

static uint32_t begin(struct snapshot *s, unsigned level, uint32_t parent)
{
	uint32_t ns = pidns_add(s, 0);

	s->ns[ns].level = (uint8_t)level;
	s->ns[ns].parent = parent;
	s->ns[ns].parent_guessed = true;
	return ns;
}

/* The namespace above for one that begins at i: its parent's, if that is one level up. */
static uint32_t above(const struct snapshot *s, uint32_t i)
{
	for (uint32_t up = s->procs[i].parent; up != NO_PROC; up = s->procs[up].parent) {
		uint32_t ns = s->procs[up].ns;

		if (ns != NO_NS && s->ns[ns].level + 2 == s->procs[i].levels)
			return ns;
	}
	return s->procs[i].levels == 2 ? 0 : NO_NS;
}

static uint32_t place(struct snapshot *s, struct ns_index *by_cgroup, uint32_t i)
{
	const struct proc *p = &s->procs[i];
	uint32_t up = p->parent == NO_PROC ? NO_NS : s->procs[p->parent].ns, ns;

	if (p->levels == 0)
		return up == NO_NS ? 0 : up;
	if (p->levels == 1)
		return 0;
	if (p->nspid[p->levels - 1] == 1)
		return begin(s, p->levels - 1u, above(s, i));
	if (up != NO_NS && s->ns[up].level + 1 == p->levels)
		return up;
	ns = p->cgroup ? ns_index_find(by_cgroup, key_of(p)) : NO_NS;
	if (ns == NO_NS) {
		ns = begin(s, p->levels - 1u, above(s, i));
		if (p->cgroup)
			ns_index_add(by_cgroup, key_of(p), ns);
	}
	return ns;
}

void pidns_guess(struct snapshot *s)
{
	struct ns_index by_cgroup = { 0 };
	autoarena scratch = { 0 };
	uint32_t *order;

	if (!s->n_refused)
		return;
	order = forest_order(s, &scratch);
	/* first the inits, wherever they stand, so that who entered finds them by cgroup */
	for (int inits = 1; inits >= 0; inits--) {
		for (uint32_t k = 0; k < s->n; k++) {
			struct proc *p = &s->procs[order[k]];
			uint32_t ns;

			if (!p->ns_guessed || p->ns != NO_NS ||
				(inits && !(p->levels > 1 && proc_is_init(p))))
				continue;
			ns = place(s, &by_cgroup, order[k]);
			pidns_join(s, order[k], ns);
			if (inits && p->cgroup)
				ns_index_add(&by_cgroup, key_of(p), ns);
		}
	}
	ns_index_done(&by_cgroup);
}
