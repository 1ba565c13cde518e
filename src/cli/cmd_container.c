/* SPDX-License-Identifier: Apache-2.0 */
/* `container VERB`: docker's long form of the commands of containers; only prune is its own. */
#include <stdio.h>

#include "base/str.h"
#include "cli/images.h"

struct prune_opts {
	bool force;
	struct opt_list filters;
};

static const struct opt prune_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ "filter", 0, OPT_LIST, offsetof(struct prune_opts, filters), "KEY=VALUE",
		"until=DURATION: made longer ago" },
	{ 0 },
};

static int prune(const struct cmd_call *call, struct err *e)
{
	const struct prune_opts *o = call->opts;
	struct image_pruning how = { 0 };
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	struct life_info *all;
	int64_t bytes = 0;
	const char **ids;
	size_t n, n_all;

	if (cli_pruning(&o->filters, call->arena, &how, e) < 0)
		return -e->code;
	if (how.n_labels)
		return err_say(e, "--filter label=%s: until=DURATION is known", how.labels[0]);
	if (!cli_sure("WARNING! This will remove all stopped containers.\n", o->force))
		return 0;
	if (cli_life(call, &life, e) < 0 ||
		life_list(&life, true, call->arena, &all, &n_all, e) < 0 ||
		life_add_sizes(&life, all, n_all, e) < 0 ||
		life_prune_containers(&life, how.before_ns, call->arena, &ids, &n, e) < 0)
		return -e->code;
	if (n)
		puts("Deleted Containers:");
	for (size_t i = 0; i < n; i++) {
		puts(ids[i]);
		for (size_t j = 0; j < n_all; j++)
			bytes += str_eq(all[j].id, ids[i]) ? all[j].own_bytes : 0;
	}
	if (n)
		puts("");
	format_bytes(&t, bytes);
	printf("Total reclaimed space: %s\n", t.p);
	return 0;
}

static const struct cmd container_prune = {
	.name = "prune",
	.brief = "remove containers that do not run",
	.max_args = 0,
	.opts = prune_opts,
	.opts_size = sizeof(struct prune_opts),
	.run = prune,
};

static int sub(const struct cmd_call *call, struct err *e)
{
	static struct cmd ls;
	const struct cmd *const list[] = { &ls, &cmd_ps, &cmd_run, &cmd_create, &cmd_start,
		&cmd_exec, &cmd_attach, &cmd_logs, &cmd_inspect, &cmd_wait, &cmd_stop, &cmd_kill,
		&cmd_restart, &cmd_pause, &cmd_unpause, &cmd_update, &cmd_rm, &cmd_rename, &cmd_cp,
		&cmd_diff, &cmd_export, &cmd_stats, &cmd_top, &cmd_port, &cmd_commit,
		&container_prune, NULL };

	ls = cmd_ps;
	ls.name = "ls";
	return cli_sub(call, list, e);
}

const struct cmd cmd_container = {
	.name = "container",
	.group = CMD_RUNNING,
	.args = "ls|run|exec|rm|prune|... ...",
	.brief = "the commands of containers by their long names, and prune",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.enters = true,
	.run = sub,
};
