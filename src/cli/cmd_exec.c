/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct exec_opts {
	struct life_exec exec;
	struct opt_list env, env_files;
};

#define EXEC(member) offsetof(struct exec_opts, exec.member)

static const struct opt exec_opts[] = {
	{ "interactive", 'i', OPT_FLAG, EXEC(interactive), NULL, "keep standard input open" },
	{ "tty", 't', OPT_FLAG, EXEC(tty), NULL, "give it a terminal" },
	{ "detach", 'd', OPT_FLAG, EXEC(detach), NULL, "run in the background" },
	{ "env", 'e', OPT_LIST, offsetof(struct exec_opts, env), "NAME=VALUE",
		"set an environment variable" },
	{ "env-file", 0, OPT_LIST, offsetof(struct exec_opts, env_files), "FILE",
		"set variables from a file" },
	{ "user", 'u', OPT_STRING, EXEC(user), "USER[:GROUP]", "name or number" },
	{ "workdir", 'w', OPT_STRING, EXEC(workdir), "DIR", "working folder in the container" },
	{ "privileged", 0, OPT_FLAG, EXEC(privileged), NULL, "all capabilities" },
	{ "detach-keys", 0, OPT_STRING, EXEC(detach_keys), "KEYS", "default ctrl-p,ctrl-q" },
	{ 0 },
};

static int exec(const struct cmd_call *call, struct err *e)
{
	struct exec_opts *o = call->opts;
	autolife life = LIFE_NONE;
	struct opt_list all = { 0 };
	const char **env;
	int code = 0, r;

	for (size_t i = 0; i < o->env_files.n; i++)
		if (docker_lines("--env-file", o->env_files.items[i], call->arena, &all, e) < 0)
			return -e->code;
	env = arena_array(call->arena, all.n + o->env.n + 1, sizeof(*env));
	for (size_t i = 0; i < all.n + o->env.n; i++)
		env[i] = i < all.n ? all.items[i] : o->env.items[i - all.n];
	o->exec.env = env;
	o->exec.args = call->args + 1;
	if (cli_life(call, &life, e) < 0)
		return -e->code;
	if (o->exec.tty && o->exec.interactive && !o->exec.detach && !life_stdin_is_tty())
		return err_say(e, "-t: the input device is not a terminal");
	r = life_exec(&life, call->args[0], &o->exec, &code, e);
	if (r == LIFE_EXEC_FAILED) {
		log_err(e);
		return e->code == ENOENT || e->code == ERR_ABSENT ? EXIT_NOT_FOUND
								  : EXIT_NOT_EXECUTABLE;
	}
	return r < 0 ? r : code;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.group = CMD_RUNNING,
	.args = "CONTAINER COMMAND [ARG...]",
	.brief = "run a further program in a running container",
	.min_args = 2,
	.max_args = -1,
	.opts = exec_opts,
	.opts_size = sizeof(struct exec_opts),
	.stops_at_word = true,
	.enters = true,
	.run = exec,
};
