/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people and JSON for programs from one list of columns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum col_kind {
	COL_TEXT,
	COL_NUMBER, /* right-aligned; a JSON number */
	COL_BOOL,   /* "yes" and ""; a JSON boolean */
	COL_LIST,   /* "1234/17/1"; a JSON array of numbers */
	COL_AGE,    /* seconds as a number; a table shows "1m30s", raw and JSON the number */
};

struct col {
	const char *name; /* as -o and JSON say it; the heading is this in capitals */
	enum col_kind kind;
	const char *help;
	/* Adds the value of one row to t as it is, unescaped; nothing where there is none. */
	void (*cell)(const void *data, size_t row, struct text *t);
	const char *heading; /* NULL: the name */
};

struct cols_style {
	bool no_headings;
	bool raw;	    /* no alignment: one space between, "-" for nothing, blanks escaped */
	unsigned width;	    /* no line is longer: long text is cut, from the widest; 0: never */
	const size_t *rows; /* which rows in which order (cols_select()); NULL: all as they are */
	bool drop_empty;    /* where that is too narrow, columns with nothing in them go first */
	bool colour;
	/* The escape sequence's inside ("31", "1") for a row, NULL: none. Only with colour. */
	const char *(*row_colour)(const void *data, size_t row);
};

/*
 * Chooses columns of a { 0 }-terminated list. asked: "a,b" to show these, "+c,d" to show them
 * after the usual ones, NULL for the usual. *ret is in the arena, NULL-terminated.
 * An unknown name is err_say()'d with those there are.
 */
int cols_pick(const struct col *all, const char *usual, const char *asked, struct arena *a,
	const struct col ***ret, struct err *e);

/*
 * Chooses rows: those for which every filter holds, in the order that sort asks for.
 * A filter is COLUMN=TEXT, COLUMN!=TEXT, COLUMN~PART (is inside), and for numbers and ages
 * COLUMN<N, COLUMN>N. sort: "COLUMN,-COLUMN", a minus for descending; NULL: as they are.
 * *ret_rows is in the arena.
 */
int cols_select(const struct col *all, const void *data, size_t n, const char *const *filters,
	size_t n_filters, const char *sort, struct arena *a, size_t **ret_rows, size_t *ret_n,
	struct err *e);

/* n rows as a table to t. Cells are escaped: whatever is in them, a terminal only shows it. */
void cols_table(const struct col *const *cols, const void *data, size_t n,
	const struct cols_style *style, struct text *t);

/*
 * n rows as a JSON array of objects, one a line; what is not there is null. rows: as the style has
 * them, or NULL.
 */
void cols_json_rows(const struct col *const *cols, const void *data, const size_t *rows, size_t n,
	struct text *t);
void cols_json(const struct col *const *cols, const void *data, size_t n, struct text *t);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD. */
void cols_json_string(struct text *t, const char *s, size_t n);

/* "41s", "1m30s", "3h05m", "12d" */
void cols_add_age(struct text *t, uint64_t seconds);
