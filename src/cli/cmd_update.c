/* SPDX-License-Identifier: Apache-2.0 */
/* update: limits of running containers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct update_opts {
	struct docker_run run;
	const char *restart;
};

static int parse_pids(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct update_opts *to = opts;

	(void)o;
	if (str_i64(value, &to->run.pids_limit) < 0 || to->run.pids_limit < -1)
		return err_say(e, "--pids-limit %s: a number, or -1 for none, is wanted", value);
	return 0;
}

static int parse_quota(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct update_opts *to = opts;

	(void)o;
	if (str_i64(value, &to->run.cpu_quota) < 0)
		return err_say(e, "--cpu-quota %s: microseconds are wanted", value);
	return 0;
}

#define RUN(member) offsetof(struct update_opts, run.member)

static const struct opt update_opts[] = {
	{ "memory", 'm', OPT_BYTES, RUN(memory), "SIZE", "memory limit" },
	{ "memory-reservation", 0, OPT_BYTES, RUN(memory_reservation), "SIZE",
		"soft memory limit" },
	{ "memory-swap", 0, OPT_BYTES, RUN(memory_swap), "SIZE",
		"memory and swap together; -1: no limit" },
	{ "cpus", 0, OPT_STRING, RUN(cpus), "N", "how many CPUs at most" },
	{ "cpu-period", 0, OPT_U64, RUN(cpu_period), "US", "CFS period" },
	{ "cpu-quota", 0, OPT_CALL, 0, "US", "CFS quota", parse_quota },
	{ "cpu-shares", 'c', OPT_U64, RUN(cpu_shares), "N", "relative weight" },
	{ "cpuset-cpus", 0, OPT_STRING, RUN(cpuset_cpus), "0-3,7", "which CPUs" },
	{ "cpuset-mems", 0, OPT_STRING, RUN(cpuset_mems), "0,1", "which memory nodes" },
	{ "pids-limit", 0, OPT_CALL, 0, "N", "how many processes at most", parse_pids },
	{ "restart", 0, OPT_STRING, offsetof(struct update_opts, restart), "POLICY",
		"no, on-failure[:N], always, unless-stopped (from the next start on)" },
	{ 0 },
};

struct change {
	const struct life_update *update;
};

static int update_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	(void)opts;
	return life_update(l, ref, ((const struct change *)opts)->update, e);
}

static int update(const struct cmd_call *call, struct err *e)
{
	struct update_opts *o = call->opts;
	static const char *const nothing[] = { "true", NULL };
	struct life_update u = { .set_restart = o->restart };
	struct change change = { &u };
	struct cmd_call each = *call;
	struct docker_rest rest;
	struct spec spec;
	int r;

	if (o->restart && life_restart_parse(o->restart, &u.restart, &u.restart_max, e) < 0)
		return -e->code;
	o->run.args = nothing;
	o->run.n_args = 1;
	o->run.in_userns = true; /* devices are not among what is changed */
	r = docker_spec(&o->run, &spec, &rest, e);
	if (r == 0) {
		u.resources = &spec.linux_.resources;
		each.opts = &change;
		r = cli_each(&each, update_one, e);
	}
	spec_done(&spec);
	return r;
}

const struct cmd cmd_update = {
	.name = "update",
	.group = CMD_RUNNING,
	.args = "CONTAINER...",
	.brief = "change limits of containers",
	.min_args = 1,
	.max_args = -1,
	.opts = update_opts,
	.opts_size = sizeof(struct update_opts),
	.run = update,
};
