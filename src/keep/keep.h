/* SPDX-License-Identifier: Apache-2.0 */
/* clade-keep's own parts. No heap, no stdio, no threads: nothing here can fail for want of memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/wire.h"

/* text.c: numbers and texts without stdio. */
struct fixed { /* a text of fixed room; what does not fit is left out */
	char *p;
	size_t len, room;
};
void fixed_add(struct fixed *t, const char *s);
void fixed_add_n(struct fixed *t, const char *s, size_t n);
void fixed_number(struct fixed *t, uint64_t n, int min_digits);
/* RFC 3339 with nanoseconds, UTC, of now. */
void fixed_now(struct fixed *t);
long text_number(const char *s); /* -1: not one */

/* log.c: docker's json-file, at most max_bytes in "log" and "log.1" together. */
void log_open(int dir, int64_t max_bytes);
void log_add(bool is_stderr, const char *data, size_t n);
void log_end(void); /* what has no newline yet */

/* clients.c: who is attached. */
enum { CLIENTS_MAX = 32 };
struct pollfd;

void clients_init(int listen_fd, int first_fd);
/* Adds what is to be watched to fds, from *n on. reads: input can be taken. */
void clients_watch(struct pollfd *fds, int *n, bool reads);
/* Handles what poll found in the same places. */
void clients_turn(const struct pollfd *fds);
/* Hands output to everybody who wants some; it lies in *out until all have it. */
void clients_send(int kind, const char *data, size_t n);
bool clients_owe(void);
/* Drops those who have not taken their output for too long; ms until then, or -1. */
int clients_patience_ms(void);
void clients_exit(int code, bool restarting);
bool clients_has_first(void);
bool clients_first_took(void);
bool clients_came(void); /* somebody connected since the last call */

/* main.c: what clients send. */
void input_add(const char *data, size_t n);
void input_eof(bool of_first);
void input_resize(int rows, int cols);
