/* SPDX-License-Identifier: Apache-2.0 */
/* What a program tells beside its result: one line each, to standard error or a log file. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

enum log_format { LOG_TEXT, LOG_JSON };

/*
 * program: the first word of a text line, lent for ever. fd: where lines go (a --log file;
 * FD_NONE for none), lent, format is that file's; errors go to standard error, too. Below level
 * nothing is written; without a file all goes to standard error, from LOG_LEVEL_WARN on.
 */
void log_setup(const char *program, enum log_level level, int fd, enum log_format format);

/* 0, or -EINVAL for a word that is no level (debug info warn warning error). */
int log_level_parse(const char *word, enum log_level *ret);

bool log_wants(enum log_level level);

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "out of memory", as an error: needs none. For mem_on_failure(). */
void log_out_of_memory(void);

/* The one place an error is printed: "clade: mounts[3]: mount proc on /proc: Operation ...". */
void log_err(const struct err *e);
