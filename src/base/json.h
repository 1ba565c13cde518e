/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as RFC 8259 has it and nothing else: a reader in one pass into a flat array, and a writer.
 * Why our own: docs/decisions/json.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct text;

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* A value; what is inside an array or object follows it in memory. All lies in the arena. */
struct json {
	enum json_kind kind : 8;
	bool is_negative : 1, is_integer : 1; /* a number; not integer: has a point or an exponent,
						 or is too large */
	uint32_t line;			      /* where it begins, from 1 */
	uint32_t skip;	  /* values from here to the next one of the same array or object */
	uint32_t n;	  /* array, object: how many are inside; string: bytes */
	const char *name; /* in an object; terminated UTF-8 without a NUL inside */
	union {
		bool is_true;
		const char *text;   /* terminated; a NUL inside (\u0000) is refused */
		uint64_t magnitude; /* of an integer */
		double fraction;    /* of another number */
	};
};

enum { JSON_DEPTH_MAX = 64 };

/*
 * Reads one value with nothing but space around it. Names that stand twice in an object, bad
 * UTF-8, deeper nesting than JSON_DEPTH_MAX and everything else RFC 8259 does not allow are an
 * error in e with line and column.
 */
int json_parse(const char *text, size_t n, struct arena *a, const struct json **ret, struct err *e);

/* The first value inside an array or object and the one behind v; NULL at the end. */
const struct json *json_first(const struct json *v);
const struct json *json_next(const struct json *parent, const struct json *v);

/* A member by name; NULL if there is none. */
const struct json *json_get(const struct json *object, const char *name);

/* Exact integers; -ERANGE for a fraction or what does not fit. */
int json_u64(const struct json *v, uint64_t *ret);
int json_i64(const struct json *v, int64_t *ret);

/*
 * Writing: calls in order make a text with commas and line breaks in place. indent 0: one line.
 * name is NULL outside of objects.
 */
struct json_writer {
	struct text *t; /* lent */
	int indent, depth;
	bool not_first;
};

void json_begin(struct json_writer *w, const char *name, char bracket); /* '{' or '[' */
void json_end(struct json_writer *w, char bracket);			/* '}' or ']' */
void json_string(struct json_writer *w, const char *name, const char *s);
void json_bool(struct json_writer *w, const char *name, bool v);
void json_int(struct json_writer *w, const char *name, int64_t v);
void json_uint(struct json_writer *w, const char *name, uint64_t v);
void json_null(struct json_writer *w, const char *name);

/* The string alone, quoted and escaped; bytes that are no UTF-8 become U+FFFD. */
void json_quote(struct text *t, const char *s, size_t n);
