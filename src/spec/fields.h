/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as tables: each object of the specification is a list of fields, and reading
 * and writing both walk it, so that what one knows the other knows. Private to spec/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "spec/spec.h"

enum field_kind {
	F_END,
	F_BOOL,
	F_STRING,  /* const char * */
	F_STRINGS, /* struct spec_strings, terminated by NULL */
	F_PAIRS,   /* struct spec_pairs: an object of strings */
	F_CHAR,	   /* char: a string of one */
	F_INT,	   /* int, int32_t */
	F_U16,
	F_U32,
	F_I64,
	F_U64,
	F_U32S, /* const uint32_t * at offset, how many (size_t) at count */
	F_MAYBE_I64,
	F_MAYBE_U64,
	F_MAYBE_BOOL,
	F_WORD,	  /* int, one of words */
	F_BITS,	  /* a list of words or'ed into a uint64_t */
	F_OBJECT, /* fields at offset; count: of a bool that is set when it is there, or NO_FLAG */
	F_ARRAY,  /* objects of size each: pointer at offset, how many (size_t) at count */
	F_OWN,	  /* read and write do it */
};

#define NO_FLAG ((size_t)-1)

struct word {
	const char *word;
	int64_t value;
};

struct load {
	struct arena *arena;
	char path[512]; /* where we are: "linux.namespaces[2]" */
	size_t len;
	struct err *e;
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset, count;
	const struct field *fields;
	size_t size;
	const struct word *words; /* { 0 }-terminated */
	void (*init)(void *item); /* F_ARRAY: defaults that are not zero */
	int (*read)(struct load *l, const struct json *v, void *object, const struct field *f);
	void (*write)(struct json_writer *w, const void *object, const struct field *f);
	bool always; /* written also when it is zero */
};

/* Reads the members of an object into ret; unknown ones are ignored, as the specification says. */
int fields_load(struct load *l, const struct json *v, const struct field *fields, void *ret);

/* Writes what is set; the brackets are the caller's. */
void fields_dump(struct json_writer *w, const struct field *fields, const void *object);

/* "path: sentence"; returns the error. */
int load_say(struct load *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Goes one name or index down and back up again. */
size_t load_enter(struct load *l, const char *name, size_t index);
void load_leave(struct load *l, size_t len);

/* The value of a word, or -1. */
int64_t word_value(const struct word *words, const char *word);
const char *word_of(const struct word *words, int64_t value);

extern const struct field process_fields[], linux_fields[], resources_fields[], seccomp_fields[],
	idmap_fields[];
extern const struct word namespace_words[], rlimit_words[], capability_words[];
