/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a template: JSON's, printed as Go prints them; and docker's functions of them. */
#pragma once

#include "base/json.h"

enum { VALUE_ARGS_MAX = 16 };

struct value_call {
	const char *name;
	const struct json *args[VALUE_ARGS_MAX];
	size_t n;
	struct arena *arena;
};

const struct json *value_string(struct arena *a, const char *s, size_t n);
const struct json *value_number(struct arena *a, int64_t v);
const struct json *value_bool(struct arena *a, bool v);

/* Go's: not empty, not 0, not false. */
bool value_is_true(const struct json *v);

/* As Go's print: map[a:1 b:2], [1 2], <no value>. */
void value_print(const struct json *v, struct text *t);

/* A member by name. NULL, said in e, for what no such object has; of a map's keys: <no value>. */
const struct json *value_member(
	const struct json *v, const char *name, struct arena *a, struct err *e);

/* NULL: said in e. */
const struct json *value_call(const struct value_call *call, struct err *e);
