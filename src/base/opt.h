/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: a command describes itself, and help, completion and parsing come from that. */
#pragma once

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum opt_type {
	OPT_END,
	OPT_FLAG,   /* bool; also --name=true|false */
	OPT_STRING, /* const char *, lent from argv */
	OPT_LIST,   /* struct opt_list, every occurrence in order */
	OPT_INT,    /* int */
	OPT_U64,    /* uint64_t */
	OPT_BYTES,  /* int64_t, "64m" */
	OPT_MS,	    /* int64_t milliseconds, from seconds or a Go duration; -1 is kept */
	OPT_CALL,   /* .parse is called with the value */
};

struct opt_list {
	const char **items; /* arena; the strings are lent from argv */
	size_t n;
};

struct opt {
	const char *name; /* long, without dashes */
	char letter;	  /* 0: none */
	enum opt_type type;
	size_t offset;	  /* in the command's options struct */
	const char *arg;  /* the value's name in the help; NULL for a flag */
	const char *help; /* one line; NULL hides it */
	/* OPT_CALL only: value is lent, NULL where a flag stands alone; returns 0 or err_say(). */
	int (*parse)(void *opts, const struct opt *o, const char *value, struct err *e);
	bool optional_arg; /* the value comes only with '=' */
};

struct cmd;

/* What a command runs with. All is lent for the length of the run. */
struct cmd_call {
	const struct cmd *cmd;
	void *opts;	   /* the command's options struct, filled */
	const char **args; /* operands, NULL-terminated */
	int n_args;
	struct arena *arena; /* lives until the command has returned */
	const void *globals; /* the program's own global options struct */
};

struct cmd {
	const char *name;
	int group;		  /* the program's own enum, for the order in help */
	const char *args;	  /* "NAME..." */
	const char *brief;	  /* one line */
	const char *more;	  /* further paragraphs of the help, or NULL */
	int min_args, max_args;	  /* max -1: no limit */
	const struct opt *opts;	  /* { 0 }-terminated; NULL for none */
	size_t opts_size;	  /* of the options struct; it starts zeroed */
	void (*init)(void *opts); /* sets defaults that are not zero; may be NULL */
	/* options end at the first plain word (run IMAGE ls -l); else they may stand anywhere */
	bool stops_at_word;
	bool enters; /* a process of ours will be inside a container; for the program's main() */
	/* Returns the exit code; says what failed in e and returns a negative number otherwise. */
	int (*run)(const struct cmd_call *call, struct err *e);
};

/*
 * Parses argv[0..n) into opts (room for the struct the offsets belong to), as getopt_long does:
 * --name=value, --name value, -n value, -nvalue, -abc; "--" ends options. single_dash: also
 * -name and -name=value (runc's habit). empty_is_none: an empty OPT_STRING is one not given. An
 * unknown or incomplete option is err_say()'d by name. ret_args: the operands, in the arena,
 * NULL-terminated; *ret_n their number.
 */
struct opt_style {
	bool stops_at_word, single_dash, empty_is_none;
};
int opt_parse(const struct opt *table, const char *const *argv, int n, struct opt_style style,
	void *opts, struct arena *arena, const char ***ret_args, int *ret_n, struct err *e);

/* Finds a command of a NULL-terminated list by name; NULL if there is none. */
const struct cmd *cmd_find(const struct cmd *const *list, const char *name);

struct text;

/* "Usage: clade run [flags] IMAGE ..." with a line per option, to t. */
void cmd_help(const struct cmd *cmd, const char *program, struct text *t);

/* One line per option of a table, as cmd_help() shows them. */
void opt_help(const struct opt *table, struct text *t);
