/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's text/template as far as docker's --format is used, over a JSON value: fields, pipes, if,
 * range and with, and docker's functions (json, join, upper, ...). Why our own: Go's is a library
 * of Go.
 */
#pragma once

#include "base/json.h"

/* Where a mark of docker's is no part of Go's: methods of a row are found under this name. */
#define TEMPLATE_LABELS "\1labels"

/* Appends what the template makes of root to t. escape: values are made safe for a terminal. */
int template_print(const char *format, const struct json *root, bool escape, struct arena *a,
	struct text *t, struct err *e);
