/* SPDX-License-Identifier: Apache-2.0 */
/* The words that clade-init's command line and its services' files are made of. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNALS = 65 }; /* 1 to 64 */

/* "TERM", "SIGTERM", "15", "RTMIN+1", "RTMAX-1"; -1 for what is none. */
int options_signal(const char *word);
int options_signal_of(const char *word, size_t n);

/* Digits only, at most max; -1 otherwise. */
long options_number(const char *s, size_t n, long max);

/* "10s", "250ms", "10", "2m": to milliseconds; -1 for what is none. */
int64_t options_duration_ms(const char *s, size_t n);

/* 15 to "TERM"; NULL where there is no name. */
const char *options_signal_name(int signo);

/* Writes up to four strings and a newline to standard error; NULL ends. */
void say(const char *a, const char *b, const char *c, const char *d);
