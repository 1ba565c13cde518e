/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A command line as glibc's getopt_long(3) reads it, messages included: musl's, with which
 * clade-init is built, says other words, and brings stdio along. It knows no heap.
 */
#pragma once

#include <stdbool.h>

struct long_word {
	const char *name;
	char letter;
	bool value; /* takes one */
};

struct words {
	int argc;
	char **argv;
	const char *letters;	       /* "ab:": b takes a value */
	const struct long_word *longs; /* ends with a NULL name; NULL: "--x" is the letter '-' */
	bool permutes;		       /* options behind operands count, too */
	int at;			       /* 1 at first; behind the last option: the first operand */
	const char *value;
	const char *tail; /* what is left of a word of letters */
};

enum { WORDS_END = -1, WORDS_MISTAKE = '?' };

/* The next option's letter, WORDS_END, or WORDS_MISTAKE, which was said on standard error. */
int words_next(struct words *w);
