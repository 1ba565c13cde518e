/* SPDX-License-Identifier: Apache-2.0 */
/* stats: docker's table of what running containers use, again every second. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cols.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"

struct stats_opts {
	const char *format;
	bool all, no_stream, no_trunc;
};

static const struct opt stats_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct stats_opts, all), NULL,
		"those that do not run, too" },
	{ "format", 0, OPT_STRING, offsetof(struct stats_opts, format), "COLUMN,...|json|TEMPLATE",
		"columns: id name cpu_ns memory memory_limit pids pids_limit; or docker's "
		"{{.CPUPerc}}" },
	{ "no-stream", 0, OPT_FLAG, offsetof(struct stats_opts, no_stream), NULL,
		"once, not every second" },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct stats_opts, no_trunc), NULL, "whole IDs" },
	{ 0 },
};

struct reading {
	const char *id, *name, *ref; /* ref: as it was asked for */
	bool no_trunc;
	struct life_stats s, before;
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
	text_addf(t, "%.*s", at(data, row)->no_trunc ? 64 : 12, at(data, row)->id);
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

/* --- docker's words -------------------------------------------------------------------------- */

/* docker's: powers of 1024, four digits */
static void add_binary(struct text *t, int64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1024 && unit + 1 < ARRAY_LEN(units)) {
		n /= 1024;
		unit++;
	}
	text_addf(t, "%.4g%s", n, units[unit]);
}

static int64_t limit_of(const struct reading *r)
{
	return r->s.memory_limit > 0 && r->s.memory_limit < r->s.memory_total ? r->s.memory_limit
									      : r->s.memory_total;
}

static void cell_ref(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->ref);
}

static void cell_cpu_perc(const void *data, size_t row, struct text *t)
{
	const struct reading *r = at(data, row);
	int64_t used = r->s.cpu_ns - r->before.cpu_ns, time = r->s.when_ns - r->before.when_ns;

	if (r->s.cpu_ns < 0)
		text_add(t, "--");
	else
		text_addf(t, "%.2f%%",
			r->before.cpu_ns >= 0 && used > 0 && time > 0
				? (double)used * 100 / (double)time
				: 0.0);
}

static void cell_mem_usage(const void *data, size_t row, struct text *t)
{
	const struct reading *r = at(data, row);

	if (r->s.memory_bytes < 0) {
		text_add(t, "-- / --");
		return;
	}
	add_binary(t, r->s.memory_bytes);
	text_add(t, " / ");
	add_binary(t, limit_of(r));
}

static void cell_mem_perc(const void *data, size_t row, struct text *t)
{
	const struct reading *r = at(data, row);

	if (r->s.memory_bytes < 0 || limit_of(r) <= 0)
		text_add(t, "--");
	else
		text_addf(t, "%.2f%%", (double)r->s.memory_bytes * 100 / (double)limit_of(r));
}

static void add_two(struct text *t, int64_t one, int64_t other)
{
	if (one < 0 || other < 0) {
		text_add(t, "-- / --");
		return;
	}
	format_bytes(t, one);
	text_add(t, " / ");
	format_bytes(t, other);
}

static void cell_net(const void *data, size_t row, struct text *t)
{
	add_two(t, at(data, row)->s.received_bytes, at(data, row)->s.sent_bytes);
}

static void cell_block(const void *data, size_t row, struct text *t)
{
	add_two(t, at(data, row)->s.read_bytes, at(data, row)->s.write_bytes);
}

static void cell_pids_word(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->s.pids < 0)
		text_add(t, "--");
	else
		number(t, at(data, row)->s.pids);
}

static const struct go_field fields[] = {
	{ "BlockIO", "BLOCK I/O", cell_block, false },
	{ "CPUPerc", "CPU %", cell_cpu_perc, false },
	{ "Container", "CONTAINER", cell_ref, false },
	{ "ID", "CONTAINER ID", cell_id, false },
	{ "MemPerc", "MEM %", cell_mem_perc, false },
	{ "MemUsage", "MEM USAGE / LIMIT", cell_mem_usage, false },
	{ "Name", "NAME", cell_name, false },
	{ "NetIO", "NET I/O", cell_net, false },
	{ "PIDs", "PIDS", cell_pids_word, false },
	{ 0 },
};

static const char usual[] = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t"
			    "{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

/* --- the command ----------------------------------------------------------------------------- */

struct round {
	const struct cmd_call *call;
	const struct life *life;
	struct reading *rows;
	size_t n;
};

static void add_reading(struct round *r, const struct life_info *info, const char *ref)
{
	const struct stats_opts *o = r->call->opts;
	struct reading *row = arena_grow(r->call->arena, &r->rows, &r->n, sizeof(*row));

	*row = (struct reading){
		.id = info->id, .name = info->name, .ref = ref, .no_trunc = o->no_trunc
	};
	row->s.cpu_ns = -1;
}

/* Who is looked at: those that were named, or all that run now. */
static int choose(struct round *r, struct err *e)
{
	const struct cmd_call *call = r->call;
	struct life_info *all;
	size_t n;

	for (int i = 0; i < call->n_args; i++) {
		struct life_info info;

		if (life_inspect(r->life, call->args[i], call->arena, &info, e) < 0)
			return -e->code;
		add_reading(r, &info, call->args[i]);
	}
	if (call->n_args)
		return 0;
	if (life_list(r->life, ((const struct stats_opts *)call->opts)->all, call->arena, &all, &n,
		    e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		add_reading(r, &all[i], all[i].id);
	return 0;
}

static void look(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct err gone;

		r->rows[i].before = r->rows[i].s;
		life_stats(r->life, r->rows[i].id, &r->rows[i].s, &gone);
	}
}

static int show(const struct round *r, struct err *e)
{
	const struct stats_opts *o = r->call->opts;
	const char *format = o->format && !str_eq(o->format, "table") ? o->format : usual;
	struct go_rows rows = { .fields = fields, .data = r->rows, .n = r->n };
	const struct cols_style style = { 0 };
	const struct col **picked;
	autoarena arena = { 0 };
	autotext t = { 0 };

	if (go_format_is(format)) {
		if (go_format_print(format, &rows, &arena, &t, e) < 0)
			return -e->code;
	} else {
		if (cols_pick(stats_cols, "id", format, &arena, &picked, e) < 0)
			return -e->code;
		cols_table(picked, r->rows, r->n, &style, &t);
	}
	if (!o->no_stream && life_stdout_is_tty())
		fputs("\033[H\033[J", stdout);
	fputs(t.p ? t.p : "", stdout);
	return fflush(stdout) == 0 ? 0 : err_set(e, errno, "write to standard output");
}

static int stats(const struct cmd_call *call, struct err *e)
{
	const struct stats_opts *o = call->opts;
	autolife life = LIFE_NONE;
	struct round r = { .call = call, .life = &life };
	/* the share of a CPU is between two readings */
	bool needs_two = !o->format || !strchr(o->format, ',') || go_format_is(o->format);

	if (cli_life(call, &life, e) < 0 || choose(&r, e) < 0)
		return -e->code;
	look(&r);
	if (needs_two) {
		life_pause_ms(r.n ? 500 : 0);
		look(&r);
	}
	while (show(&r, e) == 0) {
		if (o->no_stream)
			return 0;
		life_pause_ms(1000);
		if (!call->n_args) {
			/* who has come, and who has gone */
			struct round next = { .call = call, .life = &life };

			if (choose(&next, e) < 0)
				return -e->code;
			for (size_t i = 0; i < next.n; i++)
				for (size_t j = 0; j < r.n; j++)
					if (str_eq(next.rows[i].id, r.rows[j].id))
						next.rows[i].s = r.rows[j].s;
			r = next;
		}
		look(&r);
	}
	return -e->code;
}

const struct cmd cmd_stats = {
	.name = "stats",
	.group = CMD_RUNNING,
	.args = "[CONTAINER...]",
	.brief = "what running containers use, again every second",
	.max_args = -1,
	.opts = stats_opts,
	.opts_size = sizeof(struct stats_opts),
	.run = stats,
};
