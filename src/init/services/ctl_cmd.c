/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the services, in supervisorctl's words, answers and exit codes. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "init/options.h"
#include "init/services/ctl.h"

/* supervisorctl's, of the Linux Standard Base's init scripts */
enum { GENERIC = 1, INVALID_ARGS = 2, NOT_RUNNING = 7 };

void ctl_name(struct buf *b, const char *group, const char *name)
{
	if (strcmp(group, name) != 0)
		buf_add(b, "%s:", group);
	buf_add(b, "%s", name);
}

static int order(const struct service *a, const struct service *b)
{
	int r = strcmp(a->def->group, b->def->group);

	return r ? r : strcmp(a->def->name, b->def->name);
}

struct service *ctl_next(const struct service *last)
{
	struct service *best = NULL;

	for (int i = 0; i < sv.n; i++) {
		struct service *s = &sv.all[i];

		if (s->def && (!last || order(s, last) > 0) && (!best || order(s, best) < 0))
			best = s;
	}
	return best;
}

bool ctl_means(const char *word, const struct service *s, bool *ret_whole)
{
	const char *colon = strchr(word, ':');
	size_t group = colon ? (size_t)(colon - word) : strlen(word);

	*ret_whole = strcmp(word, "all") == 0 || (colon && (!colon[1] || strcmp(colon, ":*") == 0));
	if (strcmp(word, "all") == 0)
		return true;
	if (strlen(s->def->group) != group || strncmp(s->def->group, word, group) != 0)
		return false;
	return *ret_whole || strcmp(colon ? colon + 1 : word, s->def->name) == 0;
}

struct service *ctl_one(const char *word)
{
	bool whole;

	for (struct service *s = NULL; (s = ctl_next(s));)
		if (strcmp(word, "all") != 0 && ctl_means(word, s, &whole) && !whole)
			return s;
	return NULL;
}

bool ctl_is_running(const struct service *s)
{
	return s->state == SV_RUNNING || s->state == SV_STARTING || s->state == SV_BACKOFF ||
	       s->state == SV_WAITING;
}

/* Each service that words[from...] mean, once a word. None: says so, with `code` for a group. */
static void each(struct client *c, int from, int code,
	void (*use)(struct client *c, struct service *s, const char *name, bool whole))
{
	for (int w = from; w < c->n_words && c->fd >= 0; w++) {
		bool whole = false, found = false;

		for (struct service *s = NULL; (s = ctl_next(s));) {
			char name[300];
			struct buf b = BUF(name);

			if (!ctl_means(c->words[w], s, &whole))
				continue;
			found = true;
			name[0] = '\0';
			ctl_name(&b, s->def->group, s->def->name);
			use(c, s, name, whole);
		}
		if (found || strcmp(c->words[w], "all") == 0)
			continue;
		if (strchr(c->words[w], ':') && (c->words[w][strlen(c->words[w]) - 1] == ':' ||
							strstr(c->words[w], ":*"))) {
			ctl_say(c, "%.*s: ERROR (no such group)", (int)strcspn(c->words[w], ":"),
				c->words[w]);
			c->code = code;
		} else {
			ctl_say(c, "%s: ERROR (no such process)", c->words[w]);
			c->code = GENERIC;
		}
	}
}

static bool needs_name(struct client *c, int at, int code)
{
	if (c->n_words > at)
		return true;
	ctl_say(c, "Error: %s requires a process name", c->words[0]);
	c->code = code;
	return false;
}

/* --- start, stop, restart, signal ------------------------------------------------------------ */

static void start_one(struct client *c, struct service *s, const char *name, bool whole)
{
	int can;

	if (ctl_is_running(s)) {
		if (!whole)
			ctl_say(c, "%s: ERROR (already started)", name);
		return;
	}
	can = spawn_can(s);
	if (can) {
		ctl_say(c, "%s: ERROR (%s)", name,
			can == EACCES ? "file is not executable" : "no such file");
		c->code = GENERIC;
		return;
	}
	ctl_wait_for(c, s);
	engine_ask_start(s);
}

void ctl_start(struct client *c, int from)
{
	c->wait = WAIT_START;
	each(c, from, INVALID_ARGS, start_one);
	if (!c->n_pending)
		ctl_finish(c);
}

static void stop_one(struct client *c, struct service *s, const char *name, bool whole)
{
	if (!ctl_is_running(s)) {
		if (!whole && s->state != SV_STOPPING)
			ctl_say(c, "%s: ERROR (not running)", name);
		if (s->state != SV_STOPPING && s->state != SV_CLEARING)
			return;
	}
	if (!whole)
		note(NOTE_INFO, "waiting for %s to stop", s->def->name);
	ctl_wait_for(c, s);
	engine_ask_stop(s);
}

static void start(struct client *c)
{
	if (needs_name(c, 1, INVALID_ARGS))
		ctl_start(c, 1);
	else
		ctl_finish(c);
}

static void stop(struct client *c)
{
	c->wait = strcmp(c->words[0], "restart") == 0 ? WAIT_RESTART : WAIT_STOP;
	if (needs_name(c, 1, GENERIC))
		each(c, 1, GENERIC, stop_one);
	if (c->n_pending)
		return;
	if (c->wait == WAIT_RESTART && c->n_words > 1)
		ctl_restart_now(c);
	else
		ctl_finish(c);
}

void ctl_restart_now(struct client *c)
{
	memset(c->pending, 0, sizeof(c->pending));
	c->n_pending = 0;
	ctl_start(c, 1);
}

static void signal_one(struct client *c, struct service *s, const char *name, bool whole)
{
	int signo = options_signal(c->words[1]);

	if (s->pid <= 0) {
		if (!whole) {
			ctl_say(c, "%s: ERROR (not running)", name);
			c->code = NOT_RUNNING;
		}
		return;
	}
	/* as s6-svc -h */
	if (signo == SIGHUP && s->def->reload_signal)
		signo = s->def->reload_signal;
	service_send(s, signo, false);
	ctl_say(c, "%s: signalled", name);
}

static void signal_(struct client *c)
{
	if (c->n_words < 3) {
		ctl_say(c, "Error: signal requires a signal name and a process name");
		c->code = GENERIC;
	} else if (options_signal(c->words[1]) <= 0) {
		for (int w = 2; w < c->n_words; w++)
			ctl_say(c, "%s: ERROR (bad signal name)", c->words[w]);
		c->code = GENERIC;
	} else {
		each(c, 2, GENERIC, signal_one);
	}
	ctl_finish(c);
}

static void clear_one(struct client *c, struct service *s, const char *name, bool whole)
{
	if (out_clear(s)) {
		ctl_say(c, "%s: cleared", name);
		return;
	}
	ctl_say(c, "%s: ERROR (failed)", name);
	c->code = GENERIC;
}

static void clear(struct client *c)
{
	if (needs_name(c, 1, GENERIC))
		each(c, 1, GENERIC, clear_one);
	ctl_finish(c);
}

/* --- the configuration ----------------------------------------------------------------------- */

static bool load(struct client *c, struct conf **ret)
{
	char text[1024];
	struct buf b = BUF(text);

	text[0] = '\0';
	if (change_busy())
		buf_add(&b, "earlier changes are not done yet");
	else if (sv.mood != MOOD_RUNNING)
		buf_add(&b, "already shutting down");
	else if (change_load(ret, &b))
		return true;
	ctl_say(c, "ERROR: %s", text);
	c->code = GENERIC;
	return false;
}

static bool say_change(void *data, const char *group, enum change what)
{
	static const char *const words[] = { "", "available", "changed", "disappeared" };
	struct client *c = data;

	ctl_say(c, "%s: %s", group, words[what]);
	c->follows = 0; /* something was said */
	return true;
}

static void reread(struct client *c)
{
	struct conf *next;

	if (load(c, &next)) {
		c->follows = -1;
		change_list(next, say_change, c);
		if (c->follows < 0)
			ctl_say(c, "No config updates to processes");
		change_keep(next);
	}
	ctl_finish(c);
}

struct update {
	struct client *c;
	struct conf *next;
};

static bool is_chosen(const struct client *c, const char *group)
{
	bool chosen = c->n_words == 1;

	for (int i = 1; i < c->n_words; i++)
		chosen |= strcmp(c->words[i], group) == 0 || strcmp(c->words[i], "all") == 0;
	return chosen;
}

static void wait_for_group(struct client *c, const char *group)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && strcmp(sv.all[i].def->group, group) == 0)
			ctl_wait_for(c, &sv.all[i]);
}

static bool update_group(void *data, const char *group, enum change what)
{
	static const char *const words[] = { "", "added", "updated", "removed" };
	struct update *u = data;

	if (!is_chosen(u->c, group))
		return true;
	if (what != CHANGE_ADDED) {
		wait_for_group(u->c, group);
		ctl_say(u->c, "%s: stopped", group);
	}
	change_group(u->next, group, what);
	ctl_say(u->c, "%s: %s process group", group, words[what]);
	return true;
}

static bool is_group(const struct conf *next, const char *name)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && strcmp(sv.all[i].def->group, name) == 0)
			return true;
	for (int i = 0; i < next->n; i++)
		if (strcmp(next->defs[i].group, name) == 0)
			return true;
	return false;
}

static void update(struct client *c)
{
	struct update u = { .c = c };

	c->wait = WAIT_UPDATE;
	if (load(c, &u.next)) {
		for (int i = 1; i < c->n_words; i++) {
			if (strcmp(c->words[i], "all") == 0 || is_group(u.next, c->words[i]))
				continue;
			ctl_say(c, "ERROR: no such group: %s", c->words[i]);
			c->code = GENERIC;
		}
		change_list(u.next, update_group, &u);
		change_unchanged(u.next);
	}
	if (!c->n_pending)
		ctl_finish(c);
}

static void add(struct client *c)
{
	struct conf *next = change_read();

	for (int i = 1; i < c->n_words; i++) {
		bool active = false, known = false;

		for (int k = 0; k < sv.n; k++)
			active |= sv.all[k].def && strcmp(sv.all[k].def->group, c->words[i]) == 0;
		for (int k = 0; k < next->n; k++)
			known |= strcmp(next->defs[k].group, c->words[i]) == 0;
		if (active) {
			ctl_say(c, "ERROR: process group already active");
		} else if (!known) {
			ctl_say(c, "ERROR: no such process/group: %s", c->words[i]);
			c->code = GENERIC;
		} else {
			change_group(next, c->words[i], CHANGE_ADDED);
			ctl_say(c, "%s: added process group", c->words[i]);
		}
	}
	ctl_finish(c);
}

static void remove_(struct client *c)
{
	for (int i = 1; i < c->n_words; i++) {
		bool known = false, runs = false;

		for (int k = 0; k < sv.n; k++) {
			if (!sv.all[k].def || strcmp(sv.all[k].def->group, c->words[i]) != 0)
				continue;
			known = true;
			runs |= ctl_is_running(&sv.all[k]) || services_is_live(sv.all[k].state);
		}
		if (!known || runs) {
			ctl_say(c,
				known ? "ERROR: process/group still running: %s"
				      : "ERROR: no such process/group: %s",
				c->words[i]);
			c->code = GENERIC;
			continue;
		}
		change_group(sv.now, c->words[i], CHANGE_REMOVED);
		ctl_say(c, "%s: removed process group", c->words[i]);
	}
	ctl_finish(c);
}

/* --- clade-init itself ----------------------------------------------------------------------- */

static void shutdown_(struct client *c)
{
	if (c->n_words > 1) {
		ctl_say(c, "Error: %s accepts no arguments", c->words[0]);
		c->code = GENERIC;
	} else if (sv.mood != MOOD_RUNNING) {
		ctl_say(c, "ERROR: already shutting down");
		c->code = GENERIC;
	} else if (strcmp(c->words[0], "reload") == 0) {
		ctl_say(c, "Restarted supervisord");
		engine_restart();
	} else {
		ctl_say(c, "Shut down");
		engine_end(0);
	}
	ctl_finish(c);
}

/* For supervisorctl's fg: a line of its user. */
static void stdin_(struct client *c)
{
	const struct service *s = c->n_words == 3 ? ctl_one(c->words[1]) : NULL;

	if (!s || s->state != SV_RUNNING || !spawn_feed(s, c->words[2], strlen(c->words[2])))
		c->code = GENERIC;
	ctl_finish(c);
}

static void version(struct client *c)
{
	/* what supervisorctl's users test for */
	ctl_say(c, sv.is_supervisor ? "4.2.5" : CLADE_VERSION);
	ctl_finish(c);
}

static const struct {
	const char *name;
	void (*run)(struct client *c);
	bool while_ending;
} commands[] = { { "status", ctl_status, true }, { "start", start, false }, { "stop", stop, true },
	{ "restart", stop, false }, { "signal", signal_, true }, { "tail", ctl_tail, true },
	{ "maintail", ctl_maintail, true }, { "clear", clear, true }, { "pid", ctl_pid, true },
	{ "reread", reread, false }, { "update", update, false }, { "add", add, false },
	{ "remove", remove_, false }, { "avail", ctl_avail, true }, { "stats", ctl_stats, true },
	{ "shutdown", shutdown_, true }, { "reload", shutdown_, true },
	{ "version", version, true }, { "fg", ctl_foreground, false }, { "stdin", stdin_, false } };

void ctl_command(struct client *c)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, c->words[0]) != 0)
			continue;
		if (commands[i].while_ending || sv.mood == MOOD_RUNNING) {
			commands[i].run(c);
			return;
		}
		ctl_say(c, "ERROR: already shutting down");
		c->code = GENERIC;
		ctl_finish(c);
		return;
	}
	ctl_say(c, "*** Unknown syntax: %s", c->words[0]);
	c->code = GENERIC;
	ctl_finish(c);
}
