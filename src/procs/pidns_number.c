/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PID of every process at every level. The kernel is asked for each (NS_GET_TGID_IN_PIDNS,
 * Linux 6.11) through a descriptor of the namespace; where it does not know that, their status
 * files say it.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fd.h"
#include "os/procfs.h"
#include "procs/pidns.h"
#include "procs/scan.h"
#include "procs/share.h"

enum {
	MEMBERS_TRIED = 8, /* a namespace is opened through a member, which may have gone */
	LEVELS_MAX = 64,
	OPEN_MAX = 128,	     /* so many namespaces may be open at once */
	THREAD_WORTH = 2000, /* processes */
	PIECE = 256,
};

int pidns_open(const struct snapshot *s, uint32_t ns)
{
	uint32_t i = s->ns[ns].first_member;
	int fd = -ESRCH;

	for (int tries = 0; i != NO_PROC && tries < MEMBERS_TRIED; tries++) {
		uint64_t inode;

		fd = procfs_open_pidns(s->procfs, s->procs[i].pid);
		/* the number may have another owner by now */
		if (fd >= 0 && ns_inode(fd, &inode) == 0 && inode == s->ns[ns].inode)
			return fd;
		fd_close(&fd);
		i = s->procs[i].next_in_ns;
	}
	return fd < 0 ? fd : -ESRCH;
}

/* fds[k] is open on the namespace of level k, which the process is in; a is this thread's. */
static void number(
	const struct snapshot *s, struct arena *a, struct proc *p, unsigned levels, const int *fds)
{
	bool all = true;
	pid_t *pids;

	if (levels == 1) {
		p->nspid = &p->pid;
		p->levels = 1;
		return;
	}
	pids = arena_array(a, levels, sizeof(*pids));
	pids[0] = p->pid;
	for (unsigned k = 1; k < levels; k++) {
		pid_t in = fds[k] < 0 ? -EBADF : procfs_pid_in(fds[k], p->pid);

		pids[k] = in > 0 ? in : 0;
		all = all && in > 0;
	}
	if (all || scan_nspid(s->procfs, a, p) < 0) {
		p->nspid = pids;
		p->levels = (uint8_t)levels;
	}
}

/* Depth first, so that only the descriptors of one branch are open at once. */
static void number_below(
	struct snapshot *s, const uint32_t *first, const uint32_t *next, uint32_t ns, int *fds)
{
	unsigned level = s->ns[ns].level;

	if (level >= LEVELS_MAX)
		return;
	fds[level] = level > 0 && !s->has_kernel_words ? pidns_open(s, ns) : FD_NONE;
	for (uint32_t i = s->ns[ns].first_member; i != NO_PROC; i = s->procs[i].next_in_ns)
		if (!s->procs[i].levels)
			number(s, s->arena, &s->procs[i], level + 1, fds);
	for (uint32_t c = first[ns]; c != NO_NS; c = next[c])
		number_below(s, first, next, c, fds);
	fd_close(&fds[level]);
}

static void number_by_branch(struct snapshot *s)
{
	uint32_t *first = mem_resize(NULL, s->n_ns, sizeof(*first));
	uint32_t *next = mem_resize(NULL, s->n_ns, sizeof(*next));
	int fds[LEVELS_MAX];

	for (uint32_t i = 0; i < s->n_ns; i++)
		first[i] = next[i] = NO_NS;
	for (uint32_t i = s->n_ns; i-- > 1;) {
		if (s->ns[i].parent == NO_NS)
			continue;
		next[i] = first[s->ns[i].parent];
		first[s->ns[i].parent] = i;
	}
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (i == 0 || s->ns[i].parent == NO_NS)
			number_below(s, first, next, i, fds);
	}
	free(first);
	free(next);
}

/* All namespaces are open at once; each thread has pieces of all processes. */
struct numbering {
	struct snapshot *s;
	int fds[OPEN_MAX]; /* by namespace */
};

static void number_piece(void *data, unsigned thread, uint32_t i, uint32_t end)
{
	struct numbering *all = data;
	struct snapshot *s = all->s;
	uint32_t before = NO_NS;
	int fds[LEVELS_MAX];

	for (; i < end; i++) {
		struct proc *p = &s->procs[i];
		unsigned level = s->ns[p->ns].level;

		if (p->levels || level >= LEVELS_MAX)
			continue;
		for (uint32_t ns = p->ns; p->ns != before && ns != NO_NS; ns = s->ns[ns].parent)
			fds[s->ns[ns].level] = all->fds[ns];
		before = p->ns;
		number(s, &s->arenas[thread], p, level + 1, fds);
	}
}

static void number_shared(struct snapshot *s)
{
	struct numbering all = { .s = s };

	for (uint32_t i = 0; i < s->n_ns; i++)
		all.fds[i] = s->ns[i].level > 0 ? pidns_open(s, i) : FD_NONE;
	share(s->n, THREAD_WORTH, PIECE, number_piece, &all);
	for (uint32_t i = 0; i < s->n_ns; i++)
		fd_close(&all.fds[i]);
}

void pidns_number(struct snapshot *s)
{
	if (s->n < THREAD_WORTH || s->n_ns > OPEN_MAX || s->n_ns < 2 || s->has_kernel_words)
		number_by_branch(s);
	else
		number_shared(s);
}
