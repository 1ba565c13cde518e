/* SPDX-License-Identifier: Apache-2.0 */
/* What every table of the views has: columns, rows, JSON, raw, colours. */
#pragma once

#include "base/cols.h"
#include "cli/commands.h"

enum colour_when { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* First in the options struct of a command that shows a table. */
struct table_opts {
	bool json, raw, no_headings;
	const char *columns, *sort;
	struct opt_list filters;
	int colour; /* enum colour_when */
};

int table_parse_colour(void *opts, const struct opt *o, const char *value, struct err *e);

#define TABLE(member) offsetof(struct table_opts, member)
#define TABLE_COLOUR(struct_name, member)                                                          \
	{                                                                                          \
		"color", 0, OPT_CALL, offsetof(struct_name, member), "WHEN",                       \
			"auto (on a terminal, unless NO_COLOR is set), always, never",             \
			table_parse_colour, .optional_arg = true                                   \
	}
#define TABLE_OPTS                                                                                 \
	{ "output", 'o', OPT_STRING, TABLE(columns), "COLUMN,...|+COLUMN", "which columns" },      \
		{ "filter", 'f', OPT_LIST, TABLE(filters), "COLUMN=TEXT",                          \
			"only such rows; also !=, ~ (contains), < and >" },                        \
		{ "sort", 0, OPT_STRING, TABLE(sort), "[-]COLUMN,...",                             \
			"order of the rows, - for descending" },                                   \
		{ "json", 'J', OPT_FLAG, TABLE(json), NULL, "an array of objects" },               \
		{ "raw", 'r', OPT_FLAG, TABLE(raw), NULL, "no alignment, blanks escaped" },        \
		{ "noheadings", 'n', OPT_FLAG, TABLE(no_headings), NULL, "no headings" },          \
		TABLE_COLOUR(struct table_opts, colour)

/* Are colours wanted on standard output? */
bool table_colour(enum colour_when when);

struct table {
	const struct col *cols;
	const char *usual; /* the columns without -o */
	const char *(*row_colour)(const void *data, size_t row);
	bool quiet_if_empty; /* no headings above nothing */
};

/* The columns that are shown, sorted by or filtered by: what has to be read. NULL-terminated. */
int table_named(const struct table *table, const struct table_opts *o, struct arena *a,
	const struct col ***ret, struct err *e);

/* Prints n rows as the options ask. */
int table_print(const struct table *table, const struct table_opts *o, const void *data, size_t n,
	struct arena *a, struct err *e);
