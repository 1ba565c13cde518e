/* SPDX-License-Identifier: Apache-2.0 */
/* docker's --format of a table: "{{.Repository}}:{{.Tag}}", "table {{.ID}}\t{{.Names}}", "json". */
#pragma once

#include "base/cols.h"
#include "base/json.h"

/* A field of a row under docker's name. A list ends with { 0 }. */
struct go_field {
	const char *name, *heading;
	void (*cell)(const void *data, size_t row, struct text *t);
	bool own; /* not docker's: known by name, but no part of {{json .}} */
};

struct go_rows {
	const struct go_field *fields;
	const void *data;
	size_t n;
	/* {{.Label "key"}}: the row's labels as members of an object; may be NULL */
	void (*labels)(const void *data, size_t row, struct json_writer *w);
};

/* Is this text such a template, and not a list of columns? "json" is one, too. */
bool go_format_is(const char *format);

/* A mistake in the template is said in e, also when there is no row. */
int go_format_print(const char *format, const struct go_rows *rows, struct arena *a, struct text *t,
	struct err *e);

/*
 * docker's -f of inspect: the template over each of the array's objects, a line each, and for
 * "json" all of them as one array in one line. format NULL: the text as it is.
 */
int go_format_inspect(const char *format, const struct text *array, struct text *t, struct arena *a,
	struct err *e);
