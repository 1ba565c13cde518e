/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cols.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/view.h"
#include "procs/events.h"
#include "procs/owner.h"

struct events_opts {
	bool json;
	unsigned kinds; /* a bit for each; 0: all */
};

static int parse_kinds(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct events_opts *to = opts;
	unsigned more = 0;

	(void)o;
	if (event_kinds_parse(value, &more, e) < 0)
		return -e->code;
	to->kinds |= more;
	return 0;
}

static const struct opt events_opts[] = {
	{ "type", 't', OPT_CALL, 0, "KIND,...",
		"only fork, exec, exit, orphan, adopt, zombie, reap, ns", parse_kinds },
	{ "json", 0, OPT_FLAG, offsetof(struct events_opts, json), NULL, "one JSON object a line" },
	{ 0 },
};

struct printer {
	const struct events_opts *opts;
	const struct cmd_call *call;
	const char *container; /* name, id or its beginning; NULL: any */
	uint64_t pidns;	       /* of that, or of a PID; 0: any */
	/* What people call the containers, by ID. */
	struct arena arena;
	struct name {
		const char *id, *name;
	} * names;
	size_t n_names;
	/* When the engines' files were last looked at, and for whom. */
	time_t asked;
	char asked_for[sizeof(((struct event *)0)->container)];
};

static void learn_names(struct printer *p, const struct view *v)
{
	for (uint32_t i = 0; i < v->s.n_ns; i++) {
		const struct owner *o = v->s.ns[i].owner;
		size_t k = 0;

		if (!o || !o->name || !*o->runtime)
			continue;
		while (k < p->n_names && !str_eq(p->names[k].id, o->id))
			k++;
		if (k == p->n_names)
			*(struct name *)arena_grow(
				&p->arena, &p->names, &p->n_names, sizeof(struct name)) =
				(struct name){ arena_strdup(&p->arena, o->id),
					arena_strdup(&p->arena, o->name) };
	}
}

static const char *known_name(const struct printer *p, const char *id)
{
	for (size_t k = 0; k < p->n_names; k++)
		if (str_eq(p->names[k].id, id))
			return p->names[k].name;
	return NULL;
}

/* A container that is new since the last look makes for another; the same one once a second at
 * most.
 */
static const char *name_of(struct printer *p, const struct event *ev)
{
	const char *name = known_name(p, ev->container);
	struct err ignored = { 0 };
	struct view v;

	if (!name && (ev->at.tv_sec > p->asked || !str_eq(ev->container, p->asked_for))) {
		p->asked = ev->at.tv_sec;
		memcpy(p->asked_for, ev->container, sizeof(p->asked_for));
		if (view_read(p->call, 0, &v, &ignored) == 0) {
			learn_names(p, &v);
			view_done(&v);
		}
		name = known_name(p, ev->container);
	}
	return name;
}

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

static void print_text(struct printer *p, const struct event *ev)
{
	const char *name = ev->container[0] ? name_of(p, ev) : NULL;
	autotext t = { 0 };
	struct tm tm;

	localtime_r(&ev->at.tv_sec, &tm);
	text_addf(&t, "%02d:%02d:%02d.%03ld %-6s ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		ev->at.tv_nsec / 1000000, event_word(ev->kind));
	if (ev->container[0]) {
		text_addf(&t, "%s/", ev->runtime);
		if (name)
			text_add_escaped(&t, name, strlen(name));
		else
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
	text_addf(t, ",\"%s\":", key);
	cols_json_string(t, s, strlen(s));
}

static void print_json(struct printer *p, const struct event *ev)
{
	const char *name = ev->container[0] ? name_of(p, ev) : NULL;
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
		if (name)
			add_json_text(&t, "name", name);
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
static bool is_wanted(struct printer *p, const struct event *ev)
{
	const char *name;

	if (ev->kind == EVENT_LOST)
		return true;
	if (p->opts->kinds && !(p->opts->kinds & 1u << ev->kind))
		return false;
	if (p->pidns && ev->pidns == p->pidns)
		return true;
	if (!p->container)
		return !p->pidns;
	if (!ev->container[0] || str_starts(ev->container, p->container))
		return ev->container[0];
	/* one that came later, by its name */
	name = p->pidns ? NULL : name_of(p, ev);
	return name && str_eq(name, p->container);
}

static void print_event(void *data, const struct event *ev)
{
	struct printer *p = data;

	if (!is_wanted(p, ev))
		return;
	if (p->opts->json)
		print_json(p, ev);
	else
		print_text(p, ev);
}

/* A container, whoever's, by name, ID or its beginning; a namespace's inode; a PID's namespace. */
static int choose(struct printer *p, const struct view *v, const char *word, struct err *e)
{
	uint32_t ns = view_find_ns(v, word), proc;
	const struct owner *o;

	if (ns == NO_NS) {
		/* of another engine, perhaps: known when its processes are */
		p->container = word;
		if (view_find(v, word, &proc, e) < 0) {
			log_warn("%s: there is none now; its events are told when it comes", word);
			return 0;
		}
		ns = v->s.procs[proc].ns;
		p->container = NULL;
	}
	p->pidns = v->s.ns[ns].inode;
	o = v->s.ns[ns].owner;
	if (o && *o->runtime && !p->container)
		p->container = arena_strdup(&p->arena, o->id);
	return p->pidns ? 0 : err_say(e, "%s: its namespace is not ours to see", word);
}

static int events(const struct cmd_call *call, struct err *e)
{
	struct printer p = { .opts = call->opts, .call = call };
	struct events *stream = NULL;
	struct view v;
	int r = 0;

	if (view_read(call, 0, &v, e) < 0)
		return -e->code;
	learn_names(&p, &v);
	if (call->n_args == 1)
		r = choose(&p, &v, call->args[0], e);
	view_done(&v);
	if (r == 0)
		r = events_open(&stream, e);
	if (r == 0)
		log_info("listening");
	while (r == 0) {
		r = events_wait(stream, -1, print_event, &p, e);
		if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
			r = err_set(e, errno, "write the events");
	}
	events_free(stream);
	arena_done(&p.arena);
	return r;
}

const struct cmd cmd_events = {
	.name = "events",
	.group = CMD_PROCESSES,
	.args = "[CONTAINER|PID|NS]",
	.brief = "tell of forks, execs, exits, orphans, adoptions, zombies and reaping as they "
		 "happen",
	.more = "CONTAINER is a name or the beginning of an ID, of whatever engine; PID stands for "
		"its\n"
		"PID namespace.",
	.max_args = 1,
	.opts = events_opts,
	.opts_size = sizeof(struct events_opts),
	.run = events,
};
