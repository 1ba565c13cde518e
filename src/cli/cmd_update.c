/* SPDX-License-Identifier: Apache-2.0 */
/* update and stats: limits and counters of running containers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cols.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct update_opts {
	struct docker_run run;
	const char *restart;
};

static int parse_pids(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct update_opts *to = opts;

	(void)o;
	if (str_i64(value, &to->run.pids_limit) < 0 || to->run.pids_limit < -1)
		return err_say(e, "--pids-limit %s: a number, or -1 for none, is wanted", value);
	return 0;
}

#define RUN(member) offsetof(struct update_opts, run.member)

static const struct opt update_opts[] = {
	{ "memory", 'm', OPT_BYTES, RUN(memory), "SIZE", "memory limit" },
	{ "memory-reservation", 0, OPT_BYTES, RUN(memory_reservation), "SIZE",
		"soft memory limit" },
	{ "cpus", 0, OPT_STRING, RUN(cpus), "N", "how many CPUs at most" },
	{ "cpu-shares", 'c', OPT_U64, RUN(cpu_shares), "N", "relative weight" },
	{ "cpuset-cpus", 0, OPT_STRING, RUN(cpuset_cpus), "0-3,7", "which CPUs" },
	{ "cpuset-mems", 0, OPT_STRING, RUN(cpuset_mems), "0,1", "which memory nodes" },
	{ "pids-limit", 0, OPT_CALL, 0, "N", "how many processes at most", parse_pids },
	{ "restart", 0, OPT_STRING, offsetof(struct update_opts, restart), "POLICY",
		"no, on-failure[:N], always, unless-stopped (from the next start on)" },
	{ 0 },
};

struct change {
	const struct life_update *update;
};

static int update_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	(void)opts;
	return life_update(l, ref, ((const struct change *)opts)->update, e);
}

static int update(const struct cmd_call *call, struct err *e)
{
	struct update_opts *o = call->opts;
	static const char *const nothing[] = { "true", NULL };
	struct life_update u = { .set_restart = o->restart };
	struct change change = { &u };
	struct cmd_call each = *call;
	struct docker_rest rest;
	struct spec spec;
	int r;

	if (o->restart && life_restart_parse(o->restart, &u.restart, &u.restart_max, e) < 0)
		return -e->code;
	o->run.args = nothing;
	o->run.n_args = 1;
	o->run.in_userns = true; /* devices are not among what is changed */
	r = docker_spec(&o->run, &spec, &rest, e);
	if (r == 0) {
		u.resources = &spec.linux_.resources;
		each.opts = &change;
		r = cli_each(&each, update_one, e);
	}
	spec_done(&spec);
	return r;
}

/* --- stats ----------------------------------------------------------------------------------- */

struct stats_opts {
	const char *format;
	bool all, no_stream;
};

static const struct opt stats_opts[] = {
	{ "format", 0, OPT_STRING, offsetof(struct stats_opts, format), "COLUMN,...|json",
		"which columns: id name cpu_ns memory memory_limit pids pids_limit" },
	{ "no-stream", 0, OPT_FLAG, offsetof(struct stats_opts, no_stream), NULL,
		"one reading, which is all there is" },
	{ 0 },
};

struct reading {
	const char *id, *name;
	struct life_stats s;
};

static const struct reading *at(const void *data, size_t row)
{
	return &((const struct reading *)data)[row];
}

static void number(struct text *t, int64_t n)
{
	/* v1 says "no limit" as the largest page-aligned number */
	if (n >= 0 && n < INT64_MAX - 65536)
		text_addf(t, "%lld", (long long)n);
}

static void cell_id(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.12s", at(data, row)->id);
}

static void cell_name(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->name);
}

static void cell_cpu(const void *data, size_t row, struct text *t)
{
	number(t, at(data, row)->s.cpu_ns);
}

static void cell_memory(const void *data, size_t row, struct text *t)
{
	number(t, at(data, row)->s.memory_bytes);
}

static void cell_memory_limit(const void *data, size_t row, struct text *t)
{
	number(t, at(data, row)->s.memory_limit);
}

static void cell_pids(const void *data, size_t row, struct text *t)
{
	number(t, at(data, row)->s.pids);
}

static void cell_pids_limit(const void *data, size_t row, struct text *t)
{
	number(t, at(data, row)->s.pids_limit);
}

static const struct col stats_cols[] = {
	{ "id", COL_TEXT, "short ID", cell_id },
	{ "name", COL_TEXT, "name", cell_name },
	{ "cpu_ns", COL_NUMBER, "CPU time used, nanoseconds", cell_cpu },
	{ "memory", COL_NUMBER, "bytes", cell_memory },
	{ "memory_limit", COL_NUMBER, "bytes", cell_memory_limit },
	{ "pids", COL_NUMBER, "processes and threads", cell_pids },
	{ "pids_limit", COL_NUMBER, "at most", cell_pids_limit },
	{ 0 },
};

static int stats(const struct cmd_call *call, struct err *e)
{
	const struct stats_opts *o = call->opts;
	bool json = o->format && str_eq(o->format, "json");
	struct cols_style style = { 0 };
	const struct col **picked;
	struct reading *rows = NULL;
	struct life_info *all;
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	size_t n_all, n = 0;

	if (cols_pick(stats_cols, "id,name,cpu_ns,memory,memory_limit,pids,pids_limit",
		    o->format && !json ? o->format : NULL, call->arena, &picked, e) < 0 ||
		cli_life(call, &life, e) < 0 ||
		life_list(&life, false, call->arena, &all, &n_all, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		struct life_info info;
		struct reading *row;

		if (life_inspect(&life, call->args[i], call->arena, &info, e) < 0)
			return -e->code;
		row = arena_grow(call->arena, &rows, &n, sizeof(*row));
		*row = (struct reading){ .id = info.id, .name = info.name };
	}
	for (size_t i = 0; !call->n_args && i < n_all; i++) {
		struct reading *row = arena_grow(call->arena, &rows, &n, sizeof(*row));

		*row = (struct reading){ .id = all[i].id, .name = all[i].name };
	}
	for (size_t i = 0; i < n; i++) {
		struct err gone;

		life_stats(&life, rows[i].id, &rows[i].s, &gone);
	}
	if (json)
		cols_json(picked, rows, n, &t);
	else
		cols_table(picked, rows, n, &style, &t);
	if (t.p)
		fputs(t.p, stdout);
	return 0;
}

const struct cmd cmd_update = {
	.name = "update",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "change limits of containers",
	.min_args = 1,
	.max_args = -1,
	.opts = update_opts,
	.opts_size = sizeof(struct update_opts),
	.run = update,
};

const struct cmd cmd_stats = {
	.name = "stats",
	.group = CMD_RUNNING,
	.args = "[CONTAINER...]",
	.brief = "what running containers use, read once",
	.max_args = -1,
	.opts = stats_opts,
	.opts_size = sizeof(struct stats_opts),
	.run = stats,
};
