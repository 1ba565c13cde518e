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
	static const char *const words[] = { "?", "own", "adopted" };

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
	uint64_t ms = proc_age_ms(snap(data), at(data, row));

	text_add_u64(t, ms / 1000);
	text_add_n(t, ".", 1);
	text_add_u64(t, ms / 100 % 10);
}

static void cell_zage(const void *data, size_t row, struct text *t)
{
	const struct proc_rows *r = data;
	int64_t ms = seen_age_ms(r->seen, r->s, at(data, row));

	if (ms >= 0)
		text_addf(t, "%.2f", (double)ms / 1e3);
}

static void cell_born(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->origin == ORIGIN_OWN)
		text_addf(t, "%d", at(data, row)->ppid);
}

static void cell_ns(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->ns != NO_NS && snap(data)->ns[p->ns].inode)
		text_addf(t, "%llu", (unsigned long long)snap(data)->ns[p->ns].inode);
}

static void cell_pns(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);
	uint32_t up = p->ns == NO_NS ? NO_NS : snap(data)->ns[p->ns].parent;

	if (up != NO_NS && snap(data)->ns[up].inode)
		text_addf(t, "%llu", (unsigned long long)snap(data)->ns[up].inode);
}

static void cell_owner(const void *data, size_t row, struct text *t)
{
	const struct proc *p = at(data, row);

	if (p->ns != NO_NS && snap(data)->ns[p->ns].owner_uid != (uid_t)-1)
		text_addf(t, "%u", snap(data)->ns[p->ns].owner_uid);
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

static void cell_kns(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o && o->kns)
		text_add(t, o->kns);
}

static void cell_image(const void *data, size_t row, struct text *t)
{
	const struct owner *o = at(data, row)->owner;

	if (o && o->image)
		text_add(t, o->image);
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

static void cell_user(const void *data, size_t row, struct text *t)
{
	const struct proc_rows *r = data;
	uid_t uid = at(data, row)->uid;

	if (uid != (uid_t)-1 && r->users)
		text_add(t, users_name(r->users, uid));
	else if (uid != (uid_t)-1)
		text_addf(t, "%u", uid);
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
		{ "born", COL_NUMBER, "who forked it, where that is proved", cell_born },          \
		{ "origin", COL_TEXT, "own child of its parent, or adopted", cell_origin },        \
		{ "proof", COL_TEXT, "how that is known", cell_proof },                            \
		{ "state", COL_TEXT, "as ps shows it", cell_state },                               \
		{ "exit", COL_TEXT, "a zombie's exit status", cell_exit },                         \
		{ "age", COL_AGE, "since it was started", cell_age },                              \
		{ "zage", COL_AGE, "a zombie: since when at least", cell_zage },                   \
		{ "ns", COL_NUMBER, "inode of its PID namespace", cell_ns },                       \
		{ "pns", COL_NUMBER, "inode of the one that is in", cell_pns },                    \
		{ "owner", COL_NUMBER, "user who made its user namespace", cell_owner },           \
		{ "level", COL_NUMBER, "how deep that is nested", cell_level },                    \
		{ "ctr", COL_TEXT, "its container's name", cell_ctr },                             \
		{ "runtime", COL_TEXT, "who made that", cell_runtime },                            \
		{ "cid", COL_TEXT, "that container's ID", cell_cid },                              \
		{ "pod", COL_TEXT, "its pod", cell_pod },                                          \
		{ "kns", COL_TEXT, "the pod's Kubernetes namespace", cell_kns },                   \
		{ "image", COL_TEXT, "its container's image", cell_image },                        \
		{ "sid", COL_NUMBER, "session", cell_sid },                                        \
		{ "pgid", COL_NUMBER, "process group", cell_pgid },                                \
		{ "user", COL_TEXT, "effective user's name", cell_user },                          \
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
		{ cell_user, SNAP_UID },
		{ cell_owner, SNAP_NS_OWNER },
		{ cell_born, SNAP_ORIGIN },
		{ cell_cgroup, SNAP_CGROUP },
		{ cell_args, SNAP_ARGS },
		{ cell_origin, SNAP_ORIGIN },
		{ cell_proof, SNAP_ORIGIN },
		{ cell_reaper, SNAP_ORIGIN },
	};
	unsigned wants = SNAP_NO_USAGE;

	for (; *picked; picked++) {
		for (size_t i = 0; i < ARRAY_LEN(needs); i++)
			if (needs[i].cell == (*picked)->cell)
				wants |= needs[i].wants;
		if ((*picked)->cell == cell_cpu || (*picked)->cell == cell_rss)
			wants &= ~(unsigned)SNAP_NO_USAGE;
	}
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

const char *proc_cols_row_colour(const void *data, size_t row)
{
	const struct proc *p = at(data, row);

	if (proc_is_zombie(p))
		return "31";
	return p->levels > 1 && proc_is_init(p) ? "1;36" : p->levels > 1 ? "36" : NULL;
}
