/* SPDX-License-Identifier: Apache-2.0 */
/* start and attach: an existing container and our standard streams. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct start_opts {
	bool attach, interactive, no_stdin, sig_proxy;
	const char *detach_keys;
};

static const struct opt start_opts[] = {
	{ "attach", 'a', OPT_FLAG, offsetof(struct start_opts, attach), NULL,
		"show its output and pass signals on" },
	{ "interactive", 'i', OPT_FLAG, offsetof(struct start_opts, interactive), NULL,
		"pass standard input on" },
	{ "sig-proxy", 0, OPT_FLAG, offsetof(struct start_opts, sig_proxy), NULL,
		"pass signals on (default true)" },
	{ "detach-keys", 0, OPT_STRING, offsetof(struct start_opts, detach_keys), "KEYS",
		"default ctrl-p,ctrl-q" },
	{ 0 },
};

static const struct opt attach_opts[] = {
	{ "no-stdin", 0, OPT_FLAG, offsetof(struct start_opts, no_stdin), NULL,
		"do not pass standard input on" },
	{ "sig-proxy", 0, OPT_FLAG, offsetof(struct start_opts, sig_proxy), NULL,
		"pass signals on (default true)" },
	{ "detach-keys", 0, OPT_STRING, offsetof(struct start_opts, detach_keys), "KEYS",
		"default ctrl-p,ctrl-q" },
	{ 0 },
};

static void init(void *opts)
{
	((struct start_opts *)opts)->sig_proxy = true;
}

static int start_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	(void)opts;
	/* an exec failure too is one of start's: docker's exit code here is 1 */
	return life_start(l, ref, NULL, e) == 0 ? 0 : -e->code;
}

static int attached(const struct life *l, const char *ref, struct life_attach *at,
	const struct start_opts *o, bool with_stdin, struct err *e)
{
	struct life_info info;
	autoarena arena = { 0 };
	struct err other;
	int code = 0, r;

	if (life_inspect(l, ref, &arena, &info, e) < 0) {
		life_attach_free(at);
		return -e->code;
	}
	r = life_attach_run(at, o->sig_proxy, o->detach_keys,
		LIFE_STREAMS & ~(with_stdin && info.interactive ? 0u : LIFE_STDIN), &code, e);
	life_attach_free(at);
	if (r == LIFE_DETACHED)
		return 0;
	if (r < 0)
		return r;
	if (life_keep_ended(l, info.id, &other) < 0)
		log_err(&other);
	return code;
}

static int start(const struct cmd_call *call, struct err *e)
{
	struct start_opts *o = call->opts;
	struct life_attach *at = NULL;
	autolife life = LIFE_NONE;
	int r;

	if (!o->attach && !o->interactive)
		return cli_each(call, start_one, e);
	if (call->n_args != 1)
		return err_say(e, "start -a: one container at a time");
	if (cli_life(call, &life, e) < 0)
		return -e->code;
	r = life_start(&life, call->args[0], &at, e);
	if (r != 0)
		return -e->code;
	return attached(&life, call->args[0], at, o, o->interactive, e);
}

static int attach(const struct cmd_call *call, struct err *e)
{
	struct start_opts *o = call->opts;
	struct life_attach *at = NULL;
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0 || life_attach(&life, call->args[0], &at, e) < 0)
		return -e->code;
	return attached(&life, call->args[0], at, o, !o->no_stdin, e);
}

const struct cmd cmd_start = {
	.name = "start",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "start containers that were made or have ended",
	.min_args = 1,
	.max_args = -1,
	.opts = start_opts,
	.opts_size = sizeof(struct start_opts),
	.init = init,
	.enters = true,
	.run = start,
};

const struct cmd cmd_attach = {
	.name = "attach",
	.group = CMD_RUNNING,
	.args = "CONTAINER",
	.brief = "connect to a running container's streams",
	.min_args = 1,
	.max_args = 1,
	.opts = attach_opts,
	.opts_size = sizeof(struct start_opts),
	.init = init,
	.run = attach,
};
