/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs: started with a list of words, never through a shell. */
#pragma once

#include <sys/types.h>

struct run_streams {
	int in, out, err; /* FD_NONE: /dev/null for in, ours for the others */
};

/*
 * Starts argv[0], found by PATH; it dies with us (SIGTERM). The descriptor of the process, which
 * clone_wait() waits for, or -errno: -ENOENT where there is no such program.
 */
int run_start(const char *const *argv, const struct run_streams *streams);

/* The same and waits: its exit code (128+n: killed by signal n), or -errno. */
int run_program(const char *const *argv, const struct run_streams *streams);

/* What it writes to standard output, at most max bytes, to *ret (malloc'ed, terminated). */
int run_read(const char *const *argv, size_t max, char **ret, size_t *ret_n);
