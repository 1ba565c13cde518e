/* SPDX-License-Identifier: Apache-2.0 */
/* start, kill, delete, pause, resume, update, checkpoint, restore */
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/signals.h"
#include "base/str.h"
#include "oci/commands.h"

static int start(const struct cmd_call *call, struct err *e)
{
	autobundles b = BUNDLES_NONE;

	return oci_bundles(call, &b, e) < 0 ? -e->code : bundle_start(&b, call->args[0], e);
}

struct all_opts {
	bool all, force, regex;
};

/* what is done to one container, and with what */
struct deed {
	int (*to_one)(struct bundles *b, const char *id, const struct deed *d, struct err *e);
	int signo;
	bool flag;
};

/* crun's --regex: to each whose ID matches; what fails for one is said, and the others follow. */
static int to_matching(struct bundles *b, const char *pattern, const struct deed *d,
	struct arena *a, struct err *e)
{
	struct bundle_info *all;
	size_t n;
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_say(e, "invalid regular expression: %s", pattern);
	if (bundle_list(b, a, &all, &n, e) < 0) {
		regfree(&re);
		return -e->code;
	}
	for (size_t i = 0; i < n; i++) {
		struct err one;

		if (regexec(&re, all[i].id, 0, NULL, 0) == 0 &&
			d->to_one(b, all[i].id, d, &one) < 0)
			log_err(&one);
	}
	regfree(&re);
	return 0;
}

static int act(const struct cmd_call *call, const struct deed *d, struct err *e)
{
	const struct all_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;

	if (oci_bundles(call, &b, e) < 0)
		return -e->code;
	return o->regex ? to_matching(&b, call->args[0], d, call->arena, e)
			: d->to_one(&b, call->args[0], d, e);
}

static const struct opt kill_opts[] = {
	{ "all", 'a', OPT_FLAG, offsetof(struct all_opts, all), NULL,
		"every process of the container" },
	{ "regex", 'r', OPT_FLAG, offsetof(struct all_opts, regex), NULL,
		"ID is an extended regular expression: all that match" },
	{ 0 },
};

static const struct opt delete_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct all_opts, force), NULL,
		"kill it first; one that is not there is no failure" },
	{ "regex", 'r', OPT_FLAG, offsetof(struct all_opts, regex), NULL,
		"ID is an extended regular expression: all that match" },
	{ 0 },
};

static int kill_one(struct bundles *b, const char *id, const struct deed *d, struct err *e)
{
	return bundle_kill(b, id, d->signo, d->flag, e);
}

static int delete_one(struct bundles *b, const char *id, const struct deed *d, struct err *e)
{
	return bundle_delete(b, id, d->flag, e);
}

static int kill_them(const struct cmd_call *call, struct err *e)
{
	const struct all_opts *o = call->opts;
	const char *word = call->n_args > 1 && call->args[1][0] ? call->args[1] : "TERM";
	const struct deed d = { kill_one, str_eq(word, "0") ? 0 : signal_parse(word), o->all };

	return d.signo < 0 ? err_say(e, "unknown signal \"%s\"", word) : act(call, &d, e);
}

static int delete_them(const struct cmd_call *call, struct err *e)
{
	const struct all_opts *o = call->opts;
	const struct deed d = { delete_one, 0, o->force };

	return act(call, &d, e);
}

static int pause_one(const struct cmd_call *call, struct err *e)
{
	autobundles b = BUNDLES_NONE;

	return oci_bundles(call, &b, e) < 0 ? -e->code : bundle_pause(&b, call->args[0], true, e);
}

static int resume(const struct cmd_call *call, struct err *e)
{
	autobundles b = BUNDLES_NONE;

	return oci_bundles(call, &b, e) < 0 ? -e->code : bundle_pause(&b, call->args[0], false, e);
}

struct update_opts {
	struct bundle_update u;
	const char *file;
};

/* An empty value is one not given, as with runc. */
static int parse_maybe(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct maybe_i64 *place = (struct maybe_i64 *)((char *)opts + o->offset);
	int64_t n;

	if (!value[0])
		return 0;
	if (str_i64(value, &n) < 0)
		return err_say(e, "--%s %s: a number is wanted", o->name, value);
	*place = (struct maybe_i64)SOME(n);
	return 0;
}

static int parse_size(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct maybe_i64 *place = (struct maybe_i64 *)((char *)opts + o->offset);
	int64_t n;

	if (!value[0])
		return 0;
	if ((str_i64(value, &n) < 0 && str_bytes(value, &n) < 0) || n < -1)
		return err_say(e, "--%s %s: a size like 64m, or -1, is wanted", o->name, value);
	*place = (struct maybe_i64)SOME(n);
	return 0;
}

static int parse_maybe_u(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct maybe_u64 *place = (struct maybe_u64 *)((char *)opts + o->offset);
	uint64_t n;

	if (!value[0])
		return 0;
	if (str_u64(value, &n) < 0)
		return err_say(e, "--%s %s: a number is wanted", o->name, value);
	*place = (struct maybe_u64)SOME(n);
	return 0;
}

#define R(member) offsetof(struct update_opts, u.resources.member)
#define U(member) offsetof(struct update_opts, u.member)

static const struct opt update_opts[] = {
	{ "resources", 'r', OPT_STRING, offsetof(struct update_opts, file), "FILE",
		"linux.resources as JSON; -: standard input" },
	{ "blkio-weight", 0, OPT_CALL, R(block_io.weight), "N", "10 to 1000", parse_maybe_u },
	{ "cpu-period", 0, OPT_CALL, R(cpu.period), "US", "CFS period", parse_maybe_u },
	{ "cpu-quota", 0, OPT_CALL, R(cpu.quota), "US", "CFS quota", parse_maybe },
	{ "cpu-burst", 0, OPT_CALL, R(cpu.burst), "US", "CFS burst", parse_maybe_u },
	{ "cpu-share", 0, OPT_CALL, R(cpu.shares), "N", "relative weight", parse_maybe_u },
	{ "cpu-rt-period", 0, OPT_CALL, R(cpu.realtime_period), "US", "real-time period",
		parse_maybe_u },
	{ "cpu-rt-runtime", 0, OPT_CALL, R(cpu.realtime_runtime), "US", "real-time runtime",
		parse_maybe },
	{ "cpu-idle", 0, OPT_CALL, R(cpu.idle), "0|1", "SCHED_IDLE", parse_maybe },
	{ "cpuset-cpus", 0, OPT_STRING, R(cpu.cpus), "0-3", "which CPUs" },
	{ "cpuset-mems", 0, OPT_STRING, R(cpu.mems), "0", "which memory nodes" },
	{ "memory", 0, OPT_CALL, R(memory.limit), "BYTES", "memory limit", parse_size },
	{ "memory-reservation", 0, OPT_CALL, R(memory.reservation), "BYTES", "soft limit",
		parse_size },
	{ "memory-swap", 0, OPT_CALL, R(memory.swap), "BYTES", "memory and swap", parse_size },
	{ "kernel-memory", 0, OPT_CALL, R(memory.kernel), "BYTES", NULL, parse_size },
	{ "kernel-memory-tcp", 0, OPT_CALL, R(memory.kernel_tcp), "BYTES", NULL, parse_size },
	{ "l3-cache-schema", 0, OPT_STRING, U(l3_cache_schema), "L3:ID=MASK;...",
		"lines of resctrl's schemata for the L3 cache" },
	{ "mem-bw-schema", 0, OPT_STRING, U(mem_bw_schema), "MB:ID=N;...",
		"and for memory bandwidth" },
	{ "pids-limit", 0, OPT_CALL, R(pids_limit), "N", "how many processes", parse_maybe },
	{ 0 },
};

static int update(const struct cmd_call *call, struct err *e)
{
	struct update_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;
	char *text;
	size_t n;

	if (o->file && (bundle_read(o->file, call->arena, &text, &n, e) < 0 ||
			       spec_parse_resources(text, n, call->arena, &o->u.resources, e) < 0))
		return err_wrap(e, "--resources %s", o->file);
	return oci_bundles(call, &b, e) < 0 ? -e->code : bundle_update(&b, call->args[0], &o->u, e);
}

/*
 * checkpoint's and restore's words are known, so that what is said is why it cannot be and not
 * which of them came first.
 */
struct criu_opts {
	const char *text[32];
	bool flag[24];
};

#define TEXT(n) offsetof(struct criu_opts, text[n])
#define FLAG(n) offsetof(struct criu_opts, flag[n])

static const struct opt criu_opts[] = {
	{ "image-path", 0, OPT_STRING, TEXT(0), "DIR", NULL },
	{ "work-path", 0, OPT_STRING, TEXT(1), "DIR", NULL },
	{ "parent-path", 0, OPT_STRING, TEXT(2), "DIR", NULL },
	{ "manage-cgroups-mode", 0, OPT_STRING, TEXT(3), "MODE", NULL },
	{ "page-server", 0, OPT_STRING, TEXT(4), "ADDRESS", NULL },
	{ "status-fd", 0, OPT_STRING, TEXT(5), "FD", NULL },
	{ "empty-ns", 0, OPT_STRING, TEXT(6), "KIND", NULL },
	{ "network-lock", 0, OPT_STRING, TEXT(7), "METHOD", NULL },
	{ "bundle", 'b', OPT_STRING, TEXT(8), "DIR", NULL },
	{ "pid-file", 0, OPT_STRING, TEXT(9), "FILE", NULL },
	{ "console-socket", 0, OPT_STRING, TEXT(10), "PATH", NULL },
	{ "lsm-profile", 0, OPT_STRING, TEXT(11), "PROFILE", NULL },
	{ "lsm-mount-context", 0, OPT_STRING, TEXT(12), "LABEL", NULL },
	{ "leave-running", 0, OPT_FLAG, FLAG(0), NULL, NULL },
	{ "tcp-established", 0, OPT_FLAG, FLAG(1), NULL, NULL },
	{ "tcp-close", 0, OPT_FLAG, FLAG(2), NULL, NULL },
	{ "tcp-skip-in-flight", 0, OPT_FLAG, FLAG(3), NULL, NULL },
	{ "ext-unix-sk", 0, OPT_FLAG, FLAG(4), NULL, NULL },
	{ "shell-job", 0, OPT_FLAG, FLAG(5), NULL, NULL },
	{ "file-locks", 0, OPT_FLAG, FLAG(6), NULL, NULL },
	{ "pre-dump", 0, OPT_FLAG, FLAG(7), NULL, NULL },
	{ "lazy-pages", 0, OPT_FLAG, FLAG(8), NULL, NULL },
	{ "auto-dedup", 0, OPT_FLAG, FLAG(9), NULL, NULL },
	{ "link-remap", 0, OPT_FLAG, FLAG(10), NULL, NULL },
	{ "detach", 'd', OPT_FLAG, FLAG(11), NULL, NULL },
	{ "no-subreaper", 0, OPT_FLAG, FLAG(12), NULL, NULL },
	{ "no-pivot", 0, OPT_FLAG, FLAG(13), NULL, NULL },
	{ 0 },
};

static int no_criu(const struct cmd_call *call, struct err *e)
{
	return err_say(e,
		"%s needs CRIU, which clade-oci does not drive (issue 3); `clade-oci features` "
		"says so",
		call->cmd->name);
}

#define ONE(what, text, function)                                                                  \
	{                                                                                          \
		.name = what, .args = "ID", .brief = text, .min_args = 1, .max_args = 1,           \
		.run = function                                                                    \
	}

const struct cmd oci_start = ONE("start", "let a created container go on", start);
const struct cmd oci_pause = ONE("pause", "freeze all processes of a container", pause_one);
const struct cmd oci_resume = ONE("resume", "let a frozen container go on", resume);
const struct cmd oci_kill = { .name = "kill",
	.args = "ID [SIGNAL]",
	.brief = "send a signal (TERM) to a container's init",
	.min_args = 1,
	.max_args = 2,
	.opts = kill_opts,
	.opts_size = sizeof(struct all_opts),
	.run = kill_them };
const struct cmd oci_delete = { .name = "delete",
	.args = "ID",
	.brief = "remove what a stopped container left",
	.min_args = 1,
	.max_args = 1,
	.opts = delete_opts,
	.opts_size = sizeof(struct all_opts),
	.run = delete_them };
const struct cmd oci_update = { .name = "update",
	.args = "ID",
	.brief = "change the limits of a container",
	.min_args = 1,
	.max_args = 1,
	.opts = update_opts,
	.opts_size = sizeof(struct update_opts),
	.run = update };
const struct cmd oci_checkpoint = { .name = "checkpoint",
	.args = "ID",
	.brief = "not possible: it needs CRIU",
	.max_args = -1,
	.opts = criu_opts,
	.opts_size = sizeof(struct criu_opts),
	.run = no_criu };
const struct cmd oci_restore = { .name = "restore",
	.args = "ID",
	.brief = "not possible: it needs CRIU",
	.max_args = -1,
	.opts = criu_opts,
	.opts_size = sizeof(struct criu_opts),
	.run = no_criu };
