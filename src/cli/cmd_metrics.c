/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/http.h"
#include "cli/view.h"
#include "procs/doctor.h"
#include "render/metrics.h"

struct metrics_opts {
	const char *textfile, *listen;
};

static const struct opt metrics_opts[] = {
	{ "listen", 0, OPT_STRING, offsetof(struct metrics_opts, listen), "ADDRESS:PORT",
		"serve it as http://ADDRESS:PORT/metrics; :PORT is the loopback's" },
	{ "textfile", 0, OPT_STRING, offsetof(struct metrics_opts, textfile), "FILE",
		"write it there by rename, for a textfile collector" },
	{ 0 },
};

/* Within so long two clients get the same reading. */
enum { FRESH_MS = 500 };

struct server {
	const struct cmd_call *call;
	struct counters counters;
	bool counts;
	struct view view;
	bool has_view;
	double read_at, scan_seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int look(struct server *sv, struct err *e)
{
	double begun = now();
	int r;

	if (sv->has_view && begun - sv->read_at < FRESH_MS / 1e3)
		return 0;
	r = sv->has_view ? view_again(sv->call, SNAP_ORIGIN, &sv->view, e)
			 : view_read(sv->call, SNAP_ORIGIN, &sv->view, e);
	sv->has_view = r == 0;
	sv->read_at = now();
	sv->scan_seconds = sv->read_at - begun;
	return r;
}

static void render(struct server *sv, struct text *t)
{
	autoarena a = { 0 };
	struct snapshot *s = &sv->view.s;
	struct pids_limit *limits = arena_array(&a, (size_t)s->n_ns + 1, sizeof(*limits));
	struct zombie *zombies;
	struct metrics m = { .s = s,
		.seen = &sv->view.seen,
		.limits = limits,
		.counters = sv->counts ? &sv->counters : NULL,
		.scan_seconds = sv->scan_seconds };

	zombies_find(s, &a, &zombies, &m.n_zombies);
	m.zombies = zombies;
	for (uint32_t i = 0; i < s->n_ns; i++) {
		bool has_init = s->ns[i].level && s->ns[i].init != NO_PROC;

		pids_limit_read(has_init ? snapshot_cgroup(s, s->ns[i].init) : NULL, &limits[i]);
		m.n_undying += doctor_is_dying(s, i);
	}
	metrics_render(&m, t);
}

/* An empty page where the processes cannot be read: the scrape shows it. */
static void page(void *data, struct text *out)
{
	struct server *sv = data;
	struct err e = { 0 };

	if (look(sv, &e) < 0)
		log_err(&e);
	else
		render(sv, out);
}

static int serve(struct server *sv, const char *where, struct err *e)
{
	struct err no_events = { 0 };
	struct http *http;
	int r;

	if (http_open(where, "/metrics", page, sv, &http, e) < 0)
		return -e->code;
	sv->counts = counters_open(&sv->counters, &no_events) == 0;
	if (!sv->counts)
		log_err(&no_events);
	printf("http://%s/metrics\n", http_where(http));
	fflush(stdout);
	do {
		r = counters_wait(&sv->counters, http_fd(http), http_timeout_ms(http), e);
		http_run(http);
	} while (r == 0);
	http_close(http);
	counters_done(&sv->counters);
	return r;
}

static int metrics(const struct cmd_call *call, struct err *e)
{
	const struct metrics_opts *o = call->opts;
	struct server sv = { .call = call };
	autotext t = { 0 };
	int r;

	if (o->listen && o->textfile)
		return err_say(e, "--listen and --textfile exclude one another");
	if (o->listen) {
		r = serve(&sv, o->listen, e);
	} else {
		r = look(&sv, e);
		if (r == 0)
			render(&sv, &t);
		if (r == 0 && o->textfile)
			r = life_write_file(o->textfile, t.p, t.len, e);
		else if (r == 0)
			fputs(t.p, stdout);
		if (sv.has_view)
			view_say_hidden(&sv.view);
	}
	if (sv.has_view)
		view_done(&sv.view);
	return r;
}

const struct cmd cmd_metrics = {
	.name = "metrics",
	.group = CMD_PROCESSES,
	.brief = "processes and zombies of every PID namespace in Prometheus' text format",
	.more = "With --listen, orphans, adoptions, exits and reaping are counted from then on.",
	.opts = metrics_opts,
	.opts_size = sizeof(struct metrics_opts),
	.run = metrics,
};
