/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "cli/commands.h"

struct logs_opts {
	bool follow, timestamps;
	const char *tail, *since, *until;
};

static const struct opt logs_opts[] = {
	{ "follow", 'f', OPT_FLAG, offsetof(struct logs_opts, follow), NULL,
		"go on until it ends" },
	{ "tail", 'n', OPT_STRING, offsetof(struct logs_opts, tail), "N|all", "the last N lines" },
	{ "since", 0, OPT_STRING, offsetof(struct logs_opts, since), "TIME",
		"2026-01-02T03:04:05Z, seconds since 1970, or how long ago (10m)" },
	{ "until", 0, OPT_STRING, offsetof(struct logs_opts, until), "TIME", "likewise" },
	{ "timestamps", 't', OPT_FLAG, offsetof(struct logs_opts, timestamps), NULL,
		"show when each line was written" },
	{ 0 },
};

/* A moment as docker takes it, to nanoseconds. */
static int parse_time(const char *flag, const char *text, int64_t *ret, struct err *e)
{
	struct tm tm = { 0 };
	struct timespec now;
	const char *rest;
	int64_t n;

	if (!text)
		return 0;
	if (str_i64(text, &n) == 0 && n > 0 && n < INT64_MAX / 1000000000) {
		*ret = n * 1000000000;
		return 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (str_duration_ms(text, &n) == 0) {
		*ret = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - n * 1000000;
		return 0;
	}
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		rest = strptime(text, "%Y-%m-%d", &tm);
	if (!rest)
		return err_say(e, "%s %s: no time and no duration", flag, text);
	n = 0;
	if (*rest == '.')
		for (int64_t unit = 100000000; *++rest >= '0' && *rest <= '9'; unit /= 10)
			n += (*rest - '0') * unit;
	tm.tm_isdst = -1;
	if (str_eq(rest, "Z"))
		*ret = (int64_t)timegm(&tm) * 1000000000 + n;
	else if (!*rest)
		*ret = (int64_t)mktime(&tm) * 1000000000 + n;
	else
		return err_say(e, "%s %s: no time and no duration", flag, text);
	return 0;
}

static void line(void *data, int stream, const char *when, const char *text, size_t n)
{
	const struct logs_opts *o = data;
	FILE *to = stream == 2 ? stderr : stdout;

	if (o->timestamps)
		fprintf(to, "%s ", when);
	fwrite(text, 1, n, to);
	if (o->follow)
		fflush(to);
}

static int logs(const struct cmd_call *call, struct err *e)
{
	struct logs_opts *o = call->opts;
	struct life_logs how = { .follow = o->follow, .tail = -1, .line = line, .data = o };
	autolife life = LIFE_NONE;

	if (o->tail && !str_eq(o->tail, "all") &&
		(str_i64(o->tail, &how.tail) < 0 || how.tail < -1))
		return err_say(e, "--tail %s: a number or all is wanted", o->tail);
	if (parse_time("--since", o->since, &how.since_ns, e) < 0 ||
		parse_time("--until", o->until, &how.until_ns, e) < 0 ||
		cli_life(call, &life, e) < 0)
		return -e->code;
	return life_logs(&life, call->args[0], &how, e);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.group = CMD_RUNNING,
	.args = "CONTAINER",
	.brief = "what a container has written",
	.min_args = 1,
	.max_args = 1,
	.opts = logs_opts,
	.opts_size = sizeof(struct logs_opts),
	.run = logs,
};
