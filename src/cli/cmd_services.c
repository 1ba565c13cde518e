/* SPDX-License-Identifier: Apache-2.0 */
/* services: what `clade-init ctl` says inside, from outside. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static void show(int stream, const char *text, size_t n)
{
	FILE *to = stream == 1 ? stdout : stderr;

	fwrite(text, 1, n, to);
	fflush(to);
}

static int services(const struct cmd_call *call, struct err *e)
{
	static const char *const status[] = { "status", NULL };
	autolife life = LIFE_NONE;
	int code = 0, r;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	r = life_services(
		&life, call->args[0], call->n_args > 1 ? call->args + 1 : status, show, &code, e);
	return r < 0 ? r : code;
}

const struct cmd cmd_services = {
	.name = "services",
	.group = CMD_RUNNING,
	.args = "CONTAINER [COMMAND [NAME...]]",
	.brief = "the services of a container whose PID 1 is clade-init",
	.more = "Commands are those of `clade-init ctl`: status (the default) [--json] [NAME...], "
		"start, stop,\n"
		"restart NAME|GROUP:*|all, signal SIGNAL NAME, tail [-f] NAME, clear NAME, pid "
		"[NAME], reread,\n"
		"update, add, remove GROUP, avail, stats, maintail, reload, shutdown. Its exit "
		"codes are theirs:\n"
		"3 when one that is shown does not run, 4 for one that is not known.",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.run = services,
};
