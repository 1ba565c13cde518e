/* SPDX-License-Identifier: Apache-2.0 */
/* zombies, ns, pid, ps -A: tables over one snapshot of all processes. */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/view.h"
#include "render/proc_cols.h"

struct zombies_opts {
	struct table_opts table;
	int max;
};

static const struct opt table_opts[] = { TABLE_OPTS, { 0 } };
static const struct opt zombies_opts[] = {
	TABLE_OPTS,
	{ "max", 0, OPT_INT, offsetof(struct zombies_opts, max), "N",
		"exit 1 when there are more (default 0)" },
	{ 0 },
};

struct ns_opts {
	struct table_opts table;
	bool live;
};

static const struct opt ns_opts[] = {
	TABLE_OPTS,
	{ "live", 0, OPT_FLAG, offsetof(struct ns_opts, live), NULL,
		"only those with processes: no descriptor and no mount is looked at" },
	{ 0 },
};

/* What is read of every process for these columns; the rest is read for the rows alone. */
enum { OF_ROWS = SNAP_ARGS | SNAP_CGROUP | SNAP_UID };

/* Is the process in the namespace of this one, or in one below? */
static bool is_below(const struct snapshot *s, uint32_t i, uint32_t ns)
{
	for (uint32_t at = s->procs[i].ns; at != NO_NS; at = s->ns[at].parent)
		if (at == ns)
			return true;
	return false;
}

static int zombies(const struct cmd_call *call, struct err *e)
{
	static const struct table table = { zombie_cols,
		"nspid,comm,exit,zage,ppid,ctr,origin,fault,proof,advice", proc_cols_row_colour,
		.quiet_if_empty = true };
	const struct zombies_opts *o = call->opts;
	const struct col **named;
	struct proc_rows rows;
	struct zombie *all;
	struct view v;
	uint32_t top;
	unsigned wants;
	size_t n, kept = 0;
	int r = 0;

	if (table_named(&table, &o->table, call->arena, &named, e) < 0)
		return -e->code;
	wants = proc_cols_wants(named) | SNAP_ORIGIN;
	if (view_read(call, wants & ~(unsigned)OF_ROWS, &v, e) < 0)
		return -e->code;
	zombies_find(&v.s, call->arena, &all, &n);
	if (call->n_args)
		r = view_find(&v, call->args[0], &top, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!call->n_args || is_below(&v.s, all[i].proc, v.s.procs[top].ns))
			all[kept++] = all[i];
	for (size_t i = 0; i < kept; i++)
		snapshot_fill(&v.s, all[i].proc, wants);
	rows = (struct proc_rows){ .s = &v.s, .zombies = all, .seen = &v.seen, .users = &v.users };
	if (r == 0)
		r = table_print(&table, &o->table, &rows, kept, call->arena, e);
	view_say_hidden(&v);
	view_done(&v);
	return r < 0 ? r : (int64_t)kept > o->max ? 1 : 0;
}

static int namespaces(const struct cmd_call *call, struct err *e)
{
	static const struct table table = { pidns_cols,
		"ns,parent,level,owner,init,procs,zombies,pids,max,held,ctr,runtime,command",
		pidns_cols_row_colour };
	const struct ns_opts *o = call->opts;
	struct pids_limit *limits;
	struct pidns_rows rows;
	struct view v;
	int r;

	if (view_read(call,
		    (o->live ? 0 : SNAP_HELD) | SNAP_NS_OWNER | SNAP_INIT_ARGS | SNAP_NO_USAGE, &v,
		    e) < 0)
		return -e->code;
	limits = arena_array(call->arena, v.s.n_ns + 1, sizeof(*limits));
	for (uint32_t i = 0; i < v.s.n_ns; i++)
		pids_limit_read(v.s.ns[i].level && v.s.ns[i].init != NO_PROC
					? snapshot_cgroup(&v.s, v.s.ns[i].init)
					: NULL,
			&limits[i]);
	rows = (struct pidns_rows){ &v.s, limits };
	r = table_print(&table, &o->table, &rows, v.s.n_ns, call->arena, e);
	if (r == 0 && v.s.n_unsearched)
		log_warn(
			"the descriptors of %u process%s are not ours to read: a namespace that is "
			"held there only is not shown",
			v.s.n_unsearched, v.s.n_unsearched == 1 ? "" : "es");
	view_say_hidden(&v);
	view_done(&v);
	return r;
}

static int pid(const struct cmd_call *call, struct err *e)
{
	static const struct table table = { proc_cols,
		"pid,nspid,ipid,level,ns,ctr,runtime,state,ppid,args", proc_cols_row_colour };
	uint32_t *found = arena_array(call->arena, (size_t)call->n_args + 1, sizeof(*found));
	const struct col **named;
	struct proc_rows rows;
	autotext inside = { 0 };
	struct view v;
	unsigned wants;
	int r = 0;

	if (table_named(&table, call->opts, call->arena, &named, e) < 0)
		return -e->code;
	wants = proc_cols_wants(named);
	if (view_read(call, wants & ~(unsigned)OF_ROWS, &v, e) < 0)
		return -e->code;
	if (call->n_args == 2 && snapshot_find(&v.s, atoi(call->args[0])) == NO_PROC) {
		/* CONTAINER PID: the same as CONTAINER:PID */
		text_addf(&inside, "%s:%s", call->args[0], call->args[1]);
		r = view_find(&v, inside.p, &found[0], e);
	}
	for (int i = 0; r == 0 && !inside.p && i < call->n_args; i++)
		r = view_find(&v, call->args[i], &found[i], e);
	for (int i = 0; r == 0 && i < (inside.p ? 1 : call->n_args); i++)
		snapshot_fill(&v.s, found[i], wants);
	rows = (struct proc_rows){ .s = &v.s, .procs = found, .seen = &v.seen, .users = &v.users };
	if (r == 0)
		r = table_print(&table, call->opts, &rows, inside.p ? 1 : (size_t)call->n_args,
			call->arena, e);
	view_say_hidden(&v);
	view_done(&v);
	return r;
}

/*
 * `clade ps -A`: processes instead of containers. As `ps -A` it shows the short name; each column
 * that costs a file of every process is read only where it is asked for.
 */
int cmd_ps_processes(const struct cmd_call *call, const struct table_opts *o, struct err *e)
{
	const struct table table = { proc_cols,
		o->json ? "uid,nspid,ppid,state,age,ctr,comm,args"
			: "nspid,ppid,state,age,ctr,comm",
		proc_cols_row_colour };
	const struct col **named;
	struct proc_rows rows;
	uint32_t *all;
	struct view v;
	size_t n = 0;
	int r;

	if (table_named(&table, o, call->arena, &named, e) < 0 ||
		view_read(call, proc_cols_wants(named), &v, e) < 0)
		return -e->code;
	all = arena_array(call->arena, (size_t)v.s.n + 1, sizeof(*all));
	for (uint32_t i = 0; i < v.s.n; i++)
		if (!v.s.procs[i].kernel_thread)
			all[n++] = i;
	rows = (struct proc_rows){ .s = &v.s, .procs = all, .seen = &v.seen, .users = &v.users };
	r = table_print(&table, o, &rows, n, call->arena, e);
	view_say_hidden(&v);
	view_done(&v);
	return r;
}

const struct cmd cmd_zombies = {
	.name = "zombies",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID]",
	.brief = "every zombie: whose child, whose fault, what helps",
	.more = "Exit status 1 when there are more than --max, for a probe.",
	.max_args = 1,
	.opts = zombies_opts,
	.opts_size = sizeof(struct zombies_opts),
	.run = zombies,
};

const struct cmd cmd_ns = {
	.name = "ns",
	.group = CMD_PROCESSES,
	.brief = "every PID namespace: what it is in, its init, its processes",
	.more = "One without processes is found by what holds it: a mount of any mount namespace "
		"that has\n"
		"processes, a descriptor, a process whose next child will be its init. Not found "
		"is one held by\n"
		"a descriptor that is on its way through a socket, or a mount namespace without "
		"processes.",
	.opts = ns_opts,
	.opts_size = sizeof(struct ns_opts),
	.run = namespaces,
};

const struct cmd cmd_pid = {
	.name = "pid",
	.group = CMD_PROCESSES,
	.args = "PID... | CONTAINER:PID | CONTAINER PID | NS:PID",
	.brief = "a process's PID at every level, and its container",
	.min_args = 1,
	.max_args = -1,
	.opts = table_opts,
	.opts_size = sizeof(struct table_opts),
	.run = pid,
};
