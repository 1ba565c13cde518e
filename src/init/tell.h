/* SPDX-License-Identifier: Apache-2.0 */
/* What clade-init says, in one write(2) a line, without stdio. */
#pragma once

#include <stddef.h>

struct line {
	size_t len;
	char text[1024];
};

/* %s, %d (int), %l (long), %c and %%; %3 is a long of at least three digits. What does not fit is
 * left out. */
void line_add(struct line *l, const char *fmt, ...);
/* A JSON string, quotes and all. */
void line_quote(struct line *l, const char *s);
void line_write(const struct line *l, int fd);

void print(int fd, const char *fmt, ...);

/*
 * strerror(3) in glibc's words, which those of the programs we stand for are, for what fork, exec,
 * kill, chdir and the terminal's calls may say.
 */
const char *tell_errno(int error);
