/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "life/life.h"
#include "oci/commands.h"

#define AT(member) offsetof(struct oci_globals, member)

const struct opt oci_global_opts[] = {
	{ "root", 0, OPT_STRING, AT(root), "DIR", "state folder (default /run/clade-oci)" },
	{ "log", 0, OPT_STRING, AT(log), "FILE", "append messages to this file, too" },
	{ "log-format", 0, OPT_STRING, AT(log_format), "text|json", "of that file (default text)" },
	{ "log-level", 0, OPT_STRING, AT(log_level), "LEVEL",
		"debug, info, warning (default), error" },
	{ "debug", 0, OPT_FLAG, AT(debug), NULL, "the same as --log-level debug" },
	{ "systemd-cgroup", 0, OPT_FLAG, AT(systemd_cgroup), NULL, "cgroups by systemd" },
	{ "cgroup-manager", 0, OPT_STRING, AT(cgroup_manager), "cgroupfs|systemd|disabled",
		"who makes cgroups" },
	{ "rootless", 0, OPT_STRING, AT(rootless), "auto|true|false", "ignored: it is found out" },
	{ "criu", 0, OPT_STRING, AT(criu), "PATH", "ignored: there is no checkpoint" },
	{ "version", 'v', OPT_FLAG, AT(version), NULL, "show the version" },
	{ "help", 'h', OPT_FLAG, AT(help), NULL, "show this" },
	{ 0 },
};

const struct cmd *const oci_commands[] = { &oci_create, &oci_start, &oci_run, &oci_exec, &oci_state,
	&oci_list, &oci_ps, &oci_kill, &oci_delete, &oci_pause, &oci_resume, &oci_update,
	&oci_events, &oci_features, &oci_spec, &oci_checkpoint, &oci_restore, NULL };

static int print_help(const struct cmd *cmd)
{
	autotext t = { 0 };

	if (cmd) {
		cmd_help(cmd, "clade-oci", &t);
	} else {
		text_add(&t, "Usage: clade-oci [flags] COMMAND ...\n\n");
		for (const struct cmd *const *c = oci_commands; *c; c++)
			text_addf(&t, "  %-12s %s\n", (*c)->name, (*c)->brief);
		text_add(&t, "\nFlags:\n");
		opt_help(oci_global_opts, &t);
	}
	fputs(t.p, stdout);
	return 0;
}

/* dockerd reads "NAME version V" and "commit: ..." */
static int print_version(void)
{
	printf("clade-oci version %s\ncommit: %s\nspec: 1.3.0\n", CLADE_VERSION, CLADE_VERSION);
	return 0;
}

int oci_bundles(const struct cmd_call *call, struct bundles *ret, struct err *e)
{
	const struct oci_globals *g = call->globals;

	if (bundles_init(ret, g->root, e) < 0)
		return -e->code;
	if (g->systemd_cgroup || (g->cgroup_manager && str_eq(g->cgroup_manager, "systemd")))
		ret->cgroup_manager = CGROUP_SYSTEMD;
	else if (g->cgroup_manager && str_eq(g->cgroup_manager, "disabled"))
		ret->cgroup_manager = CGROUP_NONE;
	else if (g->cgroup_manager && !str_eq(g->cgroup_manager, "cgroupfs"))
		return err_say(e, "--cgroup-manager %s: cgroupfs, systemd or disabled is wanted",
			g->cgroup_manager);
	return 0;
}

int oci_flush(struct err *e)
{
	struct err other;

	/* a first line is written as it comes: its error is the one before */
	return fflush(stdout) != 0 || ferror(stdout)
		       ? err_set(e->code ? &other : e, errno ? errno : EIO,
				 "write to standard output")
		       : 0;
}

static int set_log(const struct oci_globals *g, struct err *e)
{
	enum log_level level = LOG_LEVEL_WARN;
	enum log_format format = LOG_TEXT;
	int fd = -1;

	if (g->log_level && log_level_parse(g->log_level, &level) < 0)
		return err_say(
			e, "--log-level %s: debug, info, warning or error is wanted", g->log_level);
	if (g->log_format && str_eq(g->log_format, "json"))
		format = LOG_JSON;
	else if (g->log_format && !str_eq(g->log_format, "text"))
		return err_say(e, "--log-format %s: text or json is wanted", g->log_format);
	if (g->log && g->log[0]) {
		fd = bundle_log_open(g->log, e);
		if (fd < 0)
			return fd;
	}
	log_setup("clade-oci", g->debug ? LOG_LEVEL_DEBUG : level, fd, format);
	return 0;
}

static bool asks_help(const struct cmd *cmd, int n, const char **args)
{
	for (int i = 0; i < n && !str_eq(args[i], "--"); i++) {
		if (str_eq(args[i], "--help") || str_eq(args[i], "-h"))
			return true;
		if (cmd->stops_at_word && args[i][0] != '-')
			return false;
	}
	return false;
}

/* What is wrong about the words themselves is 1 for every command: ret_cmd is NULL then. */
static int run(const struct cmd **ret_cmd, const struct oci_globals *globals, int argc,
	const char **argv, struct err *e)
{
	const struct cmd *cmd = *ret_cmd;
	static const struct opt none[] = { { 0 } };
	autoarena arena = { 0 };
	struct cmd_call call = { .cmd = cmd, .arena = &arena, .globals = globals };
	struct opt_style style = {
		.stops_at_word = cmd->stops_at_word, .single_dash = true, .empty_is_none = true
	};

	/* it asks again and again for as long as the container lives */
	if (cmd != &oci_events)
		arena_leave_to_exit();
	call.opts = arena_alloc(&arena, cmd->opts_size + 1);
	*ret_cmd = NULL;
	if (opt_parse(cmd->opts ? cmd->opts : none, argv, argc, style, call.opts, &arena,
		    &call.args, &call.n_args, e) < 0)
		return -e->code;
	if (call.n_args < cmd->min_args || (cmd->max_args >= 0 && call.n_args > cmd->max_args))
		return err_say(
			e, "%s takes: %s", cmd->name, cmd->args ? cmd->args : "no arguments");
	*ret_cmd = cmd;
	return cmd->run(&call, e);
}

static int dispatch(int argc, char **argv, const struct cmd **ret_cmd, struct err *e)
{
	autoarena arena = { 0 };
	struct oci_globals globals = { 0 };
	struct opt_style style = {
		.stops_at_word = true, .single_dash = true, .empty_is_none = true
	};
	const char **args;
	bool asks;
	int n;

	*ret_cmd = NULL;
	if (opt_parse(oci_global_opts, (const char *const *)argv + 1, argc - 1, style, &globals,
		    &arena, &args, &n, e) < 0 ||
		set_log(&globals, e) < 0)
		return -e->code;
	if (globals.version)
		return print_version();
	asks = globals.help || n == 0 || str_eq(args[0], "help") || str_eq(args[0], "h");
	if (asks && n < 2)
		return print_help(NULL);
	*ret_cmd = cmd_find(oci_commands, args[asks]);
	if (!*ret_cmd) {
		log_error("unknown command: %s", args[asks]);
		return EXIT_NO_COMMAND;
	}
	if (asks || asks_help(*ret_cmd, n - 1, args + 1))
		return print_help(*ret_cmd);
	return run(ret_cmd, &globals, n - 1, args + 1, e);
}

/* Which it will be, before anything is parsed: so early the executable has to be out of reach. */
static const struct cmd *command_of(int argc, char **argv)
{
	const struct cmd *cmd = NULL;

	for (int i = 1; i < argc && !cmd; i++)
		cmd = cmd_find(oci_commands, argv[i]);
	return cmd;
}

/*
 * Engines look for Go's spelling of a reason ("no such file or directory"), and Docker minds the
 * case: it makes exit codes of it.
 */
static void log_as_go(const struct err *e)
{
	char said[sizeof(e->msg) + 128];
	size_t n = strlen(e->msg);

	err_text(e, said, sizeof(said));
	if (said[n] == ':')
		said[n + 2] |= 0x20;
	log_error("%s", said);
}

int main(int argc, char **argv)
{
	const struct cmd *cmd = command_of(argc, argv);
	struct err e = { 0 };
	int r = 0;

	life_stdio();
	log_setup("clade-oci", LOG_LEVEL_WARN, -1, LOG_TEXT);
	mem_on_failure(
		log_out_of_memory, cmd == &oci_exec ? EXIT_EXEC_FAILED : EXIT_FAILURE_OF_OURS);
	if (cmd && cmd->enters)
		r = life_seal(argv, &e);
	if (r == 0)
		r = dispatch(argc, argv, &cmd, &e);
	if (oci_flush(&e) < 0 && r == 0)
		r = -e.code;
	if (r >= 0)
		return r;
	log_as_go(&e);
	return cmd == &oci_exec ? EXIT_EXEC_FAILED : EXIT_FAILURE_OF_OURS;
}
