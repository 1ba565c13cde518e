/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/events_table.h"

#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"

enum { BUCKETS = 1 << 14 };

void node_table_init(struct node_table *t)
{
	*t = (struct node_table){ .buckets = mem_alloc(BUCKETS * sizeof(struct node *)) };
	t->dead_end = &t->dead;
}

static struct node **bucket(const struct node_table *t, pid_t pid)
{
	return &t->buckets[(unsigned)pid % BUCKETS];
}

struct node *node_find(const struct node_table *t, pid_t pid)
{
	struct node *n = *bucket(t, pid);

	while (n && n->pid != pid)
		n = n->next_in_bucket;
	return n;
}

struct node *node_add(struct node_table *t, pid_t pid)
{
	struct node *n = node_find(t, pid), **b = bucket(t, pid);

	if (n)
		node_remove(t, n);
	n = mem_alloc(sizeof(*n));
	n->pid = pid;
	n->pidfd = FD_NONE;
	n->next_in_bucket = *b;
	*b = n;
	t->n++;
	return n;
}

static void unlink_sibling(struct node *n)
{
	if (!n->sibling_link)
		return;
	*n->sibling_link = n->next_sibling;
	if (n->next_sibling)
		n->next_sibling->sibling_link = n->sibling_link;
	n->sibling_link = NULL;
	n->next_sibling = NULL;
}

void node_set_parent(struct node_table *t, struct node *n, pid_t ppid)
{
	struct node *parent = node_find(t, ppid);

	unlink_sibling(n);
	n->ppid = ppid;
	if (!parent)
		return;
	n->next_sibling = parent->children;
	n->sibling_link = &parent->children;
	if (n->next_sibling)
		n->next_sibling->sibling_link = &n->next_sibling;
	parent->children = n;
}

void node_set_dead(struct node_table *t, struct node *n, int pidfd, int64_t now_ms)
{
	n->pidfd = pidfd;
	n->died_ms = now_ms;
	n->dead_link = t->dead_end;
	*t->dead_end = n;
	t->dead_end = &n->next_dead;
}

void node_remove(struct node_table *t, struct node *n)
{
	struct node **b = bucket(t, n->pid);

	while (*b != n)
		b = &(*b)->next_in_bucket;
	*b = n->next_in_bucket;
	unlink_sibling(n);
	while (n->children)
		unlink_sibling(n->children);
	if (n->dead_link) {
		*n->dead_link = n->next_dead;
		if (n->next_dead)
			n->next_dead->dead_link = n->dead_link;
		else
			t->dead_end = n->dead_link;
	}
	fd_close(&n->pidfd);
	free(n);
	t->n--;
}

void node_each(struct node_table *t, void (*visit)(void *data, struct node *n), void *data)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct node *n = t->buckets[i], *next; n; n = next) {
			next = n->next_in_bucket; /* the visit may remove it */
			visit(data, n);
		}
	}
}

static void remove_node(void *data, struct node *n)
{
	node_remove(data, n);
}

void node_table_done(struct node_table *t)
{
	if (!t->buckets)
		return;
	node_each(t, remove_node, t);
	free(t->buckets);
	*t = (struct node_table){ 0 };
}
