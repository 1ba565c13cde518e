/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cols.h"

#include <ctype.h>

static const struct col *find(const struct col *all, const char *name, size_t n)
{
	for (; all->name; all++) {
		if (strlen(all->name) == n && strncasecmp(all->name, name, n) == 0)
			return all;
	}
	return NULL;
}

static int unknown(const struct col *all, const char *name, size_t n, struct err *e)
{
	autotext t = { 0 };

	for (; all->name; all++)
		text_addf(&t, " %s", all->name);
	return err_say(e, "no column \"%.*s\"; there are:%s", (int)n, name, t.p);
}

static int add_all(const struct col *all, const char *names, struct arena *a,
	const struct col ***ret, size_t *n, struct err *e)
{
	while (*names) {
		size_t len = strcspn(names, ",");
		const struct col *c = find(all, names, len);

		if (!c)
			return unknown(all, names, len, e);
		*(const struct col **)arena_grow(a, ret, n, sizeof(**ret)) = c;
		names += len;
		names += *names == ',';
	}
	return 0;
}

int cols_pick(const struct col *all, const char *usual, const char *asked, struct arena *a,
	const struct col ***ret, struct err *e)
{
	const struct col **cols = NULL;
	size_t n = 0;

	if (!asked || *asked == '+') {
		if (add_all(all, usual, a, &cols, &n, e) < 0)
			return -e->code;
	}
	if (asked && add_all(all, asked + (*asked == '+'), a, &cols, &n, e) < 0)
		return -e->code;
	if (n == 0)
		return err_say(e, "no columns were named");
	*(const struct col **)arena_grow(a, &cols, &n, sizeof(*cols)) = NULL;
	*ret = cols;
	return 0;
}

/* Characters, not bytes; t is escaped, so its UTF-8 is good. */
static size_t width_of(const char *s, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += ((unsigned char)s[i] & 0xc0) != 0x80;
	return w;
}

/* Bytes of s that fit in so many characters. */
static size_t cut_at(const char *s, size_t n, size_t width)
{
	size_t i = 0;

	for (; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80 && width-- == 0)
			break;
	}
	return i;
}

/* All cells of the table, escaped, one after the other in one text; offsets say where. */
struct cells {
	struct text text, cell; /* cell: reused for each */
	size_t *ends;
	size_t n;
};

static void add_cell(struct cells *c, const struct col *col, const void *data, size_t row, bool raw)
{
	struct text *t = &c->cell;

	t->len = 0;
	col->cell(data, row, t);
	if (t->len == 0) {
		text_add(&c->text, "-");
	} else if (!raw) {
		text_add_escaped(&c->text, t->p, t->len);
	} else {
		for (size_t i = 0; i < t->len; i++) {
			if (t->p[i] == ' ')
				text_add(&c->text, "\\x20");
			else
				text_add_escaped(&c->text, t->p + i, 1);
		}
	}
	c->ends[c->n++] = c->text.len;
}

static void add_heading(struct cells *c, const struct col *col)
{
	for (const char *s = col->name; *s; s++) {
		char up = (char)toupper((unsigned char)*s);

		text_add_n(&c->text, &up, 1);
	}
	c->ends[c->n++] = c->text.len;
}

static void pad(struct text *t, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		text_add_n(t, blanks, sizeof(blanks) - 1);
	text_add_n(t, blanks, n);
}

static void add_row(const struct col *const *cols, const struct cells *c, size_t first,
	const size_t *widths, const struct cols_style *style, struct text *t)
{
	size_t at = 0;

	for (size_t k = 0; cols[k]; k++) {
		size_t begin = first + k == 0 ? 0 : c->ends[first + k - 1];
		const char *s = c->text.p + begin;
		size_t n = c->ends[first + k] - begin, w = width_of(s, n);

		if (k > 0)
			pad(t, style->raw ? 1 : 2);
		if (style->raw) {
			text_add_n(t, s, n);
			continue;
		}
		if (cols[k]->kind == COL_NUMBER)
			pad(t, widths[k] - w);
		if (!cols[k + 1] && style->width && at + w > style->width)
			n = cut_at(s, n, style->width > at ? style->width - at : 1);
		text_add_n(t, s, n);
		if (cols[k]->kind != COL_NUMBER && cols[k + 1])
			pad(t, widths[k] - w);
		at += widths[k] + 2;
	}
	text_add(t, "\n");
}

void cols_table(const struct col *const *cols, const void *data, size_t n,
	const struct cols_style *style, struct text *t)
{
	struct cells c = { 0 };
	size_t n_cols = 0, n_rows = n + !style->no_headings;
	autofree size_t *widths = NULL;

	while (cols[n_cols])
		n_cols++;
	c.ends = mem_resize(NULL, n_rows * n_cols + 1, sizeof(*c.ends));
	widths = mem_alloc(n_cols * sizeof(*widths));
	for (size_t k = 0; !style->no_headings && k < n_cols; k++)
		add_heading(&c, cols[k]);
	for (size_t row = 0; row < n; row++) {
		for (size_t k = 0; k < n_cols; k++)
			add_cell(&c, cols[k], data, row, style->raw);
	}
	for (size_t i = 0; i < c.n; i++) {
		size_t begin = i == 0 ? 0 : c.ends[i - 1];
		size_t w = width_of(c.text.p + begin, c.ends[i] - begin);

		if (w > widths[i % n_cols])
			widths[i % n_cols] = w;
	}
	for (size_t row = 0; row < n_rows; row++)
		add_row(cols, &c, row * n_cols, widths, style, t);
	text_done(&c.text);
	text_done(&c.cell);
	free(c.ends);
}

void cols_json_string(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"");
	for (size_t i = 0, len; i < n; i += len) {
		len = str_utf8_len(s + i, n - i);
		if (len == 0) {
			text_add(t, "\\ufffd");
			len = 1;
		} else if ((unsigned char)s[i] < ' ' || s[i] == '"' || s[i] == '\\' ||
			   s[i] == 127) {
			text_addf(t, "\\u%04x", (unsigned char)s[i]);
		} else {
			text_add_n(t, s + i, len);
		}
	}
	text_add(t, "\"");
}

static void add_json_value(const struct col *col, const void *data, size_t row, struct text *t)
{
	autotext v = { 0 };

	col->cell(data, row, &v);
	if (col->kind == COL_BOOL) {
		text_add(t, v.len ? "true" : "false");
	} else if (v.len == 0) {
		text_add(t, "null");
	} else if (col->kind == COL_NUMBER) {
		text_add_n(t, v.p, v.len);
	} else if (col->kind == COL_LIST) {
		text_add(t, "[");
		for (size_t i = 0; i < v.len; i++)
			text_add_n(t, v.p[i] == '/' ? "," : &v.p[i], 1);
		text_add(t, "]");
	} else {
		cols_json_string(t, v.p, v.len);
	}
}

void cols_json(const struct col *const *cols, const void *data, size_t n, struct text *t)
{
	text_add(t, "[");
	for (size_t row = 0; row < n; row++) {
		text_add(t, row ? ",\n{" : "\n{");
		for (size_t k = 0; cols[k]; k++) {
			text_addf(t, "%s\"%s\":", k ? "," : "", cols[k]->name);
			add_json_value(cols[k], data, row, t);
		}
		text_add(t, "}");
	}
	text_add(t, n ? "\n]\n" : "]\n");
}
