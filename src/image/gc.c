/* SPDX-License-Identifier: Apache-2.0 */
#include "image/gc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "image/ref.h"
#include "os/file.h"

void gc_sweep(const struct image_data *d)
{
	autoarena a = { 0 };
	struct rootfs_use *uses;
	struct err ignored;
	autofd lock = FD_NONE;
	size_t n;

	data_sweep(d);
	lock = data_lock(d, "lock", false, &ignored);
	if (lock < 0 || rootfs_uses(d, &a, &uses, &n, &ignored) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (uses[i].gone)
			rootfs_remove(d, uses[i].container, &ignored);
}

/* A sorted list of what is in use. */
struct words {
	const char **items;
	size_t n;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add(struct words *w, const char *word, struct arena *a)
{
	*(const char **)arena_grow(a, &w->items, &w->n, sizeof(*w->items)) = word;
}

static void sort(struct words *w)
{
	if (w->n)
		qsort(w->items, w->n, sizeof(*w->items), compare);
}

static bool has(const struct words *w, const char *word)
{
	return w->n && bsearch(&word, w->items, w->n, sizeof(*w->items), compare);
}

static int in_use(const struct image_data *d, struct arena *a, struct words *layers,
	struct words *blobs, struct err *e)
{
	struct image_index index;
	struct rootfs_use *uses;
	size_t n;

	if (index_read(d, a, &index, e) < 0 || rootfs_uses(d, a, &uses, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < index.n; i++) {
		const struct image *image = &index.items[i];

		add(blobs, digest_hex(image->id), a);
		add(blobs, digest_hex(image->manifest), a);
		for (size_t j = 0; j < image->n_layers; j++) {
			add(blobs, digest_hex(image->layers[j].blob), a);
			add(layers, image->layers[j].chain, a);
		}
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < uses[i].n_chains; j++)
			add(layers, uses[i].chains[j], a);
	sort(layers);
	sort(blobs);
	return 0;
}

static int64_t layer_bytes(int dir, const char *name)
{
	char path[96], text[1024], *bytes;

	snprintf(path, sizeof(path), "%.64s/info", name);
	if (file_read(dir, path, text, sizeof(text)) < 0)
		return 0;
	bytes = strstr(text, "\"bytes\": ");
	return bytes ? strtoll(bytes + 9, NULL, 10) : 0;
}

struct collection {
	const struct image_data *data;
	struct arena *arena;
	struct gc_done *done;
	struct err *e;
};

static int drop_layer(struct collection *c, int dir, const char *name)
{
	int64_t bytes = layer_bytes(dir, name);
	char moved[96];

	/* out of the way at once, so that what a kill leaves is no half of a layer */
	snprintf(moved, sizeof(moved), "tmp/gone-%.64s", name);
	if (renameat(dir, name, c->data->fd, moved) < 0)
		return err_set(c->e, errno, "remove layer %.12s", name);
	if (data_remove(c->data, c->data->fd, moved, c->e) < 0)
		return -c->e->code;
	c->done->bytes += bytes;
	*(const char **)arena_grow(c->arena, &c->done->layers, &c->done->n_layers,
		sizeof(*c->done->layers)) = arena_strdup(c->arena, name);
	return 0;
}

static int drop_blob(struct collection *c, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && unlinkat(dir, name, 0) == 0)
		c->done->bytes += st.st_size;
	return 0;
}

static int sweep_folder(struct collection *c, const char *folder, const struct words *used,
	int (*drop)(struct collection *c, int dir, const char *name))
{
	int fd = openat(c->data->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW),
	    r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		err_set(c->e, errno, "read %s/%s", c->data->path, folder);
		fd_close(&fd);
		return -c->e->code;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..") &&
			!has(used, entry->d_name))
			r = drop(c, fd, entry->d_name);
	closedir(dir);
	return r;
}

int gc_collect(const struct image_data *d, struct arena *a, struct gc_done *ret, struct err *e)
{
	struct collection c = { d, a, ret, e };
	struct words layers = { 0 }, blobs = { 0 };
	autofd busy = FD_NONE, lock = FD_NONE;

	*ret = (struct gc_done){ 0 };
	gc_sweep(d);
	busy = data_try_lock(d, "busy");
	ret->busy = busy < 0;
	if (ret->busy)
		return 0;
	lock = data_lock(d, "lock", false, e);
	if (lock < 0 || in_use(d, a, &layers, &blobs, e) < 0)
		return -e->code;
	if (sweep_folder(&c, "layers", &layers, drop_layer) < 0)
		return -e->code;
	return sweep_folder(&c, "blobs/sha256", &blobs, drop_blob);
}

void gc_after_failure(const struct image_data *d, int *busy, const struct err *e)
{
	autoarena a = { 0 };
	struct gc_done done;
	struct err ignored;

	if (e->code != ENOSPC && e->code != EDQUOT && !strstr(e->msg, "no space left on device"))
		return;
	fd_close(busy);
	gc_collect(d, &a, &done, &ignored);
}
