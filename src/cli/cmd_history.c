/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/cols.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"

struct history_opts {
	bool quiet, no_trunc, json;
	const char *format;
	bool human;
};

static const struct opt history_opts[] = {
	{ "quiet", 'q', OPT_FLAG, offsetof(struct history_opts, quiet), NULL, "IDs only" },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct history_opts, no_trunc), NULL,
		"do not shorten" },
	{ "human", 'H', OPT_FLAG, offsetof(struct history_opts, human), NULL,
		"sizes and times for people (default true)" },
	{ "format", 0, OPT_STRING, offsetof(struct history_opts, format),
		"COLUMN,...|json|TEMPLATE",
		"columns: id created created_at created_by size comment" },
	{ "json", 0, OPT_FLAG, offsetof(struct history_opts, json), NULL,
		"the same as --format json" },
	{ 0 },
};

struct step {
	const struct image_step *of;
	const char *id; /* "<missing>" but for the last */
	int64_t bytes;
};

struct listing {
	struct step *rows;
	size_t n;
	bool no_trunc, human;
};

static const struct step *at(const void *data, size_t row)
{
	return &((const struct listing *)data)->rows[row];
}

static void cell_id(const void *data, size_t row, struct text *t)
{
	const char *id = at(data, row)->id;

	if (((const struct listing *)data)->no_trunc || !str_starts(id, "sha256:"))
		text_add(t, id);
	else
		text_addf(t, "%.12s", id + 7);
}

static void cell_created(const void *data, size_t row, struct text *t)
{
	int64_t ns = life_time_of(at(data, row)->of->created);

	if (!((const struct listing *)data)->human)
		text_add(t, at(data, row)->of->created);
	else if (ns)
		format_ago(t, ns);
	else
		text_add(t, "N/A");
}

static void cell_created_at(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->of->created);
}

static void cell_created_by(const void *data, size_t row, struct text *t)
{
	const char *by = at(data, row)->of->created_by;

	if (((const struct listing *)data)->no_trunc || strlen(by) <= 45)
		text_add(t, by);
	else
		text_addf(t, "%.44s…", by);
}

static void cell_size(const void *data, size_t row, struct text *t)
{
	if (((const struct listing *)data)->human)
		format_bytes(t, at(data, row)->bytes);
	else
		text_addf(t, "%lld", (long long)at(data, row)->bytes);
}

static void cell_comment(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->of->comment);
}

static const struct col cols[] = {
	{ "image", COL_TEXT, "the image's ID, on its last step", cell_id },
	{ "id", COL_TEXT, "the same", cell_id },
	{ "created", COL_TEXT, "how long ago", cell_created },
	{ "created_at", COL_TEXT, "when", cell_created_at },
	{ "created_by", COL_TEXT, "by which command", cell_created_by, "created by" },
	{ "size", COL_TEXT, "of the step's files", cell_size },
	{ "comment", COL_TEXT, "what was said of it", cell_comment },
	{ 0 },
};

static const struct go_field fields[] = {
	{ "Comment", "COMMENT", cell_comment, false },
	{ "CreatedAt", "CREATED AT", cell_created_at, false },
	{ "CreatedBy", "CREATED BY", cell_created_by, false },
	{ "CreatedSince", "CREATED", cell_created, false },
	{ "ID", "IMAGE", cell_id, false },
	{ "Size", "SIZE", cell_size, false },
	{ 0 },
};

/* Newest first; a step that made no layer has no size. */
static void add_steps(const struct life_image *i, struct arena *a, struct listing *to)
{
	size_t layer = 0;

	to->rows = arena_array(a, i->config.n_steps + 1, sizeof(*to->rows));
	to->n = i->config.n_steps;
	for (size_t j = 0; j < to->n; j++) {
		struct step *s = &to->rows[to->n - 1 - j];

		*s = (struct step){ &i->config.steps[j], "<missing>", 0 };
		if (!i->config.steps[j].empty_layer && layer < i->image.n_layers)
			s->bytes = i->image.layers[layer++].bytes;
	}
	if (to->n)
		to->rows[0].id = i->image.id;
}

static int history(const struct cmd_call *call, struct err *e)
{
	const struct history_opts *o = call->opts;
	const char *format = o->format && !str_eq(o->format, "table") ? o->format : NULL;
	bool json = o->json || (format && str_eq(format, "json"));
	struct listing list = { .no_trunc = o->no_trunc || o->json, .human = o->human };
	const char *usual = o->quiet ? "id"
			    : json   ? "id,created,created_at,created_by,size,comment"
				     : "image,created,created_by,size,comment";
	struct cols_style style = { .no_headings = o->quiet };
	const struct col **picked;
	autolife life = LIFE_NONE;
	struct life_image image;
	autotext t = { 0 };

	if (cli_life(call, &life, e) < 0 ||
		life_image_find(&life, call->args[0], call->arena, &image, e) < 0)
		return -e->code;
	add_steps(&image, call->arena, &list);
	if (format && !o->quiet && !o->json && go_format_is(format)) {
		struct go_rows rows = { .fields = fields, .data = &list, .n = list.n };

		if (go_format_print(format, &rows, call->arena, &t, e) < 0)
			return -e->code;
	} else {
		if (cols_pick(cols, usual, json ? NULL : format, call->arena, &picked, e) < 0)
			return -e->code;
		if (o->json)
			cols_json(picked, &list, list.n, &t);
		else
			cols_table(picked, &list, list.n, &style, &t);
	}
	fputs(t.p ? t.p : "", stdout);
	return 0;
}

static void history_init(void *opts)
{
	((struct history_opts *)opts)->human = true;
}

const struct cmd cmd_history = {
	.name = "history",
	.group = CMD_IMAGES,
	.args = "IMAGE",
	.brief = "how an image was made, step by step",
	.min_args = 1,
	.max_args = 1,
	.opts = history_opts,
	.opts_size = sizeof(struct history_opts),
	.init = history_init,
	.run = history,
};
