/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/go_format.h"

#include "base/str.h"
#include "base/width.h"
#include "life/life.h"
#include "render/template.h"

enum { CELL_LEAST = 10, GAP = 3 };

bool go_format_is(const char *format)
{
	return strstr(format, "{{") || str_starts(format, "table ") || str_eq(format, "json");
}

/* One row as an object, its cells strings; heading: the headings in their place. */
static const struct json *row_json(
	const struct go_rows *rows, size_t row, bool heading, bool with_own, struct arena *a)
{
	autotext t = { 0 }, cell = { 0 };
	struct json_writer w = { .t = &t };
	const struct json *v;
	struct err e;

	json_begin(&w, NULL, '{');
	for (const struct go_field *f = rows->fields; f->name; f++) {
		if (f->own && !with_own)
			continue;
		cell.len = 0;
		text_add(&cell, heading ? f->heading : "");
		if (!heading && row < rows->n)
			f->cell(rows->data, row, &cell);
		json_string(&w, f->name, cell.p ? cell.p : "");
	}
	if (rows->labels) {
		json_begin(&w, TEMPLATE_LABELS, '{');
		if (!heading && row < rows->n)
			rows->labels(rows->data, row, &w);
		json_end(&w, '}');
	}
	json_end(&w, '}');
	return json_parse(t.p, t.len, a, &v, &e) < 0 ? NULL : v;
}

/* As docker does before Go sees it. */
static const char *unescaped(const char *format, struct arena *a)
{
	autotext t = { 0 };

	for (; *format; format++) {
		if (format[0] == '\\' && (format[1] == 't' || format[1] == 'n'))
			text_add(&t, *++format == 't' ? "\t" : "\n");
		else
			text_add_n(&t, format, 1);
	}
	return arena_strdup(a, t.p ? t.p : "");
}

/* The width of each cell that a tab ends: the widest of its column, as Go's tabwriter has it. */
static void measure(const char *s, size_t **widths, size_t *n, struct arena *a)
{
	size_t col = 0;

	while (*s) {
		size_t len = strcspn(s, "\t\n");

		if (s[len] == '\t') {
			size_t width = width_of(s, len) + GAP;

			if (col == *n)
				*(size_t *)arena_grow(a, widths, n, sizeof(**widths)) = CELL_LEAST;
			if ((*widths)[col] < width)
				(*widths)[col] = width;
			col++;
		} else {
			col = 0;
		}
		s += len + (s[len] ? 1 : 0);
	}
}

static void align(const char *s, struct arena *a, struct text *t)
{
	size_t *widths = NULL, n = 0, col = 0;

	measure(s, &widths, &n, a);
	while (*s) {
		size_t len = strcspn(s, "\t\n");

		text_add_n(t, s, len);
		if (s[len] == '\t') {
			for (size_t i = width_of(s, len); i < widths[col]; i++)
				text_add(t, " ");
			col++;
		} else {
			text_add_n(t, "\n", s[len] ? 1 : 0);
			col = 0;
		}
		s += len + (s[len] ? 1 : 0);
	}
}

int go_format_print(const char *format, const struct go_rows *rows, struct arena *a, struct text *t,
	struct err *e)
{
	bool table = str_starts(format, "table "), json = str_eq(format, "json");
	bool whole = json || strstr(format, "json .}") || strstr(format, "json . }");
	autotext lines = { 0 }, nothing = { 0 };
	struct text *to = table ? &lines : t;

	format = json ? "{{json .}}" : unescaped(format + (table ? strlen("table ") : 0), a);
	/* a mistake is one with nothing to show, too */
	if (template_print(format, row_json(rows, 0, true, !whole, a), true, a,
		    table ? to : &nothing, e) < 0 &&
		(table || !rows->n))
		return -e->code;
	if (table)
		text_add(to, "\n");
	for (size_t i = 0; i < rows->n; i++) {
		const struct json *v = row_json(rows, i, false, !whole, a);

		if (!v)
			return err_say(e, "--format: a row is no valid text");
		if (template_print(format, v, !whole, a, to, e) < 0)
			return -e->code;
		text_add(to, "\n");
	}
	if (table)
		align(lines.p ? lines.p : "", a, t);
	return 0;
}

int go_format_inspect(const char *format, const struct text *array, struct text *t, struct arena *a,
	struct err *e)
{
	bool all = format && str_eq(format, "json");
	const struct json *v;

	if (!format) {
		text_addf(t, "%s\n", array->p);
		return 0;
	}
	if (json_parse(array->p, array->len, a, &v, e) < 0)
		return -e->code;
	if (all) {
		if (template_print("{{json .}}", v, false, a, t, e) < 0)
			return -e->code;
		text_add(t, "\n");
		return 0;
	}
	for (const struct json *i = json_first(v); i; i = json_next(v, i)) {
		if (template_print(format, i, life_stdout_is_tty(), a, t, e) < 0)
			return -e->code;
		text_add(t, "\n");
	}
	return 0;
}
