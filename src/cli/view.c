/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "procs/owner.h"

/* Only where clade has a folder: the views make none. */
static void remember_zombies(struct view *v, const char *root)
{
	autofree char *path = NULL;

	if (root && asprintf(&path, "%s/zombies", root) < 0)
		return;
	if (path && !v->seen.items)
		seen_load(&v->seen, path);
	if (seen_update(&v->seen, &v->s) && path)
		seen_save(&v->seen, path);
}

/* seen: what is known from the look before; taken. A snapshot may not be moved: it is read in
 * place. */
static int read_view(const struct cmd_call *call, unsigned wants, struct seen seen, struct view *v,
	struct err *e)
{
	struct owner_hint *hints;
	autolife life = LIFE_NONE;
	struct err no_state = { 0 };

	*v = (struct view){ .seen = seen };
	/* the processes are there to be seen whether or not there is a state folder */
	if (cli_life(call, &life, &no_state) < 0 ||
		life_list(&life, false, &v->arena, &v->containers, &v->n_containers, &no_state) < 0)
		log_err(&no_state);
	if (snapshot_read("/proc", wants, &v->s, e) < 0) {
		seen_done(&v->seen);
		arena_done(&v->arena);
		return -e->code;
	}
	hints = arena_array(&v->arena, v->n_containers + 1, sizeof(*hints));
	for (size_t i = 0; i < v->n_containers; i++) {
		const struct life_info *c = &v->containers[i];
		uint32_t init = snapshot_find(&v->s, c->pid);

		hints[i].cgroup_path = c->cgroup_path;
		if (init != NO_PROC && v->s.procs[init].ns != NO_NS &&
			v->s.ns[v->s.procs[init].ns].level)
			hints[i].pidns_inode = v->s.ns[v->s.procs[init].ns].inode;
		hints[i].owner = (struct owner){
			.runtime = "clade", .id = c->id, .name = c->name, .image = c->image
		};
	}
	owner_assign(&v->s, hints, v->n_containers, "");
	remember_zombies(v, life.root);
	return 0;
}

int view_read(const struct cmd_call *call, unsigned wants, struct view *ret, struct err *e)
{
	return read_view(call, wants, (struct seen){ 0 }, ret, e);
}

void view_say_hidden(const struct view *v)
{
	if (v->s.hides && v->s.n_hidden)
		log_warn("%u processes of other users are hidden: /proc is mounted with hidepid",
			v->s.n_hidden);
	else if (v->s.hides)
		log_warn("processes of other users, if there are any, are hidden: /proc is mounted "
			 "with hidepid");
}

int view_again(const struct cmd_call *call, unsigned wants, struct view *v, struct err *e)
{
	struct seen seen = v->seen;

	v->seen = (struct seen){ 0 };
	view_done(v);
	*v = (struct view){ 0 };
	return read_view(call, wants, seen, v, e);
}

void view_done(struct view *v)
{
	snapshot_done(&v->s);
	seen_done(&v->seen);
	users_done(&v->users);
	arena_done(&v->arena);
}

const char *view_name_of(void *data, const struct snapshot *s, uint32_t i)
{
	const struct view *v = data;
	const struct owner *o = s->procs[i].owner;

	for (size_t j = 0; j < v->n_containers; j++)
		if (v->containers[j].pid == s->procs[i].pid)
			return v->containers[j].name;
	return o && o->runtime[0] ? o->name ? o->name : o->id : NULL;
}

static bool names(const struct owner *o, const char *word, size_t n)
{
	return o && ((o->name && strncmp(o->name, word, n) == 0 && !o->name[n]) ||
			    (n >= 4 && strncmp(o->id, word, n) == 0));
}

/* A namespace by its container or its inode. */
static uint32_t find_ns(const struct view *v, const char *word, size_t n)
{
	char number[24];
	uint64_t inode;

	for (size_t i = 0; i < v->n_containers; i++) {
		uint32_t init = snapshot_find(&v->s, v->containers[i].pid);

		if (init != NO_PROC &&
			((strncmp(v->containers[i].name, word, n) == 0 &&
				 !v->containers[i].name[n]) ||
				(n >= 4 && strncmp(v->containers[i].id, word, n) == 0)))
			return v->s.procs[init].ns;
	}
	for (uint32_t i = 0; i < v->s.n_ns; i++)
		if (v->s.ns[i].level && names(v->s.ns[i].owner, word, n))
			return i;
	if (n < sizeof(number)) {
		memcpy(number, word, n);
		number[n] = '\0';
		if (str_u64(number, &inode) == 0)
			return snapshot_find_ns(&v->s, inode);
	}
	return NO_NS;
}

uint32_t view_find_ns(const struct view *v, const char *word)
{
	return find_ns(v, word, strlen(word));
}

/* A container without a PID namespace of its own: its first process that came from outside. */
static uint32_t find_guest(const struct view *v, const char *word)
{
	for (uint32_t i = 0; i < v->s.n; i++) {
		const struct proc *p = &v->s.procs[i];
		uint32_t parent = snapshot_find(&v->s, p->ppid);

		if (names(p->owner, word, strlen(word)) &&
			(parent == NO_PROC || v->s.procs[parent].owner != p->owner))
			return i;
	}
	return NO_PROC;
}

int view_find(const struct view *v, const char *word, uint32_t *ret, struct err *e)
{
	const char *colon = strrchr(word, ':');
	uint32_t ns = NO_NS;
	int pid;

	*ret = NO_PROC;
	if (colon && str_int(colon + 1, &pid) == 0) {
		ns = find_ns(v, word, (size_t)(colon - word));
		if (ns != NO_NS)
			*ret = snapshot_find_in(&v->s, ns, pid);
		return *ret == NO_PROC ? err_absent(e, "%s: no such process", word) : 0;
	}
	ns = find_ns(v, word, strlen(word));
	if (ns != NO_NS)
		*ret = v->s.ns[ns].init;
	else if (str_int(word, &pid) == 0 && pid > 0)
		*ret = snapshot_find(&v->s, pid);
	if (*ret == NO_PROC)
		*ret = find_guest(v, word);
	return *ret == NO_PROC ? err_absent(e, "%s: no such container or process", word) : 0;
}
