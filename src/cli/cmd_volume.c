/* SPDX-License-Identifier: Apache-2.0 */
/* volume create, ls, rm, inspect, prune. */
#include <stdio.h>
#include <string.h>

#include "base/cols.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"
#include "life/volumes.h"

struct create_opts {
	struct opt_list labels, options;
	const char *driver;
};

static const struct opt create_opts[] = {
	{ "label", 0, OPT_LIST, offsetof(struct create_opts, labels), "KEY=VALUE", "metadata" },
	{ "driver", 'd', OPT_STRING, offsetof(struct create_opts, driver), "NAME",
		"local, a folder below the data root, is the only one" },
	{ "opt", 'o', OPT_LIST, offsetof(struct create_opts, options), "KEY=VALUE",
		"type=, device=, o= of mount(8): mounted instead of the folder" },
	{ 0 },
};

static int create(const struct cmd_call *call, struct err *e)
{
	const struct create_opts *o = call->opts;
	autolife life = LIFE_NONE;
	const char *name;

	if (o->driver && !str_eq(o->driver, "local"))
		return err_say(e, "--driver %s: only local is known", o->driver);
	if (cli_life(call, &life, e) < 0 ||
		life_volume_create(&life, call->n_args ? call->args[0] : NULL, &o->labels,
			&o->options, call->arena, &name, e) < 0)
		return -e->code;
	puts(name);
	return 0;
}

struct ls_opts {
	bool quiet;
	struct opt_list filters;
	const char *format;
};

static const struct opt ls_opts[] = {
	{ "quiet", 'q', OPT_FLAG, offsetof(struct ls_opts, quiet), NULL, "names only" },
	{ "filter", 'f', OPT_LIST, offsetof(struct ls_opts, filters), "KEY=VALUE",
		"dangling, driver, label, name" },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "COLUMN,...|json|TEMPLATE",
		"columns: driver volume_name labels mountpoint created; or docker's {{.Name}}" },
	{ 0 },
};

static const struct volume *at(const void *data, size_t row)
{
	return &((const struct volume *)data)[row];
}

static void cell_driver(const void *data, size_t row, struct text *t)
{
	(void)data;
	(void)row;
	text_add(t, "local");
}

static void cell_name(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->name);
}

static void cell_path(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->path);
}

static void cell_created(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->created);
}

static void cell_labels(const void *data, size_t row, struct text *t)
{
	const struct volume *v = at(data, row);

	for (size_t i = 0; i < v->n_labels; i++)
		text_addf(t, "%s%s=%s", i ? "," : "", v->labels[i].key, v->labels[i].value);
}

static const struct col cols[] = {
	{ "driver", COL_TEXT, "local", cell_driver },
	{ "volume_name", COL_TEXT, "its name", cell_name },
	{ "labels", COL_TEXT, "key=value,...", cell_labels },
	{ "mountpoint", COL_TEXT, "its folder on the host", cell_path },
	{ "created", COL_TEXT, "when it was made", cell_created },
	{ 0 },
};

static void cell_scope(const void *data, size_t row, struct text *t)
{
	cell_driver(data, row, t);
}

static void add_row_labels(const void *data, size_t row, struct json_writer *w)
{
	const struct volume *v = at(data, row);

	for (size_t i = 0; i < v->n_labels; i++)
		json_string(w, v->labels[i].key, v->labels[i].value);
}

static const struct go_field fields[] = {
	{ "Driver", "DRIVER", cell_driver, false },
	{ "Labels", "LABELS", cell_labels, false },
	{ "Mountpoint", "MOUNTPOINT", cell_path, false },
	{ "Name", "VOLUME NAME", cell_name, false },
	{ "Scope", "SCOPE", cell_scope, false },
	{ 0 },
};

/* 1: fits, 0: does not. */
static int fits(const struct volume *v, const char *f, struct err *e)
{
	if (str_starts(f, "dangling=")) {
		bool wanted = str_eq(f + 9, "true") || str_eq(f + 9, "1");

		if (!wanted && !str_eq(f + 9, "false") && !str_eq(f + 9, "0"))
			return err_say(e, "--filter %s: true or false is wanted", f);
		return (v->links > 0) != wanted;
	}
	if (str_starts(f, "name="))
		return strstr(v->name, f + 5) != NULL;
	if (str_starts(f, "label="))
		return life_volume_has(v, f + 6);
	if (str_starts(f, "driver="))
		return str_eq(f + 7, "local");
	return err_say(e, "--filter %s: dangling, driver, label and name are known", f);
}

static int ls(const struct cmd_call *call, struct err *e)
{
	const struct ls_opts *o = call->opts;
	bool json = o->format && str_eq(o->format, "json");
	struct cols_style style = { .no_headings = o->quiet };
	static const struct volume nothing = { .name = "" };
	const struct col **picked;
	struct volume *items;
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	size_t all, n = 0;

	for (size_t j = 0; j < o->filters.n; j++)
		if (fits(&nothing, o->filters.items[j], e) < 0)
			return -e->code;
	if (cli_life(call, &life, e) < 0 ||
		life_volume_list(&life, call->arena, &items, &all, e) < 0)
		return -e->code;
	for (size_t i = 0; i < all; i++) {
		bool wanted = true;

		for (size_t j = 0; j < o->filters.n; j++)
			wanted &= fits(&items[i], o->filters.items[j], e) > 0;
		if (wanted)
			items[n++] = items[i];
	}
	if (o->format && !o->quiet && !json && go_format_is(o->format)) {
		struct go_rows rows = { fields, items, n, add_row_labels };

		if (go_format_print(o->format, &rows, call->arena, &t, e) < 0)
			return -e->code;
		fputs(t.p ? t.p : "", stdout);
		return 0;
	}
	if (cols_pick(cols,
		    o->quiet ? "volume_name"
		    : json   ? "driver,volume_name,labels,mountpoint,created"
			     : "driver,volume_name",
		    json || !o->format || str_eq(o->format, "table") ? NULL : o->format,
		    call->arena, &picked, e) < 0)
		return -e->code;
	if (json)
		cols_json(picked, items, n, &t);
	else
		cols_table(picked, items, n, &style, &t);
	if (t.p)
		fputs(t.p, stdout);
	return 0;
}

struct rm_opts {
	bool force;
};

static const struct opt rm_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rm_opts, force), NULL,
		"one that is not there is no failure" },
	{ 0 },
};

static int rm_one(const struct life *l, const char *name, const void *opts, struct err *e)
{
	const struct rm_opts *o = opts;
	int r = life_volume_remove(l, name, e);

	return r < 0 && e->code == ERR_ABSENT && o->force ? 0 : r;
}

static int rm(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, rm_one, e);
}

static void add_volume(struct json_writer *w, const struct volume *v)
{
	json_begin(w, NULL, '{');
	json_string(w, "CreatedAt", v->created);
	json_string(w, "Driver", "local");
	json_begin(w, "Labels", '{');
	for (size_t i = 0; i < v->n_labels; i++)
		json_string(w, v->labels[i].key, v->labels[i].value);
	json_end(w, '}');
	json_string(w, "Mountpoint", v->path);
	json_string(w, "Name", v->name);
	if (v->type) {
		json_begin(w, "Options", '{');
		json_string(w, "device", v->device);
		if (v->o)
			json_string(w, "o", v->o);
		json_string(w, "type", v->type);
		json_end(w, '}');
	} else {
		json_null(w, "Options");
	}
	json_string(w, "Scope", "local");
	json_end(w, '}');
}

static int inspect_one(const struct life *l, const char *ref, struct arena *a,
	struct json_writer *w, struct err *e)
{
	struct volume v;
	int r = life_volume_find(l, ref, a, &v, e);

	if (r == 0)
		add_volume(w, &v);
	return r;
}

static int inspect(const struct cmd_call *call, struct err *e)
{
	return cli_inspect_each(call, inspect_one, e);
}

struct prune_opts {
	bool all, force;
	struct opt_list filters;
};

static const struct opt prune_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct prune_opts, all), NULL,
		"those with a name of their own, too" },
	{ "force", 'f', OPT_FLAG, offsetof(struct prune_opts, force), NULL, "do not ask" },
	{ "filter", 0, OPT_LIST, offsetof(struct prune_opts, filters), "KEY=VALUE",
		"label=KEY[=VALUE]" },
	{ 0 },
};

static int prune(const struct cmd_call *call, struct err *e)
{
	const struct prune_opts *o = call->opts;
	struct opt_list labels = {
		arena_array(call->arena, o->filters.n + 1, sizeof(*labels.items)), 0
	};
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	const char **names;
	int64_t bytes;
	size_t n;

	for (size_t i = 0; i < o->filters.n; i++) {
		if (!str_starts(o->filters.items[i], "label="))
			return err_say(
				e, "--filter %s: label=KEY[=VALUE] is known", o->filters.items[i]);
		labels.items[labels.n++] = o->filters.items[i] + 6;
	}
	if (!cli_sure(o->all ? "WARNING! This will remove all local volumes not used by at least "
			       "one container.\n"
			     : "WARNING! This will remove anonymous local volumes not used by at "
			       "least one container.\n",
		    o->force))
		return 0;
	if (cli_life(call, &life, e) < 0 ||
		life_volume_prune(&life, o->all, &labels, call->arena, &names, &n, &bytes, e) < 0)
		return -e->code;
	if (n)
		puts("Deleted Volumes:");
	for (size_t i = 0; i < n; i++)
		puts(names[i]);
	if (n)
		puts("");
	format_bytes(&t, bytes);
	printf("Total reclaimed space: %s\n", t.p);
	return 0;
}

static const struct cmd volume_create = {
	.name = "create",
	.args = "[NAME]",
	.brief = "make a volume",
	.max_args = 1,
	.opts = create_opts,
	.opts_size = sizeof(struct create_opts),
	.run = create,
};

static const struct cmd volume_ls = {
	.name = "ls",
	.brief = "list volumes",
	.max_args = 0,
	.opts = ls_opts,
	.opts_size = sizeof(struct ls_opts),
	.run = ls,
};

static const struct cmd volume_rm = {
	.name = "rm",
	.args = "VOLUME...",
	.brief = "remove volumes that no container has",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = rm,
};

static const struct cmd volume_inspect = {
	.name = "inspect",
	.args = "VOLUME...",
	.brief = "everything about volumes, as JSON",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_format_opts,
	.opts_size = sizeof(struct inspect_format),
	.run = inspect,
};

static const struct cmd volume_prune = {
	.name = "prune",
	.brief = "remove volumes that no container has",
	.max_args = 0,
	.opts = prune_opts,
	.opts_size = sizeof(struct prune_opts),
	.run = prune,
};

static int sub(const struct cmd_call *call, struct err *e)
{
	static const struct cmd *const list[] = { &volume_create, &volume_ls, &volume_rm,
		&volume_inspect, &volume_prune, NULL };

	return cli_sub(call, list, e);
}

const struct cmd cmd_volume = {
	.name = "volume",
	.group = CMD_RUNNING,
	.args = "create|ls|rm|inspect|prune ...",
	.brief = "folders that outlive containers",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.run = sub,
};
