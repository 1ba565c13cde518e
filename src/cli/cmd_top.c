/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cli/table.h"
#include "cli/view.h"
#include "procs/live.h"
#include "procs/owner.h"
#include "procs/ps_table.h"
#include "procs/reap.h"
#include "render/top.h"

enum { TICK_MS = 1000, REDRAW_MS = 200, VISIBLE_MAX = 500, LOG_LINES = 2000 };

#define TOP_WANTS (SNAP_ARGS | SNAP_ORIGIN)

struct top_opts {
	int colour;
};

static const struct opt top_opts[] = {
	TABLE_COLOUR(struct top_opts, colour),
	{ 0 },
};

struct top {
	const struct cmd_call *call;
	struct view view;
	bool has_view;
	struct live live;
	struct top_screen *screen;
	struct top_choice choice;
	struct top_data data;
	struct arena arena; /* of the lines that were made last */
	struct top_frame frame;
	const char *container; /* the operand; NULL */
};

static int read_source(void *data, struct snapshot **ret, struct err *e)
{
	struct top *t = data;
	int r = t->has_view ? view_again(t->call, TOP_WANTS, &t->view, e)
			    : view_read(t->call, TOP_WANTS, &t->view, e);

	t->has_view = r == 0;
	if (r < 0)
		return r;
	*ret = &t->view.s;
	t->data.s = &t->view.s;
	/* indices of namespaces are of one reading */
	t->choice.ns = t->container ? view_find_ns(&t->view, t->container) : NO_NS;
	if (t->container && t->choice.ns == NO_NS)
		return err_say(e, "%s: no such container (any more)", t->container);
	return 0;
}

static double cpu_of(const void *data, const struct proc *p)
{
	return live_cpu(data, p);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void make_lines(struct top *t)
{
	struct top_frame *f = &t->frame;

	arena_done(&t->arena);
	seen_update(&t->view.seen, &t->view.s);
	f->rows = top_lines(&t->data, &t->choice, &t->arena, &f->n_rows);
	f->groups = top_groups(&t->data, &t->choice, &t->arena, &f->n_groups);
	f->has_events = t->live.has_events;
	f->n_lost = t->live.n_lost;
	f->n_orphans = t->live.n_orphans;
}

static void draw(struct top *t)
{
	uint32_t visible[VISIBLE_MAX];
	size_t n = top_visible(t->screen, &t->frame, visible, VISIBLE_MAX);

	live_refresh(&t->live, visible, n);
	top_draw(t->screen, &t->frame);
}

/* --- what keys ask for ----------------------------------------------------------------------- */

static void ask_signal(struct top *t)
{
	struct proc p = t->view.s.procs[top_selected(t->screen, &t->frame)];
	autotext question = { 0 };
	char word[24] = "", said[80];
	struct err e = { 0 };
	int signo = SIGTERM;

	text_addf(&question, "signal for %d (TERM): ", p.pid);
	if (!top_ask(t->screen, question.p, word, sizeof(word)))
		return;
	if ((*word && life_signal_parse(word, &signo, &e) < 0) || live_signal(&p, signo, &e) < 0) {
		char text[sizeof(e.msg) + 80];

		top_say(t->screen, err_text(&e, text, sizeof(text)));
		return;
	}
	snprintf(said, sizeof(said), "signal %d sent to %d", signo, p.pid);
	top_say(t->screen, said);
}

struct reaped {
	unsigned done, left;
	struct err why;
};

static void on_reaped(void *data, const struct reap_report *r)
{
	struct reaped *c = data;

	c->done = c->left = 0;
	for (size_t i = 0; i < r->family->n; i++)
		if (r->family->zombies[i].fate == REAP_DONE)
			c->done++;
		else
			c->left++;
	if (r->why)
		c->why = *r->why;
}

static void on_slow(void *data, const struct reap_parent *p)
{
	(void)data;
	(void)p;
}

static void ask_reap(struct top *t)
{
	const struct snapshot *s = &t->view.s;
	const struct proc *p = &s->procs[top_selected(t->screen, &t->frame)];
	pid_t parent = proc_is_zombie(p) ? p->ppid : p->pid;
	struct reap_wish wish = { .only = proc_is_zombie(p) ? p->pid : 0 };
	struct reap_memory before = { 0 }, now = { 0 };
	struct reaped c = { 0 };
	const struct reap_listener listener = { on_reaped, on_slow, &c };
	struct err e = { 0 };
	char said[160], text[sizeof(e.msg) + 80];
	int r = 0;

	snprintf(said, sizeof(said), "make process %d wait for its adopted zombies%s?", parent,
		wish.only ? " (the selected one)" : "");
	if (!top_ask_yes(t->screen, said))
		return;
	reap_raise_limits();
	for (int round = 0; round < 2 && r == 0; round++) {
		if (round)
			reap_pause();
		r = reap_round(parent, &wish, &before, &now, &listener, &e);
		reap_memory_turn(&before, &now);
	}
	reap_memory_done(&before);
	if (r == 0 && c.why.code)
		e = c.why;
	if (e.code) {
		top_say(t->screen, err_text(&e, text, sizeof(text)));
		return;
	}
	snprintf(said, sizeof(said), "%u reaped, %u left%s", c.done, c.left,
		c.left ? ": see clade reap --own, --unknown" : "");
	top_say(t->screen, said);
}

static void add_log_line(void *data, int stream, const char *time, const char *text, size_t n)
{
	(void)stream;
	(void)time;
	text_add_n(data, text, n);
}

static void show_logs(struct top *t)
{
	const struct proc *p = &t->view.s.procs[top_selected(t->screen, &t->frame)];
	struct err e = { 0 };
	autolife life = LIFE_NONE;
	autotext log = { 0 }, title = { 0 };
	struct life_logs how = { .tail = LOG_LINES, .line = add_log_line, .data = &log };
	char text[sizeof(e.msg) + 80];

	if (!p->owner || !str_eq(p->owner->runtime, "clade")) {
		top_say(t->screen, "the log is known of clade's own containers only");
		return;
	}
	text_addf(&title, "log of %s", p->owner->name);
	if (cli_life(t->call, &life, &e) < 0 || life_logs(&life, p->owner->id, &how, &e) < 0) {
		top_say(t->screen, err_text(&e, text, sizeof(text)));
		return;
	}
	top_page(t->screen, title.p, log.p ? log.p : "(nothing was written)");
}

/* False: the person has seen enough. */
static bool on_keys(struct top *t)
{
	switch (top_key(t->screen, &t->frame, &t->choice)) {
	case TOP_QUIT:
		return false;
	case TOP_SIGNAL:
		ask_signal(t);
		break;
	case TOP_REAP:
		ask_reap(t);
		break;
	case TOP_LOGS:
		show_logs(t);
		break;
	default:
		break;
	}
	return true;
}

static int loop(struct top *t, struct err *e)
{
	const struct live_source source = { read_source, t };
	int64_t drawn_ms = 0;
	int r = live_open(&t->live, &source, e), wait_ms = 0;

	t->data.cpu_data = &t->live;
	while (r == 0) {
		int what = live_wait(&t->live, 0, wait_ms, e);
		int64_t now = now_ms();

		if (what < 0)
			return what;
		if (what & LIVE_CHANGED || !t->frame.rows)
			make_lines(t); /* the indices before are no more */
		if (what & LIVE_INPUT) {
			if (!on_keys(t))
				return 0;
			make_lines(t);
			drawn_ms = 0;
		}
		if (now - drawn_ms >= TICK_MS || (what && now - drawn_ms >= REDRAW_MS)) {
			draw(t);
			drawn_ms = now;
		}
		wait_ms = what & LIVE_CHANGED ? REDRAW_MS : TICK_MS;
	}
	return r;
}

/* --- without a terminal ---------------------------------------------------------------------- */

static int print_once(struct top *t, struct err *e)
{
	struct tree_style style = { .seen = &t->view.seen,
		.name_of = view_name_of,
		.data = &t->view,
		.width = life_stdout_width() };
	struct snapshot *s;
	autotext out = { 0 };

	if (read_source(t, &s, e) < 0)
		return -e->code;
	style.ns = t->choice.ns;
	tree_render(s, NO_PROC, &style, &out);
	fputs(out.p ? out.p : "", stdout);
	return 0;
}

static int print_ps(struct top *t, const char *const *args, struct err *e)
{
	struct snapshot *s;
	autotext out = { 0 };
	bool *wanted;

	if (read_source(t, &s, e) < 0)
		return -e->code;
	wanted = arena_array(t->call->arena, (size_t)s->n + 1, sizeof(*wanted));
	for (uint32_t i = 0; i < s->n; i++)
		for (uint32_t ns = s->procs[i].ns; ns != NO_NS && !wanted[i]; ns = s->ns[ns].parent)
			wanted[i] = ns == t->choice.ns;
	if (ps_table(s, wanted, args, &out, e) < 0)
		return -e->code;
	fputs(out.p ? out.p : "", stdout);
	return 0;
}

static int top(const struct cmd_call *call, struct err *e)
{
	const struct top_opts *o = call->opts;
	struct top t = {
		.call = call,
		.container = call->n_args ? call->args[0] : NULL,
		.choice = { .ns = NO_NS },
	};
	bool terminal = life_stdout_is_tty() && life_stdin_is_tty() && call->n_args < 2;
	int r = TOP_NO_TERMINAL;

	t.data = (struct top_data){
		.seen = &t.view.seen, .cpu = cpu_of, .name_of = view_name_of, .name_data = &t.view
	};
	t.frame = (struct top_frame){ .data = &t.data, .choice = &t.choice };
	if (terminal)
		r = top_open(table_colour((enum colour_when)o->colour), &t.screen, e);
	if (r == 0)
		r = loop(&t, e);
	else if (r == TOP_NO_TERMINAL)
		r = t.container && !terminal ? print_ps(&t, call->args + 1, e) : print_once(&t, e);
	top_close(t.screen);
	if (t.live.source.read)
		live_done(&t.live);
	if (t.has_view)
		view_done(&t.view);
	top_choice_done(&t.choice);
	arena_done(&t.arena);
	return r;
}

const struct cmd cmd_top = {
	.name = "top",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER [PS OPTIONS]]",
	.brief = "the tree, live, with each container's zombies; to a file: docker's top",
	.more = "On a terminal: h shows the keys. With a container and no terminal, or with "
		"options\n"
		"for ps (default: -ef): ps's table of the container's processes.",
	.max_args = -1,
	.opts = top_opts,
	.opts_size = sizeof(struct top_opts),
	.stops_at_word = true,
	.run = top,
};
