/* SPDX-License-Identifier: Apache-2.0 */
/* The processes an event stream knows, by PID and by parent; nothing here is linear in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "procs/facts.h"

struct node {
	pid_t pid, ns_pid, ppid;
	int levels;
	uint64_t pidns;
	char comm[FACTS_COMM_MAX], runtime[16], container[FACTS_CONTAINER_MAX];
	unsigned generation; /* of the rescan that saw it */
	bool unread;	     /* it was not looked for in /proc: it had ended by then */
	/* once it has exited */
	int pidfd; /* owned; FD_NONE while it lives */
	int wait_status;
	int64_t died_ms;
	bool told;
	struct node *next_dead, **dead_link; /* the list of the unreaped, oldest first */
	struct node *next_in_bucket;
	struct node *children, *next_sibling, **sibling_link;
};

struct node_table {
	struct node **buckets; /* owned, and all nodes */
	struct node *dead, **dead_end;
	size_t n;
};

void node_table_init(struct node_table *t);
void node_table_done(struct node_table *t);

struct node *node_find(const struct node_table *t, pid_t pid);

/* A new node, alive and without a parent; one that had this PID is forgotten. */
struct node *node_add(struct node_table *t, pid_t pid);
void node_remove(struct node_table *t, struct node *n);

/* Hangs n below ppid, which need not be known. */
void node_set_parent(struct node_table *t, struct node *n, pid_t ppid);

/* Puts n at the end of the unreaped; takes the pidfd. */
void node_set_dead(struct node_table *t, struct node *n, int pidfd, int64_t now_ms);

void node_each(struct node_table *t, void (*visit)(void *data, struct node *n), void *data);
