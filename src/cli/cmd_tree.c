/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/table.h"
#include "cli/view.h"
#include "render/tree.h"

struct tree_opts {
	bool ascii, kernel, unfolded, json, dot, svg;
	int colour;
};

static const struct opt tree_opts[] = {
	{ "ascii", 0, OPT_FLAG, offsetof(struct tree_opts, ascii), NULL, "plain characters" },
	{ "kernel", 'k', OPT_FLAG, offsetof(struct tree_opts, kernel), NULL, "kernel threads too" },
	{ "all", 'a', OPT_FLAG, offsetof(struct tree_opts, unfolded), NULL,
		"every zombie, instead of \"... 6 more like it\"" },
	TABLE_COLOUR(struct tree_opts, colour),
	{ "json", 'J', OPT_FLAG, offsetof(struct tree_opts, json), NULL, "nested JSON objects" },
	{ "dot", 0, OPT_FLAG, offsetof(struct tree_opts, dot), NULL, "a graph for Graphviz' dot" },
	{ "svg", 0, OPT_FLAG, offsetof(struct tree_opts, svg), NULL, "a picture" },
	{ 0 },
};

static int tree(const struct cmd_call *call, struct err *e)
{
	const struct tree_opts *o = call->opts;
	bool is_text = !o->json && !o->dot && !o->svg;
	struct view v;
	struct tree_style style = {
		.ascii = o->ascii,
		.kernel_threads = o->kernel,
		.unfolded = o->unfolded,
		.colour = table_colour((enum colour_when)o->colour),
		.width = life_stdout_width(),
		.seen = &v.seen,
		.name_of = view_name_of,
		.data = &v,
		.ns = NO_NS,
	};
	uint32_t top = NO_PROC;
	autotext t = { 0 };
	int r;

	if (o->json + o->dot + o->svg > 1)
		return err_say(e, "--json, --dot and --svg exclude one another");
	if (view_read(call, SNAP_ARGS | SNAP_ORIGIN | SNAP_NO_USAGE, &v, e) < 0)
		return -e->code;
	if (call->n_args)
		style.ns = view_find_ns(&v, call->args[0]);
	r = call->n_args && style.ns == NO_NS ? view_find(&v, call->args[0], &top, e) : 0;
	if (r == 0) {
		(o->json	 ? tree_json
			: o->dot ? tree_dot
			: o->svg ? tree_svg
				 : tree_render)(&v.s, top, &style, &t);
		fputs(t.p ? t.p : "", stdout);
		if (v.s.n_refused && !call->n_args && is_text)
			log_warn("the namespace link%s of %u of them %s not ours to read: placed "
				 "by PID, parent and cgroup",
				v.s.n_refused == 1 ? "" : "s", v.s.n_refused,
				v.s.n_refused == 1 ? "is" : "are");
	}
	view_say_hidden(&v);
	view_done(&v);
	return r;
}

const struct cmd cmd_tree = {
	.name = "tree",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID|NS|NS:PID]",
	.brief = "all processes as a tree, with the PID each has at every level",
	.more = "NS is the inode of a PID namespace (clade ns).",
	.max_args = 1,
	.opts = tree_opts,
	.opts_size = sizeof(struct tree_opts),
	.run = tree,
};
