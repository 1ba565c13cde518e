/* SPDX-License-Identifier: Apache-2.0 */
#include "image/rootfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "image/ref.h"
#include "os/file.h"

enum { USES_MAX_BYTES = 1 << 20 };

void rootfs_of(
	const struct image_data *d, const struct image *i, struct arena *a, struct rootfs *ret)
{
	*ret = (struct rootfs){ .lower = arena_array(a, i->n_layers + 1, sizeof(*ret->lower)),
		.n_lower = i->n_layers };
	for (size_t j = 0; j < i->n_layers; j++)
		ret->lower[i->n_layers - 1 - j] =
			arena_printf(a, "%s/layers/%s/diff", d->path, i->layers[j].chain);
}

static int write_uses(int dir, const struct image *i, const char *state, struct err *e)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t };

	json_begin(&w, NULL, '{');
	json_string(&w, "image", i->id);
	json_string(&w, "state", state);
	json_begin(&w, "layers", '[');
	for (size_t j = 0; j < i->n_layers; j++)
		json_string(&w, NULL, i->layers[j].chain);
	json_end(&w, ']');
	json_end(&w, '}');
	return data_write_lightly(dir, "uses", t.p, t.len, e);
}

/* The root folder of a container looks like its image's. */
static void like_image(const struct image_data *d, int dir, const struct rootfs *r)
{
	struct stat st;

	if (!r->n_lower || stat(r->lower[0], &st) < 0)
		return;
	if (d->maps.uids == NULL && fchownat(dir, "upper", st.st_uid, st.st_gid, 0) < 0)
		return;
	fchmodat(dir, "upper", st.st_mode & 07777, 0);
}

int rootfs_make(const struct image_data *d, const char *image_id, const char *container,
	const char *state, struct arena *a, struct rootfs *ret, struct err *e)
{
	const char *path = arena_printf(a, "containers/%s", container);
	autofd lock = data_lock(d, "lock", true, e), dir = FD_NONE;
	struct image_index index;
	struct image *image;
	struct err ignored;
	int r;

	if (lock < 0 || index_read(d, a, &index, e) < 0 ||
		index_find(&index, image_id, a, &image, NULL, e) < 0)
		return -e->code;
	rootfs_of(d, image, a, ret);
	ret->upper = arena_printf(a, "%s/%s", d->path, path);
	if (mkdirat(d->fd, path, 0700) < 0)
		return err_set(e, errno, "make %s", ret->upper);
	dir = openat(d->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0 || mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0755) < 0) {
		r = err_set(e, errno, "make folders in %s", ret->upper);
	} else {
		like_image(d, dir, ret);
		r = write_uses(dir, image, state, e);
	}
	if (r < 0)
		data_remove(d, d->fd, path, &ignored);
	return r;
}

int rootfs_remove(const struct image_data *d, const char *container, struct err *e)
{
	char path[128];

	snprintf(path, sizeof(path), "containers/%s", container);
	return data_remove(d, d->fd, path, e);
}

int rootfs_stack(
	const struct image_data *d, const struct image *i, struct stack *ret, struct err *e)
{
	autoarena a = { 0 };

	*ret = (struct stack){ .userxattr = d->userxattr };
	for (size_t j = 0; j < i->n_layers; j++) {
		int fd = openat(d->fd, arena_printf(&a, "layers/%s/diff", i->layers[j].chain),
			O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0) {
			stack_done(ret);
			return err_set(e, errno, "open layer %.12s (clade system check --repair)",
				i->layers[j].chain);
		}
		stack_push(ret, fd);
	}
	return 0;
}

static bool read_use(int dir, const char *name, struct arena *a, struct rootfs_use *ret)
{
	const struct json *all, *image, *state, *layers;
	autofree char *text = NULL;
	struct err ignored;
	ssize_t n = file_read_all(dir, arena_printf(a, "%s/uses", name), USES_MAX_BYTES, &text);

	*ret = (struct rootfs_use){ .container = arena_strdup(a, name), .image = "", .state = "" };
	if (n < 0 || json_parse(text, (size_t)n, a, &all, &ignored) < 0 || all->kind != JSON_OBJECT)
		return false;
	image = json_get(all, "image");
	state = json_get(all, "state");
	layers = json_get(all, "layers");
	if (!image || image->kind != JSON_STRING || !state || state->kind != JSON_STRING ||
		!layers || layers->kind != JSON_ARRAY)
		return false;
	ret->image = image->text;
	ret->state = state->text;
	for (const struct json *v = json_first(layers); v; v = json_next(layers, v))
		if (v->kind == JSON_STRING)
			*(const char **)arena_grow(
				a, &ret->chains, &ret->n_chains, sizeof(*ret->chains)) = v->text;
	ret->gone = access(ret->state, F_OK) < 0 && errno == ENOENT;
	return true;
}

int rootfs_uses(const struct image_data *d, struct arena *a, struct rootfs_use **ret, size_t *ret_n,
	struct err *e)
{
	int fd = openat(d->fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*ret = NULL;
	*ret_n = 0;
	if (!dir) {
		err_set(e, errno, "read %s/containers", d->path);
		fd_close(&fd);
		return -e->code;
	}
	while ((entry = readdir(dir))) {
		struct rootfs_use use;

		if (entry->d_name[0] == '.')
			continue;
		/* without a claim it was cut short while it was made: the caller holds the lock */
		if (!read_use(fd, entry->d_name, a, &use))
			use.gone = true;
		*(struct rootfs_use *)arena_grow(a, ret, ret_n, sizeof(use)) = use;
	}
	closedir(dir);
	return 0;
}
