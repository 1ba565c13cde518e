/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int table_parse_colour(void *opts, const struct opt *o, const char *value, struct err *e)
{
	static const char *const words[] = { "auto", "always", "never" };
	int *to = (int *)((char *)opts + o->offset);

	for (int i = 0; i < 3; i++) {
		if (value && !str_eq(value, words[i]))
			continue;
		*to = value ? i : COLOUR_ALWAYS;
		return 0;
	}
	return err_say(e, "--color=%s: auto, always or never is wanted", value);
}

bool table_colour(enum colour_when when)
{
	/* no-color.org: "when present and not an empty string" */
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOUR_AUTO)
		return when == COLOUR_ALWAYS;
	return life_stdout_is_tty() && !(no && *no) && term && *term && !str_eq(term, "dumb");
}

static void add_named(const struct col *all, const char *word, struct arena *a,
	const struct col ***cols, size_t *n)
{
	size_t len;

	word += *word == '-' || *word == '+';
	len = strcspn(word, "=!~<>,");
	for (; all->name; all++)
		if (strlen(all->name) == len && strncasecmp(all->name, word, len) == 0)
			*(const struct col **)arena_grow(a, cols, n, sizeof(**cols)) = all;
}

int table_named(const struct table *table, const struct table_opts *o, struct arena *a,
	const struct col ***ret, struct err *e)
{
	const struct col **picked, **cols = NULL;
	size_t n = 0;

	if (cols_pick(table->cols, table->usual, o->columns, a, &picked, e) < 0)
		return -e->code;
	for (; *picked; picked++)
		*(const struct col **)arena_grow(a, &cols, &n, sizeof(*cols)) = *picked;
	for (size_t i = 0; i < o->filters.n; i++)
		add_named(table->cols, o->filters.items[i], a, &cols, &n);
	for (const char *s = o->sort; s && *s; s += strcspn(s, ","), s += *s == ',')
		add_named(table->cols, s, a, &cols, &n);
	*(const struct col **)arena_grow(a, &cols, &n, sizeof(*cols)) = NULL;
	*ret = cols;
	return 0;
}

int table_print(const struct table *table, const struct table_opts *o, const void *data, size_t n,
	struct arena *a, struct err *e)
{
	struct cols_style style = {
		.no_headings = o->no_headings,
		.raw = o->raw,
		.width = o->raw ? 0 : life_stdout_width(),
		.drop_empty = !o->columns, /* those that were asked for are shown */
		.colour = !o->raw && table_colour((enum colour_when)o->colour),
		.row_colour = table->row_colour,
	};
	const struct col **picked;
	size_t *rows;
	autotext t = { 0 };

	if (cols_pick(table->cols, table->usual, o->columns, a, &picked, e) < 0 ||
		cols_select(table->cols, data, n, o->filters.items, o->filters.n, o->sort, a, &rows,
			&n, e) < 0)
		return -e->code;
	style.rows = rows;
	if (o->json)
		cols_json_rows(picked, data, rows, n, &t);
	else if (n || !table->quiet_if_empty)
		cols_table(picked, data, n, &style, &t);
	fputs(t.p ? t.p : "", stdout);
	return 0;
}
