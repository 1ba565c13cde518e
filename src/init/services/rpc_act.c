/* SPDX-License-Identifier: Apache-2.0 */
/* Start, stop, signal and feed processes; take a new configuration over. */
#include <errno.h>
#include <string.h>

#include "init/options.h"
#include "init/services/rpc.h"

void rpc_feed(struct client *c)
{
	const struct service *s = ctl_one(c->words[1]);
	const char *data = c->n_words > 2 ? c->words[2] : "";

	if (!s)
		rpc_fault(c, BAD_NAME, c->words[1]);
	else if (!s->pid || s->state == SV_STOPPING)
		rpc_fault(c, NOT_RUNNING, c->words[1]);
	else if (*data && !spawn_feed(s, data, strlen(data)))
		rpc_fault(c, NO_FILE, c->words[1]);
	else
		rpc_true(c);
}

/* --- start, stop, signal --------------------------------------------------------------------- */

/* The fault that it is refused with, or 0. */
static int ask(struct client *c, struct service *s, bool wait)
{
	int can;

	if (c->wait == WAIT_STOP) {
		if (!ctl_is_running(s))
			return NOT_RUNNING;
		if (wait)
			ctl_wait_for(c, s);
		note(NOTE_INFO, "waiting for %s to stop", s->def->name);
		engine_ask_stop(s);
		return 0;
	}
	if (c->wait == WAIT_NONE) {
		int signo = options_signal(c->words[c->n_words - 1]);

		if (signo <= 0)
			return BAD_SIGNAL;
		if (s->pid <= 0)
			return NOT_RUNNING;
		service_send(s, signo, false);
		return 0;
	}
	can = spawn_can(s);
	if (can)
		return can == ENOENT ? NO_FILE : NOT_EXECUTABLE;
	if (ctl_is_running(s))
		return ALREADY_STARTED;
	if (wait)
		ctl_wait_for(c, s);
	engine_ask_start(s);
	return 0;
}

/* group "": all */
static void many(struct client *c, const char *group, bool wait)
{
	bool any = !*group;

	for (struct service *s = NULL; !any && (s = ctl_next(s));)
		any = strcmp(s->def->group, group) == 0;
	if (!any) {
		rpc_fault(c, BAD_NAME, group);
		return;
	}
	c->rpc = RPC_MANY;
	rpc_begin(c);
	rpc_raw(c, "<array><data>");
	for (struct service *s = NULL; c->fd >= 0 && (s = ctl_next(s));) {
		int code;

		if (*group && strcmp(s->def->group, group) != 0)
			continue;
		/* those that are as wanted already are not in the answer */
		if (c->wait == WAIT_START      ? ctl_is_running(s)
			: c->wait == WAIT_STOP ? !ctl_is_running(s)
					       : s->pid <= 0)
			continue;
		code = ask(c, s, wait);
		if (code || !wait || c->wait == WAIT_NONE)
			rpc_result(c, s, code ? code : SUCCESS);
	}
}

/* startProcess, stopProcessGroup, signalAllProcesses and the like. */
void rpc_act(struct client *c)
{
	const char *m = c->words[0];
	bool all = strstr(m, "All") != NULL, group = strstr(m, "Group") != NULL;
	const char *name = all ? "" : c->words[1], *colon = strchr(name, ':'), *last;
	int at = all ? 1 : 2, code;
	bool wait = c->n_words <= at || strcmp(c->words[at], "0") != 0;
	struct service *s;

	c->wait = *m == 's' && m[2] == 'a'   ? WAIT_START
		  : *m == 's' && m[2] == 'o' ? WAIT_STOP
					     : WAIT_NONE;
	last = colon ? colon + 1 : "x";
	if (!all && !group && colon && (!*last || strcmp(last, "*") == 0)) {
		((char *)name)[colon - name] = '\0';
		group = true;
	}
	if (all || group) {
		many(c, name, wait);
		return;
	}
	s = ctl_one(name);
	code = s ? ask(c, s, wait) : BAD_NAME;
	if (code) {
		rpc_fault(c, code, code == BAD_SIGNAL ? c->words[at] : name);
		return;
	}
	c->rpc = RPC_ONE;
	c->fault = SUCCESS;
}

/* --- the configuration ----------------------------------------------------------------------- */

struct listing {
	struct client *c;
	enum change wanted;
};

static bool list_group(void *data, const char *group, enum change what)
{
	struct listing *l = data;
	char text[600];
	struct buf b = BUF(text);

	if (what != l->wanted)
		return true;
	text[0] = '\0';
	buf_add(&b, "<value><string>");
	rpc_escape(&b, group, strnlen(group, 300), true);
	buf_add(&b, "</string></value>");
	rpc_put(l->c, &b);
	return true;
}

void rpc_reload_config(struct client *c)
{
	static const enum change order[] = { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED };
	char text[1024];
	struct buf b = BUF(text);
	struct conf *next;

	text[0] = '\0';
	if (change_busy() || !change_load(&next, &b)) {
		rpc_fault(c, CANT_REREAD, text[0] ? text : "earlier changes are not done yet");
		return;
	}
	rpc_begin(c);
	rpc_raw(c, "<array><data><value><array><data>");
	for (size_t i = 0; i < 3; i++) {
		struct listing l = { c, order[i] };

		rpc_raw(c, "<value><array><data>");
		change_list(next, list_group, &l);
		rpc_raw(c, "</data></array></value>");
	}
	rpc_raw(c, "</data></array></value></data></array>");
	change_keep(next);
	rpc_end(c);
}

void rpc_add_group(struct client *c)
{
	struct conf *next = change_read();
	bool active = false, known = false;

	for (int i = 0; i < sv.n; i++)
		active |= sv.all[i].def && strcmp(sv.all[i].def->group, c->words[1]) == 0;
	for (int i = 0; i < next->n; i++)
		known |= strcmp(next->defs[i].group, c->words[1]) == 0;
	if (!known || active) {
		rpc_fault(c, known ? ALREADY_ADDED : BAD_NAME, c->words[1]);
		return;
	}
	change_group(next, c->words[1], CHANGE_ADDED);
	rpc_true(c);
}

void rpc_remove_group(struct client *c)
{
	bool known = false, runs = false;

	for (int i = 0; i < sv.n; i++) {
		if (!sv.all[i].def || strcmp(sv.all[i].def->group, c->words[1]) != 0)
			continue;
		known = true;
		runs |= ctl_is_running(&sv.all[i]) || services_is_live(sv.all[i].state);
	}
	if (!known || runs) {
		rpc_fault(c, known ? STILL_RUNNING : BAD_NAME, c->words[1]);
		return;
	}
	change_group(sv.now, c->words[1], CHANGE_REMOVED);
	rpc_true(c);
}
