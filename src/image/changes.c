/* SPDX-License-Identifier: Apache-2.0 */
#include "image/changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/root.h"

struct walk {
	const struct changes_how *how;
	struct arena *a;
	struct change *all;
	size_t n;
};

static struct change *add(struct walk *w, char kind, const char *path)
{
	struct change *c = arena_grow(w->a, &w->all, &w->n, sizeof(*c));

	*c = (struct change){ kind, path };
	return c;
}

static const char *join(struct walk *w, const char *folder, const char *name)
{
	return folder[0] ? arena_printf(w->a, "%s/%s", folder, name) : arena_strdup(w->a, name);
}

/* The runtime's own: where something is mounted, an empty file or folder has to be. */
static bool is_place(const struct walk *w, const char *path, const struct stat *st)
{
	if (!S_ISDIR(st->st_mode) && st->st_size)
		return false;
	for (size_t i = 0; i < w->how->n_places; i++)
		if (str_eq(w->how->places[i], path))
			return true;
	return false;
}

/* Does a mount lie below the folder? */
static bool leads_to_place(const struct walk *w, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < w->how->n_places; i++)
		if (strncmp(w->how->places[i], path, n) == 0 && w->how->places[i][n] == '/')
			return true;
	return false;
}

static int each(int dir, const char *path,
	int (*one)(struct walk *w, int dir, const char *path, const char *name, struct err *e),
	struct walk *w, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!stream) {
		err_set(e, errno, "read the folder /%s of its changes", path);
		fd_close(&fd);
		return -e->code;
	}
	while (r == 0 && (d = readdir(stream)))
		if (!str_eq(d->d_name, ".") && !str_eq(d->d_name, ".."))
			r = one(w, fd, path, d->d_name, e);
	closedir(stream);
	return r;
}

/* A name of a layer below an opaque folder, which the container does not have itself. */
static int hidden(struct walk *w, int dir, const char *path, const char *name, struct err *e)
{
	const char *whole = join(w, path, name);
	autofd lower = FD_NONE, own = FD_NONE;

	(void)dir;
	(void)e;
	lower = stack_find(w->how->lower, whole, NULL);
	own = root_open_nolinks(w->how->upper, whole, O_PATH | O_NOFOLLOW);
	if (lower >= 0 && own == -ENOENT)
		add(w, 'D', whole);
	return 0;
}

static int deleted_below(struct walk *w, const char *path, struct err *e)
{
	for (size_t i = 0; i < w->how->lower->n; i++) {
		autofd fd = root_open_nolinks(w->how->lower->layers[i], path, O_PATH | O_DIRECTORY);

		if (fd >= 0 && each(fd, path, hidden, w, e) < 0)
			return -e->code;
	}
	return 0;
}

static int one(struct walk *w, int dir, const char *folder, const char *name, struct err *e);

static int one_folder(struct walk *w, int fd, const char *path, const struct stat *st, bool below,
	const struct stat *was, struct err *e)
{
	bool same = below && S_ISDIR(was->st_mode) && was->st_mode == st->st_mode &&
		    was->st_uid == st->st_uid && was->st_gid == st->st_gid;
	size_t before = w->n;

	add(w, below ? 'C' : 'A', path);
	if (below && stack_is_opaque(fd, w->how->lower->userxattr) && deleted_below(w, path, e) < 0)
		return -e->code;
	if (each(fd, path, one, w, e) < 0)
		return -e->code;
	/* only a mount's place was made in it */
	if (w->n == before + 1 && leads_to_place(w, path) && (same || !below))
		w->n = before;
	return 0;
}

static int one(struct walk *w, int dir, const char *folder, const char *name, struct err *e)
{
	autofd fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), lower = FD_NONE;
	const char *path = join(w, folder, name);
	struct stat st, was = { 0 };

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "look at /%s", path);
	if (strlen(path) >= PATH_MAX)
		return err_say(e, "/%.60s...: nested too deeply", path);
	lower = stack_find(w->how->lower, path, &was);
	if (stack_is_whiteout(&st)) {
		if (lower >= 0)
			add(w, 'D', path);
		return 0;
	}
	if (S_ISDIR(st.st_mode) && !(is_place(w, path, &st) && lower < 0))
		return one_folder(w, fd, path, &st, lower >= 0, &was, e);
	if (!is_place(w, path, &st))
		add(w, lower >= 0 ? 'C' : 'A', path);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct change *)a)->path, ((const struct change *)b)->path);
}

int changes_find(const struct changes_how *how, struct arena *a, struct change **ret, size_t *ret_n,
	struct err *e)
{
	struct walk w = { .how = how, .a = a };
	size_t n = 0;

	if (each(how->upper, "", one, &w, e) < 0)
		return -e->code;
	if (w.n)
		qsort(w.all, w.n, sizeof(*w.all), by_path);
	for (size_t i = 0; i < w.n; i++)
		if (!n || !str_eq(w.all[n - 1].path, w.all[i].path))
			w.all[n++] = w.all[i];
	*ret = w.all;
	*ret_n = n;
	return 0;
}

bool changes_have(const struct change *all, size_t n, const char *path)
{
	const struct change key = { .path = path };

	return n && bsearch(&key, all, n, sizeof(*all), by_path);
}
