/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cols.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/width.h"

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

static void add_two_digits(struct text *t, uint64_t v)
{
	if (v < 10)
		text_add_n(t, "0", 1);
	text_add_u64(t, v);
}

void cols_add_age(struct text *t, uint64_t s)
{
	if (s >= 86400) {
		text_add_u64(t, s / 86400);
		text_add_n(t, "d", 1);
	} else if (s >= 3600) {
		text_add_u64(t, s / 3600);
		text_add_n(t, "h", 1);
		add_two_digits(t, s / 60 % 60);
		text_add_n(t, "m", 1);
	} else if (s >= 60) {
		text_add_u64(t, s / 60);
		text_add_n(t, "m", 1);
		add_two_digits(t, s % 60);
		text_add_n(t, "s", 1);
	} else {
		text_add_u64(t, s);
		text_add_n(t, "s", 1);
	}
}

/* All cells of the table, escaped, one after the other in one text. */
struct cells {
	struct text text, cell; /* cell: reused for each */
	struct cell {
		unsigned end, width;
	} * all;
	size_t n;
};

static void end_cell(struct cells *c, size_t begin)
{
	c->all[c->n++] = (struct cell){ (unsigned)c->text.len,
		(unsigned)width_of(c->text.p + begin, c->text.len - begin) };
}

static void add_cell(struct cells *c, const struct col *col, const void *data, size_t row, bool raw)
{
	struct text *t = &c->cell;
	size_t begin = c->text.len;

	/* digits need no escaping */
	if (col->kind == COL_NUMBER || col->kind == COL_LIST) {
		col->cell(data, row, &c->text);
		if (c->text.len == begin)
			text_add_n(&c->text, "-", 1);
		end_cell(c, begin);
		return;
	}
	t->len = 0;
	col->cell(data, row, t);
	if (t->len == 0) {
		text_add_n(&c->text, "-", 1);
	} else if (raw) {
		for (size_t i = 0, n; i < t->len; i += n) {
			n = strcspn(t->p + i, " ");
			text_add_escaped(&c->text, t->p + i, n);
			if (t->p[i + n] != ' ')
				continue;
			text_add(&c->text, "\\x20");
			n++;
		}
	} else if (col->kind == COL_AGE) {
		cols_add_age(&c->text, strtoull(t->p, NULL, 10));
	} else {
		text_add_escaped(&c->text, t->p, t->len);
	}
	end_cell(c, begin);
}

static void add_heading(struct cells *c, const struct col *col)
{
	size_t begin = c->text.len;

	for (const char *s = col->heading ? col->heading : col->name; *s; s++) {
		char up = (char)toupper((unsigned char)*s);

		text_add_n(&c->text, &up, 1);
	}
	end_cell(c, begin);
}

static void pad(struct text *t, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		text_add_n(t, blanks, sizeof(blanks) - 1);
	text_add_n(t, blanks, n);
}

static bool is_right(const struct col *c)
{
	return c->kind == COL_NUMBER || c->kind == COL_AGE;
}

/* One cell in its width; an ellipsis stands where it was cut. */
static void add_fitted(
	struct text *t, const char *s, size_t n, size_t w, size_t width, bool right, bool is_last)
{
	if (w > width) {
		n = width_cut(s, n, width > 0 ? width - 1 : 0);
		text_add_n(t, s, n);
		w = width_of(s, n);
		if (width > 0) {
			text_add(t, "…");
			w++;
		}
		pad(t, width - w);
		return;
	}
	if (right)
		pad(t, width - w);
	text_add_n(t, s, n);
	if (!right && !is_last)
		pad(t, width - w);
}

/* Instead of a column's width. */
#define LEFT_OUT ((size_t)-1)

static void add_row(const struct col *const *cols, const struct cells *c, size_t first,
	const size_t *widths, const struct cols_style *style, struct text *t)
{
	size_t at = 0, last = 0;

	for (size_t k = 0; cols[k]; k++)
		last = !style->raw && widths[k] == LEFT_OUT ? last : k;
	for (size_t k = 0; cols[k]; k++) {
		size_t begin = first + k == 0 ? 0 : c->all[first + k - 1].end, w = widths[k];
		const char *s = c->text.p + begin;
		size_t n = c->all[first + k].end - begin;

		if (!style->raw && w == LEFT_OUT)
			continue;
		if (style->raw) {
			text_add(t, k ? " " : "");
			text_add_n(t, s, n);
			continue;
		}
		/* what does not fit into the narrowest terminal at all is left out whole */
		if (style->width && at >= style->width)
			break;
		if (style->width && at + w > style->width)
			w = style->width - at;
		add_fitted(t, s, n, c->all[first + k].width, w, is_right(cols[k]), k == last);
		at += w;
		if (k != last && (!style->width || at + 2 < style->width))
			text_add(t, "  ");
		at += 2;
	}
}

enum { TEXT_MIN = 9 };

static size_t line_width(const size_t *widths, size_t n)
{
	size_t total = 0;

	for (size_t k = 0; k < n; k++)
		total += widths[k] == LEFT_OUT ? 0 : widths[k] + (total ? 2 : 0);
	return total;
}

/* Has no row anything in this column but the dash for nothing? */
static bool is_empty(const struct cells *c, size_t head, size_t k, size_t n_cols)
{
	for (size_t i = head * n_cols + k; i < c->n; i += n_cols)
		if (c->all[i].width != 1 || c->text.p[c->all[i].end - 1] != '-')
			return false;
	return true;
}

/* From the right: what comes first is what a table is about. */
static void drop_empty(
	const struct cells *c, size_t head, size_t *widths, size_t n_cols, size_t limit)
{
	for (size_t k = n_cols; k-- > 1 && line_width(widths, n_cols) > limit;)
		if (is_empty(c, head, k, n_cols))
			widths[k] = LEFT_OUT;
}

/* Takes from the widest text columns until a line fits. */
static void narrow(const struct col *const *cols, size_t *widths, size_t n, size_t limit)
{
	size_t total = line_width(widths, n);

	while (total > limit) {
		size_t widest = n, second = TEXT_MIN, cut;

		for (size_t k = 0; k < n; k++)
			if (cols[k]->kind == COL_TEXT && widths[k] != LEFT_OUT &&
				widths[k] > TEXT_MIN && (widest == n || widths[k] > widths[widest]))
				widest = k;
		if (widest == n)
			return;
		for (size_t k = 0; k < n; k++)
			if (k != widest && cols[k]->kind == COL_TEXT && widths[k] != LEFT_OUT &&
				widths[k] > second)
				second = widths[k];
		cut = widths[widest] - second;
		cut = cut < 1 ? 1 : cut > total - limit ? total - limit : cut;
		widths[widest] -= cut;
		total -= cut;
	}
}

static void measure(const struct cells *c, size_t *widths, size_t n_cols)
{
	for (size_t i = 0, k = 0; i < c->n; i++, k = k + 1 == n_cols ? 0 : k + 1)
		if (c->all[i].width > widths[k])
			widths[k] = c->all[i].width;
}

void cols_table(const struct col *const *cols, const void *data, size_t n,
	const struct cols_style *style, struct text *t)
{
	struct cells c = { 0 };
	size_t n_cols = 0, head = !style->no_headings;
	autofree size_t *widths = NULL;

	while (cols[n_cols])
		n_cols++;
	c.all = mem_resize(NULL, (n + head) * n_cols + 1, sizeof(*c.all));
	widths = mem_alloc(n_cols * sizeof(*widths));
	for (size_t k = 0; head && k < n_cols; k++)
		add_heading(&c, cols[k]);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n_cols; k++)
			add_cell(&c, cols[k], data, style->rows ? style->rows[i] : i, style->raw);
	}
	if (!style->raw)
		measure(&c, widths, n_cols);
	if (style->width && style->drop_empty && n)
		drop_empty(&c, head, widths, n_cols, style->width);
	if (style->width)
		narrow(cols, widths, n_cols, style->width);
	for (size_t i = 0; i < n + head; i++) {
		size_t row = i < head ? 0 : style->rows ? style->rows[i - head] : i - head;
		const char *colour = !style->colour	 ? NULL
				     : i < head		 ? "1"
				     : style->row_colour ? style->row_colour(data, row)
							 : NULL;

		if (colour)
			text_addf(t, "\x1b[%sm", colour);
		add_row(cols, &c, i * n_cols, widths, style, t);
		text_add(t, colour ? "\x1b[0m\n" : "\n");
	}
	text_done(&c.text);
	text_done(&c.cell);
	free(c.all);
}

/* Of a character of up to three bytes, as hostile ones are. */
static unsigned code_point(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	return len == 1	  ? u[0]
	       : len == 2 ? (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu)
			  : (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
}

void cols_json_string(struct text *t, const char *s, size_t n)
{
	text_add(t, "\"");
	for (size_t i = 0, len; i < n; i += len) {
		len = str_utf8_len(s + i, n - i);
		if (len == 0) {
			text_add(t, "\\ufffd");
			len = 1;
		} else if (s[i] == '"' || str_is_hostile(s + i, len)) {
			text_addf(t, "\\u%04x", code_point(s + i, len));
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
	} else if (col->kind == COL_NUMBER || col->kind == COL_AGE) {
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

void cols_json_rows(const struct col *const *cols, const void *data, const size_t *rows, size_t n,
	struct text *t)
{
	text_add(t, "[");
	for (size_t row = 0; row < n; row++) {
		text_add(t, row ? ",\n{" : "\n{");
		for (size_t k = 0; cols[k]; k++) {
			text_addf(t, "%s\"%s\":", k ? "," : "", cols[k]->name);
			add_json_value(cols[k], data, rows ? rows[row] : row, t);
		}
		text_add(t, "}");
	}
	text_add(t, n ? "\n]\n" : "]\n");
}

void cols_json(const struct col *const *cols, const void *data, size_t n, struct text *t)
{
	cols_json_rows(cols, data, NULL, n, t);
}
