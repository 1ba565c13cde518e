/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In this order: every process to its namespace by inode; each namespace asks the kernel for its
 * parent, or is placed by its init's parent; refused processes are placed; the namespaces are
 * sorted by level; every process gets its numbers at every level.
 */
#include "procs/pidns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "os/procfs.h"
#include "procs/pidns_guess.h"
#include "procs/pidns_table.h"
#include "procs/scan.h"

uint32_t pidns_add(struct snapshot *s, uint64_t inode)
{
	size_t n = s->n_ns;
	struct pidns *ns;

	ns = arena_grow(s->arena, &s->ns, &n, sizeof(*s->ns));
	*ns = (struct pidns){
		.inode = inode,
		.parent = NO_NS,
		.init = NO_PROC,
		.first_member = NO_PROC,
		.holder = NO_PROC,
		.owner_uid = (uid_t)-1,
	};
	return s->n_ns++;
}

static void join(struct snapshot *s, uint32_t i, uint32_t ns)
{
	s->procs[i].ns = ns;
	s->procs[i].next_in_ns = s->ns[ns].first_member;
	s->ns[ns].first_member = i;
}

void pidns_join(struct snapshot *s, uint32_t i, uint32_t ns)
{
	join(s, i, ns);
}

/* Asks the kernel who made it and where. */
static void ask_kernel(struct snapshot *s, struct ns_index *index, uint32_t ns)
{
	autofd fd = pidns_open(s, ns), up = FD_NONE, user = FD_NONE;
	uint64_t inode;

	if (fd < 0)
		return;
	user = ns_owner(fd);
	if (user >= 0)
		ns_owner_uid(user, &s->ns[ns].owner_uid);
	up = ns > 0 ? ns_parent(fd) : FD_NONE;
	if (up >= 0 && ns_inode(up, &inode) == 0) {
		uint32_t parent = ns_index_find(index, inode);

		/* it lives, for its child does; its processes came after the list was read */
		if (parent == NO_NS) {
			parent = pidns_add(s, inode);
			ns_index_add(index, inode, parent);
		}
		s->ns[ns].parent = parent;
	}
}

/* Without the kernel's word: the namespace of the parent of the one that came in first. */
static void guess_parent(struct snapshot *s, uint32_t ns)
{
	for (uint32_t i = s->ns[ns].first_member; i != NO_PROC; i = s->procs[i].next_in_ns) {
		const struct proc *p = &s->procs[i];

		if (p->levels && !proc_is_init(p))
			continue;
		if (p->parent != NO_PROC && s->procs[p->parent].ns != ns)
			s->ns[ns].parent = s->procs[p->parent].ns;
	}
	if (s->ns[ns].parent == NO_NS)
		s->ns[ns].parent = 0;
	s->ns[ns].parent_guessed = true;
}

static uint8_t level_of(const struct snapshot *s, uint32_t ns)
{
	int level = 0;

	while (ns != 0 && ns != NO_NS && level < 64) {
		level++;
		ns = s->ns[ns].parent;
	}
	return (uint8_t)level;
}

/* Parents before children: by level, in the order they were found within one. */
static void sort_by_level(struct snapshot *s)
{
	uint32_t *place = mem_resize(NULL, s->n_ns, sizeof(*place)), n = 0;
	uint32_t room = 1;
	struct pidns *sorted;

	while (room < s->n_ns) /* as arena_grow() counts, which may add more */
		room *= 2;
	sorted = arena_array(s->arena, room, sizeof(*sorted));
	for (unsigned level = 0; level <= 64 && n < s->n_ns; level++) {
		for (uint32_t i = 0; i < s->n_ns; i++) {
			if (s->ns[i].level == level) {
				place[i] = n;
				sorted[n++] = s->ns[i];
			}
		}
	}
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (sorted[i].parent != NO_NS)
			sorted[i].parent = place[sorted[i].parent];
	}
	for (uint32_t i = 0; i < s->n; i++)
		s->procs[i].ns = place[s->procs[i].ns];
	s->ns = sorted;
	free(place);
}

static void count(struct snapshot *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];
		struct pidns *ns = &s->ns[p->ns];

		ns->n_procs++;
		ns->n_zombies += proc_is_zombie(p);
		ns->n_threads += (uint32_t)(p->n_threads > 0 ? p->n_threads : 0);
		if (proc_is_init(p) && (int)ns->level + 1 == p->levels)
			ns->init = i;
	}
}

/* The namespace of this inode, which is made where it was not met yet. */
static uint32_t find_or_add(struct snapshot *s, struct ns_index *index, uint64_t inode)
{
	uint32_t ns = ns_index_find(index, inode);

	if (ns == NO_NS) {
		ns = pidns_add(s, inode);
		ns_index_add(index, inode, ns);
	}
	return ns;
}

/* Every process whose namespace is known to it; which one that is in, where the scan knows. */
static void join_all(struct snapshot *s, struct ns_index *index, const struct scan_result *found)
{
	/* from the last to the first, so that members stand in ascending order */
	for (uint32_t i = s->n; i-- > 0;) {
		uint32_t ns = 0;

		if (s->procs[i].ns_guessed)
			continue;
		if (!s->procs[i].kernel_thread && found->inodes[i])
			ns = find_or_add(s, index, found->inodes[i]);
		join(s, i, ns);
		if (ns > 0 && found->above && found->above[i] && s->ns[ns].parent == NO_NS) {
			uint32_t up = find_or_add(s, index, found->above[i]);

			s->ns[ns].parent = up;
		}
	}
}

/* The nesting of those whose parents are not known yet. */
static void find_parents(struct snapshot *s, struct ns_index *index, unsigned wants)
{
	uint32_t seen = s->n_ns;

	/* one that the scan placed is asked for its owner only */
	for (uint32_t i = 0; i < s->n_ns; i++)
		if (wants & SNAP_NS_OWNER || (i > 0 && s->ns[i].parent == NO_NS))
			ask_kernel(s, index, i);
	for (uint32_t i = 1; i < seen; i++) {
		uint32_t m = s->ns[i].first_member;

		if (s->ns[i].parent != NO_NS)
			continue;
		for (; m != NO_PROC; m = s->procs[m].next_in_ns)
			scan_nspid(s->procfs, s->arena, &s->procs[m]);
		guess_parent(s, i);
	}
}

void pidns_build(
	struct snapshot *s, const struct scan_result *found, uint64_t own_inode, unsigned wants)
{
	struct ns_index index = { 0 };

	pidns_add(s, own_inode);
	ns_index_add(&index, own_inode, 0);
	join_all(s, &index, found);
	find_parents(s, &index, wants);
	for (uint32_t i = 0; i < s->n_ns; i++)
		s->ns[i].level = level_of(s, i);
	pidns_guess(s);
	sort_by_level(s);
	pidns_number(s);
	count(s);
	ns_index_done(&index);
	if (wants & SNAP_HELD)
		pidns_add_held(s);
}
