/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/width.h"
#include "cli/commands.h"
#include "cli/view.h"

const struct opt global_opts[] = {
	{ "root", 0, OPT_STRING, offsetof(struct globals, root), "DIR",
		"state folder (default: /run/clade, or $XDG_RUNTIME_DIR/clade)" },
	{ "data-root", 0, OPT_STRING, offsetof(struct globals, data_root), "DIR",
		"where images are kept (default: /var/lib/clade, or $XDG_DATA_HOME/clade)" },
	{ "log-level", 'l', OPT_STRING, offsetof(struct globals, log_level), "LEVEL",
		"debug, info, warn (default) or error" },
	{ "debug", 'D', OPT_FLAG, offsetof(struct globals, debug), NULL,
		"the same as --log-level debug" },
	{ "version", 'v', OPT_FLAG, offsetof(struct globals, version), NULL, "show the version" },
	{ 0 },
};

static const char *const headings[] = { [CMD_RUNNING] = "Containers",
	[CMD_PROCESSES] = "Processes",
	[CMD_IMAGES] = "Images",
	[CMD_OTHER] = "Other" };

/* The whole list when cmd is NULL. */
static int print_help(const struct cmd *cmd)
{
	autotext t = { 0 };

	if (cmd) {
		cmd_help(cmd, "clade", &t);
		fputs(t.p, stdout);
		return 0;
	}
	text_add(&t, "Usage: clade [flags] COMMAND ...\n");
	for (int group = 0; group < CMD_HIDDEN; group++) {
		bool any = false;

		for (const struct cmd *const *c = commands; *c; c++) {
			if ((*c)->group != group)
				continue;
			if (!any)
				text_addf(&t, "\n%s:\n", headings[group]);
			any = true;
			text_addf(&t, "  %-12s %s\n", (*c)->name, (*c)->brief);
		}
	}
	text_add(&t, "\nFlags:\n");
	opt_help(global_opts, &t);
	text_add(&t, "\n`clade COMMAND --help` says more.\n");
	fputs(t.p, stdout);
	return 0;
}

/* --help among the command's own flags, not among what it is to run. */
static bool asks_help(const struct cmd *cmd, int argc, char **argv)
{
	for (int i = 0; i < argc && !str_eq(argv[i], "--"); i++) {
		if (str_eq(argv[i], "--help"))
			return true;
		if (cmd->stops_at_word && argv[i][0] != '-')
			return false;
	}
	return false;
}

int cli_life(const struct cmd_call *call, struct life *ret, struct err *e)
{
	const struct globals *g = call->globals;

	if (life_init(ret, g->root, e) < 0)
		return -e->code;
	if (g->data_root && g->data_root[0])
		ret->data_root = g->data_root[0] == '/'
					 ? g->data_root
					 : arena_printf(call->arena, "%s/%s",
						   ret->cwd ? ret->cwd : "", g->data_root);
	return 0;
}

int cli_bool(const char *flag, const char *value, const char **ret, struct err *e)
{
	if (value && !str_eq(value, "true") && !str_eq(value, "false"))
		return err_say(e, "%s=%s: true or false is wanted", flag, value);
	*ret = value ? value : "true";
	return 0;
}

int cli_each(const struct cmd_call *call,
	int (*verb)(const struct life *l, const char *ref, const void *opts, struct err *e),
	struct err *e)
{
	autolife life = LIFE_NONE;
	int code = 0;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		struct err own = { 0 };

		if (verb(&life, call->args[i], call->opts, &own) < 0) {
			log_err(&own);
			code = 1;
		} else {
			puts(call->args[i]);
		}
	}
	return code;
}

/* Another engine's container has no state of ours: it is known by what can be seen of it. */
static int seen_process(const struct cmd_call *call, const char *word, pid_t *ret, struct err *e)
{
	struct view v;
	uint32_t i;
	int r;

	if (view_read(call, 0, &v, e) < 0)
		return -e->code;
	r = view_find(&v, word, &i, e);
	if (r == 0)
		*ret = v.s.procs[i].pid;
	view_done(&v);
	return r;
}

int cli_process(const struct cmd_call *call, const char *word, pid_t *ret,
	struct life_info *ret_info, struct err *e)
{
	autolife life = LIFE_NONE;
	struct life_info info = { 0 };
	struct err no_state;
	int pid;

	if (ret_info)
		*ret_info = info;
	if (cli_life(call, &life, &no_state) == 0 &&
		life_inspect(&life, word, call->arena, &info, &no_state) == 0) {
		if (!info.pid)
			return err_say(e, "container %s is not running", info.name);
		*ret = info.pid;
		if (ret_info)
			*ret_info = info;
		return 0;
	}
	if (str_int(word, &pid) < 0 || pid <= 0)
		return seen_process(call, word, ret, e);
	*ret = pid;
	return 0;
}

static int run(
	const struct cmd *cmd, const struct globals *globals, int argc, char **argv, struct err *e)
{
	autoarena arena = { 0 };
	struct cmd_call call = { .cmd = cmd, .arena = &arena, .globals = globals };
	struct opt_style style = { .stops_at_word = cmd->stops_at_word };

	call.opts = arena_alloc(&arena, cmd->opts_size + 1);
	if (cmd->init)
		cmd->init(call.opts);
	if (cmd->opts && opt_parse(cmd->opts, (const char *const *)argv, argc, style, call.opts,
				 &arena, &call.args, &call.n_args, e) < 0)
		return -e->code;
	if (!cmd->opts) {
		static const struct opt none[] = { { 0 } };

		if (opt_parse(none, (const char *const *)argv, argc, style, call.opts, &arena,
			    &call.args, &call.n_args, e) < 0)
			return -e->code;
	}
	if (call.n_args < cmd->min_args || (cmd->max_args >= 0 && call.n_args > cmd->max_args))
		return err_say(
			e, "%s takes: %s", cmd->name, cmd->args ? cmd->args : "no arguments");
	return cmd->run(&call, e);
}

int cli_sub(const struct cmd_call *call, const struct cmd *const *list, struct err *e)
{
	const struct cmd *cmd = cmd_find(list, call->args[0]);
	char **argv = (char **)call->args + 1;
	autotext t = { 0 }, program = { 0 };

	text_addf(&program, "clade %s", call->cmd->name);
	if (!cmd)
		return err_say(e, "unknown command: %s %s (%s)", call->cmd->name, call->args[0],
			call->cmd->args);
	if (!asks_help(cmd, call->n_args - 1, argv))
		return run(cmd, call->globals, call->n_args - 1, argv, e);
	cmd_help(cmd, program.p, &t);
	fputs(t.p, stdout);
	return 0;
}

static int set_log(const struct globals *g, struct err *e)
{
	enum log_level level = LOG_LEVEL_WARN;

	if (g->log_level && log_level_parse(g->log_level, &level) < 0)
		return err_say(
			e, "--log-level %s: debug, info, warn or error is wanted", g->log_level);
	log_setup("clade", g->debug ? LOG_LEVEL_DEBUG : level, -EBADF, LOG_TEXT);
	return 0;
}

static int dispatch(int argc, char **argv, struct err *e)
{
	autoarena arena = { 0 };
	struct globals globals = { 0 };
	struct opt_style style = { .stops_at_word = true };
	const struct cmd *cmd;
	const char **args;
	int n;

	if (argc > 1 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h")))
		return print_help(NULL);
	if (opt_parse(global_opts, (const char *const *)argv + 1, argc - 1, style, &globals, &arena,
		    &args, &n, e) < 0 ||
		set_log(&globals, e) < 0)
		return -e->code;
	if (globals.version)
		return cmd_version.run(&(struct cmd_call){ .globals = &globals }, e);
	if (n == 0 || str_eq(args[0], "help"))
		return print_help(n > 1 ? cmd_find(commands, args[1]) : NULL);
	cmd = cmd_find(commands, args[0]);
	if (!cmd)
		return err_say(e, "unknown command: %s (clade --help lists them)", args[0]);
	argv += argc - n;
	if (asks_help(cmd, n - 1, argv + 1))
		return print_help(cmd);
	return run(cmd, &globals, n - 1, argv + 1, e);
}

/* Does this command line put a process of ours into a container? */
static bool enters(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct cmd *cmd = cmd_find(commands, argv[i]);

		if (cmd)
			return cmd->enters;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	int r = 0;

	width_setup();
	log_setup("clade", LOG_LEVEL_WARN, -EBADF, LOG_TEXT);
	if (enters(argc, argv))
		r = life_seal(argv, &e);
	if (r == 0)
		r = dispatch(argc, argv, &e);
	if (r >= 0 && fflush(stdout) != 0 && errno != EPIPE)
		r = err_set(&e, errno, "write to standard output");
	if (r >= 0)
		return r;
	log_err(&e);
	return EXIT_OWN_FAILURE;
}
