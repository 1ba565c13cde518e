/* SPDX-License-Identifier: Apache-2.0 */
#include "render/proc_cols.h"

#include <string.h>
#include <sys/wait.h>

#include "procs/owner.h"

enum { PAGE_BYTES = 4096 };

static void add_pid(struct text *t, pid_t pid)
{
	text_add_u64(t, pid > 0 ? (uint64_t)pid : 0);
}

void proc_cols_add_pids(struct text *t, const struct proc *p)
{
	if (p->levels < 2)
		add_pid(t, p->pid);
	for (int level = 0; p->levels >= 2 && level < p->levels; level++) {
		if (level)
			text_add_n(t, "/", 1);
		add_pid(t, p->nspid[level]);
	}
}

static const struct proc *at(const void *data, size_t row)
{
	const struct proc_rows *r = data;

	return &r->s->procs[r->zombies ? r->zombies[row].proc : r->procs[row]];
}

static const struct snapshot *snap(const void *data)
{
	return ((const struct proc_rows *)data)->s;
}

static void cell_pid(const void *data, size_t row, struct text *t)
{
	add_pid(t, at(data, row)->pid);
}

static void cell_nspid(const void *data, size_t row, struct text *t)
{
	proc_cols_add_pids(t, at(data, row));
}

static void cell_ipid(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->levels)
		text_addf(t, "%d", p->nspid ? p->nspid[p->levels - 1] : p->pid);
}

static void cell_ppid(const void *data, size_t row, struct text *t)
{
	add_pid(t, at(data, row)->ppid);
}

static void cell_reaper(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);
	uint32_t i = proc_reaper(snap(data), (uint32_t)(p - snap(data)->procs));

	if (i != NO_PROC)
		text_addf(t, "%d", snap(data)->procs[i].pid);
}

static void cell_origin(const void *data, size_t row, struct text *t)
{
	static const char *const words[] = { "", "own", "adopted" };

	text_add(t, words[at(data, row)->origin]);
}

static void cell_proof(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->proof)
		text_add(t, p->proof);
}

static void cell_state(const void *data, size_t row, struct text *t)
{
	text_add_n(t, &at(data, row)->state, 1);
}

static void cell_exit(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->exit_status < 0)
		return;
	if (WIFSIGNALED(p->exit_status))
		text_addf(t, "signal %d", WTERMSIG(p->exit_status));
	else
		text_addf(t, "%d", WEXITSTATUS(p->exit_status));
}

static void cell_age(const void *data, size_t row, struct text *t)
{
	uint64_t s = proc_age_ms(snap(data), at(data, row)) / 1000;

	if (s >= 86400)
		text_addf(t, "%llud", (unsigned long long)s / 86400);
	else if (s >= 3600)
		text_addf(t, "%lluh%02llum", (unsigned long long)s / 3600,
			(unsigned long long)s / 60 % 60);
	else if (s >= 60)
		text_addf(
			t, "%llum%02llus", (unsigned long long)s / 60, (unsigned long long)s % 60);
	else {
		text_add_u64(t, s);
		text_add(t, "s");
	}
}

static void cell_ns(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->ns != NO_NS && snap(data)->ns[p->ns].inode)
		text_addf(t, "%llu", (unsigned long long)snap(data)->ns[p->ns].inode);
}

static void cell_level(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->levels)
		text_addf(t, "%d", p->levels - 1);
}

static void cell_ctr(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o)
		text_add(t, o->name ? o->name : o->id);
}

static void cell_runtime(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o)
		text_add(t, o->runtime);
}

static void cell_cid(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o)
		text_addf(t, "%.12s", o->id);
}

static void cell_pod(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o && o->pod)
		text_add(t, o->pod);
}

static void cell_sid(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", at(data, row)->sid);
}

static void cell_pgid(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", at(data, row)->pgid);
}

static void cell_threads(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", at(data, row)->n_threads);
}

static void cell_rss(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%lld", (long long)at(data, row)->rss_pages * PAGE_BYTES);
}

static void cell_cpu(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.2f",
		(double)at(data, row)->cpu_ticks / (double)(snap(data)->ticks_per_second ?: 100));
}

static void cell_uid(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->uid != (uid_t)-1)
		text_addf(t, "%u", at(data, row)->uid);
}

static void cell_comm(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->comm);
}

static void cell_args(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->args && *p->args)
		text_add(t, p->args);
	else
		text_addf(t, "[%s]", p->comm);
}

static void cell_cgroup(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->cgroup)
		text_add_n(t, p->cgroup, strcspn(p->cgroup, "\n"));
}

#define COMMON_COLS                                                                                \
	{ "pid", COL_NUMBER, "its PID here", cell_pid },                                           \
		{ "nspid", COL_LIST, "its PID at every level, ours first", cell_nspid },           \
		{ "ipid", COL_NUMBER, "its PID in its own namespace", cell_ipid },                 \
		{ "ppid", COL_NUMBER, "its parent; 0: outside of what is seen", cell_ppid },       \
		{ "reaper", COL_NUMBER, "who would adopt its children", cell_reaper },             \
		{ "origin", COL_TEXT, "own child of its parent, or adopted", cell_origin },        \
		{ "proof", COL_TEXT, "how that is known", cell_proof },                            \
		{ "state", COL_TEXT, "as ps shows it", cell_state },                               \
		{ "exit", COL_TEXT, "a zombie's exit status", cell_exit },                         \
		{ "age", COL_TEXT, "since it was started", cell_age },                             \
		{ "ns", COL_NUMBER, "inode of its PID namespace", cell_ns },                       \
		{ "level", COL_NUMBER, "how deep that is nested", cell_level },                    \
		{ "ctr", COL_TEXT, "its container's name", cell_ctr },                             \
		{ "runtime", COL_TEXT, "who made that", cell_runtime },                            \
		{ "cid", COL_TEXT, "that container's ID", cell_cid },                              \
		{ "pod", COL_TEXT, "its pod", cell_pod },                                          \
		{ "sid", COL_NUMBER, "session", cell_sid },                                        \
		{ "pgid", COL_NUMBER, "process group", cell_pgid },                                \
		{ "uid", COL_NUMBER, "effective user", cell_uid },                                 \
		{ "threads", COL_NUMBER, "how many", cell_threads },                               \
		{ "cpu", COL_NUMBER, "CPU seconds used", cell_cpu },                               \
		{ "rss", COL_NUMBER, "bytes of memory", cell_rss },                                \
		{ "cgroup", COL_TEXT, "its first cgroup line", cell_cgroup },                      \
		{ "comm", COL_TEXT, "its short name", cell_comm },                                 \
	{                                                                                          \
		"args", COL_TEXT, "its command line", cell_args                                    \
	}

const struct col proc_cols[] = { COMMON_COLS, { 0 } };

unsigned proc_cols_wants(const struct col *const *picked)
{
	static const struct {
		void (*cell)(const void *data, size_t row, struct text *t);
		unsigned wants;
	} needs[] = {
		{ cell_uid, SNAP_UID },
		{ cell_cgroup, SNAP_CGROUP },
		{ cell_args, SNAP_ARGS },
		{ cell_origin, SNAP_ORIGIN },
		{ cell_proof, SNAP_ORIGIN },
		{ cell_reaper, SNAP_ORIGIN },
	};
	unsigned wants = 0;

	for (; *picked; picked++)
		for (size_t i = 0; i < ARRAY_LEN(needs); i++)
			if (needs[i].cell == (*picked)->cell)
				wants |= needs[i].wants;
	return wants;
}

static const struct zombie *zombie_at(const void *data, size_t row)
{
	return &((const struct proc_rows *)data)->zombies[row];
}

static void cell_fault(const void *data, size_t row, struct text *t)
{
	text_add(t, zombie_fault_word(zombie_at(data, row)->fault));
}

static void cell_advice(const void *data, size_t row, struct text *t)
{
	zombie_advice(snap(data), zombie_at(data, row), t);
}

const struct col zombie_cols[] = {
	COMMON_COLS,
	{ "fault", COL_TEXT, "whose fault: init, parent, stopped, threads, unknown", cell_fault },
	{ "advice", COL_TEXT, "what helps", cell_advice },
	{ 0 },
};

/* --- namespaces ------------------------------------------------------------------------------ */

static const struct pidns *ns_at(const void *data, size_t row)
{
	return &((const struct snapshot *)data)->ns[row];
}

static void ns_inode_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->inode)
		text_addf(t, "%llu", (unsigned long long)ns_at(data, row)->inode);
}

static void ns_parent_cell(const void *data, size_t row, struct text *t)
{
	uint32_t parent = ns_at(data, row)->parent;

	if (parent != NO_NS)
		text_addf(t, "%llu", (unsigned long long)ns_at(data, parent)->inode);
}

static void ns_level_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", ns_at(data, row)->level);
}

static void ns_owner_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->owner_uid != (uid_t)-1)
		text_addf(t, "%u", ns_at(data, row)->owner_uid);
}

static void ns_init_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->init != NO_PROC)
		text_addf(t, "%d",
			((const struct snapshot *)data)->procs[ns_at(data, row)->init].pid);
}

static void ns_procs_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%u", ns_at(data, row)->n_procs);
}

static void ns_zombies_cell(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%u", ns_at(data, row)->n_zombies);
}

static void ns_held_cell(const void *data, size_t row, struct text *t)
{
	static const char *const words[] = { "", "mount", "descriptor", "not entered" };

	text_add(t, words[ns_at(data, row)->held]);
}

static void ns_ctr_cell(const void *data, size_t row, struct text *t)
{
	const struct owner *o = ns_at(data, row)->owner;

	if (o)
		text_add(t, o->name ? o->name : o->id);
}

static void ns_runtime_cell(const void *data, size_t row, struct text *t)
{
	if (ns_at(data, row)->owner)
		text_add(t, ns_at(data, row)->owner->runtime);
}

static void ns_command_cell(const void *data, size_t row, struct text *t)
{
	const struct snapshot *s = data;
	uint32_t init = ns_at(data, row)->init;

	if (init != NO_PROC)
		text_add(t, s->procs[init].args && *s->procs[init].args ? s->procs[init].args
									: s->procs[init].comm);
}

const struct col pidns_cols[] = {
	{ "ns", COL_NUMBER, "inode", ns_inode_cell },
	{ "parent", COL_NUMBER, "inode of the one it is in", ns_parent_cell },
	{ "level", COL_NUMBER, "how deep; 0: our own", ns_level_cell },
	{ "owner", COL_NUMBER, "user who made its user namespace", ns_owner_cell },
	{ "init", COL_NUMBER, "PID here of its PID 1", ns_init_cell },
	{ "procs", COL_NUMBER, "processes in it, not below", ns_procs_cell },
	{ "zombies", COL_NUMBER, "of those", ns_zombies_cell },
	{ "held", COL_TEXT, "what keeps one without processes", ns_held_cell },
	{ "ctr", COL_TEXT, "container", ns_ctr_cell },
	{ "runtime", COL_TEXT, "who made that", ns_runtime_cell },
	{ "command", COL_TEXT, "its PID 1", ns_command_cell },
	{ 0 },
};
