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
};

struct col {
	const char *name; /* as -o and JSON say it; the heading is this in capitals */
	enum col_kind kind;
	const char *help;
	/* Adds the value of one row to t as it is, unescaped; nothing where there is none. */
	void (*cell)(const void *data, size_t row, struct text *t);
};

struct cols_style {
	bool no_headings;
	bool raw;	/* no alignment: one space between, "-" for nothing, blanks escaped */
	unsigned width; /* the last column is cut there; 0: never */
};

/*
 * Chooses columns of a { 0 }-terminated list. asked: "a,b" to show these, "+c,d" to show them
 * after the usual ones, NULL for the usual. *ret is in the arena, NULL-terminated.
 * An unknown name is err_say()'d with those there are.
 */
int cols_pick(const struct col *all, const char *usual, const char *asked, struct arena *a,
	const struct col ***ret, struct err *e);

/* n rows as a table to t. Cells are escaped: whatever is in them, a terminal only shows it. */
void cols_table(const struct col *const *cols, const void *data, size_t n,
	const struct cols_style *style, struct text *t);

/* n rows as a JSON array of objects, one a line; what is not there is null. */
void cols_json(const struct col *const *cols, const void *data, size_t n, struct text *t);

/* A JSON string of any bytes: what is not UTF-8 becomes U+FFFD. */
void cols_json_string(struct text *t, const char *s, size_t n);
