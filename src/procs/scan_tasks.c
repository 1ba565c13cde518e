/* SPDX-License-Identifier: Apache-2.0 */
/* Processes from the kernel's task iterator instead of the files of /proc. */
#include <string.h>

#include "base/fd.h"
#include "os/procfs.h"
#include "os/task_iter.h"
#include "procs/scan.h"
#include "procs/stat.h"

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD, include/linux/sched.h */

struct taking {
	struct snapshot *s;
	size_t n, room;
	struct proc *procs;
	uint64_t *inodes, *above;
	uint64_t ns_per_tick;
};

/* include/linux/sched.h, fs/proc/array.c: what task_state_array says of these bits. */
static char state_letter(uint32_t state)
{
	enum { IDLE = 0x402, RTLOCK_WAIT = 0x1000, FROZEN = 0x8000, REPORTED = 0x7f };

	if ((state & IDLE) == IDLE)
		return 'I';
	if (state & (RTLOCK_WAIT | FROZEN))
		return 'D';
	state &= REPORTED;
	return "RSDTtXZP"[state ? 32 - __builtin_clz(state) : 0];
}

/* Room for so many; what is there moves. The first is kept for PID 1 (add_first()). */
static void grow(struct taking *t, size_t room)
{
	struct arena *a = t->s->arena;
	struct proc *procs = arena_array(a, room, sizeof(*procs));
	uint64_t *inodes = arena_array(a, room, sizeof(*inodes));
	uint64_t *above = arena_array(a, room, sizeof(*above));

	if (t->room) {
		memcpy(procs, t->procs, t->n * sizeof(*procs));
		memcpy(inodes, t->inodes, t->n * sizeof(*inodes));
		memcpy(above, t->above, t->n * sizeof(*above));
	}
	t->procs = procs;
	t->inodes = inodes;
	t->above = above;
	t->room = room;
}

static void take(void *data, const struct task_record *r)
{
	struct taking *t = data;
	struct arena *a = t->s->arena;
	char state = state_letter(r->state);
	struct proc *p;
	pid_t *nspid;

	if (state == 'X')
		return;
	if (t->n == t->room)
		grow(t, 2 * t->room);
	p = &t->procs[t->n];
	t->inodes[t->n] = r->levels[r->n_levels - 1].ns;
	t->above[t->n++] = r->n_levels > 1 ? r->levels[r->n_levels - 2].ns : 0;
	*p = (struct proc){
		.pid = (pid_t)r->pid,
		.ppid = (pid_t)r->ppid,
		.pgid = (pid_t)r->pgid,
		.sid = (pid_t)r->sid,
		.start_ticks = r->start_ns / t->ns_per_tick,
		.n_threads = (int)r->n_threads,
		.exit_signal = r->exit_signal,
		.exit_status = state == 'Z' ? r->exit_code & 0xffff : -1,
		.uid = r->euid,
		.comm = arena_strdup(a, r->comm),
		.parent = NO_PROC,
		.first_child = NO_PROC,
		.last_child = NO_PROC,
		.next_sibling = NO_PROC,
		.ns = NO_NS,
		.next_in_ns = NO_PROC,
		.levels = r->n_levels,
		.state = state,
		.kernel_thread = r->flags & KERNEL_THREAD,
		.is_subreaper = r->is_subreaper,
		.born_exec = r->born_exec,
		.self_exec = r->self_exec,
		.cgroup_key = r->cgroup_v2 * 0x9e3779b97f4a7c15u + r->cgroup_v1,
	};
	nspid = arena_array(a, r->n_levels, sizeof(*nspid));
	for (unsigned i = 0; i < r->n_levels; i++)
		nspid[i] = (pid_t)r->levels[i].pid;
	p->nspid = nspid;
}

/*
 * Some kernels' iterators begin behind the first process: it is read from /proc, and its place was
 * kept. Returns how many places at the beginning stay empty.
 */
static size_t add_first(struct taking *t)
{
	struct proc p = { 0 };
	char text[SCAN_BUF];
	const char *comm;
	size_t len;

	if (t->n < 2 || t->procs[1].pid == 1 ||
		procfs_read(t->s->procfs, 1, "stat", text, sizeof(text)) < 0 ||
		stat_parse(text, &p, &comm, &len) < 0)
		return 1;
	p.comm = arena_strndup(t->s->arena, comm, len);
	p.uid = 0;
	p.parent = p.first_child = p.last_child = p.next_sibling = NO_PROC;
	p.next_in_ns = NO_PROC;
	p.ns = NO_NS;
	t->procs[0] = p;
	/* it is in the first namespace, as the reader of these numbers is */
	procfs_own_pidns(t->s->procfs, &t->inodes[0]);
	return 0;
}

bool scan_tasks(struct snapshot *s, bool many_enough, struct scan_result *ret)
{
	autofd fd = many_enough ? task_iter_open_loaded() : task_iter_open_pinned();
	struct taking t = { .s = s, .ns_per_tick = 1000000000u / (uint64_t)s->ticks_per_second };
	size_t empty;

	if (fd < 0)
		return false;
	grow(&t, procfs_count(s->procfs) + 256);
	t.n = 1;
	if (task_iter_read(fd, take, &t) < 0)
		return false;
	empty = add_first(&t);
	s->n = (uint32_t)(t.n - empty);
	s->procs = t.procs + empty;
	ret->inodes = t.inodes + empty;
	ret->above = t.above + empty;
	s->has_kernel_words = true;
	return true;
}
