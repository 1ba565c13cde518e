/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that do one thing to each container they are given. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct stop_opts {
	int64_t timeout_ms;
	const char *signal;
};

static const struct opt stop_opts[] = {
	{ "time", 't', OPT_MS, offsetof(struct stop_opts, timeout_ms), "SECONDS",
		"until it is killed (default: its own --stop-timeout, 10)" },
	{ "timeout", 0, OPT_MS, offsetof(struct stop_opts, timeout_ms), "SECONDS",
		"the same as --time" },
	{ "signal", 's', OPT_STRING, offsetof(struct stop_opts, signal), "SIGNAL",
		"instead of its own --stop-signal" },
	{ 0 },
};

static void stop_init(void *opts)
{
	((struct stop_opts *)opts)->timeout_ms = -1;
}

static int stop_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	const struct stop_opts *o = opts;

	return life_stop(l, ref, o->timeout_ms, o->signal, e);
}

static int stop(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, stop_one, e);
}

static int restart_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	const struct stop_opts *o = opts;

	return life_restart(l, ref, o->timeout_ms, e) == 0 ? 0 : -e->code;
}

static int restart(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, restart_one, e);
}

struct kill_opts {
	const char *signal;
};

static const struct opt kill_opts[] = {
	{ "signal", 's', OPT_STRING, offsetof(struct kill_opts, signal), "SIGNAL", "default KILL" },
	{ 0 },
};

static int kill_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	const struct kill_opts *o = opts;
	int signo;

	if (life_signal_parse(o->signal ? o->signal : "KILL", &signo, e) < 0)
		return -e->code;
	return life_kill(l, ref, signo, e);
}

static int kill_each(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, kill_one, e);
}

static int pause_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	(void)opts;
	return life_pause(l, ref, e);
}

static int pause_each(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, pause_one, e);
}

static int unpause_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	(void)opts;
	return life_unpause(l, ref, e);
}

static int unpause_each(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, unpause_one, e);
}

struct rm_opts {
	bool force, volumes;
};

static const struct opt rm_opts[] = {
	{ "volumes", 'v', OPT_FLAG, offsetof(struct rm_opts, volumes), NULL,
		"with its volumes that have no name" },
	{ "force", 'f', OPT_FLAG, offsetof(struct rm_opts, force), NULL,
		"kill it first if it runs; one that is not there is no failure" },
	{ 0 },
};

static int rm_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	const struct rm_opts *o = opts;

	return life_remove_volumes(l, ref, o->force, o->volumes, e);
}

/* docker: with -f what is not there is said, and no failure. */
static int rm(const struct cmd_call *call, struct err *e)
{
	const struct rm_opts *o = call->opts;
	autolife life = LIFE_NONE;
	int code = 0;

	if (!o->force)
		return cli_each(call, rm_one, e);
	if (cli_life(call, &life, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		struct err own = { 0 };
		int r = rm_one(&life, call->args[i], o, &own);

		if (r == 0) {
			puts(call->args[i]);
		} else {
			log_err(&own);
			code |= r != -ERR_ABSENT;
		}
	}
	return code;
}

static int wait_each(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;
	int failed = 0;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	for (int i = 0; i < call->n_args; i++) {
		struct err own = { 0 };
		int code;

		if (life_wait(&life, call->args[i], &code, &own) < 0) {
			log_err(&own);
			failed = 1;
		} else {
			printf("%d\n", code);
			fflush(stdout);
		}
	}
	return failed;
}

static int rename_one(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_rename(&life, call->args[0], call->args[1], e);
}

const struct cmd cmd_stop = {
	.name = "stop",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "ask containers to end, kill them if they do not",
	.min_args = 1,
	.max_args = -1,
	.opts = stop_opts,
	.opts_size = sizeof(struct stop_opts),
	.init = stop_init,
	.run = stop,
};

const struct cmd cmd_restart = {
	.name = "restart",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "stop containers and start them again",
	.min_args = 1,
	.max_args = -1,
	.opts = stop_opts,
	.opts_size = sizeof(struct stop_opts),
	.init = stop_init,
	.enters = true,
	.run = restart,
};

const struct cmd cmd_kill = {
	.name = "kill",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "send a signal to containers' PID 1",
	.min_args = 1,
	.max_args = -1,
	.opts = kill_opts,
	.opts_size = sizeof(struct kill_opts),
	.run = kill_each,
};

const struct cmd cmd_pause = {
	.name = "pause",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "freeze all processes of containers",
	.min_args = 1,
	.max_args = -1,
	.run = pause_each,
};

const struct cmd cmd_unpause = {
	.name = "unpause",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "let frozen containers go on",
	.min_args = 1,
	.max_args = -1,
	.run = unpause_each,
};

const struct cmd cmd_rm = {
	.name = "rm",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "remove containers",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = rm,
};

const struct cmd cmd_wait = {
	.name = "wait",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "wait until containers have ended, print their exit codes",
	.min_args = 1,
	.max_args = -1,
	.run = wait_each,
};

const struct cmd cmd_rename = {
	.name = "rename",
	.group = CMD_RUNNING,
	.args = "CONTAINER NAME",
	.brief = "give a container another name",
	.min_args = 2,
	.max_args = 2,
	.run = rename_one,
};
