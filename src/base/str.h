/* SPDX-License-Identifier: Apache-2.0 */
/* Text: comparing, strict numbers, a growing buffer, and making hostile bytes fit to print. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool str_eq(const char *a, const char *b)
{
	/* most words differ in their first letter: no call for those */
	return a[0] == b[0] && strcmp(a, b) == 0;
}

static inline bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix);

/*
 * Whole-string numbers: digits only (a sign only where the type has one), no space, no overflow.
 * Return 0, or -EINVAL (not a number), -ERANGE; ret is untouched on failure.
 */
int str_u64(const char *s, uint64_t *ret);
int str_i64(const char *s, int64_t *ret);
int str_int(const char *s, int *ret);

/* "512", "64k", "10m", "2g", "1.5g", with an optional b or ib: bytes, powers of 1024, as docker. */
int str_bytes(const char *s, int64_t *ret_bytes);

/* "10" (seconds), "1m30s", "250ms", "1.5h": a Go duration, or seconds; to milliseconds. */
int str_duration_ms(const char *s, int64_t *ret_ms);

/* A text that grows; ready when zeroed; owns p. p is always terminated once anything was added. */
struct text {
	char *p;
	size_t len, room;
};

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_addf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_add_u64(struct text *t, uint64_t v);	/* decimal, without printf: for long tables */
void text_reserve(struct text *t, size_t more); /* room for so many bytes more, at once */
void text_cut(struct text *t, size_t len);	/* keeps the first len bytes */
void text_vaddf(struct text *t, const char *fmt, va_list ap);

/* As text_add, but safe on a terminal: control bytes and bad UTF-8 as \n, \t, \xNN, \\. */
void text_add_escaped(struct text *t, const char *s, size_t n);

/* Gives the buffer away (never NULL); t is as new. */
char *text_take(struct text *t);
void text_done(struct text *t);

#define autotext __attribute__((cleanup(text_done))) struct text

/* Length of the valid UTF-8 character at s (n bytes are there), or 0 if it is none. */
size_t str_utf8_len(const char *s, size_t n);

/*
 * Is this character of len bytes one that a terminal obeys or that turns the line around: C0 and C1
 * controls, DEL, bidirectional marks and overrides, and the backslash that escapes begin with?
 */
bool str_is_hostile(const char *s, size_t len);
