/* SPDX-License-Identifier: Apache-2.0 */
/* images, rmi, tag, history: docker's tables and lines. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"

struct images_opts {
	bool all, quiet, no_trunc, digests, json;
	struct opt_list filters;
	const char *format;
};

static const struct opt images_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct images_opts, all), NULL,
		"there are no intermediate images: the same" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct images_opts, quiet), NULL, "IDs only" },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct images_opts, no_trunc), NULL, "whole IDs" },
	{ "digests", 0, OPT_FLAG, offsetof(struct images_opts, digests), NULL,
		"the registries' digests, too" },
	{ "filter", 'f', OPT_LIST, offsetof(struct images_opts, filters), "KEY=VALUE",
		"dangling, reference, label, before, since" },
	{ "format", 0, OPT_STRING, offsetof(struct images_opts, format), "COLUMN,...|json|TEMPLATE",
		"columns: repository tag digest id created created_at size containers; or docker's "
		"{{.Repository}}" },
	{ "json", 0, OPT_FLAG, offsetof(struct images_opts, json), NULL,
		"the same as --format json" },
	{ 0 },
};

struct row {
	const struct life_image *of;
	const char *repository, *tag, *digest; /* "<none>" where there is none */
};

struct listing {
	struct row *rows;
	size_t n;
	bool no_trunc;
};

static const struct row *at(const void *data, size_t row)
{
	return &((const struct listing *)data)->rows[row];
}

static void cell_repository(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->repository);
}

static void cell_tag(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->tag);
}

static void cell_digest(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->digest);
}

static void cell_id(const void *data, size_t row, struct text *t)
{
	const char *id = at(data, row)->of->image.id;

	if (((const struct listing *)data)->no_trunc)
		text_add(t, id);
	else
		text_addf(t, "%.12s", id + 7);
}

static void cell_created(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->of->created_ns)
		format_ago(t, at(data, row)->of->created_ns);
	else
		text_add(t, "N/A");
}

static void cell_created_at(const void *data, size_t row, struct text *t)
{
	format_time(t, at(data, row)->of->created_ns);
}

static void cell_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, at(data, row)->of->bytes);
}

/* docker's wording of a moment: Go's */
static void cell_go_time(const void *data, size_t row, struct text *t)
{
	format_go_time(t, at(data, row)->of->created_ns);
}

static void cell_unknown(const void *data, size_t row, struct text *t)
{
	(void)data;
	(void)row;
	text_add(t, "N/A");
}

static void cell_containers(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%zu", at(data, row)->of->containers);
}

static const struct col cols[] = {
	{ "repository", COL_TEXT, "its name", cell_repository },
	{ "tag", COL_TEXT, "which of that name", cell_tag },
	{ "digest", COL_TEXT, "what the registry knows it by", cell_digest },
	{ "id", COL_TEXT, "its configuration's digest", cell_id, "image id" },
	{ "created", COL_TEXT, "how long ago it was made", cell_created },
	{ "created_at", COL_TEXT, "when", cell_created_at },
	{ "size", COL_TEXT, "of its files", cell_size },
	{ "containers", COL_NUMBER, "how many use it", cell_containers },
	{ 0 },
};

static const struct go_field fields[] = {
	{ "Containers", "CONTAINERS", cell_containers, false },
	{ "CreatedAt", "CREATED AT", cell_go_time, false },
	{ "CreatedSince", "CREATED", cell_created, false },
	{ "Digest", "DIGEST", cell_digest, false },
	{ "ID", "IMAGE ID", cell_id, false },
	{ "Repository", "REPOSITORY", cell_repository, false },
	{ "SharedSize", "SHARED SIZE", cell_unknown, false },
	{ "Size", "SIZE", cell_size, false },
	{ "Tag", "TAG", cell_tag, false },
	{ "UniqueSize", "UNIQUE SIZE", cell_unknown, false },
	{ "VirtualSize", "SIZE", cell_size, true },
	{ 0 },
};

static const char *digest_for(const struct life_image *i, const char *name, size_t n)
{
	for (size_t j = 0; j < i->image.n_digests; j++)
		if (strncmp(i->image.digests[j], name, n) == 0 && i->image.digests[j][n] == '@')
			return i->image.digests[j] + n + 1;
	return "<none>";
}

static void add_rows(const struct life_image *i, struct arena *a, struct listing *to)
{
	for (size_t j = 0; j < i->image.n_names; j++) {
		const char *name = i->image.names[j], *colon = strrchr(name, ':');
		struct row *r = arena_grow(a, &to->rows, &to->n, sizeof(*r));

		r->of = i;
		r->repository = ref_familiar(arena_strndup(a, name, (size_t)(colon - name)));
		r->tag = colon + 1;
		r->digest = digest_for(i, name, (size_t)(colon - name));
	}
	if (!i->image.n_names) {
		struct row *r = arena_grow(a, &to->rows, &to->n, sizeof(*r));
		const char *full = i->image.n_digests ? i->image.digests[0] : NULL;

		*r = (struct row){ i, "<none>", "<none>", "<none>" };
		if (full) {
			r->repository = ref_familiar(arena_strndup(a, full, strcspn(full, "@")));
			r->digest = strchr(full, '@') + 1;
		}
	}
}

static bool label_fits(const struct life_image *i, const char *wanted)
{
	size_t n = strcspn(wanted, "=");

	for (size_t j = 0; j < i->config.n_labels; j++)
		if (strncmp(i->config.labels[j].key, wanted, n) == 0 &&
			!i->config.labels[j].key[n] &&
			(!wanted[n] || str_eq(i->config.labels[j].value, wanted + n + 1)))
			return true;
	return false;
}

/* docker: a pattern without a tag fits every tag, one with slashes the whole name. */
static bool reference_fits(const struct row *r, const char *pattern, struct arena *a)
{
	const char *full = arena_printf(a, "%s:%s", r->repository, r->tag);

	return fnmatch(pattern, r->repository, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, full, FNM_PATHNAME) == 0;
}

struct filtering {
	const struct life *life;
	struct arena *arena;
};

static int fits(const struct filtering *f, const struct row *r, const char *filter, struct err *e)
{
	const char *value = strchr(filter, '=');
	struct life_image other;
	bool before;

	if (!value)
		return err_say(e, "--filter %s: key=value is wanted", filter);
	value++;
	if (str_starts(filter, "dangling=")) {
		if (!str_eq(value, "true") && !str_eq(value, "false"))
			return err_say(e, "--filter %s: true or false is wanted", filter);
		return !r || (r->of->image.n_names == 0) == str_eq(value, "true");
	}
	if (str_starts(filter, "reference="))
		return !r || reference_fits(r, value, f->arena);
	if (str_starts(filter, "label="))
		return !r || label_fits(r->of, value);
	before = str_starts(filter, "before=");
	if (!before && !str_starts(filter, "since="))
		return err_say(e,
			"--filter %s: dangling, reference, label, before and since are known",
			filter);
	if (life_image_find(f->life, value, f->arena, &other, e) < 0)
		return -e->code;
	if (!r)
		return 1;
	return before ? r->of->created_ns < other.created_ns : r->of->created_ns > other.created_ns;
}

static int filter_rows(const struct filtering *f, const struct opt_list *filters,
	const char *pattern, struct listing *list, struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < filters->n; i++)
		if (fits(f, NULL, filters->items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < list->n; i++) {
		bool all = !pattern || reference_fits(&list->rows[i], pattern, f->arena);

		for (size_t j = 0; all && j < filters->n; j++)
			all = fits(f, &list->rows[i], filters->items[j], e) == 1;
		if (all)
			list->rows[kept++] = list->rows[i];
	}
	list->n = kept;
	return 0;
}

static int print_rows(const struct cmd_call *call, const struct listing *list, struct err *e)
{
	const struct images_opts *o = call->opts;
	const char *format = o->format && !str_eq(o->format, "table") ? o->format : NULL;
	bool json = o->json || (format && str_eq(format, "json"));
	const char *usual = o->quiet ? "id"
			    : json   ? "repository,tag,digest,id,created,created_at,size,containers"
			    : o->digests ? "repository,tag,digest,id,created,size"
					 : "repository,tag,id,created,size";
	struct cols_style style = { .no_headings = o->quiet };
	const struct col **picked;
	autotext t = { 0 };

	if (format && !o->quiet && !o->json && go_format_is(format)) {
		struct go_rows rows = { .fields = fields, .data = list, .n = list->n };

		if (go_format_print(format, &rows, call->arena, &t, e) < 0)
			return -e->code;
	} else {
		if (cols_pick(cols, usual, json ? NULL : format, call->arena, &picked, e) < 0)
			return -e->code;
		if (o->json)
			cols_json(picked, list, list->n, &t);
		else
			cols_table(picked, list, list->n, &style, &t);
	}
	fputs(t.p ? t.p : "", stdout);
	return 0;
}

static int images(const struct cmd_call *call, struct err *e)
{
	const struct images_opts *o = call->opts;
	struct listing list = { .no_trunc = o->no_trunc || o->json };
	autolife life = LIFE_NONE;
	struct filtering f = { &life, call->arena };
	struct life_image *all;
	size_t n, kept = 0;

	if (cli_life(call, &life, e) < 0 || life_image_list(&life, call->arena, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		add_rows(&all[i], call->arena, &list);
	if (filter_rows(&f, &o->filters, call->n_args ? call->args[0] : NULL, &list, e) < 0)
		return -e->code;
	/* an image of many names is one ID */
	for (size_t i = 0; o->quiet && i < list.n; i++)
		if (!kept || list.rows[kept - 1].of != list.rows[i].of)
			list.rows[kept++] = list.rows[i];
	if (o->quiet)
		list.n = kept;
	return print_rows(call, &list, e);
}

const struct cmd cmd_images = {
	.name = "images",
	.group = CMD_IMAGES,
	.args = "[REPOSITORY[:TAG]]",
	.brief = "list images",
	.max_args = 1,
	.opts = images_opts,
	.opts_size = sizeof(struct images_opts),
	.run = images,
};

struct rmi_opts {
	bool force, no_prune;
};

static const struct opt rmi_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rmi_opts, force), NULL,
		"also by an ID of many names; from under a container that does not run" },
	{ 0 },
};

static int rmi(const struct cmd_call *call, struct err *e)
{
	const struct rmi_opts *o = call->opts;
	autolife life = LIFE_NONE;
	int code = 0;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		struct image_removed removed;
		struct err own = { 0 };

		if (life_image_remove(&life, call->args[i], o->force, call->arena, &removed, &own) <
			0) {
			log_err(&own);
			code = own.code == ERR_ABSENT && o->force ? code : 1;
			continue;
		}
		for (size_t j = 0; j < removed.n; j++)
			puts(removed.lines[j]);
		if (removed.busy)
			log_warn("images are being made: what this frees goes with the next `clade "
				 "image prune`");
	}
	return code;
}

const struct cmd cmd_rmi = {
	.name = "rmi",
	.group = CMD_IMAGES,
	.args = "IMAGE...",
	.brief = "remove names of images, and images with their last one",
	.min_args = 1,
	.max_args = -1,
	.opts = rmi_opts,
	.opts_size = sizeof(struct rmi_opts),
	.run = rmi,
};

static int tag(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	return cli_life(call, &life, e) < 0 ||
			       life_image_tag(&life, call->args[0], call->args[1], e) < 0
		       ? -e->code
		       : 0;
}

const struct cmd cmd_tag = {
	.name = "tag",
	.group = CMD_IMAGES,
	.args = "IMAGE NAME[:TAG]",
	.brief = "give an image one more name",
	.min_args = 2,
	.max_args = 2,
	.run = tag,
};
