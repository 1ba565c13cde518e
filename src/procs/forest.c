/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/forest.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash(pid_t pid)
{
	return (uint32_t)pid * 2654435769u;
}

static void build_hash(struct snapshot *s)
{
	uint32_t size = 16;

	while (size < 2 * s->n)
		size *= 2;
	s->by_pid_mask = size - 1;
	s->by_pid = arena_array(s->arena, size, sizeof(*s->by_pid));
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t h = hash(s->procs[i].pid) >> 4;

		while (s->by_pid[h & s->by_pid_mask])
			h++;
		s->by_pid[h & s->by_pid_mask] = i + 1;
	}
}

uint32_t snapshot_find(const struct snapshot *s, pid_t pid)
{
	uint32_t i;

	if (pid <= 0 || !s->by_pid)
		return NO_PROC;
	for (uint32_t h = hash(pid) >> 4; (i = s->by_pid[h & s->by_pid_mask]); h++) {
		if (s->procs[i - 1].pid == pid)
			return i - 1;
	}
	return NO_PROC;
}

/* Cuts loops: every chain of parents is walked once and coloured by the walk that met it. */
static void cut_loops(struct snapshot *s)
{
	uint32_t *colour = mem_resize(NULL, s->n + 1, sizeof(*colour));

	memset(colour, 0, (s->n + 1) * sizeof(*colour));
	for (uint32_t i = 0; i < s->n; i++) {
		uint32_t at = i;

		while (at != NO_PROC && !colour[at]) {
			uint32_t up = s->procs[at].parent;

			colour[at] = i + 1;
			if (up != NO_PROC && colour[up] == i + 1)
				s->procs[at].parent = up = NO_PROC;
			at = up;
		}
	}
	free(colour);
}

void forest_link(struct snapshot *s)
{
	build_hash(s);
	for (uint32_t i = 0; i < s->n; i++)
		s->procs[i].parent = snapshot_find(s, s->procs[i].ppid);
	cut_loops(s);
	for (uint32_t i = 0; i < s->n; i++) {
		struct proc *p = &s->procs[i], *up;

		if (p->parent == NO_PROC)
			continue;
		up = &s->procs[p->parent];
		if (up->last_child == NO_PROC)
			up->first_child = i;
		else
			s->procs[up->last_child].next_sibling = i;
		up->last_child = i;
	}
}

static uint32_t next_root(const struct snapshot *s, uint32_t i)
{
	for (i++; i < s->n; i++) {
		if (s->procs[i].parent == NO_PROC)
			return i;
	}
	return NO_PROC;
}

uint32_t forest_next(const struct snapshot *s, uint32_t i, uint32_t top)
{
	if (s->procs[i].first_child != NO_PROC)
		return s->procs[i].first_child;
	for (;;) {
		if (i == top)
			return NO_PROC;
		if (s->procs[i].next_sibling != NO_PROC)
			return s->procs[i].next_sibling;
		if (s->procs[i].parent == NO_PROC)
			return top == NO_PROC ? next_root(s, i) : NO_PROC;
		i = s->procs[i].parent;
	}
}

uint32_t *forest_order(const struct snapshot *s, struct arena *a)
{
	uint32_t *order = arena_array(a, s->n + 1, sizeof(*order)), n = 0;

	for (uint32_t i = next_root(s, NO_PROC); i != NO_PROC; i = forest_next(s, i, NO_PROC))
		order[n++] = i;
	return order;
}
