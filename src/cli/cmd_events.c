/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "procs/events.h"

struct events_opts {
	bool json;
	unsigned kinds; /* a bit for each; 0: all */
};

static int parse_kinds(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct events_opts *to = opts;

	(void)o;
	return event_kinds_parse(value, &to->kinds, e);
}

static const struct opt events_opts[] = {
	{ "type", 't', OPT_CALL, 0, "KIND,...",
		"only fork, exec, exit, orphan, adopt, zombie, reap, ns", parse_kinds },
	{ "json", 0, OPT_FLAG, offsetof(struct events_opts, json), NULL, "one JSON object a line" },
	{ 0 },
};

struct printer {
	const struct events_opts *opts;
	const char *container; /* id or its beginning; NULL: any */
	uint64_t pidns;	       /* 0: any */
};

static void add_status(struct text *t, int status)
{
	if (WIFSIGNALED(status))
		text_addf(t, "killed by signal %d", WTERMSIG(status));
	else
		text_addf(t, "exit %d", WEXITSTATUS(status));
}

static void add_details(struct text *t, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_FORK:
		text_addf(t, "by %d", ev->ppid);
		break;
	case EVENT_EXIT:
		add_status(t, ev->wait_status);
		break;
	case EVENT_ORPHAN:
		text_addf(t, "parent %d ended, adopted by %d", ev->ppid, ev->adopter);
		break;
	case EVENT_ADOPT:
		text_addf(t, "by %d", ev->adopter);
		break;
	case EVENT_ZOMBIE:
		add_status(t, ev->wait_status);
		text_addf(t, ", not waited for by %d", ev->ppid);
		break;
	case EVENT_REAP:
		add_status(t, ev->wait_status);
		text_addf(t, ", after %.3f s, parent %d", (double)ev->after_ms / 1e3, ev->ppid);
		break;
	case EVENT_NS:
		text_addf(t, "%s, pid:[%llu]", ev->born ? "born" : "died",
			(unsigned long long)ev->pidns);
		break;
	case EVENT_LOST:
		text_addf(t, "%llu events: the machine was too quick; read anew from /proc",
			(unsigned long long)ev->lost);
		break;
	default:
		break;
	}
}

static void print_text(const struct event *ev)
{
	autotext t = { 0 };
	struct tm tm;

	localtime_r(&ev->at.tv_sec, &tm);
	text_addf(&t, "%02d:%02d:%02d.%03ld %-6s ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		ev->at.tv_nsec / 1000000, event_word(ev->kind));
	if (ev->container[0]) {
		text_addf(&t, "%s/", ev->runtime);
		text_add_escaped(&t, ev->container, strnlen(ev->container, 12));
		text_add(&t, " ");
	}
	if (ev->pid) {
		text_addf(&t, ev->ns_pid && ev->ns_pid != ev->pid ? "%d/%d " : "%d ", ev->pid,
			ev->ns_pid);
		text_add_escaped(&t, ev->comm, strlen(ev->comm));
		text_add(&t, "  ");
	}
	add_details(&t, ev);
	puts(t.p);
}

static void add_json_text(struct text *t, const char *key, const char *s)
{
	text_addf(t, ",\"%s\":\"", key);
	for (size_t n = strlen(s), i = 0, len; i < n; i += len) {
		len = str_utf8_len(s + i, n - i);
		if (len == 0) {
			text_add(t, "\\ufffd");
			len = 1;
		} else if ((unsigned char)s[i] < ' ' || s[i] == '"' || s[i] == '\\') {
			text_addf(t, "\\u%04x", (unsigned char)s[i]);
		} else {
			text_add_n(t, s + i, len);
		}
	}
	text_add(t, "\"");
}

static void print_json(const struct event *ev)
{
	autotext t = { 0 };

	text_addf(&t, "{\"time\":%lld.%06ld,\"event\":\"%s\"", (long long)ev->at.tv_sec,
		ev->at.tv_nsec / 1000, event_word(ev->kind));
	if (ev->pid) {
		text_addf(&t, ",\"pid\":%d,\"ipid\":%d,\"ppid\":%d,\"ns\":%llu", ev->pid,
			ev->ns_pid, ev->ppid, (unsigned long long)ev->pidns);
		add_json_text(&t, "comm", ev->comm);
	}
	if (ev->container[0]) {
		add_json_text(&t, "runtime", ev->runtime);
		add_json_text(&t, "container", ev->container);
	}
	if (ev->adopter)
		text_addf(&t, ",\"adopter\":%d", ev->adopter);
	if (ev->kind == EVENT_EXIT || ev->kind == EVENT_ZOMBIE || ev->kind == EVENT_REAP)
		text_addf(&t, ",\"%s\":%d", WIFSIGNALED(ev->wait_status) ? "signal" : "exit",
			WIFSIGNALED(ev->wait_status) ? WTERMSIG(ev->wait_status)
						     : WEXITSTATUS(ev->wait_status));
	if (ev->kind == EVENT_REAP)
		text_addf(&t, ",\"zombie_ms\":%lld", (long long)ev->after_ms);
	if (ev->kind == EVENT_NS)
		text_addf(&t, ",\"ns_is\":\"%s\"", ev->born ? "born" : "died");
	if (ev->kind == EVENT_LOST)
		text_addf(&t, ",\"lost\":%llu", (unsigned long long)ev->lost);
	text_add(&t, "}");
	puts(t.p);
}

/* What was lost concerns everybody. */
static bool is_wanted(const struct printer *p, const struct event *ev)
{
	if (ev->kind == EVENT_LOST)
		return true;
	if (p->opts->kinds && !(p->opts->kinds & 1u << ev->kind))
		return false;
	if (p->pidns && ev->pidns != p->pidns)
		return false;
	return !p->container || str_starts(ev->container, p->container);
}

static void print_event(void *data, const struct event *ev)
{
	const struct printer *p = data;

	if (!is_wanted(p, ev))
		return;
	if (p->opts->json)
		print_json(ev);
	else
		print_text(ev);
}

static int events(const struct cmd_call *call, struct err *e)
{
	struct printer p = { .opts = call->opts };
	struct events *stream = NULL;
	pid_t pid;
	int r;

	if (call->n_args == 1 && cli_process(call, call->args[0], &pid, NULL, e) == 0) {
		p.pidns = facts_pidns(pid);
		if (!p.pidns)
			return err_say(
				e, "there is no process %d whose namespace may be read", pid);
	} else if (call->n_args == 1) {
		/* of another engine: known when its processes are */
		p.container = call->args[0];
	}
	if (events_open(&stream, e) < 0)
		return -e->code;
	setvbuf(stdout, NULL, _IOLBF, 0);
	do {
		r = events_wait(stream, -1, print_event, &p, e);
	} while (r == 0 && !ferror(stdout));
	events_free(stream);
	return r;
}

const struct cmd cmd_events = {
	.name = "events",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID]",
	.brief = "tell of forks, execs, exits, orphans, adoptions, zombies and reaping as they "
		 "happen",
	.more = "CONTAINER is one of clade's by name or ID, or the beginning of an ID of another "
		"engine's;\n"
		"PID stands for its PID namespace.",
	.max_args = 1,
	.opts = events_opts,
	.opts_size = sizeof(struct events_opts),
	.run = events,
};
