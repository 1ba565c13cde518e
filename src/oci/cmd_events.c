/* SPDX-License-Identifier: Apache-2.0 */
/* events: what a container uses, in the JSON that readers of runc's know. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/str.h"
#include "oci/commands.h"

struct events_opts {
	bool stats;
	struct maybe_i64 interval_ms;
};

static int parse_interval(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct events_opts *all = opts;
	int64_t ms;

	if (str_duration_ms(value, &ms) < 0)
		return err_say(
			e, "--%s %s: a duration like 5s is wanted, greater than 0", o->name, value);
	all->interval_ms = (struct maybe_i64)SOME(ms);
	return 0;
}

static const struct opt events_opts[] = {
	{ "stats", 0, OPT_FLAG, offsetof(struct events_opts, stats), NULL, "one reading" },
	{ "interval", 0, OPT_CALL, 0, "TIME", "between two (5s)", parse_interval },
	{ 0 },
};

/* -1: this host does not count it */
static void add_count(struct json_writer *w, const char *name, int64_t n)
{
	if (n >= 0)
		json_uint(w, name, (uint64_t)n);
}

static void add_numbers(struct json_writer *w, const char *name, const char *text)
{
	char *end;

	if (!text)
		return;
	json_begin(w, name, '[');
	for (uint64_t n = strtoull(text, &end, 10); end != text; n = strtoull(text, &end, 10)) {
		json_uint(w, NULL, n);
		text = end;
	}
	json_end(w, ']');
}

/* "0-2,5" */
static void add_list(struct json_writer *w, const char *name, const char *list)
{
	if (!list || list[0] < '0' || list[0] > '9')
		return;
	json_begin(w, name, '[');
	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		for (; first <= last && first < UINT16_MAX; first++)
			json_uint(w, NULL, first);
		list = end + (*end == ',');
	}
	json_end(w, ']');
}

static void add_cpu(struct json_writer *w, const struct bundle_stats *s)
{
	json_begin(w, "cpu", '{');
	json_begin(w, "usage", '{');
	add_count(w, "total", s->cpu_ns < 0 ? 0 : s->cpu_ns);
	add_numbers(w, "percpu", s->cpu_each);
	add_count(w, "kernel", s->cpu_system_ns < 0 ? 0 : s->cpu_system_ns);
	add_count(w, "user", s->cpu_user_ns < 0 ? 0 : s->cpu_user_ns);
	json_end(w, '}');
	json_begin(w, "throttling", '{');
	add_count(w, "periods", s->periods);
	add_count(w, "throttledPeriods", s->throttled_periods);
	add_count(w, "throttledTime", s->throttled_ns);
	json_end(w, '}');
	json_end(w, '}');
	json_begin(w, "cpuset", '{');
	add_list(w, "cpus", s->cpus);
	add_list(w, "mems", s->mems);
	json_end(w, '}');
}

static void add_usage(struct json_writer *w, const char *name, const struct bundle_usage *u)
{
	json_begin(w, name, '{');
	add_count(w, "limit", u->limit < 0 ? 0 : u->limit);
	add_count(w, "usage", u->usage);
	add_count(w, "max", u->max);
	add_count(w, "failcnt", u->failures < 0 ? 0 : u->failures);
	json_end(w, '}');
}

static void add_memory(struct json_writer *w, const struct bundle_stats *s)
{
	json_begin(w, "memory", '{');
	add_count(w, "cache", s->memory_cache);
	add_usage(w, "usage", &s->memory);
	add_usage(w, "swap", &s->swap);
	add_usage(w, "kernel", &s->kernel);
	add_usage(w, "kernelTCP", &s->kernel_tcp);
	json_begin(w, "raw", '{');
	for (const char *line = s->memory_stat; line && *line;) {
		size_t n = strcspn(line, " \n");
		char name[64];

		snprintf(name, sizeof(name), "%.*s", (int)n, line);
		if (line[n] == ' ')
			json_uint(w, name, strtoull(line + n, NULL, 10));
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	json_end(w, '}');
	json_end(w, '}');
}

static void add_io_entry(
	struct json_writer *w, unsigned major, unsigned minor, const char *op, uint64_t value)
{
	json_begin(w, NULL, '{');
	json_uint(w, "major", major);
	json_uint(w, "minor", minor);
	json_string(w, "op", op);
	json_uint(w, "value", value);
	json_end(w, '}');
}

/* v1: "8:0 Read 4096" a line */
static void add_io_v1(struct json_writer *w, const char *name, const char *text)
{
	unsigned major, minor;
	unsigned long long value;
	char op[16];

	if (!text)
		return;
	json_begin(w, name, '[');
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (sscanf(text, "%u:%u %15s %llu", &major, &minor, op, &value) == 4)
			add_io_entry(w, major, minor, op, value);
	json_end(w, ']');
}

/* v2: "8:0 rbytes=4096 wbytes=0 rios=1 ..." a line */
static void add_io_v2(struct json_writer *w, const char *name, const char *text, const char *read,
	const char *write)
{
	unsigned major, minor;

	if (!text)
		return;
	json_begin(w, name, '[');
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t end = strcspn(line, "\n");

		if (sscanf(line, "%u:%u", &major, &minor) != 2)
			continue;
		for (int i = 0; i < 2; i++) {
			const char *at = strstr(line, i ? write : read);

			if (at && at < line + end)
				add_io_entry(w, major, minor, i ? "Write" : "Read",
					strtoull(at + strlen(i ? write : read), NULL, 10));
		}
	}
	json_end(w, ']');
}

static void add_stats(struct json_writer *w, const char *id, const struct bundle_stats *s)
{
	json_begin(w, NULL, '{');
	json_string(w, "type", "stats");
	json_string(w, "id", id);
	json_begin(w, "data", '{');
	add_cpu(w, s);
	add_memory(w, s);
	json_begin(w, "pids", '{');
	add_count(w, "current", s->pids < 0 ? 0 : s->pids);
	if (s->pids_limit >= 0 && s->pids_limit < INT64_MAX)
		add_count(w, "limit", s->pids_limit);
	json_end(w, '}');
	json_begin(w, "blkio", '{');
	add_io_v1(w, "ioServiceBytesRecursive", s->io_bytes);
	add_io_v1(w, "ioServicedRecursive", s->io_operations);
	add_io_v2(w, "ioServiceBytesRecursive", s->io_stat, " rbytes=", " wbytes=");
	add_io_v2(w, "ioServicedRecursive", s->io_stat, " rios=", " wios=");
	json_end(w, '}');
	json_begin(w, "hugetlb", '{');
	for (size_t i = 0; i < s->n_huge; i++)
		add_usage(w, s->huge[i].page_size, &s->huge[i].usage);
	json_end(w, '}');
	json_begin(w, "intel_rdt", '{');
	json_end(w, '}');
	json_null(w, "network_interfaces");
	json_end(w, '}');
	json_end(w, '}');
}

static int events(const struct cmd_call *call, struct err *e)
{
	const struct events_opts *o = call->opts;
	int64_t interval = o->interval_ms.set ? o->interval_ms.value : 5000, kills = -1;
	autobundles b = BUNDLES_NONE;

	if (interval <= 0)
		return err_say(e, "duration interval must be greater than 0");
	if (oci_bundles(call, &b, e) < 0)
		return -e->code;
	for (bool first = true;; first = false) {
		struct timespec pause = { interval / 1000, (interval % 1000) * 1000000 };
		autoarena a = { 0 };
		autotext t = { 0 };
		struct json_writer w = { .t = &t };
		struct bundle_stats s;

		if (bundle_stats(&b, call->args[0], &a, &s, e) < 0)
			return first ? -e->code : 0; /* it has ended */
		if (!first && s.oom_kills > kills)
			printf("{\"type\":\"oom\",\"id\":\"%s\"}\n", call->args[0]);
		kills = s.oom_kills;
		add_stats(&w, call->args[0], &s);
		puts(t.p);
		if (oci_flush(e) < 0)
			return -e->code;
		if (o->stats)
			return 0;
		nanosleep(&pause, NULL);
	}
}

const struct cmd oci_events = { .name = "events",
	.args = "ID",
	.brief = "what a container uses, as JSON",
	.min_args = 1,
	.max_args = 1,
	.opts = events_opts,
	.opts_size = sizeof(struct events_opts),
	.run = events };
