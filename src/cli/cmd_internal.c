/* SPDX-License-Identifier: Apache-2.0 */
/* What clade-keep runs; not for people. */
#include "cli/commands.h"

static int start(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_keep_start(&life, call->args[0], e);
}

static int ended(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_keep_ended(&life, call->args[0], e);
}

static int health(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_keep_health(&life, call->args[0], e);
}

const struct cmd cmd_internal_start = {
	.name = "internal-start",
	.group = CMD_HIDDEN,
	.args = "ID",
	.brief = "give birth for clade-keep",
	.min_args = 1,
	.max_args = 1,
	.enters = true,
	.run = start,
};

const struct cmd cmd_internal_ended = {
	.name = "internal-ended",
	.group = CMD_HIDDEN,
	.args = "ID",
	.brief = "clear away for clade-keep",
	.min_args = 1,
	.max_args = 1,
	.run = ended,
};

const struct cmd cmd_internal_health = {
	.name = "internal-health",
	.group = CMD_HIDDEN,
	.args = "ID",
	.brief = "check a container's health until it ends",
	.min_args = 1,
	.max_args = 1,
	.enters = true,
	.run = health,
};
