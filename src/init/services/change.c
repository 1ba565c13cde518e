/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another configuration while services run: which groups are new, changed or gone, and how they
 * become so. A group that has not changed runs on. Every configuration stays until no service
 * follows it any more.
 */
#include <string.h>

#include "init/services/engine.h"

/* Groups that wait until their old services have gone: by the name in the new configuration. */
static struct {
	struct conf *conf;
	const char *group;
} waiting[SV_MAX];
static int n_waiting;
static struct conf *read_last; /* by `reread`; kept for `add` */

bool change_busy(void)
{
	return n_waiting > 0;
}

struct conf *change_read(void)
{
	return read_last ? read_last : sv.now;
}

void change_keep(struct conf *c)
{
	read_last = c;
}

static bool is_followed(const struct conf *c)
{
	if (c == read_last)
		return true;
	for (int i = 0; i < n_waiting; i++)
		if (waiting[i].conf == c)
			return true;
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && sv.all[i].conf == c)
			return true;
	return false;
}

void change_drop(void)
{
	for (int i = 0; i < GENERATIONS; i++)
		if (sv.gens[i].pool.base && &sv.gens[i] != sv.now && !is_followed(&sv.gens[i]))
			conf_close(&sv.gens[i]);
}

bool change_load(struct conf **ret, struct buf *error)
{
	struct conf *c = NULL;

	read_last = NULL;
	change_drop();
	for (int i = 0; i < GENERATIONS && !c; i++)
		if (!sv.gens[i].pool.base)
			c = &sv.gens[i];
	if (!c) {
		buf_add(error, "earlier changes are not done yet");
		return false;
	}
	sv.used = true;
	c->warn = note_warn;
	c->extra = sv.extra;
	if (!conf_load(c, sv.path, sv.is_supervisor)) {
		buf_add(error, "%s", c->error);
		return false;
	}
	*ret = c;
	return true;
}

/* --- which differ ---------------------------------------------------------------------------- */

static uint64_t sum_of_defs(const struct conf *c, const char *group, int *ret_n)
{
	uint64_t sum = 0;

	*ret_n = 0;
	for (int i = 0; i < c->n; i++) {
		if (strcmp(c->defs[i].group, group) == 0) {
			sum += c->defs[i].hash * 31 + (uint64_t)c->defs[i].rank;
			(*ret_n)++;
		}
	}
	return sum;
}

static uint64_t sum_of_services(const char *group, int *ret_n)
{
	uint64_t sum = 0;

	*ret_n = 0;
	for (int i = 0; i < sv.n; i++) {
		if (sv.all[i].def && strcmp(sv.all[i].def->group, group) == 0) {
			sum += sv.all[i].def->hash * 31 + (uint64_t)sv.all[i].def->rank;
			(*ret_n)++;
		}
	}
	return sum;
}

static enum change compare(const struct conf *next, const char *group)
{
	int before, after;
	uint64_t a = sum_of_services(group, &before), b = sum_of_defs(next, group, &after);

	if (!before && !after)
		return CHANGE_NONE;
	if (!before)
		return CHANGE_ADDED;
	if (!after)
		return CHANGE_REMOVED;
	return a == b && before == after ? CHANGE_NONE : CHANGE_CHANGED;
}

/* The next name after `last` in the alphabet, of both; NULL: no more. */
static const char *next_group(const struct conf *next, const char *last)
{
	const char *best = NULL;

	for (int i = 0; i < next->n + sv.n; i++) {
		const struct sv_def *d = i < next->n ? &next->defs[i] : sv.all[i - next->n].def;

		if (d && (!last || strcmp(d->group, last) > 0) &&
			(!best || strcmp(d->group, best) < 0))
			best = d->group;
	}
	return best;
}

void change_list(const struct conf *next,
	bool (*each)(void *data, const char *group, enum change what), void *data)
{
	for (const char *group = NULL; (group = next_group(next, group));) {
		enum change what = compare(next, group);

		if (what != CHANGE_NONE && !each(data, group, what))
			return;
	}
}

/* --- making it so ---------------------------------------------------------------------------- */

static struct service *find(const struct sv_def *d)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && strcmp(sv.all[i].def->name, d->name) == 0 &&
			strcmp(sv.all[i].def->group, d->group) == 0)
			return &sv.all[i];
	return NULL;
}

/* Where each service of a configuration runs now. */
static void place_all(struct conf *c)
{
	for (int i = 0; i < c->n; i++) {
		const struct service *s = find(&c->defs[i]);

		c->defs[i].at = s ? engine_of(s) : -1;
	}
}

static void place_everywhere(void)
{
	for (int i = 0; i < GENERATIONS; i++)
		if (sv.gens[i].pool.base)
			place_all(&sv.gens[i]);
}

static struct service *free_slot(void)
{
	for (int i = 0; i < SV_MAX; i++) {
		if (!sv.all[i].def) {
			if (i >= sv.n)
				sv.n = i + 1;
			return &sv.all[i];
		}
	}
	return NULL;
}

static void add(struct conf *c, const char *group)
{
	for (int i = 0; i < c->n; i++) {
		struct service *s =
			!group || strcmp(c->defs[i].group, group) == 0 ? free_slot() : NULL;

		if (s)
			service_init(s, &c->defs[i], c);
	}
	place_everywhere();
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && sv.all[i].conf == c &&
			(!group || strcmp(sv.all[i].def->group, group) == 0) &&
			sv.all[i].def->autostart)
			engine_ask_start(&sv.all[i]);
	sv.dirty = true;
}

void change_begin(struct conf *c)
{
	sv.now = c;
	n_waiting = 0;
	add(c, NULL);
	change_drop();
}

void change_group(struct conf *next, const char *group, enum change what)
{
	sv.now = next;
	if (what == CHANGE_ADDED) {
		add(next, group);
		return;
	}
	for (int i = 0; i < sv.n; i++) {
		struct service *s = &sv.all[i];

		if (!s->def || strcmp(s->def->group, group) != 0)
			continue;
		s->remove = true;
		engine_ask_stop(s);
	}
	for (int i = 0; i < next->n && what == CHANGE_CHANGED && n_waiting < SV_MAX; i++) {
		if (strcmp(next->defs[i].group, group) == 0) {
			waiting[n_waiting].conf = next;
			waiting[n_waiting++].group = next->defs[i].group;
			break;
		}
	}
	sv.dirty = true;
}

static bool is_gone(const char *group)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && sv.all[i].remove && strcmp(sv.all[i].def->group, group) == 0)
			return false;
	return true;
}

void change_settle(void)
{
	bool some = false;

	for (int i = 0; i < sv.n; i++) {
		struct service *s = &sv.all[i];

		if (!s->def || !s->remove ||
			(s->state != SV_STOPPED && s->state != SV_EXITED && s->state != SV_FATAL))
			continue;
		out_close(s, true);
		if (sv.clients)
			ctl_changed(s);
		note(NOTE_DEBUG, "removed: %s", s->def->name);
		s->def = NULL;
		some = true;
	}
	if (some)
		place_everywhere();
	for (int i = 0; i < n_waiting; i++) {
		if (!is_gone(waiting[i].group))
			continue;
		if (sv.mood == MOOD_RUNNING)
			add(waiting[i].conf, waiting[i].group);
		waiting[i--] = waiting[--n_waiting];
	}
	if (some)
		change_drop();
}

void change_unchanged(struct conf *next)
{
	sv.now = next;
	for (int i = 0; i < next->n; i++) {
		struct service *s = find(&next->defs[i]);

		if (s && !s->remove && s->def->hash == next->defs[i].hash) {
			s->def = &next->defs[i];
			s->conf = next;
		}
	}
	place_everywhere();
	change_drop();
}

static bool make_it_so(void *data, const char *group, enum change what)
{
	static const char *const words[] = { "", "added", "changed", "removed" };

	note(NOTE_INFO, "%s: %s", group, words[what]);
	change_group(data, group, what);
	return true;
}

void change_everything(struct conf *next)
{
	change_list(next, make_it_so, next);
	change_unchanged(next);
}
