/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/cols.h"
#include "base/str.h"
#include "cli/go_format.h"
#include "cli/images.h"
#include "cli/table.h"

struct ps_opts {
	struct table_opts table; /* of -A */
	bool all, quiet, no_trunc, latest, processes, json, size;
	int last;
	struct opt_list filters;
	const char *format;
};

static const struct opt ps_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct ps_opts, all), NULL, "those that do not run, too" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct ps_opts, quiet), NULL, "IDs only" },
	{ "filter", 'f', OPT_LIST, offsetof(struct ps_opts, filters), "KEY=VALUE",
		"id, name, label, status, exited, health, ancestor, network, volume, before, "
		"since; "
		"with -A: COLUMN=TEXT, !=, ~, <, >" },
	{ "format", 0, OPT_STRING, offsetof(struct ps_opts, format), "COLUMN,...|json|TEMPLATE",
		"columns: id image command created status ports names pid labels exit restarts "
		"full_id size; or docker's {{.Names}}" },
	{ "last", 'n', OPT_INT, offsetof(struct ps_opts, last), "N", "the N newest, in any state" },
	{ "processes", 'A', OPT_FLAG, offsetof(struct ps_opts, processes), NULL,
		"processes of the whole host instead of containers" },
	{ "output", 'o', OPT_STRING, offsetof(struct ps_opts, format), "COLUMN,...",
		"the same as --format" },
	{ "json", 0, OPT_FLAG, offsetof(struct ps_opts, json), NULL, "an array of our columns" },
	{ "sort", 0, OPT_STRING, offsetof(struct ps_opts, table.sort), "[-]COLUMN,...",
		"with -A: order of the rows, - for descending" },
	{ "raw", 'r', OPT_FLAG, offsetof(struct ps_opts, table.raw), NULL,
		"with -A: no alignment, blanks escaped" },
	{ "noheadings", 0, OPT_FLAG, offsetof(struct ps_opts, table.no_headings), NULL,
		"with -A: no headings" },
	TABLE_COLOUR(struct ps_opts, table.colour),
	{ "latest", 'l', OPT_FLAG, offsetof(struct ps_opts, latest), NULL,
		"the newest, in any state" },
	{ "size", 's', OPT_FLAG, offsetof(struct ps_opts, size), NULL,
		"what each has changed, and with its image" },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct ps_opts, no_trunc), NULL, "do not shorten" },
	{ 0 },
};

struct listing {
	struct life_info *items;
	size_t n;
	bool no_trunc;
};

static const struct life_info *at(const void *data, size_t row)
{
	return &((const struct listing *)data)->items[row];
}

static void cell_id(const void *data, size_t row, struct text *t)
{
	bool whole = ((const struct listing *)data)->no_trunc;

	text_addf(t, "%.*s", whole ? 64 : 12, at(data, row)->id);
}

static void cell_full_id(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->id);
}

static void cell_image(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->image);
}

static void cell_command(const void *data, size_t row, struct text *t)
{
	const char *command = at(data, row)->command;

	if (((const struct listing *)data)->no_trunc || strlen(command) <= 20)
		text_addf(t, "\"%s\"", command);
	else
		text_addf(t, "\"%.19s…\"", command);
}

static void cell_created(const void *data, size_t row, struct text *t)
{
	format_ago(t, at(data, row)->created_ns);
}

static void cell_status(const void *data, size_t row, struct text *t)
{
	const struct life_info *i = at(data, row);

	if (i->status == LIFE_EXITED && i->lost && i->error)
		text_add(t, i->error);
	else
		format_status(t, i);
}

static void cell_state(const void *data, size_t row, struct text *t)
{
	text_add(t, life_status_word(at(data, row)->status));
}

static void cell_ports(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->ports_text ? at(data, row)->ports_text : "");
}

static void cell_size(const void *data, size_t row, struct text *t)
{
	format_bytes(t, at(data, row)->own_bytes);
	text_add(t, " (virtual ");
	format_bytes(t, at(data, row)->all_bytes);
	text_add(t, ")");
}

static void cell_names(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->name);
}

static void cell_pid(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->pid)
		text_addf(t, "%d", at(data, row)->pid);
}

static void cell_exit(const void *data, size_t row, struct text *t)
{
	if (at(data, row)->status == LIFE_EXITED)
		text_addf(t, "%d", at(data, row)->exit_code);
}

static void cell_restarts(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", at(data, row)->restart_count);
}

static void cell_labels(const void *data, size_t row, struct text *t)
{
	format_labels(t, &at(data, row)->labels);
}

static void cell_go_time(const void *data, size_t row, struct text *t)
{
	format_go_time(t, at(data, row)->created_ns);
}

static void cell_networks(const void *data, size_t row, struct text *t)
{
	const struct life_info *i = at(data, row);

	for (size_t j = 0; j < i->n_links; j++)
		text_addf(t, "%s%s", j ? "," : "", i->links[j].name);
	if (!i->n_links)
		text_add(t, i->network_mode ? i->network_mode : "");
}

static void add_row_labels(const void *data, size_t row, struct json_writer *w)
{
	format_label_members(w, &at(data, row)->labels);
}

static const struct go_field fields[] = {
	{ "Command", "COMMAND", cell_command, false },
	{ "CreatedAt", "CREATED AT", cell_go_time, false },
	{ "ID", "CONTAINER ID", cell_id, false },
	{ "Image", "IMAGE", cell_image, false },
	{ "Labels", "LABELS", cell_labels, false },
	{ "Names", "NAMES", cell_names, false },
	{ "Networks", "NETWORKS", cell_networks, false },
	{ "Ports", "PORTS", cell_ports, false },
	{ "RunningFor", "CREATED", cell_created, false },
	{ "State", "STATE", cell_state, false },
	{ "Status", "STATUS", cell_status, false },
	{ "Size", "SIZE", cell_size, false },
	{ "ExitCode", "EXIT CODE", cell_exit, true },
	{ "Pid", "PID", cell_pid, true },
	{ "Restarts", "RESTARTS", cell_restarts, true },
	{ 0 },
};

static const struct col cols[] = {
	{ "id", COL_TEXT, "the short ID", cell_id, "container id" },
	{ "image", COL_TEXT, "as it was named", cell_image },
	{ "command", COL_TEXT, "what runs in it", cell_command },
	{ "created", COL_TEXT, "how long ago", cell_created },
	{ "status", COL_TEXT, "state and since when", cell_status },
	{ "state", COL_TEXT, "created, running, paused, restarting, exited", cell_state },
	{ "ports", COL_TEXT, "published ports", cell_ports },
	{ "names", COL_TEXT, "its name", cell_names },
	{ "pid", COL_NUMBER, "its init, as the host numbers it", cell_pid },
	{ "exit", COL_NUMBER, "exit code", cell_exit },
	{ "restarts", COL_NUMBER, "how often it was started again", cell_restarts },
	{ "labels", COL_TEXT, "key=value,...", cell_labels },
	{ "full_id", COL_TEXT, "the whole ID", cell_full_id },
	{ "size", COL_TEXT, "what it has changed, and with its image", cell_size },
	{ 0 },
};

static bool label_fits(const struct life_info *i, const char *wanted)
{
	size_t n = strcspn(wanted, "=");

	for (size_t j = 0; j < i->labels.n; j++)
		if (strncmp(i->labels.items[j].key, wanted, n) == 0 && !i->labels.items[j].key[n] &&
			(!wanted[n] || str_eq(i->labels.items[j].value, wanted + n + 1)))
			return true;
	return false;
}

/* An image by its name, with or without its tag, or the beginning of its ID. */
static bool ancestor_fits(const struct life_info *i, const char *value)
{
	size_t n = strlen(value);

	if (str_eq(i->image, value) || (strncmp(i->image, value, n) == 0 && i->image[n] == ':'))
		return true;
	if (!i->image_id || !n)
		return false;
	return str_starts(i->image_id, value) ||
	       (n >= 4 && str_starts(i->image_id, "sha256:") &&
		       str_starts(i->image_id + strlen("sha256:"), value));
}

static bool network_fits(const struct life_info *i, const char *value)
{
	for (size_t j = 0; j < i->n_links; j++)
		if (str_eq(i->links[j].name, value) ||
			(i->links[j].id && *value && str_starts(i->links[j].id, value)))
			return true;
	return i->network_mode && str_eq(i->network_mode, value);
}

/* By its name; a path in the container is not known here. */
static bool volume_fits(const struct life_info *i, const char *value)
{
	size_t n = strlen(value);

	for (const char *s = i->volumes; s && n; s = strchr(s, ' '), s = s ? s + 1 : NULL)
		if (strncmp(s, value, n) == 0 && (!s[n] || s[n] == ' '))
			return true;
	return false;
}

/* before=X and since=X: made earlier or later than that container. */
static int beside(const struct life *l, const struct opt_list *filters, struct arena *a,
	struct listing *list, struct err *e)
{
	for (size_t j = 0; j < filters->n; j++) {
		bool before = str_starts(filters->items[j], "before=");
		struct life_info other;
		size_t n = 0;

		if (!before && !str_starts(filters->items[j], "since="))
			continue;
		if (life_inspect(l, strchr(filters->items[j], '=') + 1, a, &other, e) < 0)
			return -e->code;
		for (size_t i = 0; i < list->n; i++)
			if (before ? list->items[i].created_ns < other.created_ns
				   : list->items[i].created_ns > other.created_ns)
				list->items[n++] = list->items[i];
		list->n = n;
	}
	return 0;
}

/* 1: fits, 0: does not, or an error for what is no filter. */
static int fits(const struct life_info *i, const char *filter, struct err *e)
{
	const char *value = strchr(filter, '=');
	size_t n = value ? (size_t)(value - filter) : 0;
	int code;

	if (!value)
		return err_say(e, "--filter %s: key=value is wanted", filter);
	value++;
	if (n == 2 && strncmp(filter, "id", n) == 0)
		return str_starts(i->id, value);
	if (n == 4 && strncmp(filter, "name", n) == 0)
		return strstr(i->name, value[0] == '/' ? value + 1 : value) != NULL;
	if (n == 5 && strncmp(filter, "label", n) == 0)
		return label_fits(i, value);
	if (n == 6 && strncmp(filter, "status", n) == 0) {
		for (enum life_status s = LIFE_CREATED; s <= LIFE_EXITED; s++)
			if (str_eq(life_status_word(s), value))
				return i->status == s;
		return err_say(e, "--filter %s: no such status", filter);
	}
	if (n == 6 && strncmp(filter, "exited", n) == 0) {
		if (str_int(value, &code) < 0)
			return err_say(e, "--filter %s: an exit code is wanted", filter);
		return i->status == LIFE_EXITED && i->exit_code == code;
	}
	if (n == 8 && strncmp(filter, "ancestor", n) == 0)
		return ancestor_fits(i, value);
	if (n == 7 && strncmp(filter, "network", n) == 0)
		return network_fits(i, value);
	if (n == 6 && strncmp(filter, "volume", n) == 0)
		return volume_fits(i, value);
	/* these need the others: beside() has answered them */
	if ((n == 6 && strncmp(filter, "before", n) == 0) ||
		(n == 5 && strncmp(filter, "since", n) == 0))
		return 1;
	if (n == 6 && strncmp(filter, "health", n) == 0) {
		if (!str_eq(value, "starting") && !str_eq(value, "healthy") &&
			!str_eq(value, "unhealthy") && !str_eq(value, "none"))
			return err_say(e,
				"--filter %s: starting, healthy, unhealthy or none is wanted",
				filter);
		return str_eq(i->health_status ? i->health_status : "none", value);
	}
	return err_say(e,
		"--filter %s: id, name, label, status, exited, health, ancestor, network, "
		"volume, before and since are known",
		filter);
}

/* docker: filters of one key are alternatives, different keys are all wanted. */
static int fits_all(const struct life_info *i, const struct opt_list *filters, struct err *e)
{
	for (size_t j = 0; j < filters->n; j++) {
		size_t n = strcspn(filters->items[j], "=");
		int any = 0;

		for (size_t k = 0; k < filters->n; k++) {
			int r;

			if (strncmp(filters->items[k], filters->items[j], n + 1) != 0)
				continue;
			r = fits(i, filters->items[k], e);
			if (r < 0)
				return r;
			any |= r;
			/* labels are all wanted */
			if (!r && n == 5 && k == j)
				return 0;
		}
		if (!any)
			return 0;
	}
	return 1;
}

static bool asks_for_state(const struct opt_list *filters)
{
	for (size_t i = 0; i < filters->n; i++)
		if (str_starts(filters->items[i], "status=") ||
			str_starts(filters->items[i], "exited="))
			return true;
	return false;
}

/* -A: the same words, meant for processes. */
static int processes(const struct cmd_call *call, const struct ps_opts *o, bool json, struct err *e)
{
	struct table_opts t = o->table;

	t.json = json;
	t.columns = json && !o->json ? NULL : o->format;
	t.filters = o->filters;
	t.no_headings |= o->quiet;
	if (o->quiet && !t.columns)
		t.columns = "pid";
	return cmd_ps_processes(call, &t, e);
}

static int ps(const struct cmd_call *call, struct err *e)
{
	const struct ps_opts *o = call->opts;
	bool all = o->all || o->last > 0 || o->latest || asks_for_state(&o->filters);
	bool json = o->json || (o->format && str_eq(o->format, "json"));
	struct listing list = { .no_trunc = o->no_trunc || o->json };
	static const struct life_info nothing = { .id = "", .name = "", .image = "" };
	struct cols_style style = { .no_headings = o->quiet };
	const struct col **picked;
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	size_t n = 0;

	if (o->processes)
		return processes(call, o, json, e);
	/* a filter's mistake is one with nothing to filter, too */
	if (fits_all(&nothing, &o->filters, e) < 0 || cli_life(call, &life, e) < 0 ||
		life_list(&life, all, call->arena, &list.items, &list.n, e) < 0 ||
		beside(&life, &o->filters, call->arena, &list, e) < 0)
		return -e->code;
	for (size_t i = 0; i < list.n; i++)
		if (fits_all(&list.items[i], &o->filters, e) > 0)
			list.items[n++] = list.items[i];
	list.n = n;
	/* walking all files takes a while: only where it is asked for */
	if ((o->size || (o->format && (strstr(o->format, "size") || strstr(o->format, ".Size")))) &&
		life_add_sizes(&life, list.items, list.n, e) < 0)
		return -e->code;
	if (o->latest && list.n > 1)
		list.n = 1;
	if (o->last > 0 && list.n > (size_t)o->last)
		list.n = (size_t)o->last;
	if (o->format && !o->quiet && !o->json && go_format_is(o->format)) {
		struct go_rows rows = { fields, &list, list.n, add_row_labels };

		if (go_format_print(o->format, &rows, call->arena, &t, e) < 0)
			return -e->code;
		fputs(t.p ? t.p : "", stdout);
		return 0;
	}
	if (cols_pick(cols,
		    o->quiet ? "id"
		    : o->json
			    ? "id,image,command,created,status,state,ports,names,pid,exit,restarts,"
			      "labels"
		    : o->size ? "id,image,command,created,status,ports,names,size"
			      : "id,image,command,created,status,ports,names",
		    o->format && !o->quiet && !go_format_is(o->format) &&
				    !str_eq(o->format, "table")
			    ? o->format
			    : NULL,
		    call->arena, &picked, e) < 0)
		return -e->code;
	if (o->json)
		cols_json(picked, &list, list.n, &t);
	else
		cols_table(picked, &list, list.n, &style, &t);
	if (t.p)
		fputs(t.p, stdout);
	return 0;
}

const struct cmd cmd_ps = {
	.name = "ps",
	.group = CMD_RUNNING,
	.brief = "list containers, or with -A all processes",
	.max_args = 0,
	.opts = ps_opts,
	.opts_size = sizeof(struct ps_opts),
	.run = ps,
};
