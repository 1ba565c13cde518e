/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "procs/snapshot.h"
#include "render/tree.h"

struct tree_opts {
	bool ascii, kernel;
};

static const struct opt tree_opts[] = {
	{ "ascii", 0, OPT_FLAG, offsetof(struct tree_opts, ascii), NULL, "plain characters" },
	{ "kernel", 'k', OPT_FLAG, offsetof(struct tree_opts, kernel), NULL, "kernel threads too" },
	{ 0 },
};

struct names {
	struct life_info *items;
	size_t n;
};

static const char *name_of(void *data, const struct snapshot *s, uint32_t i)
{
	const struct names *names = data;

	for (size_t j = 0; j < names->n; j++)
		if (names->items[j].pid == s->procs[i].pid)
			return names->items[j].name;
	return NULL;
}

/* A container's name, or a PID of this namespace. */
static int find_top(const struct cmd_call *call, const struct life *life, const struct snapshot *s,
	uint32_t *ret, struct err *e)
{
	struct life_info info;
	int pid;

	*ret = NO_PROC;
	if (!call->n_args)
		return 0;
	if (life->root && life_inspect(life, call->args[0], call->arena, &info, e) == 0) {
		if (!info.pid)
			return err_say(e, "container %s is not running", info.name);
		*ret = snapshot_find(s, info.pid);
	} else if (str_int(call->args[0], &pid) == 0 && pid > 0) {
		*ret = snapshot_find(s, pid);
	} else {
		return err_say(e, "%s: no such container or process", call->args[0]);
	}
	return *ret == NO_PROC ? err_say(e, "%s: no such container or process", call->args[0]) : 0;
}

static int tree(const struct cmd_call *call, struct err *e)
{
	const struct tree_opts *o = call->opts;
	struct names names = { 0 };
	struct tree_style style = {
		.ascii = o->ascii, .kernel_threads = o->kernel, .name_of = name_of, .data = &names
	};
	autolife life = LIFE_NONE;
	struct err no_state = { 0 };
	struct snapshot s;
	autotext t = { 0 };
	uint32_t top;
	int r;

	/* the processes are there to be seen whether or not there is a state folder */
	if (cli_life(call, &life, &no_state) < 0 ||
		life_list(&life, false, call->arena, &names.items, &names.n, &no_state) < 0)
		log_err(&no_state);
	r = snapshot_read("/proc", SNAP_ARGS | SNAP_ORIGIN, &s, e);
	if (r < 0)
		return r;
	r = find_top(call, &life, &s, &top, e);
	if (r == 0) {
		tree_render(&s, top, &style, &t);
		fputs(t.p ? t.p : "", stdout);
		if (s.n_refused)
			log_warn("the PID namespaces of %u processes are not ours to see; their "
				 "numbers "
				 "inside are missing",
				s.n_refused);
	}
	snapshot_done(&s);
	return r;
}

const struct cmd cmd_tree = {
	.name = "tree",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID]",
	.brief = "all processes as a tree, with the PID each has at every level",
	.max_args = 1,
	.opts = tree_opts,
	.opts_size = sizeof(struct tree_opts),
	.run = tree,
};
