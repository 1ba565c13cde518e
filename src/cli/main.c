/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

enum { EXIT_OWN_FAILURE = 125 };

/* The whole list when cmd is NULL. */
static int print_help(const struct cmd *cmd)
{
	autotext t = { 0 };

	if (cmd) {
		cmd_help(cmd, "clade", &t);
	} else {
		text_add(&t, "Usage: clade COMMAND [flags] ...\n\n");
		for (const struct cmd *const *c = commands; *c; c++)
			text_addf(&t, "  %-12s %s\n", (*c)->name, (*c)->brief);
	}
	fputs(t.p, stdout);
	return 0;
}

static bool asks_help(int argc, char **argv)
{
	for (int i = 0; i < argc && !str_eq(argv[i], "--"); i++) {
		if (str_eq(argv[i], "--help"))
			return true;
	}
	return false;
}

static int run(const struct cmd *cmd, int argc, char **argv, struct err *e)
{
	autoarena arena = { 0 };
	struct cmd_call call = { .cmd = cmd, .arena = &arena };
	struct opt_style style = { .stops_at_word = cmd->stops_at_word };

	call.opts = arena_alloc(&arena, cmd->opts_size + 1);
	if (cmd->init)
		cmd->init(call.opts);
	if (opt_parse(cmd->opts, (const char *const *)argv, argc, style, call.opts, &arena,
		    &call.args, &call.n_args, e) < 0)
		return -e->code;
	if (call.n_args < cmd->min_args || (cmd->max_args >= 0 && call.n_args > cmd->max_args))
		return err_say(
			e, "%s takes: %s", cmd->name, cmd->args ? cmd->args : "no arguments");
	return cmd->run(&call, e);
}

int main(int argc, char **argv)
{
	const struct cmd *cmd;
	struct err e = { 0 };
	int r;

	log_setup("clade", LOG_LEVEL_WARN, -EBADF, LOG_TEXT);
	if (argc < 2 || str_eq(argv[1], "--help") || str_eq(argv[1], "help"))
		return print_help(argc > 2 ? cmd_find(commands, argv[2]) : NULL);
	cmd = cmd_find(commands, argv[1]);
	if (!cmd)
		r = err_say(&e, "unknown command: %s", argv[1]);
	else if (asks_help(argc - 2, argv + 2))
		return print_help(cmd);
	else
		r = run(cmd, argc - 2, argv + 2, &e);
	if (r >= 0)
		return r;
	log_err(&e);
	return EXIT_OWN_FAILURE;
}
