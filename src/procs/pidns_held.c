/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces without processes: what the next child of each process will be in, its descriptors,
 * and the mounts of every mount namespace that has processes; by several threads where there are
 * many.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/procfs.h"
#include "os/procfs_fds.h"
#include "procs/pidns.h"
#include "procs/pidns_table.h"
#include "procs/share.h"

enum { THREAD_WORTH = 500, PIECE = 64 /* processes */ };

struct find {
	uint64_t inode;
	uint32_t holder;
	enum pidns_held held;
};

/* What one thread found. */
struct searcher {
	const struct hunt *hunt;
	struct find *finds; /* owned */
	size_t n;
	uint32_t holder; /* whose descriptors it looks at */
	uint32_t refused;
	struct ns_index mounts; /* mount namespaces that it has read */
};

struct hunt {
	struct snapshot *s;
	dev_t nsfs;
	struct ns_index
		index; /* of those that are known; does not change while there are threads */
	struct searcher searchers[SHARE_THREADS_MAX];
};

static void add(struct hunt *h, const struct find *f)
{
	uint32_t ns;

	if (ns_index_find(&h->index, f->inode) != NO_NS)
		return;
	ns = pidns_add(h->s, f->inode);
	ns_index_add(&h->index, f->inode, ns);
	h->s->ns[ns].held = f->held;
	h->s->ns[ns].holder = f->holder;
	/* whoever holds it can only have made it below its own */
	h->s->ns[ns].parent = h->s->procs[f->holder].ns;
	h->s->ns[ns].parent_guessed = true;
	h->s->ns[ns].level = (uint8_t)(h->s->ns[h->s->ns[ns].parent].level + 1);
}

static void found(struct searcher *me, uint64_t inode, enum pidns_held held)
{
	if (ns_index_find(&me->hunt->index, inode) != NO_NS)
		return;
	if ((me->n & (me->n - 1)) == 0)
		me->finds = mem_resize(me->finds, me->n ? 2 * me->n : 1, sizeof(*me->finds));
	me->finds[me->n++] = (struct find){ inode, me->holder, held };
}

static void found_fd(void *data, uint64_t inode)
{
	found(data, inode, PIDNS_HELD_FD);
}

/* Bind mounts of namespaces show as "... pid:[4026532337] /run/x ... - nsfs ..." */
static void search_mounts(struct searcher *me, const struct proc *p)
{
	autofree char *text = NULL;
	uint64_t inode;
	char *at;

	/* the first process's mounts are there to be read also where its namespaces are not */
	if (procfs_mntns(me->hunt->s->procfs, p->pid, &inode) == 0) {
		if (ns_index_find(&me->mounts, inode) != NO_NS)
			return;
		ns_index_add(&me->mounts, inode, 0);
	} else if (p->pid != 1) {
		return;
	}
	if (procfs_read_all(me->hunt->s->procfs, p->pid, "mountinfo", &text) < 0)
		return;
	for (at = text; (at = strstr(at, " pid:[")); at++) {
		char link[48];
		size_t n = strcspn(at + 1, " \n");

		if (n >= sizeof(link))
			continue;
		memcpy(link, at + 1, n);
		link[n] = '\0';
		if (ns_link_parse(link, "pid", &inode) == 0)
			found(me, inode, PIDNS_HELD_MOUNT);
	}
}

static void search(void *data, unsigned thread, uint32_t i, uint32_t end)
{
	struct hunt *h = data;
	struct searcher *me = &h->searchers[thread];

	for (; i < end; i++) {
		const struct proc *p = &h->s->procs[i];
		uint64_t inode;
		int r;

		if (p->kernel_thread || proc_is_zombie(p))
			continue;
		me->holder = i;
		search_mounts(me, p);
		if (p->ns_guessed) {
			me->refused++;
			continue;
		}
		if (procfs_pidns(h->s->procfs, p->pid, "ns/pid_for_children", &inode) == 0)
			found(me, inode, PIDNS_NOT_ENTERED);
		r = procfs_fd_pidns(h->s->procfs, p->pid, h->nsfs, found_fd, me);
		me->refused += r == -EACCES || r == -EPERM;
	}
}

/* Who may become its init says most, then a mount, which outlives who has it open. */
static int by_holder(const void *a, const void *b)
{
	static const int order[] = {
		[PIDNS_NOT_ENTERED] = 0, [PIDNS_HELD_MOUNT] = 1, [PIDNS_HELD_FD] = 2
	};
	const struct find *x = a, *y = b;

	if (x->held != y->held)
		return order[x->held] - order[y->held];
	return x->holder < y->holder ? -1 : x->holder > y->holder;
}

static void add_finds(struct hunt *h)
{
	struct find *all = NULL;
	size_t n = 0;

	for (unsigned t = 0; t < SHARE_THREADS_MAX; t++) {
		struct searcher *of = &h->searchers[t];

		if (of->n) {
			all = mem_resize(all, n + of->n, sizeof(*all));
			memcpy(all + n, of->finds, of->n * sizeof(*all));
			n += of->n;
		}
		h->s->n_unsearched += of->refused;
		free(of->finds);
		ns_index_done(&of->mounts);
	}
	if (n)
		qsort(all, n, sizeof(*all), by_holder);
	for (size_t i = 0; i < n; i++)
		add(h, &all[i]);
	free(all);
}

void pidns_add_held(struct snapshot *s)
{
	struct hunt h = { .s = s, .nsfs = procfs_nsfs(s->procfs) };

	for (unsigned t = 0; t < SHARE_THREADS_MAX; t++)
		h.searchers[t].hunt = &h;
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (s->ns[i].inode)
			ns_index_add(&h.index, s->ns[i].inode, i);
	}
	share(s->n, THREAD_WORTH, PIECE, search, &h);
	add_finds(&h);
	ns_index_done(&h.index);
}
