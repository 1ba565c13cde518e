/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "cli/view.h"
#include "procs/doctor.h"
#include "procs/owner.h"
#include "procs/reap.h"

struct doctor_opts {
	bool json;
};

static const struct opt doctor_opts[] = {
	{ "json", 0, OPT_FLAG, offsetof(struct doctor_opts, json), NULL, "an array of objects" },
	{ 0 },
};

static const char *container_of(const struct view *v, const struct finding *f)
{
	const struct owner *o = f->ns == NO_NS ? NULL : v->s.ns[f->ns].owner;

	return o ? o->name ? o->name : o->id : NULL;
}

static void add_json(struct json_writer *w, const struct view *v, const struct finding *f)
{
	json_begin(w, NULL, '{');
	json_string(w, "kind", f->kind);
	if (container_of(v, f))
		json_string(w, "container", container_of(v, f));
	if (f->proc != NO_PROC)
		json_int(w, "pid", v->s.procs[f->proc].pid);
	json_uint(w, "count", f->count);
	json_string(w, "evidence", f->evidence ? f->evidence : "");
	json_string(w, "now", f->now ? f->now : "");
	json_string(w, "forGood", f->for_good ? f->for_good : "");
	json_end(w, '}');
}

static void add_text(struct text *t, const struct view *v, const struct finding *f)
{
	const char *container = container_of(v, f);

	text_add(t, f->kind);
	if (container) {
		text_add(t, " in ");
		text_add_escaped(t, container, strlen(container));
	}
	if (f->count)
		text_addf(t, " (%u)", f->count);
	text_addf(t, "\n  why:      %s\n  now:      %s\n  for good: %s\n",
		f->evidence ? f->evidence : "-", f->now ? f->now : "-",
		f->for_good ? f->for_good : "-");
}

static int doctor(const struct cmd_call *call, struct err *e)
{
	const struct doctor_opts *o = call->opts;
	struct finding *all;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct view v;
	uint32_t top = NO_PROC, ns = 0;
	size_t n = 0;
	int r = 0;

	if (view_read(call, SNAP_ORIGIN | SNAP_HELD | SNAP_NO_USAGE, &v, e) < 0)
		return -e->code;
	if (doctor_is_early(&v.s, &v.seen)) {
		/* their parent may be about to wait: a second look tells */
		reap_pause();
		r = view_again(call, SNAP_ORIGIN | SNAP_HELD, &v, e);
	}
	if (r == 0 && call->n_args && (ns = view_find_ns(&v, call->args[0])) == NO_NS)
		r = view_find(&v, call->args[0], &top, e);
	if (r == 0 && top != NO_PROC)
		ns = v.s.procs[top].ns;
	if (r == 0)
		doctor_examine(&v.s, &v.seen, ns == NO_NS ? 0 : ns, call->arena, &all, &n);
	if (r == 0 && o->json)
		json_begin(&w, NULL, '[');
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (o->json)
			add_json(&w, &v, &all[i]);
		else
			add_text(&t, &v, &all[i]);
	}
	if (r == 0 && o->json) {
		json_end(&w, ']');
		text_add(&t, "\n");
	} else if (r == 0 && !n) {
		text_add(&t, "nothing to complain about\n");
	}
	fputs(t.p ? t.p : "", stdout);
	view_say_hidden(&v);
	view_done(&v);
	return r < 0 ? r : n ? 1 : 0;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID]",
	.brief = "what is wrong with containers' processes: why, what helps now and for good",
	.more = "Exit status 1 when something was found.",
	.max_args = 1,
	.opts = doctor_opts,
	.opts_size = sizeof(struct doctor_opts),
	.run = doctor,
};
