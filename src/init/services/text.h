/* SPDX-License-Identifier: Apache-2.0 */
/* Text and memory without a heap or stdio: what every file of this folder begins with. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bounded text: what does not fit is cut, and it is always terminated. */
struct buf {
	char *text; /* lent */
	size_t len, size;
};
#define BUF(array)                                                                                 \
	(struct buf)                                                                               \
	{                                                                                          \
		.text = (array), .size = sizeof(array)                                             \
	}

/* %s, %d, %ld, %.*s and %%, nothing else. */
void buf_add(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vadd(struct buf *b, const char *fmt, va_list args);
void buf_bytes(struct buf *b, const char *data, size_t n);
void buf_pad(struct buf *b, size_t width); /* spaces up to a length */
void buf_two(struct buf *b, long n);	   /* "07" */

/*
 * Memory of one configuration: reserved at once, touched as it is used, given back as a whole. When
 * it is used up pool_alloc() jumps to `full`, so that no caller has a failure to forget.
 */
struct pool {
	char *base;
	size_t used, size;
	jmp_buf *full;
};
bool pool_open(struct pool *p, size_t size, jmp_buf *full);
void pool_close(struct pool *p);
void *pool_alloc(struct pool *p, size_t n); /* zeroed, aligned to 8 */
char *pool_text(struct pool *p, const char *s, size_t n);

/* Digits only, at most max; -1 otherwise. */
long text_number(const char *s, size_t n, long max);
/* "10s", "250ms", "10", "2m", "1h": milliseconds; -1 for what is none. */
int64_t text_duration(const char *s, size_t n);
/* "10", "64k", "50MB", "1GB": bytes; -1. */
int64_t text_bytes(const char *s);
bool text_is(const char *s, size_t n, const char *word);
/* yes/true/on/1/t/y, no/false/off/0/f/n in any case: 1, 0; -1. */
int text_bool(const char *s);

/* A file name against *, ?, [a-z], [!a-z]; a dot in front is matched by a dot alone. */
bool text_matches(const char *pattern, const char *name);

/* FNV-1a, to tell whether a definition has changed. */
uint64_t text_hash(uint64_t h, const char *s);

/* Words as sh splits them (quotes and backslashes, nothing else); NULL when a quote is not closed.
 */
char **text_words(struct pool *p, const char *s, size_t *ret_n);
