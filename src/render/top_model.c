/* SPDX-License-Identifier: Apache-2.0 */
#include "render/top_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "procs/doctor.h"
#include "procs/owner.h"

static size_t place_of(const struct top_choice *c, pid_t pid)
{
	size_t low = 0, high = c->n_closed;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c->closed[mid] < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_closed_pid(const struct top_choice *c, pid_t pid)
{
	size_t at = place_of(c, pid);

	return at < c->n_closed && c->closed[at] == pid;
}

void top_choice_toggle(struct top_choice *c, pid_t pid)
{
	size_t at = place_of(c, pid);

	if (is_closed_pid(c, pid)) {
		memmove(c->closed + at, c->closed + at + 1,
			(c->n_closed - at - 1) * sizeof(*c->closed));
		c->n_closed--;
		return;
	}
	c->closed = mem_resize(c->closed, c->n_closed + 1, sizeof(*c->closed));
	memmove(c->closed + at + 1, c->closed + at, (c->n_closed - at) * sizeof(*c->closed));
	c->closed[at] = pid;
	c->n_closed++;
}

void top_choice_done(struct top_choice *c)
{
	free(c->closed);
	c->closed = NULL;
	c->n_closed = 0;
}

/* --- order ----------------------------------------------------------------------------------- */

struct keyed {
	uint32_t proc;
	double key; /* larger first */
};

static double key_of(const struct top_data *d, enum top_sort sort, const struct proc *p)
{
	switch (sort) {
	case TOP_BY_CPU:
		return d->cpu(d->cpu_data, p);
	case TOP_BY_MEMORY:
		return (double)p->rss_pages;
	case TOP_BY_AGE:
		return -(double)p->start_ticks;
	default:
		return -(double)p->pid;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return x->proc < y->proc ? -1 : x->proc > y->proc;
}

/* Hangs the children of one parent in another order. keyed has room for all processes. */
static void sort_children(
	const struct top_data *d, enum top_sort sort, struct proc *parent, struct keyed *keyed)
{
	struct proc *procs = d->s->procs;
	uint32_t n = 0;

	for (uint32_t c = parent->first_child; c != NO_PROC; c = procs[c].next_sibling)
		keyed[n++] = (struct keyed){ c, key_of(d, sort, &procs[c]) };
	if (n < 2)
		return;
	qsort(keyed, n, sizeof(*keyed), by_key);
	parent->first_child = keyed[0].proc;
	parent->last_child = keyed[n - 1].proc;
	for (uint32_t i = 0; i < n; i++)
		procs[keyed[i].proc].next_sibling = i + 1 < n ? keyed[i + 1].proc : NO_PROC;
}

/* --- which ----------------------------------------------------------------------------------- */

static bool contains(const char *s, const char *part)
{
	return s && strcasestr(s, part);
}

static bool fits(const struct top_choice *c, const struct proc *p)
{
	char number[16];

	if (c->zombies_only && !proc_is_zombie(p))
		return false;
	if (!*c->filter)
		return true;
	snprintf(number, sizeof(number), "%d", p->pid);
	return str_eq(number, c->filter) || contains(p->args, c->filter) ||
	       contains(p->comm, c->filter) ||
	       (p->owner &&
		       (contains(p->owner->name, c->filter) || contains(p->owner->id, c->filter)));
}

/* Hides what does not fit and has nothing below it that does. NULL: everything is shown. */
static bool *hide(const struct snapshot *s, const struct top_choice *c, struct arena *a)
{
	bool *hidden;

	if (!*c->filter && !c->zombies_only)
		return NULL;
	hidden = arena_array(a, (size_t)s->n + 1, sizeof(*hidden));
	memset(hidden, true, s->n);
	for (uint32_t i = 0; i < s->n; i++)
		if (fits(c, &s->procs[i]))
			for (uint32_t up = i; up != NO_PROC && hidden[up]; up = s->procs[up].parent)
				hidden[up] = false;
	return hidden;
}

static bool is_below(const struct snapshot *s, uint32_t ns, uint32_t top)
{
	while (ns != NO_NS && ns != top)
		ns = s->ns[ns].parent;
	return top == NO_NS || ns == top;
}

static struct tree_row *flat_lines(
	const struct top_data *d, const struct top_choice *c, struct arena *a, size_t *ret_n)
{
	const struct snapshot *s = d->s;
	struct keyed *keyed = arena_array(a, (size_t)s->n + 1, sizeof(*keyed));
	struct tree_row *rows;
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];

		if ((!p->kernel_thread || c->kernel_threads) && fits(c, p) &&
			is_below(s, p->ns, c->ns))
			keyed[n++] = (struct keyed){ i, key_of(d, c->sort, p) };
	}
	qsort(keyed, n, sizeof(*keyed), by_key);
	rows = arena_array(a, n + 1, sizeof(*rows));
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct tree_row){ .proc = keyed[i].proc, .last = true };
	*ret_n = n;
	return rows;
}

struct closer {
	const struct snapshot *s;
	const struct top_choice *c;
};

static bool is_closed(void *data, uint32_t i)
{
	const struct closer *k = data;

	return is_closed_pid(k->c, k->s->procs[i].pid);
}

struct tree_row *top_lines(
	const struct top_data *d, const struct top_choice *c, struct arena *a, size_t *ret_n)
{
	struct closer closer = { d->s, c };
	struct tree_style style = {
		.kernel_threads = c->kernel_threads,
		.unfolded = c->unfolded,
		.ns = c->ns,
		.is_closed = c->n_closed ? is_closed : NULL,
		.data = &closer,
	};

	if (c->flat)
		return flat_lines(d, c, a, ret_n);
	style.hidden = hide(d->s, c, a);
	if (c->sort != TOP_BY_PID) {
		struct keyed *keyed = arena_array(a, (size_t)d->s->n + 1, sizeof(*keyed));

		for (uint32_t i = 0; i < d->s->n; i++)
			sort_children(d, c->sort, &d->s->procs[i], keyed);
	}
	return tree_rows(d->s, NO_PROC, &style, a, ret_n);
}

static int by_zombies(const void *a, const void *b)
{
	const struct top_group *x = a, *y = b;

	if (x->n_zombies != y->n_zombies)
		return x->n_zombies < y->n_zombies ? 1 : -1;
	return x->n_procs < y->n_procs ? 1 : x->n_procs > y->n_procs ? -1 : 0;
}

/* The outermost namespace of the same container. */
static uint32_t outermost(const struct snapshot *s, uint32_t ns)
{
	while (s->ns[ns].parent != NO_NS && s->ns[ns].owner &&
		s->ns[s->ns[ns].parent].owner == s->ns[ns].owner)
		ns = s->ns[ns].parent;
	return ns;
}

struct top_group *top_groups(
	const struct top_data *d, const struct top_choice *c, struct arena *a, size_t *ret_n)
{
	const struct snapshot *s = d->s;
	uint32_t *group_of = arena_array(a, (size_t)s->n_ns + 1, sizeof(*group_of));
	struct top_group *groups = arena_array(a, (size_t)s->n_ns + 1, sizeof(*groups));
	size_t n = 0;

	for (uint32_t i = 1; i < s->n_ns; i++) {
		const struct pidns *ns = &s->ns[i];
		const struct owner *o = ns->owner;
		const char *name = o ? o->name ? o->name : o->id : NULL;
		uint32_t top = outermost(s, i);

		if (!ns->n_procs || !name || !is_below(s, i, c->ns))
			continue;
		if (!group_of[top]) {
			groups[n] = (struct top_group){ .ns = top,
				.name = *o->runtime ? arena_printf(a, "%s/%s", o->runtime, name)
						    : name };
			group_of[top] = (uint32_t)++n;
		}
		groups[group_of[top] - 1].n_procs += ns->n_procs;
		groups[group_of[top] - 1].n_zombies += ns->n_zombies;
		groups[group_of[top] - 1].rate += ns->n_zombies ? doctor_zombie_rate(s, i) : 0;
	}
	qsort(groups, n, sizeof(*groups), by_zombies);
	*ret_n = n;
	return groups;
}
