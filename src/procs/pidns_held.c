/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/procfs.h"
#include "procs/pidns.h"
#include "procs/pidns_table.h"

struct hunt {
	struct snapshot *s;
	struct ns_index index;
	uint32_t holder;
};

static void found(struct hunt *h, uint64_t inode, enum pidns_held held)
{
	uint32_t ns;

	if (ns_index_find(&h->index, inode) != NO_NS)
		return;
	ns = pidns_add(h->s, inode);
	ns_index_add(&h->index, inode, ns);
	h->s->ns[ns].held = held;
	h->s->ns[ns].holder = h->holder;
	if (h->holder == NO_PROC)
		return;
	/* whoever holds it can only have made it below its own */
	h->s->ns[ns].parent = h->s->procs[h->holder].ns;
	h->s->ns[ns].parent_guessed = true;
	h->s->ns[ns].level = (uint8_t)(h->s->ns[h->s->ns[ns].parent].level + 1);
}

static void found_fd(void *data, uint64_t inode)
{
	found(data, inode, PIDNS_HELD_FD);
}

/* Bind mounts of namespaces show as "... pid:[4026532337] /run/x ... - nsfs ..." */
static void search_mounts(struct hunt *h)
{
	autofree char *text = NULL;
	char *at;

	if (h->holder == NO_PROC ||
		procfs_read_all(h->s->procfs, h->s->procs[h->holder].pid, "mountinfo", &text) < 0)
		return;
	for (at = text; (at = strstr(at, " pid:[")); at++) {
		char link[48];
		size_t n = strcspn(at + 1, " \n");
		uint64_t inode;

		if (n >= sizeof(link))
			continue;
		memcpy(link, at + 1, n);
		link[n] = '\0';
		if (ns_link_parse(link, "pid", &inode) == 0)
			found(h, inode, PIDNS_HELD_MOUNT);
	}
}

void pidns_add_held(struct snapshot *s)
{
	struct hunt h = { .s = s };

	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (s->ns[i].inode)
			ns_index_add(&h.index, s->ns[i].inode, i);
	}
	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];
		uint64_t inode;

		if (p->kernel_thread || proc_is_zombie(p))
			continue;
		h.holder = i;
		/* mounts are seen through the reader's first process, also where its own namespaces
		 * are not to be seen, and every namespace's init */
		if (p->pid == 1 || (!p->ns_guessed && s->ns[p->ns].init == i))
			search_mounts(&h);
		if (p->ns_guessed)
			continue;
		if (procfs_pidns(s->procfs, p->pid, "ns/pid_for_children", &inode) == 0)
			found(&h, inode, PIDNS_NOT_ENTERED);
		procfs_fd_pidns(s->procfs, p->pid, found_fd, &h);
	}
	ns_index_done(&h.index);
}
