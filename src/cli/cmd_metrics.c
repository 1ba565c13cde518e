/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "base/str.h"
#include "cli/view.h"
#include "render/metrics.h"

struct metrics_opts {
	const char *textfile;
};

static const struct opt metrics_opts[] = {
	{ "textfile", 0, OPT_STRING, offsetof(struct metrics_opts, textfile), "FILE",
		"write it there by rename, for a textfile collector" },
	{ 0 },
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int metrics(const struct cmd_call *call, struct err *e)
{
	const struct metrics_opts *o = call->opts;
	double begun = now();
	struct zombie *all;
	struct view v;
	autotext t = { 0 };
	size_t n;
	int r = 0;

	if (view_read(call, SNAP_ORIGIN | SNAP_NO_USAGE, &v, e) < 0)
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

const struct cmd cmd_metrics = {
	.name = "metrics",
	.group = CMD_PROCESSES,
	.brief = "processes and zombies of every PID namespace in Prometheus' text format",
	.opts = metrics_opts,
	.opts_size = sizeof(struct metrics_opts),
	.run = metrics,
};
