/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a table, in which order. */
#include <stdlib.h>

#include "base/cols.h"

static const struct col *find(const struct col *all, const char *name, size_t n)
{
	for (; all->name; all++) {
		if (strlen(all->name) == n && strncasecmp(all->name, name, n) == 0)
			return all;
	}
	return NULL;
}

struct filter {
	const struct col *col;
	char op; /* '=', '!', '~', '<', '>' */
	const char *value;
	double number;
};

static int parse_filter(const struct col *all, const char *word, struct filter *ret, struct err *e)
{
	size_t n = strcspn(word, "=!~<>");
	const char *op = word + n;
	char *end;

	ret->col = find(all, word, n);
	if (!ret->col || !*op || (*op == '!' && op[1] != '='))
		return err_say(e,
			"filter \"%s\": COLUMN=TEXT, !=, ~, < or > is wanted, with one of the "
			"columns of -o",
			word);
	ret->op = *op;
	ret->value = op + 1 + (*op == '!');
	if (*op != '<' && *op != '>')
		return 0;
	ret->number = strtod(ret->value, &end);
	if (end == ret->value || *end)
		return err_say(e, "filter \"%s\": %s is no number", word, ret->value);
	return 0;
}

static bool holds(const struct filter *f, const void *data, size_t row)
{
	autotext t = { 0 };
	const char *v;

	f->col->cell(data, row, &t);
	v = t.p ? t.p : "";
	switch (f->op) {
	case '=':
		return str_eq(v, f->value);
	case '!':
		return !str_eq(v, f->value);
	case '~':
		return strstr(v, f->value) != NULL;
	case '<':
		return t.len && strtod(v, NULL) < f->number;
	default:
		return t.len && strtod(v, NULL) > f->number;
	}
}

/* A row with its cell of the key that is being sorted by. */
struct keyed {
	size_t row, place;
	double number;
	char *text; /* owned; NULL for numbers */
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int d = x->text ? strcmp(x->text, y->text)
			: (x->number > y->number) - (x->number < y->number);

	return d ? d : x->place < y->place ? -1 : 1;
}

static int by_key_down(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int d = x->text ? strcmp(y->text, x->text)
			: (y->number > x->number) - (y->number < x->number);

	return d ? d : x->place < y->place ? -1 : 1;
}

/* Stable, so that the last key may be applied first. */
static void sort_by(
	const struct col *col, bool descending, const void *data, size_t *rows, size_t n)
{
	autofree struct keyed *keyed = mem_alloc((n + 1) * sizeof(*keyed));
	bool is_text = col->kind == COL_TEXT || col->kind == COL_BOOL;

	for (size_t i = 0; i < n; i++) {
		struct text t = { 0 };

		col->cell(data, rows[i], &t);
		keyed[i] = (struct keyed){ .row = rows[i], .place = i };
		if (is_text)
			keyed[i].text = text_take(&t);
		else
			keyed[i].number = t.len ? strtod(t.p, NULL) : -1;
		text_done(&t);
	}
	qsort(keyed, n, sizeof(*keyed), descending ? by_key_down : by_key);
	for (size_t i = 0; i < n; i++) {
		rows[i] = keyed[i].row;
		free(keyed[i].text);
	}
}

static int sort(const struct col *all, const char *keys, const void *data, size_t *rows, size_t n,
	struct err *e)
{
	const char *end = keys + strlen(keys);

	while (end > keys) {
		const char *begin = end, *name;
		const struct col *col;

		while (begin > keys && begin[-1] != ',')
			begin--;
		name = begin + (*begin == '-' || *begin == '+');
		col = find(all, name, (size_t)(end - name));
		if (!col)
			return err_say(
				e, "sort: there is no column \"%.*s\"", (int)(end - name), name);
		sort_by(col, *begin == '-', data, rows, n);
		end = begin > keys ? begin - 1 : keys;
	}
	return 0;
}

int cols_select(const struct col *all, const void *data, size_t n, const char *const *filters,
	size_t n_filters, const char *sort_keys, struct arena *a, size_t **ret_rows, size_t *ret_n,
	struct err *e)
{
	struct filter *f = arena_array(a, n_filters + 1, sizeof(*f));
	size_t *rows = arena_array(a, n + 1, sizeof(*rows)), kept = 0;

	for (size_t i = 0; i < n_filters; i++)
		if (parse_filter(all, filters[i], &f[i], e) < 0)
			return -e->code;
	for (size_t row = 0; row < n; row++) {
		size_t i = 0;

		while (i < n_filters && holds(&f[i], data, row))
			i++;
		if (i == n_filters)
			rows[kept++] = row;
	}
	if (sort_keys && sort(all, sort_keys, data, rows, kept, e) < 0)
		return -e->code;
	*ret_rows = rows;
	*ret_n = kept;
	return 0;
}
