/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner.h"

#include <string.h>

#include "base/str.h"
#include "procs/owner_files.h"
#include "procs/owner_path.h"
#include "procs/owner_walk.h"
#include "procs/pidns_table.h"

/* The next path of a cgroup file: "4:memory:/docker/ID", of version 2 "0::/...". NULL at the end.
 */
static const char *next_path(const char **at, size_t *ret_n)
{
	while (**at) {
		const char *line = *at;
		size_t n = strcspn(line, "\n");
		const char *colon = memchr(line, ':', n);

		*at += n + (line[n] == '\n');
		colon = colon ? memchr(colon + 1, ':', n - (size_t)(colon + 1 - line)) : NULL;
		if (!colon)
			continue;
		*ret_n = n - (size_t)(colon + 1 - line);
		return colon + 1;
	}
	return NULL;
}

bool owner_from_cgroup(const char *cgroup, struct arena *a, struct owner *ret)
{
	const char *path;
	size_t n;

	while ((path = next_path(&cgroup, &n)))
		if (owner_path_parse(path, n, a, ret))
			return true;
	return false;
}

/* What the path says, then who else has files of it. */
static const struct owner *find_owner(struct owner_files *f, const char *cgroup)
{
	struct arena *a = f->s->arena;
	struct owner *o = arena_alloc(a, sizeof(*o));
	const char *path;
	size_t n;

	if (owner_from_cgroup(cgroup, a, o)) {
		owner_files_name(f, owner_path_uid(cgroup), o);
		return o;
	}
	while ((path = next_path(&cgroup, &n)))
		if (n > 1 && owner_files_find(f, arena_strndup(a, path, n), o))
			return o;
	return NULL;
}

static const struct owner *by_cgroup_hint(
	const struct owner_hint *hints, size_t n, const char *cgroup)
{
	for (size_t i = 0; i < n; i++) {
		const char *at, *path = hints[i].cgroup_path;

		if (!path || !*path || str_eq(path, "/"))
			continue;
		at = strstr(cgroup, path);
		if (at && at > cgroup && strchr("/\n", at[strlen(path)]))
			return &hints[i].owner;
	}
	return NULL;
}

static uint64_t hash_text(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

/* Owners found so far, by cgroup text: owners[k] for cgroups[k]. */
struct cache {
	struct owner_files files;
	const struct owner_hint *hints;
	size_t n_hints;
	struct ns_index index;
	const char **cgroups;
	const struct owner **owners;
	size_t n_cgroups, n_owners;
};

static const struct owner *look_up(struct cache *c, const char *cgroup)
{
	struct arena *a = c->files.s->arena;
	uint64_t key = hash_text(cgroup);
	uint32_t k = ns_index_find(&c->index, key);
	const struct owner *o;

	if (k != NO_NS && str_eq(c->cgroups[k], cgroup))
		return c->owners[k];
	o = by_cgroup_hint(c->hints, c->n_hints, cgroup);
	if (!o)
		o = find_owner(&c->files, cgroup);
	if (k == NO_NS)
		ns_index_add(&c->index, key, (uint32_t)c->n_cgroups);
	*(const char **)arena_grow(a, &c->cgroups, &c->n_cgroups, sizeof(*c->cgroups)) =
		arena_strdup(a, cgroup);
	*(const struct owner **)arena_grow(a, &c->owners, &c->n_owners, sizeof(*c->owners)) = o;
	return o;
}

static const struct owner *owner_of_path(void *data, const char *path)
{
	struct cache *c = data;
	autotext line = { 0 };

	text_addf(&line, "0::%s\n", path);
	return look_up(c, line.p);
}

/* The kernel said who shares a cgroup: one file of one member each. */
static void by_keys(struct snapshot *s, struct cache *c)
{
	const struct owner **owners = NULL;
	struct ns_index index = { 0 };
	size_t n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		struct proc *p = &s->procs[i];
		uint32_t k = ns_index_find(&index, p->cgroup_key);
		const char *cgroup;

		if (p->kernel_thread)
			continue;
		if (k == NO_NS) {
			cgroup = snapshot_cgroup(s, i);
			if (!cgroup)
				continue; /* gone: the next of them is asked */
			k = (uint32_t)n;
			*(const struct owner **)arena_grow(s->arena, &owners, &n, sizeof(*owners)) =
				look_up(c, cgroup);
			ns_index_add(&index, p->cgroup_key, k);
		}
		p->owner = owners[k];
	}
	ns_index_done(&index);
}

/* From the tree of cgroups, or where that does not do from each process's file. */
static void by_cgroups(struct snapshot *s, struct cache *c)
{
	bool walked;

	if (s->has_kernel_words) {
		by_keys(s, c);
		return;
	}
	walked = owner_walk(s, c->files.root, owner_of_path, c);
	for (uint32_t i = 0; i < s->n; i++) {
		struct proc *p = &s->procs[i];
		const char *cgroup;

		if (p->owner || p->kernel_thread || (walked && !proc_is_zombie(p)))
			continue;
		cgroup = snapshot_cgroup(s, i);
		if (cgroup)
			p->owner = look_up(c, cgroup);
	}
}

/* A namespace whose cgroup says nothing goes by who minds it, else by the command of its PID 1. */
static const struct owner *by_init(struct cache *c, uint32_t ns)
{
	struct snapshot *s = c->files.s;
	const struct pidns *n = &s->ns[ns];
	struct owner *o;

	if (n->level == 0 || n->init == NO_PROC)
		return NULL;
	o = arena_alloc(s->arena, sizeof(*o));
	if (!owner_files_by_init(&c->files, n->init, o))
		*o = (struct owner){ .runtime = "", .name = s->procs[n->init].comm };
	if (!o->id)
		o->id = arena_printf(s->arena, "%llu", (unsigned long long)n->inode);
	return o;
}

void owner_assign(
	struct snapshot *s, const struct owner_hint *hints, size_t n_hints, const char *root)
{
	struct cache c = { .files = { .s = s, .root = root }, .hints = hints, .n_hints = n_hints };

	by_cgroups(s, &c);
	for (uint32_t i = 0; i < s->n_ns; i++) {
		struct pidns *n = &s->ns[i];
		const struct owner *o = n->init == NO_PROC ? NULL : s->procs[n->init].owner;
		const struct owner *up = n->parent == NO_NS ? NULL : s->ns[n->parent].owner;

		for (size_t k = 0; k < n_hints && n->inode; k++) {
			if (hints[k].pidns_inode == n->inode)
				o = &hints[k].owner;
		}
		/* one nested in a container without one of its own is that container's */
		if (!o && up && up->runtime[0])
			o = up;
		n->owner = o ? o : by_init(&c, i);
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->procs[i].owner && s->procs[i].ns != NO_NS)
			s->procs[i].owner = s->ns[s->procs[i].ns].owner;
	}
	ns_index_done(&c.index);
}
