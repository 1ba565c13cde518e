/* SPDX-License-Identifier: Apache-2.0 */
/* clade-init's own command line, and the words both it and the services are read by. */
#pragma once

#include <stddef.h>

#include "init/decide.h"

enum option_result {
	OPTIONS_RUN,	 /* argv[*ret_at] is the program */
	OPTIONS_DONE,	 /* help or version was printed */
	OPTIONS_MISTAKE, /* said on standard error */
};

/*
 * By argv[0] or --compat NAME another program's command line (compat.h); environ is read for it.
 * argv may be put in another order, as getopt(3) does. ret_code: the exit code for the latter two.
 */
enum option_result options_parse(
	int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code);

/* --- values (options.c; the command line is command.c) --- */

/* "TERM", "SIGTERM", "15", "RTMIN+1", "RTMAX-1"; -1 for what is none. */
int options_signal(const char *word);
int options_signal_of(const char *word, size_t n);

/* Digits only, at most max; -1 otherwise. */
long options_number(const char *s, size_t n, long max);

/* "10s", "250ms", "10", "2m": to milliseconds; -1 for what is none. */
int64_t options_duration_ms(const char *s, size_t n);

/* 15 to "TERM"; NULL where there is no name. */
const char *options_signal_name(int signo);

/* Writes up to four strings and a newline; NULL ends. */
void say(const char *a, const char *b, const char *c, const char *d);
