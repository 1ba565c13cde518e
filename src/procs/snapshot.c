/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/snapshot.h"

#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/procfs.h"
#include "procs/forest.h"
#include "procs/origin.h"
#include "procs/pidns.h"
#include "procs/scan.h"

static uint64_t ticks_now(long per_second)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * (uint64_t)per_second +
	       (uint64_t)t.tv_nsec / (1000000000u / (uint64_t)per_second);
}

static void read_init_args(struct snapshot *s)
{
	for (uint32_t i = 0; i < s->n_ns; i++) {
		if (s->ns[i].init == NO_PROC)
			continue;
		s->procs[s->ns[i].init].args =
			scan_args(s->procfs, s->arena, s->procs[s->ns[i].init].pid);
	}
}

int snapshot_read(const char *root, unsigned wants, struct snapshot *ret, struct err *e)
{
	struct scan_result found;
	uint64_t own = 0;
	int r;

	*ret = (struct snapshot){ .procfs = procfs_open(root) };
	if (ret->procfs < 0)
		return err_set(e, -ret->procfs, "open %s", root);
	ret->arena = &ret->arenas[0];
	ret->ticks_per_second = sysconf(_SC_CLK_TCK);
	if (ret->ticks_per_second <= 0)
		ret->ticks_per_second = 100;
	r = scan_read(ret, wants, str_eq(root, "/proc"), &found, e);
	/* whoever reads it is in it: an empty one is no procfs, or another namespace's that ended
	 */
	if (r == 0 && ret->n == 0 && str_eq(root, "/proc"))
		r = err_say(e, "%s shows no process: proc is not mounted there", root);
	if (r < 0) {
		snapshot_done(ret);
		return r;
	}
	ret->now_ticks = ticks_now(ret->ticks_per_second);
	procfs_own_pidns(ret->procfs, &own);
	forest_link(ret);
	pidns_build(ret, &found, own, wants);
	if (wants & SNAP_INIT_ARGS)
		read_init_args(ret);
	origin_find(ret, wants & SNAP_ORIGIN);
	return 0;
}

void snapshot_done(struct snapshot *s)
{
	if (!s)
		return;
	fd_close(&s->procfs);
	for (size_t i = 0; i < ARRAY_LEN(s->arenas); i++)
		arena_done(&s->arenas[i]);
	*s = (struct snapshot){ .procfs = FD_NONE };
}

uint32_t snapshot_find_in(const struct snapshot *s, uint32_t ns, pid_t pid)
{
	unsigned level = s->ns[ns].level;

	if (level == 0)
		return snapshot_find(s, pid);
	/* all that is visible in there: its own processes and those of the namespaces below */
	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];
		uint32_t at = p->ns;

		if (p->levels <= level || p->nspid[level] != pid)
			continue;
		while (at != NO_NS && s->ns[at].level > level)
			at = s->ns[at].parent;
		if (at == ns)
			return i;
	}
	return NO_PROC;
}

uint32_t snapshot_find_ns(const struct snapshot *s, uint64_t inode)
{
	for (uint32_t i = 0; inode && i < s->n_ns; i++) {
		if (s->ns[i].inode == inode)
			return i;
	}
	return NO_NS;
}

const char *snapshot_cgroup(struct snapshot *s, uint32_t i)
{
	struct proc *p = &s->procs[i];

	if (!p->cgroup)
		p->cgroup = scan_cgroup(s->procfs, s->arena, p->pid);
	return p->cgroup;
}

void snapshot_fill(struct snapshot *s, uint32_t i, unsigned wants)
{
	struct proc *p = &s->procs[i];

	if (wants & SNAP_CGROUP)
		snapshot_cgroup(s, i);
	if (wants & SNAP_ARGS && !p->args && !p->kernel_thread && !proc_is_zombie(p))
		p->args = scan_args(s->procfs, s->arena, p->pid);
	if (wants & SNAP_UID && p->uid == (uid_t)-1 && procfs_uid(s->procfs, p->pid, &p->uid) < 0)
		p->uid = (uid_t)-1;
}

bool proc_is_entered(const struct snapshot *s, uint32_t i)
{
	const struct proc *p = &s->procs[i];

	if (p->levels < 2 || proc_is_init(p))
		return false;
	return p->parent == NO_PROC || s->procs[p->parent].ns != p->ns;
}

uint32_t proc_reaper(const struct snapshot *s, uint32_t i)
{
	uint32_t ns = s->procs[i].ns, init = s->ns[ns].init;

	if (s->procs[i].kernel_thread)
		return NO_PROC;
	for (uint32_t up = s->procs[i].parent; up != NO_PROC; up = s->procs[up].parent) {
		/* a subreaper counts only within the namespace: find_new_reaper() stops at its edge
		 */
		if (s->procs[up].ns != ns)
			break;
		if (s->procs[up].is_subreaper && !proc_is_zombie(&s->procs[up]))
			return up;
	}
	return init == i ? s->procs[i].parent : init;
}

uint64_t proc_age_ms(const struct snapshot *s, const struct proc *p)
{
	if (p->start_ticks >= s->now_ticks)
		return 0;
	return (s->now_ticks - p->start_ticks) * 1000 / (uint64_t)s->ticks_per_second;
}
