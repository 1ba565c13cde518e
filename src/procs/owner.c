/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "procs/owner_walk.h"
#include "procs/pidns_table.h"

enum { ID_HEX = 64 };

/* Where a container's component begins, what is around its id or name. */
static const struct pattern {
	const char *prefix, *suffix, *runtime;
	bool is_hex; /* an id of 64 hex digits; else a name, and all of it */
} patterns[] = {
	{ "docker-", ".scope", "docker", true },
	{ "libpod-", ".scope", "podman", true },
	{ "libpod-", "", "podman", true },
	{ "cri-containerd-", ".scope", "kubernetes", true },
	{ "crio-", ".scope", "cri-o", true },
	{ "crio-", "", "cri-o", true },
	{ "nerdctl-", ".scope", "nerdctl", true },
	{ "lxc.payload.", "", "lxc", false },
	{ "machine-", ".scope", "nspawn", false },
	{ "systemd-nspawn@", ".service", "nspawn", false },
	{ "clade-", ".scope", "clade", false },
	{ "runc-", ".scope", "runc", false },
	{ "crun-", ".scope", "crun", false },
	{ "youki-", ".scope", "youki", false },
};

/* A folder whose children are containers: ".../docker/ID". */
static const struct pattern parents[] = {
	{ "docker", "", "docker", true },
	{ "lxc", "", "lxc", false },
	{ "lxc.payload", "", "lxc", false },
	{ "clade", "", "clade", false },
	{ "crun", "", "crun", false },
	{ "runc", "", "runc", false },
	{ "youki", "", "youki", false },
};

struct part {
	const char *p;
	size_t n;
};

static bool is_hex_id(struct part s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return s.n == ID_HEX;
}

static bool part_is(struct part s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

/* "kubepods", "kubepods.slice", "kubepods-besteffort-podUID.slice" */
static bool is_kubepods(struct part s)
{
	return s.n >= 8 && memcmp(s.p, "kubepods", 8) == 0;
}

static bool match_component(struct part s, const struct pattern *p, struct part *ret_id)
{
	size_t pre = strlen(p->prefix), post = strlen(p->suffix);

	if (s.n <= pre + post || memcmp(s.p, p->prefix, pre) != 0 ||
		memcmp(s.p + s.n - post, p->suffix, post) != 0)
		return false;
	*ret_id = (struct part){ s.p + pre, s.n - pre - post };
	return !p->is_hex || is_hex_id(*ret_id);
}

/* nspawn writes names as systemd escapes them: "\x2d" for a dash. */
static char *unescaped(struct arena *a, struct part s)
{
	char *out = arena_strndup(a, s.p, s.n), *to = out;

	for (const char *c = out; *c; c++) {
		if (c[0] == '\\' && c[1] == 'x' && isxdigit((unsigned char)c[2]) &&
			isxdigit((unsigned char)c[3])) {
			char hex[3] = { c[2], c[3], 0 };

			*to++ = (char)strtol(hex, NULL, 16);
			c += 3;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return out;
}

static void fill(struct owner *o, const char *runtime, struct part id, struct arena *a)
{
	char *text = unescaped(a, id);

	*o = (struct owner){ .runtime = runtime, .id = text, .name = text };
}

/* The outermost component that is a container's: an engine inside one names its own below. */
static bool from_path(const char *path, size_t n, struct arena *a, struct owner *ret)
{
	struct part before = { "", 0 }, id;
	bool kube = false;

	for (size_t at = 0; at < n;) {
		struct part s = { path + at, 0 };

		while (at + s.n < n && s.p[s.n] != '/')
			s.n++;
		at += s.n + 1;
		if (s.n == 0)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
			if (match_component(s, &patterns[i], &id)) {
				fill(ret, patterns[i].runtime, id, a);
				return true;
			}
		}
		for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
			if (part_is(before, parents[i].prefix) &&
				(!parents[i].is_hex || is_hex_id(s))) {
				fill(ret, parents[i].runtime, s, a);
				return true;
			}
		}
		if (is_hex_id(s) && before.n > 0) {
			/* /kubepods/.../podUID/ID, and containerd's /NAMESPACE/ID */
			fill(ret, kube ? "kubernetes" : "containerd", s, a);
			if (!kube)
				ret->kns = arena_strndup(a, before.p, before.n);
			return true;
		}
		kube = kube || is_kubepods(s);
		before = s;
	}
	return false;
}

bool owner_from_cgroup(const char *cgroup, struct arena *a, struct owner *ret)
{
	while (*cgroup) {
		size_t n = strcspn(cgroup, "\n");
		const char *colon = memchr(cgroup, ':', n);

		/* "4:memory:/docker/ID", of version 2 "0::/..." */
		colon = colon ? memchr(colon + 1, ':', n - (size_t)(colon + 1 - cgroup)) : NULL;
		if (colon && from_path(colon + 1, n - (size_t)(colon + 1 - cgroup), a, ret))
			return true;
		cgroup += n + (cgroup[n] == '\n');
	}
	return false;
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
	struct snapshot *s;
	const struct owner_hint *hints;
	size_t n_hints;
	const char *root;
	struct ns_index index;
	const char **cgroups;
	const struct owner **owners;
	size_t n_cgroups, n_owners;
};

static const struct owner *look_up(struct cache *c, const char *cgroup)
{
	struct arena *a = c->s->arena;
	uint64_t key = hash_text(cgroup);
	uint32_t k = ns_index_find(&c->index, key);
	const struct owner *o;

	if (k != NO_NS && str_eq(c->cgroups[k], cgroup))
		return c->owners[k];
	o = by_cgroup_hint(c->hints, c->n_hints, cgroup);
	if (!o) {
		struct owner *made = arena_alloc(a, sizeof(*made));

		if (owner_from_cgroup(cgroup, a, made)) {
			owner_name(c->root, a, made);
			o = made;
		}
	}
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

/* From the tree of cgroups, or where that does not do from each process's file. */
static void by_cgroups(struct snapshot *s, struct cache *c)
{
	bool walked = owner_walk(s, c->root, owner_of_path, c);

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

/* A namespace of which no engine is known goes by the command of its PID 1. */
static const struct owner *by_command(struct snapshot *s, uint32_t ns)
{
	const struct pidns *n = &s->ns[ns];
	struct owner *o;

	if (n->level == 0 || n->init == NO_PROC)
		return NULL;
	o = arena_alloc(s->arena, sizeof(*o));
	o->runtime = "";
	o->id = arena_printf(s->arena, "%llu", (unsigned long long)n->inode);
	o->name = s->procs[n->init].comm;
	return o;
}

void owner_assign(
	struct snapshot *s, const struct owner_hint *hints, size_t n_hints, const char *root)
{
	struct cache c = { .s = s, .hints = hints, .n_hints = n_hints, .root = root };

	by_cgroups(s, &c);
	for (uint32_t i = 0; i < s->n_ns; i++) {
		struct pidns *n = &s->ns[i];
		const struct owner *o = n->init == NO_PROC ? NULL : s->procs[n->init].owner;

		for (size_t k = 0; k < n_hints && n->inode; k++) {
			if (hints[k].pidns_inode == n->inode)
				o = &hints[k].owner;
		}
		/* one nested in a container without one of its own is that container's */
		if (!o && n->parent != NO_NS && n->parent != 0)
			o = s->ns[n->parent].owner;
		n->owner = o ? o : by_command(s, i);
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->procs[i].owner && s->procs[i].ns != NO_NS)
			s->procs[i].owner = s->ns[s->procs[i].ns].owner;
	}
	ns_index_done(&c.index);
}
