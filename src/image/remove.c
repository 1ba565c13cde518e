/* SPDX-License-Identifier: Apache-2.0 */
#include "image/remove.h"

#include <string.h>

#include "base/str.h"
#include "image/ref.h"

struct removing {
	const struct image_data *data;
	struct arena *arena;
	struct image_index index;
	struct rootfs_use *uses;
	size_t n_uses;
	struct image_removed *ret;
};

static void tell(struct removing *r, const char *what, const char *of)
{
	*(const char **)arena_grow(r->arena, &r->ret->lines, &r->ret->n, sizeof(*r->ret->lines)) =
		arena_printf(r->arena, "%s: %s", what, of);
}

static const struct rootfs_use *user_of(const struct removing *r, const struct image *i)
{
	for (size_t j = 0; j < r->n_uses; j++)
		if (!r->uses[j].gone && str_eq(r->uses[j].image, i->id))
			return &r->uses[j];
	return NULL;
}

/* "docker.io/library/busybox" of a name or a name@digest. */
static size_t repository_len(const char *name)
{
	const char *at = strchr(name, '@'), *slash = strrchr(name, '/'), *colon;

	if (at)
		return (size_t)(at - name);
	colon = strchr(slash ? slash : name, ':');
	return colon ? (size_t)(colon - name) : strlen(name);
}

static bool same_repository(const char *a, const char *b)
{
	size_t n = repository_len(a);

	return n == repository_len(b) && strncmp(a, b, n) == 0;
}

static bool in_many_repositories(const struct image *i)
{
	for (size_t j = 1; j < i->n_names; j++)
		if (!same_repository(i->names[0], i->names[j]))
			return true;
	return false;
}

/* Digests of a repository go with its last name. */
static void drop_digests(struct removing *r, struct image *i)
{
	size_t kept = 0;

	for (size_t j = 0; j < i->n_digests; j++) {
		bool named = false;

		for (size_t k = 0; k < i->n_names; k++)
			named |= same_repository(i->digests[j], i->names[k]);
		if (named)
			i->digests[kept++] = i->digests[j];
		else
			tell(r, "Untagged", ref_familiar(i->digests[j]));
	}
	i->n_digests = kept;
}

static void drop_name(struct removing *r, struct image *i, const char *name)
{
	index_take_name(&r->index, name);
	tell(r, "Untagged", ref_familiar(name));
	drop_digests(r, i);
}

static void drop_image(struct removing *r, struct image *i)
{
	size_t at = (size_t)(i - r->index.items);

	while (i->n_names)
		drop_name(r, i, i->names[0]);
	drop_digests(r, i);
	tell(r, "Deleted", i->id);
	memmove(i, i + 1, (--r->index.n - at) * sizeof(*i));
}

static int begin(struct removing *r, struct err *e)
{
	return index_read(r->data, r->arena, &r->index, e) < 0 ||
			       rootfs_uses(r->data, r->arena, &r->uses, &r->n_uses, e) < 0
		       ? -e->code
		       : 0;
}

/* The layers that were nobody's after that, in docker's order: topmost first. */
static int collect(struct removing *r, struct err *e)
{
	struct gc_done done;

	if (gc_collect(r->data, r->arena, &done, e) < 0)
		return -e->code;
	for (size_t i = 0; i < done.n_layers; i++)
		tell(r, "Deleted", arena_printf(r->arena, "sha256:%s", done.layers[i]));
	r->ret->bytes = done.bytes;
	r->ret->busy = done.busy;
	return 0;
}

static int refuse(const struct rootfs_use *use, const struct image_removal *how, const char *name,
	const struct image *i, struct err *e)
{
	bool runs = how->runs && how->runs(how->data, use->state);

	if (name)
		return err_say(e,
			"conflict: unable to remove repository reference \"%s\" (must force) - "
			"container %.12s is using its referenced image %.12s",
			ref_familiar(name), use->container, digest_hex(i->id));
	return err_say(e,
		"conflict: unable to delete %.12s (%s) - image is being used by %s container %.12s",
		digest_hex(i->id), runs ? "cannot be forced" : "must be forced",
		runs ? "running" : "stopped", use->container);
}

static int remove_locked(
	struct removing *r, const char *ref, const struct image_removal *how, struct err *e)
{
	const struct rootfs_use *use;
	struct image *i;
	const char *name;

	if (begin(r, e) < 0 || index_find(&r->index, ref, r->arena, &i, &name, e) < 0)
		return -e->code;
	use = user_of(r, i);
	if (name && i->n_names > 1) {
		drop_name(r, i, name);
		return index_write(r->data, &r->index, e);
	}
	if (use && !how->force)
		return refuse(use, how, name, i, e);
	if (use && name) {
		/* the name goes; what a container uses stays, as a dangling image */
		drop_name(r, i, name);
		return index_write(r->data, &r->index, e);
	}
	if (use && how->runs && how->runs(how->data, use->state))
		return refuse(use, how, NULL, i, e);
	if (!name && !how->force && in_many_repositories(i))
		return err_say(e,
			"conflict: unable to delete %.12s (must be forced) - image is referenced "
			"in "
			"multiple repositories",
			digest_hex(i->id));
	drop_image(r, i);
	return index_write(r->data, &r->index, e);
}

int image_remove(const struct image_data *d, const char *ref, const struct image_removal *how,
	struct arena *a, struct image_removed *ret, struct err *e)
{
	struct removing r = { .data = d, .arena = a, .ret = ret };
	autofd lock = data_lock(d, "lock", false, e);

	*ret = (struct image_removed){ 0 };
	if (lock < 0 || remove_locked(&r, ref, how, e) < 0)
		return -e->code;
	fd_close(&lock);
	return collect(&r, e);
}

static bool has_label(const struct image_config *c, const char *wanted)
{
	size_t n = strcspn(wanted, "=");

	for (size_t i = 0; i < c->n_labels; i++)
		if (strncmp(c->labels[i].key, wanted, n) == 0 && !c->labels[i].key[n] &&
			(!wanted[n] || str_eq(c->labels[i].value, wanted + n + 1)))
			return true;
	return false;
}

static bool may_go(struct removing *r, const struct image *i, const struct image_pruning *how)
{
	struct image_config config;
	struct err ignored;

	if ((i->n_names && !how->all) || user_of(r, i) ||
		(how->before_ns && i->added_ns >= how->before_ns))
		return false;
	if (how->n_labels && image_config_read(r->data, i, r->arena, &config, &ignored) < 0)
		return false;
	for (size_t j = 0; j < how->n_labels; j++)
		if (!has_label(&config, how->labels[j]))
			return false;
	return true;
}

int image_prune(const struct image_data *d, const struct image_pruning *how, struct arena *a,
	struct image_removed *ret, struct err *e)
{
	struct removing r = { .data = d, .arena = a, .ret = ret };
	autofd lock = FD_NONE;

	*ret = (struct image_removed){ 0 };
	gc_sweep(d);
	lock = data_lock(d, "lock", false, e);
	if (lock < 0 || begin(&r, e) < 0)
		return -e->code;
	for (size_t i = 0; i < r.index.n;) {
		if (may_go(&r, &r.index.items[i], how))
			drop_image(&r, &r.index.items[i]);
		else
			i++;
	}
	if (ret->n && index_write(d, &r.index, e) < 0)
		return -e->code;
	fd_close(&lock);
	return collect(&r, e);
}

int image_tag(const struct image_data *d, const char *ref, const char *name, struct err *e)
{
	autoarena a = { 0 };
	autofd lock = FD_NONE;
	struct image_index index;
	struct image_ref target;
	struct image *i;
	const char *canonical;

	if (ref_parse_name(name, &a, &target, e) < 0)
		return err_wrap(e, "%s", name);
	if (target.digest)
		return err_say(e, "%s: a digest cannot be given as a name", name);
	canonical = ref_canonical(&target, &a);
	lock = data_lock(d, "lock", false, e);
	if (lock < 0 || index_read(d, &a, &index, e) < 0 ||
		index_find(&index, ref, &a, &i, NULL, e) < 0)
		return -e->code;
	index_take_name(&index, canonical);
	image_add_name(i, canonical, &a);
	return index_write(d, &index, e);
}
