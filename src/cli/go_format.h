/* SPDX-License-Identifier: Apache-2.0 */
/* docker's --format "{{.Repository}}:{{.Tag}}" over the columns of a table. */
#pragma once

#include "base/cols.h"

/* Is this text such a template, and not a list of columns? */
bool go_format_is(const char *format);

/*
 * One line a row. {{.Name}} is the column of that name (case and "_" do not count, docker's own
 * names for some are known), {{json .}} the row as an object. A name that is none is said in e.
 */
int go_format_print(const char *format, const struct col *cols, const char *usual, const void *data,
	size_t n, struct arena *a, struct text *t, struct err *e);
