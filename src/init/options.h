/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-init's command line, and those of the programs it stands in for: tini(1), dumb-init(1),
 * catatonit(1), by argv[0] or --compat NAME.
 */
#pragma once

#include "init/decide.h"

enum option_result {
	OPTIONS_RUN,	 /* argv[*ret_at] is the program */
	OPTIONS_DONE,	 /* help or version was printed */
	OPTIONS_MISTAKE, /* said on standard error */
};

/* environ is read for TINI_* and DUMB_INIT_*. ret_code: the exit code for the latter two. */
enum option_result options_parse(
	int argc, char **argv, struct rules *ret, int *ret_at, int *ret_code);

/* "TERM", "SIGTERM", "15", "RTMIN+1"; -1 for what is none. */
int options_signal(const char *word);

/* Writes up to four strings and a newline; NULL ends. */
void say(const char *a, const char *b, const char *c, const char *d);

/* 15 to "TERM"; NULL where there is no name. */
const char *options_signal_name(int signo);
