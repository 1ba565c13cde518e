/* SPDX-License-Identifier: Apache-2.0 */
/* The one way a failure travels: from where it is known to the line the user reads. */
#pragma once

#include <stddef.h>

/*
 * What went wrong, in words for a person. It holds no pointer and owns nothing, so a child hands
 * it to its parent in one write(2) (512 bytes, well under PIPE_BUF) and nobody frees it.
 */
struct err {
	int code;      /* errno value, 0 until set */
	char msg[508]; /* without strerror(): "mounts[3]: mount proc on /proc" */
};

/* A failure that is no errno's: the sentence alone is printed, nothing is appended. */
#define ERR_SAID 0x7fff
/* The same, where what was named is not there: some callers act on that. */
#define ERR_ABSENT 0x7ffe

/* Fills e and returns -code: a failing function ends in one line. A message too long is cut. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set() with ERR_SAID: for a user's mistake, where fmt says all of it. */
int err_say(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_absent(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message of e, which is set; returns -e->code. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes "message: strerror" (or the message alone) to buf, always terminated; returns buf. */
const char *err_text(const struct err *e, char *buf, size_t size);

/* An err that came from a process we do not trust: terminated and bounded, whatever it held. */
void err_distrust(struct err *e);
