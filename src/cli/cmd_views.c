/* SPDX-License-Identifier: Apache-2.0 */
/* zombies, ns, pid, metrics: tables over one snapshot of all processes. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/view.h"
#include "render/metrics.h"
#include "render/proc_cols.h"

struct table_opts {
	bool json, raw, no_headings;
	const char *columns, *textfile;
	int max;
};

#define TABLE(member) offsetof(struct table_opts, member)
#define TABLE_OPTS                                                                                 \
	{ "output", 'o', OPT_STRING, TABLE(columns), "COLUMN,...|+COLUMN", "which columns" },      \
		{ "json", 0, OPT_FLAG, TABLE(json), NULL, "an array of objects" },                 \
		{ "raw", 'r', OPT_FLAG, TABLE(raw), NULL, "no alignment, blanks escaped" },        \
	{                                                                                          \
		"noheadings", 'n', OPT_FLAG, TABLE(no_headings), NULL, "no headings"               \
	}

static const struct opt table_opts[] = { TABLE_OPTS, { 0 } };
static const struct opt zombies_opts[] = {
	TABLE_OPTS,
	{ "max", 0, OPT_INT, TABLE(max), "N", "exit 1 when there are more (default 0)" },
	{ 0 },
};

static int print(const struct cmd_call *call, const struct col *cols, const char *usual,
	const void *data, size_t n, struct err *e)
{
	const struct table_opts *o = call->opts;
	struct cols_style style = {
		.no_headings = o->no_headings, .raw = o->raw, .width = life_stdout_width()
	};
	const struct col **picked;
	autotext t = { 0 };

	if (cols_pick(cols, usual, o->columns, call->arena, &picked, e) < 0)
		return -e->code;
	if (o->json)
		cols_json(picked, data, n, &t);
	else
		cols_table(picked, data, n, &style, &t);
	fputs(t.p ? t.p : "", stdout);
	return 0;
}

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
	const struct table_opts *o = call->opts;
	struct proc_rows rows;
	struct zombie *all;
	struct view v;
	uint32_t top;
	size_t n, kept = 0;
	int r = 0;

	if (view_read(call, SNAP_ORIGIN | SNAP_ARGS, &v, e) < 0)
		return -e->code;
	zombies_find(&v.s, call->arena, &all, &n);
	if (call->n_args)
		r = view_find(&v, call->args[0], &top, e);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!call->n_args || is_below(&v.s, all[i].proc, v.s.procs[top].ns))
			all[kept++] = all[i];
	rows = (struct proc_rows){ .s = &v.s, .zombies = all };
	if (r == 0 && (kept || o->json))
		r = print(call, zombie_cols, "nspid,comm,exit,age,ppid,ctr,origin,fault,advice",
			&rows, kept, e);
	view_done(&v);
	return r < 0 ? r : (int64_t)kept > o->max ? 1 : 0;
}

static int namespaces(const struct cmd_call *call, struct err *e)
{
	struct view v;
	int r;

	if (view_read(call, SNAP_HELD | SNAP_INIT_ARGS, &v, e) < 0)
		return -e->code;
	r = print(call, pidns_cols, "ns,parent,level,init,procs,zombies,held,ctr,runtime,command",
		&v.s, v.s.n_ns, e);
	view_done(&v);
	return r;
}

static int pid(const struct cmd_call *call, struct err *e)
{
	uint32_t *found = arena_array(call->arena, (size_t)call->n_args + 1, sizeof(*found));
	struct proc_rows rows;
	autotext inside = { 0 };
	struct view v;
	int r = 0;

	if (view_read(call, SNAP_ARGS, &v, e) < 0)
		return -e->code;
	if (call->n_args == 2 && snapshot_find(&v.s, atoi(call->args[0])) == NO_PROC) {
		/* CONTAINER PID: the same as CONTAINER:PID */
		text_addf(&inside, "%s:%s", call->args[0], call->args[1]);
		r = view_find(&v, inside.p, &found[0], e);
	}
	for (int i = 0; r == 0 && !inside.p && i < call->n_args; i++)
		r = view_find(&v, call->args[i], &found[i], e);
	rows = (struct proc_rows){ .s = &v.s, .procs = found };
	if (r == 0)
		r = print(call, proc_cols, "pid,nspid,ipid,level,ns,ctr,runtime,args", &rows,
			inside.p ? 1 : (size_t)call->n_args, e);
	view_done(&v);
	return r;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct opt metrics_opts[] = {
	{ "textfile", 0, OPT_STRING, TABLE(textfile), "FILE",
		"write it there by rename, for a textfile collector" },
	{ 0 },
};

static int metrics(const struct cmd_call *call, struct err *e)
{
	const struct table_opts *o = call->opts;
	double begun = now();
	struct zombie *all;
	struct view v;
	autotext t = { 0 };
	size_t n;
	int r = 0;

	if (view_read(call, SNAP_ORIGIN, &v, e) < 0)
		return -e->code;
	zombies_find(&v.s, call->arena, &all, &n);
	metrics_render(&v.s, all, n, now() - begun, &t);
	if (o->textfile)
		r = life_write_file(o->textfile, t.p, t.len, e);
	else
		fputs(t.p, stdout);
	view_done(&v);
	return r;
}

/*
 * `clade ps -A`: processes instead of containers. As `ps -A` it shows the short name; each column
 * that costs a file of every process is read only where it is asked for.
 */
int cmd_ps_processes(const struct cmd_call *call, const char *columns, bool json, struct err *e)
{
	static const char usual[] = "nspid,ppid,state,age,ctr,comm",
			  usual_json[] = "uid,nspid,ppid,state,age,ctr,comm,args";
	struct table_opts o = { .columns = columns, .json = json };
	struct cmd_call own = *call;
	const struct col **picked;
	struct proc_rows rows;
	uint32_t *all;
	struct view v;
	size_t n = 0;
	int r;

	own.opts = &o;
	if (cols_pick(proc_cols, json ? usual_json : usual, columns, call->arena, &picked, e) < 0 ||
		view_read(call, proc_cols_wants(picked), &v, e) < 0)
		return -e->code;
	all = arena_array(call->arena, (size_t)v.s.n + 1, sizeof(*all));
	for (uint32_t i = 0; i < v.s.n; i++)
		if (!v.s.procs[i].kernel_thread)
			all[n++] = i;
	rows = (struct proc_rows){ .s = &v.s, .procs = all };
	r = print(&own, proc_cols, json ? usual_json : usual, &rows, n, e);
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
	.opts_size = sizeof(struct table_opts),
	.run = zombies,
};

const struct cmd cmd_ns = {
	.name = "ns",
	.group = CMD_PROCESSES,
	.brief = "every PID namespace: what it is in, its init, its processes",
	.opts = table_opts,
	.opts_size = sizeof(struct table_opts),
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

const struct cmd cmd_metrics = {
	.name = "metrics",
	.group = CMD_PROCESSES,
	.brief = "processes and zombies of every PID namespace in Prometheus' text format",
	.opts = metrics_opts,
	.opts_size = sizeof(struct table_opts),
	.run = metrics,
};
