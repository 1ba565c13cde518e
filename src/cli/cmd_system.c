/* SPDX-License-Identifier: Apache-2.0 */
/* system df, prune, check: what is on disk, and whether it is well. */
#include <stdio.h>

#include "base/cols.h"
#include "base/str.h"
#include "cli/images.h"
#include "life/volumes.h"

struct df_row {
	const char *type;
	size_t total, active;
	int64_t bytes, reclaimable;
};

static const struct df_row *at(const void *data, size_t row)
{
	return &((const struct df_row *)data)[row];
}

static void cell_type(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->type);
}

static void cell_total(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", at(data, row)->total);
}

static void cell_active(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", at(data, row)->active);
}

static void cell_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, at(data, row)->bytes);
}

static void cell_reclaimable(const void *data, size_t row, struct text *t)
{
	const struct df_row *r = at(data, row);

	format_bytes(t, r->reclaimable);
	if (r->bytes)
		text_addf(t, " (%lld%%)", (long long)(r->reclaimable * 100 / r->bytes));
}

static const struct col df_cols[] = {
	{ "type", COL_TEXT, "what", cell_type },
	{ "total", COL_NUMBER, "how many", cell_total },
	{ "active", COL_NUMBER, "used by a container; running", cell_active },
	{ "size", COL_TEXT, "of their files", cell_size },
	{ "reclaimable", COL_TEXT, "what prune would free", cell_reclaimable },
	{ 0 },
};

struct df_opts {
	bool json, verbose;
	const char *format;
};

static const struct opt df_opts[] = {
	{ "format", 0, OPT_STRING, offsetof(struct df_opts, format), "COLUMN,...|json",
		"columns: type total active size reclaimable" },
	{ "json", 0, OPT_FLAG, offsetof(struct df_opts, json), NULL, "the same as --format json" },
	{ "verbose", 'v', OPT_FLAG, offsetof(struct df_opts, verbose), NULL,
		"each image, container and volume" },
	{ 0 },
};

static int df(const struct cmd_call *call, struct err *e)
{
	const struct df_opts *o = call->opts;
	bool json = o->json || (o->format && str_eq(o->format, "json"));
	struct cols_style style = { 0 };
	const struct col **picked;
	struct life_usage u;
	autolife life = LIFE_NONE;
	autotext t = { 0 };

	if (o->verbose && (json || o->format))
		return err_say(e, "-v and --format cannot be used together");
	if (cli_life(call, &life, e) < 0 || life_system_df(&life, call->arena, &u, e) < 0 ||
		cols_pick(df_cols, "type,total,active,size,reclaimable", json ? NULL : o->format,
			call->arena, &picked, e) < 0)
		return -e->code;
	if (o->verbose) {
		cli_df_verbose(&u, &t);
	} else {
		struct df_row rows[] = { { "Images", u.images, u.images_used, u.image_bytes,
						 u.image_reclaimable },
			{ "Containers", u.containers, u.containers_running, u.container_bytes,
				u.container_reclaimable },
			{ "Local Volumes", u.volumes, u.volumes_used, u.volume_bytes,
				u.volume_reclaimable } };

		if (json)
			cols_json(picked, rows, ARRAY_LEN(rows), &t);
		else
			cols_table(picked, rows, ARRAY_LEN(rows), &style, &t);
	}
	fputs(t.p, stdout);
	return 0;
}

static const struct cmd system_df = {
	.name = "df",
	.brief = "how much disk images, containers and volumes take",
	.max_args = 0,
	.opts = df_opts,
	.opts_size = sizeof(struct df_opts),
	.run = df,
};

struct prune_opts {
	bool all, force, volumes;
	struct opt_list filters;
};

static const struct opt prune_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct prune_opts, all), NULL,
		"all images that no container uses, not only those without a name" },
	{ "force", 'f', OPT_FLAG, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ "volumes", 0, OPT_FLAG, offsetof(struct prune_opts, volumes), NULL,
		"volumes without a name of their own, too" },
	{ "filter", 0, OPT_LIST, offsetof(struct prune_opts, filters), "KEY=VALUE",
		"until=24h, label=KEY[=VALUE] (of images)" },
	{ 0 },
};

static int prune(const struct cmd_call *call, struct err *e)
{
	const struct prune_opts *o = call->opts;
	struct image_pruning how = { .all = o->all };
	struct image_removed removed;
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	struct opt_list none = { 0 };
	int64_t bytes = 0;
	const char **ids;
	size_t n;

	if (cli_pruning(&o->filters, call->arena, &how, e) < 0 || cli_life(call, &life, e) < 0)
		return -e->code;
	if (!cli_sure(o->all ? "WARNING! This will remove:\n  - all stopped containers\n  - all "
			       "images without at least one container associated to them\n\n"
			     : "WARNING! This will remove:\n  - all stopped containers\n  - all "
			       "dangling images\n\n",
		    o->force))
		return 0;
	if (life_prune_containers(&life, how.before_ns, call->arena, &ids, &n, e) < 0)
		return -e->code;
	if (n)
		puts("Deleted Containers:");
	for (size_t i = 0; i < n; i++)
		puts(ids[i]);
	if (n)
		puts("");
	if (life_image_prune(&life, &how, call->arena, &removed, e) < 0)
		return -e->code;
	cli_print_removed(&removed);
	if (o->volumes &&
		life_volume_prune(&life, false, &none, call->arena, &ids, &n, &bytes, e) < 0)
		return -e->code;
	if (o->volumes && n)
		puts("Deleted Volumes:");
	for (size_t i = 0; o->volumes && i < n; i++)
		puts(ids[i]);
	format_bytes(&t, removed.bytes + bytes);
	printf("Total reclaimed space: %s\n", t.p);
	return 0;
}

static const struct cmd system_prune = {
	.name = "prune",
	.brief = "remove containers that do not run, and images that nobody uses",
	.max_args = 0,
	.opts = prune_opts,
	.opts_size = sizeof(struct prune_opts),
	.run = prune,
};

static const struct opt check_opts[] = {
	{ "repair", 'r', OPT_FLAG, offsetof(struct check_how, repair), NULL,
		"make good what can be" },
	{ "quick", 'q', OPT_FLAG, offsetof(struct check_how, quick), NULL,
		"only whether everything is there" },
	{ 0 },
};

static int check(const struct cmd_call *call, struct err *e)
{
	struct check_found found;
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0 ||
		life_system_check(&life, call->opts, call->arena, &found, e) < 0)
		return -e->code;
	for (size_t i = 0; i < found.n; i++)
		puts(found.problems[i]);
	printf("%zu images, %zu layers, %zu blobs: %zu problems", found.images, found.layers,
		found.blobs, found.n);
	if (found.repaired)
		printf(", %zu of them repaired", found.repaired);
	puts("");
	return found.n > found.repaired ? 1 : 0;
}

static const struct cmd system_check = {
	.name = "check",
	.brief = "verify the store: each blob by its digest, each layer against its archive",
	.more = "Exit code 1: there are problems, and they were not repaired.",
	.max_args = 0,
	.opts = check_opts,
	.opts_size = sizeof(struct check_how),
	.run = check,
};

static int sub(const struct cmd_call *call, struct err *e)
{
	static const struct cmd *const list[] = { &system_df, &system_prune, &system_check, NULL };

	return cli_sub(call, list, e);
}

const struct cmd cmd_system = {
	.name = "system",
	.group = CMD_OTHER,
	.args = "df|prune|check ...",
	.brief = "what is on disk: how much, what can go, is it well",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.run = sub,
};
