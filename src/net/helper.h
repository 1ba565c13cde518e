/* SPDX-License-Identifier: Apache-2.0 */
/* Other people's programs that make networks: found, run, heard. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

struct text;

/*
 * The program's path, from $PATH and the folders where Debian puts such programs. A missing one is
 * a sentence with what it was wanted for and the package that has it.
 */
int helper_find(const char *name, const char *package, const char *what, struct arena *a,
	const char **ret, struct err *e);

/* One that was started and not waited for. */
struct helper {
	pid_t pid; /* 0: none */
	int said;  /* owned: a file of memory with its standard error */
	int out;   /* owned: likewise its standard output; FD_NONE: nobody reads it */
};

struct helper_request {
	const char *const *argv; /* [0] is its path */
	const char *input;	 /* its standard input; NULL: none */
	const int *fds;		 /* handed on under the numbers HELPER_FD, HELPER_FD + 1, ... */
	size_t n_fds;
	bool want_output;  /* keep standard output */
	bool is_guarded;   /* ends its work though we are killed; our locks are held until then */
	int userns, netns; /* > 0: joined before it runs, in this order */
};
enum { HELPER_FD = 40, HELPER_FDS_MAX = 4 };

int helper_start(const struct helper_request *r, struct helper *ret, struct err *e);

/* Waits for it: its exit status, 128 + signal, or an error. */
int helper_wait(struct helper *h, struct err *e);

/* What it said of its failure, in one line, without what is not of it; "" for nothing. */
const char *helper_said(const struct helper *h, struct arena *a);
/* Its standard output. */
const char *helper_output(const struct helper *h, struct arena *a);

/* Lets go; one that still runs is killed and reaped. */
void helper_done(struct helper *h);
#define HELPER_NONE ((struct helper){ .said = -EBADF, .out = -EBADF })
#define autohelper  __attribute__((cleanup(helper_done))) struct helper
