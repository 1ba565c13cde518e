/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/str.h"
#include "cli/commands.h"
#include "procs/pin.h"

struct setup_opts {
	bool remove;
	const char *group;
};

static const struct opt setup_opts[] = {
	{ "group", 0, OPT_STRING, offsetof(struct setup_opts, group), "GROUP",
		"who may read it beside root" },
	{ "remove", 0, OPT_FLAG, offsetof(struct setup_opts, remove), NULL, "undo it" },
	{ 0 },
};

static int setup(const struct cmd_call *call, struct err *e)
{
	const struct setup_opts *o = call->opts;

	if (!str_eq(call->args[0], "bpf"))
		return err_say(e, "%s: bpf can be set up", call->args[0]);
	if (o->remove)
		return pin_remove(e);
	if (pin_make(o->group, e) < 0)
		return -e->code;
	printf("pinned %s: the process views read it from now on\n", pin_path());
	return 0;
}

const struct cmd cmd_setup = {
	.name = "setup",
	.group = CMD_PROCESSES,
	.args = "bpf",
	.brief = "pin the kernel's task iterator, which makes the process views fast",
	.more = "As root, once after each boot. Whoever may read the file sees all processes of\n"
		"the host, whatever hidepid= hides.",
	.min_args = 1,
	.max_args = 1,
	.opts = setup_opts,
	.opts_size = sizeof(struct setup_opts),
	.run = setup,
};
