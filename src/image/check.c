/* SPDX-License-Identifier: Apache-2.0 */
#include "image/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "image/add.h"
#include "image/gc.h"
#include "image/ref.h"
#include "image/unpack.h"
#include "os/same_tree.h"

struct check {
	const struct image_data *data;
	const struct check_how *how;
	struct arena *arena;
	struct check_found *found;
	struct rootfs_use *uses;
	size_t n_uses;
};

static void problem(struct check *c, bool repaired, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void problem(struct check *c, bool repaired, const char *fmt, ...)
{
	struct check_found *f = c->found;
	autotext t = { 0 };
	va_list ap;

	va_start(ap, fmt);
	text_vaddf(&t, fmt, ap);
	va_end(ap);
	if (c->how->repair)
		text_add(&t, repaired ? " (repaired)" : " (not repaired)");
	*(const char **)arena_grow(c->arena, &f->problems, &f->n, sizeof(*f->problems)) =
		arena_strdup(c->arena, t.p);
	f->repaired += repaired;
}

/* Every blob that is there has its digest; one that has not is as good as none. */
static int check_blobs(struct check *c, struct err *e)
{
	int fd = openat(c->data->fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		err_set(e, errno, "read %s/blobs", c->data->path);
		fd_close(&fd);
		return -e->code;
	}
	while ((entry = readdir(dir))) {
		const char *name = arena_printf(c->arena, "sha256:%s", entry->d_name);
		autofd blob = FD_NONE;
		struct digest found;

		if (!ref_is_sha256(name))
			continue;
		c->found->blobs++;
		blob = blob_open(c->data, name);
		if (c->how->quick || blob < 0)
			continue;
		if (digest_of_fd(blob, &found, NULL) == 0 && str_eq(found.text, name))
			continue;
		if (c->how->repair)
			blob_drop(c->data, name);
		problem(c, c->how->repair, "blob %.19s is damaged: it was removed", name);
	}
	closedir(dir);
	return 0;
}

/* For a child that has the ids: a layer unpacked again, beside the one there is. */
struct again {
	const struct image_data *data;
	const struct image *image;
	size_t layer;
	int staging;
};

static int unpack_again(void *data, struct err *e)
{
	struct again *g = data;
	autoarena a = { 0 };
	autostack below = { .userxattr = g->data->userxattr };
	const struct image_layer *l = &g->image->layers[g->layer];
	autofd blob = blob_open(g->data, l->blob), fresh = FD_NONE, old = FD_NONE;
	struct unpack u = { .below = &below, .blob = l->blob, .diff_id = l->diff_id };
	char where[256];
	struct stat st;
	int r;

	for (size_t i = 0; i < g->layer; i++) {
		int fd = openat(g->data->fd,
			arena_printf(&a, "layers/%s/diff", g->image->layers[i].chain),
			O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_set(e, errno, "open layer %.12s", g->image->layers[i].chain);
		stack_push(&below, fd);
	}
	if (blob < 0)
		return err_set(e, -blob, "open blob %.19s", l->blob);
	if (mkdirat(g->staging, "diff", 0755) < 0)
		return err_set(e, errno, "make a folder");
	fresh = openat(g->staging, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fresh < 0)
		return err_set(e, errno, "open a folder");
	if (below.n && fstat(below.layers[0], &st) == 0 && fchown(fresh, st.st_uid, st.st_gid) == 0)
		fchmod(fresh, st.st_mode & 07777);
	u.archive = blob;
	u.layer = fresh;
	if (unpack_layer(&u, e) < 0)
		return -e->code;
	old = openat(g->data->fd, arena_printf(&a, "layers/%s/diff", l->chain),
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return err_say(e, "it is not there");
	r = same_tree(fresh, old, where, sizeof(where));
	if (r < 0)
		return err_set(e, -r, "compare it");
	return r ? err_say(e, "%.200s is not as in its archive", where) : 0;
}

static bool is_used(const struct check *c, const char *chain)
{
	for (size_t i = 0; i < c->n_uses; i++)
		for (size_t j = 0; !c->uses[i].gone && j < c->uses[i].n_chains; j++)
			if (str_eq(c->uses[i].chains[j], chain))
				return true;
	return false;
}

/* Out of the way; image_add() makes it anew from its blob. */
static bool drop_layer(struct check *c, const char *chain)
{
	struct err ignored;

	if (!c->how->repair || is_used(c, chain))
		return false;
	return data_remove(c->data, c->data->fd, arena_printf(c->arena, "layers/%s", chain),
		       &ignored) == 0;
}

static void check_layer(struct check *c, const struct image *image, size_t at, bool *again)
{
	const struct image_layer *l = &image->layers[at];
	autostaging staging = STAGING_NONE;
	struct again g = { .data = c->data, .image = image, .layer = at };
	struct err e = { 0 };
	bool there = faccessat(c->data->fd, arena_printf(c->arena, "layers/%s/info", l->chain),
			     F_OK, 0) == 0;

	c->found->layers++;
	if (there && c->how->quick)
		return;
	if (there && blob_size(c->data, l->blob) < 0)
		return; /* nothing to compare it with: said of the blob */
	if (there) {
		if (staging_make(c->data, &staging, &e) < 0)
			return;
		g.staging = staging.fd;
		if (userns_run(&c->data->maps, unpack_again, &g, &e) == 0)
			return;
	}
	*again = true;
	problem(c, drop_layer(c, l->chain) || (!there && c->how->repair),
		"layer %.12s of image %.12s: %s%s", l->chain, digest_hex(image->id),
		there ? e.msg : "it is not there",
		is_used(c, l->chain) ? "; a container uses it" : "");
}

/* An image whose parts are there again, or whose absence is final. */
static void mend(struct check *c, const struct image *image)
{
	struct image_add what = { .manifest = image->manifest };
	struct image made;
	struct err e = { 0 };

	if (image_add(c->data, &what, c->arena, &made, &e) < 0)
		problem(c, false, "image %.12s cannot be made again: %s; pull it",
			digest_hex(image->id), e.msg);
}

static void check_image(struct check *c, const struct image *image)
{
	struct image_config config;
	struct err e = { 0 };
	bool again = false;
	size_t missing = 0;

	c->found->images++;
	for (size_t i = 0; i < image->n_layers; i++)
		missing += blob_size(c->data, image->layers[i].blob) < 0;
	if (missing)
		problem(c, false, "image %.12s: %zu of its layers' blobs are not there; pull it",
			digest_hex(image->id), missing);
	if (blob_size(c->data, image->manifest) < 0)
		problem(c, false, "image %.12s: its manifest is not there; pull it",
			digest_hex(image->id));
	if (image_config_read(c->data, image, c->arena, &config, &e) < 0)
		problem(c, false, "image %.12s: %s; pull it", digest_hex(image->id), e.msg);
	for (size_t i = 0; i < image->n_layers; i++)
		check_layer(c, image, i, &again);
	if (again && c->how->repair)
		mend(c, image);
}

/* A list that cannot be read: the images it had are pulled again; what containers use stays. */
static int check_index(struct check *c, struct image_index *index, struct err *e)
{
	struct err why = { 0 };
	bool moved;

	if (index_read(c->data, c->arena, index, &why) == 0)
		return 0;
	moved = c->how->repair &&
		renameat(c->data->fd, "images.json", c->data->fd, "images.json.damaged") == 0;
	problem(c, moved, "%s", why.msg);
	*index = (struct image_index){ 0 };
	return moved ? index_write(c->data, index, e) : 0;
}

int check_store(const struct image_data *d, const struct check_how *how, struct arena *a,
	struct check_found *ret, struct err *e)
{
	struct check c = { .data = d, .how = how, .arena = a, .found = ret };
	struct image_index index;
	autofd busy = FD_NONE;

	*ret = (struct check_found){ 0 };
	if (how->repair)
		gc_sweep(d);
	busy = data_lock(d, "busy", true, e);
	if (busy < 0 || rootfs_uses(d, a, &c.uses, &c.n_uses, e) < 0)
		return -e->code;
	for (size_t i = 0; i < c.n_uses; i++)
		if (c.uses[i].gone)
			problem(&c, false,
				"container %.12s left its files behind (clade system prune)",
				c.uses[i].container);
	if (check_index(&c, &index, e) < 0 || check_blobs(&c, e) < 0)
		return -e->code;
	for (size_t i = 0; i < index.n; i++)
		check_image(&c, &index.items[i]);
	return 0;
}
