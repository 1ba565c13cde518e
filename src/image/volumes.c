/* SPDX-License-Identifier: Apache-2.0 */
#include "image/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "os/file.h"

enum { VOLUME_MAX_BYTES = 1 << 20 };

bool volume_name_fits(const char *name)
{
	static const char alnum[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = strlen(name);

	if (n < 2 || n > NAME_MAX || !strchr(alnum, name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(alnum, name[i]) && !strchr("_.-", name[i]))
			return false;
	return true;
}

const char *volume_path(const char *data_path, const char *name, struct arena *a)
{
	return arena_printf(a, "%s/volumes/%s/_data", data_path, name);
}

static int open_volume(const struct image_data *d, const char *name)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "volumes/%s", name);
	return openat(d->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void describe(const struct volume *v, struct text *t)
{
	struct json_writer w = { .t = t };
	char created[40];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_begin(&w, NULL, '{');
	json_string(&w, "created", created);
	json_bool(&w, "anonymous", v->anonymous);
	json_begin(&w, "labels", '{');
	for (size_t i = 0; i < v->n_labels; i++)
		json_string(&w, v->labels[i].key, v->labels[i].value);
	json_end(&w, '}');
	if (v->type) {
		json_string(&w, "type", v->type);
		json_string(&w, "device", v->device);
	}
	if (v->type && v->o)
		json_string(&w, "o", v->o);
	json_end(&w, '}');
}

/* Under "lock". volume.json comes last: without it, it was cut short and is made anew. */
static int make(const struct image_data *d, const struct volume *v, struct err *e)
{
	const char *name = v->name;
	char path[NAME_MAX + 16];
	autofd dir = FD_NONE;
	autotext t = { 0 };

	if (!volume_name_fits(name))
		return err_say(e,
			"volume %s: a name has letters, digits, _, . and -, and at least two of "
			"them",
			name);
	snprintf(path, sizeof(path), "volumes/%s", name);
	if ((mkdirat(d->fd, "volumes", 0711) < 0 && errno != EEXIST) ||
		(mkdirat(d->fd, path, 0711) < 0 && errno != EEXIST))
		return err_set(e, errno, "make volume %s", name);
	dir = open_volume(d, name);
	if (dir < 0)
		return err_set(e, errno, "open volume %s", name);
	if (faccessat(dir, "volume.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if ((mkdirat(dir, "_data", 0755) < 0 && errno != EEXIST) ||
		(mkdirat(dir, "uses", 0700) < 0 && errno != EEXIST))
		return err_set(e, errno, "make volume %s", name);
	describe(v, &t);
	return data_write(dir, "volume.json", t.p, t.len, e);
}

int volume_make(const struct image_data *d, const struct volume *v, struct err *e)
{
	autofd lock = data_lock(d, "lock", false, e);

	return lock < 0 ? -e->code : make(d, v, e);
}

int volume_use(const struct image_data *d, const char *name, bool anonymous, const char *container,
	const char *state, struct err *e)
{
	autofd lock = data_lock(d, "lock", false, e), dir = FD_NONE;
	char path[NAME_MAX + 16];
	int r;

	if (lock < 0)
		return -e->code;
	r = make(d, &(struct volume){ .name = name, .anonymous = anonymous }, e);
	if (r < 0)
		return r;
	dir = open_volume(d, name);
	snprintf(path, sizeof(path), "uses/%s", container);
	if (dir < 0 || (symlinkat(state, dir, path) < 0 && errno != EEXIST))
		return err_set(e, errno, "take volume %s", name);
	return r;
}

void volume_release(const struct image_data *d, const char *name, const char *container)
{
	autofd dir = volume_name_fits(name) ? open_volume(d, name) : FD_NONE;
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "uses/%s", container);
	if (dir >= 0)
		unlinkat(dir, path, 0);
}

/* How many have it. A container's state folder went without it: it has nothing any more. */
static size_t links_of(int dir)
{
	int fd = openat(dir, "uses", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t n = 0;

	if (!stream) {
		fd_close(&fd);
		return 0;
	}
	while ((entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		if (faccessat(fd, entry->d_name, F_OK, 0) == 0 || errno != ENOENT)
			n++;
		else
			unlinkat(fd, entry->d_name, 0);
	}
	closedir(stream);
	return n;
}

static const char *text_of(const struct json *all, const char *name)
{
	const struct json *v = json_get(all, name);

	return v && v->kind == JSON_STRING ? v->text : NULL;
}

static bool read_volume(
	const struct image_data *d, const char *name, struct arena *a, struct volume *ret)
{
	autofd dir = open_volume(d, name);
	autofree char *text = NULL;
	const struct json *all, *v;
	struct err ignored;
	ssize_t n = dir < 0 ? -1 : file_read_all(dir, "volume.json", VOLUME_MAX_BYTES, &text);

	if (n < 0 || json_parse(text, (size_t)n, a, &all, &ignored) < 0 || all->kind != JSON_OBJECT)
		return false;
	*ret = (struct volume){ .name = arena_strdup(a, name),
		.path = volume_path(d->path, name, a),
		.created = text_of(all, "created") ? text_of(all, "created") : "",
		.type = text_of(all, "type"),
		.device = text_of(all, "device"),
		.o = text_of(all, "o"),
		.links = links_of(dir) };
	if (!ret->device)
		ret->type = NULL;
	v = json_get(all, "anonymous");
	ret->anonymous = v && v->kind == JSON_BOOL && v->is_true;
	v = json_get(all, "labels");
	if (!v || v->kind != JSON_OBJECT)
		return true;
	for (const struct json *l = json_first(v); l; l = json_next(v, l))
		if (l->kind == JSON_STRING)
			*(struct volume_label *)arena_grow(a, &ret->labels, &ret->n_labels,
				sizeof(*ret->labels)) = (struct volume_label){ l->name, l->text };
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct volume *)a)->name, ((const struct volume *)b)->name);
}

int volume_list(const struct image_data *d, struct arena *a, struct volume **ret, size_t *ret_n,
	struct err *e)
{
	int fd = openat(d->fd, "volumes", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*ret = NULL;
	*ret_n = 0;
	if (!stream && fd < 0 && errno == ENOENT)
		return 0;
	if (!stream) {
		err_set(e, errno, "read %s/volumes", d->path);
		fd_close(&fd);
		return -e->code;
	}
	while ((entry = readdir(stream))) {
		struct volume v;

		if (volume_name_fits(entry->d_name) && read_volume(d, entry->d_name, a, &v))
			*(struct volume *)arena_grow(a, ret, ret_n, sizeof(v)) = v;
	}
	closedir(stream);
	if (*ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), by_name);
	return 0;
}

int volume_find(const struct image_data *d, const char *name, struct arena *a, struct volume *ret,
	struct err *e)
{
	if (!volume_name_fits(name) || !read_volume(d, name, a, ret))
		return err_absent(e, "no such volume: %s", name);
	return 0;
}

int volume_remove(const struct image_data *d, const char *name, struct err *e)
{
	autofd lock = data_lock(d, "lock", false, e), dir = FD_NONE;
	char path[NAME_MAX + 16];

	if (lock < 0)
		return -e->code;
	dir = volume_name_fits(name) ? open_volume(d, name) : FD_NONE;
	if (dir < 0)
		return err_absent(e, "no such volume: %s", name);
	if (links_of(dir))
		return err_say(e, "volume %s is in use by a container", name);
	/* first of all it is none any more: cut short, the rest goes with the next try */
	snprintf(path, sizeof(path), "volumes/%s", name);
	return data_remove(d, d->fd, path, e);
}

int64_t volume_bytes(const struct image_data *d, const char *name)
{
	autofd dir = volume_name_fits(name) ? open_volume(d, name) : FD_NONE;

	return dir < 0 ? 0 : data_bytes(dir, "_data");
}
