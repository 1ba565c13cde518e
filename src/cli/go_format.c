/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/go_format.h"

#include <strings.h>

#include "base/str.h"

bool go_format_is(const char *format)
{
	return strstr(format, "{{") || str_starts(format, "table ");
}

/* "CreatedSince" is created_since */
static bool same_name(const char *go, size_t n, const char *column)
{
	size_t i = 0;

	for (; *column; column++) {
		if (*column == '_')
			continue;
		if (i >= n || strncasecmp(go + i, column, 1) != 0)
			return false;
		i++;
	}
	return i == n;
}

static const struct col *find(const struct col *cols, const char *go, size_t n)
{
	static const char *const also[][2] = { { "CreatedSince", "created" }, { "ImageID", "id" },
		{ "Name", "names" } };

	for (const struct col *c = cols; c->name; c++)
		if (same_name(go, n, c->name))
			return c;
	for (size_t i = 0; i < ARRAY_LEN(also); i++)
		if (strlen(also[i][0]) == n && strncmp(also[i][0], go, n) == 0)
			for (const struct col *c = cols; c->name; c++)
				if (str_eq(c->name, also[i][1]))
					return c;
	return NULL;
}

static int json_row(const struct col *cols, const char *usual, const void *data, size_t row,
	struct arena *a, struct text *t, struct err *e)
{
	const struct col **picked;
	bool first = true;

	if (cols_pick(cols, usual, NULL, a, &picked, e) < 0)
		return -e->code;
	text_add(t, "{");
	for (; *picked; picked++, first = false) {
		autotext cell = { 0 };

		(*picked)->cell(data, row, &cell);
		text_addf(t, "%s\"%s\":", first ? "" : ",", (*picked)->name);
		cols_json_string(t, cell.p ? cell.p : "", cell.len);
	}
	text_add(t, "}");
	return 0;
}

/* What stands between the braces. heading: instead of the values. */
static int field(const char *word, size_t n, const struct col *cols, const char *usual,
	const void *data, size_t row, bool heading, struct arena *a, struct text *t, struct err *e)
{
	const struct col *c;

	while (n && *word == ' ')
		word++, n--;
	while (n && word[n - 1] == ' ')
		n--;
	if (n == 6 && strncmp(word, "json .", n) == 0)
		return json_row(cols, usual, data, row, a, t, e);
	if (n < 2 || *word != '.' || !(c = find(cols, word + 1, n - 1)))
		return err_say(e, "--format: there is no {{%.*s}}", (int)n, word);
	if (heading) {
		for (const char *s = c->name; *s; s++)
			text_addf(t, "%c", *s == '_' ? ' ' : *s >= 'a' && *s <= 'z' ? *s - 32 : *s);
	} else {
		autotext cell = { 0 };

		c->cell(data, row, &cell);
		text_add_escaped(t, cell.p ? cell.p : "", cell.len);
	}
	return 0;
}

static int line(const char *format, const struct col *cols, const char *usual, const void *data,
	size_t row, bool heading, struct arena *a, struct text *t, struct err *e)
{
	for (const char *s = format; *s;) {
		const char *end;

		if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
			text_add(t, s[1] == 't' ? "\t" : "\n");
			s += 2;
		} else if (s[0] == '{' && s[1] == '{') {
			end = strstr(s, "}}");
			if (!end)
				return err_say(e, "--format: a {{ is not closed");
			if (field(s + 2, (size_t)(end - s - 2), cols, usual, data, row, heading, a,
				    t, e) < 0)
				return -e->code;
			s = end + 2;
		} else {
			text_add_n(t, s++, 1);
		}
	}
	text_add(t, "\n");
	return 0;
}

int go_format_print(const char *format, const struct col *cols, const char *usual, const void *data,
	size_t n, struct arena *a, struct text *t, struct err *e)
{
	bool table = str_starts(format, "table ");

	if (table)
		format += strlen("table ");
	/* a mistake is one with nothing to show, too: the headings are tried first */
	if (table || !n) {
		autotext nothing = { 0 };

		if (!strstr(format, "json .") &&
			line(format, cols, usual, data, 0, true, a, table ? t : &nothing, e) < 0)
			return -e->code;
	}
	for (size_t i = 0; i < n; i++)
		if (line(format, cols, usual, data, i, false, a, t, e) < 0)
			return -e->code;
	return 0;
}
