/* SPDX-License-Identifier: Apache-2.0 */
#include "image/data.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/str.h"
#include "image/ref.h"
#include "os/file.h"
#include "os/remove_tree.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

static int make_path(const char *path, struct err *e)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof(part))
		return err_set(e, ENAMETOOLONG, "data folder %s", path);
	strcpy(part, path);
	for (char *s = part + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return err_set(e, errno, "make %s", part);
		*s = '/';
	}
	if (mkdir(part, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make data folder %s", path);
	return 0;
}

int data_open(const char *path, struct image_data *ret, struct err *e)
{
	static const char *const folders[] = { "blobs", "blobs/sha256", "layers", "containers",
		"tmp", "locks" };
	struct image_data d = IMAGE_DATA_NONE;
	struct stat st;

	d.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d.fd < 0 && errno == ENOENT) {
		if (make_path(path, e) < 0)
			return -e->code;
		d.fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (d.fd < 0)
		return err_set(e, errno, "open data folder %s", path);
	d.path = mem_strdup(path);
	if (fstat(d.fd, &st) < 0 || st.st_uid != geteuid()) {
		data_done(&d);
		return err_say(e, "data folder %s belongs to another user", path);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		if (mkdirat(d.fd, folders[i], 0700) == 0 || errno == EEXIST)
			continue;
		err_set(e, errno, "make %s/%s", path, folders[i]);
		data_done(&d);
		return -e->code;
	}
	*ret = d;
	return 0;
}

void data_done(struct image_data *d)
{
	fd_close(&d->fd);
	mem_freep(&d->path);
}

static int open_lock(const struct image_data *d, const char *name)
{
	return openat(d->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int data_lock(const struct image_data *d, const char *name, bool shared, struct err *e)
{
	autofd fd = open_lock(d, name);

	if (fd < 0)
		return err_set(e, errno, "open %s/%s", d->path, name);
	while (flock(fd, shared ? LOCK_SH : LOCK_EX) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "lock %s/%s", d->path, name);
	return take_fd(&fd);
}

int data_try_lock(const struct image_data *d, const char *name)
{
	autofd fd = open_lock(d, name);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return FD_NONE;
	return take_fd(&fd);
}

static int write_beside(
	int dir, const char *name, const void *text, size_t n, bool durable, struct err *e)
{
	char beside[64];
	autofd fd = FD_NONE;
	int r;

	snprintf(beside, sizeof(beside), ".%.40s.%d", name, (int)getpid());
	fd = openat(dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, errno, "write %s", name);
	r = file_write_all(fd, text, n);
	if (r == 0 && ((durable && fsync(fd) < 0) || renameat(dir, beside, dir, name) < 0))
		r = -errno;
	if (r < 0) {
		unlinkat(dir, beside, 0);
		return err_set(e, -r, "write %s", name);
	}
	if (durable)
		fsync(dir);
	return 0;
}

int data_write(int dir, const char *name, const void *text, size_t n, struct err *e)
{
	return write_beside(dir, name, text, n, true, e);
}

int data_write_lightly(int dir, const char *name, const void *text, size_t n, struct err *e)
{
	return write_beside(dir, name, text, n, false, e);
}

struct removal {
	int dir;
	const char *name;
};

static int remove_it(void *data, struct err *e)
{
	const struct removal *what = data;
	int r = remove_tree(what->dir, what->name);

	return r < 0 ? err_set(e, -r, "remove %s", what->name) : 0;
}

int data_remove(const struct image_data *d, int dir, const char *name, struct err *e)
{
	struct removal what = { dir, name };
	int r = remove_tree(dir, name);

	if ((r == -EACCES || r == -EPERM) && d->maps.uids)
		return userns_run(&d->maps, remove_it, &what, e);
	return r < 0 ? err_set(e, -r, "remove %s", name) : 0;
}

int staging_make(const struct image_data *d, struct staging *ret, struct err *e)
{
	struct staging s = { .data = d, .fd = FD_NONE };
	char path[64];
	uint64_t random;
	struct stat st;

	for (;;) {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return err_set(e, errno, "make a temporary name");
		snprintf(s.name, sizeof(s.name), "%016llx", (unsigned long long)random);
		snprintf(path, sizeof(path), "tmp/%s", s.name);
		if (mkdirat(d->fd, path, 0700) < 0)
			return err_set(e, errno, "make %s/%s", d->path, path);
		s.fd = openat(d->fd, path, OPEN_DIR);
		/* a sweep may have come between: then it is not linked any more */
		if (s.fd >= 0 && flock(s.fd, LOCK_EX | LOCK_NB) == 0 && fstat(s.fd, &st) == 0 &&
			st.st_nlink > 0)
			break;
		fd_close(&s.fd);
	}
	*ret = s;
	return 0;
}

void staging_done(struct staging *s)
{
	char path[64];
	struct err ignored;

	if (s->fd < 0)
		return;
	snprintf(path, sizeof(path), "tmp/%s", s->name);
	data_remove(s->data, s->data->fd, path, &ignored);
	fd_close(&s->fd);
}

const char *staging_path(const struct staging *s, struct arena *a)
{
	return arena_printf(a, "%s/tmp/%s", s->data->path, s->name);
}

void data_sweep(const struct image_data *d)
{
	int fd = openat(d->fd, "tmp", OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		autofd one = FD_NONE;
		struct err ignored;

		if (entry->d_name[0] == '.')
			continue;
		one = openat(fd, entry->d_name, OPEN_DIR);
		if (one >= 0 && flock(one, LOCK_EX | LOCK_NB) == 0)
			data_remove(d, fd, entry->d_name, &ignored);
	}
	if (dir)
		closedir(dir);
}

static bool blob_path(const char *digest, char buf[96])
{
	if (!ref_is_sha256(digest))
		return false;
	snprintf(buf, 96, "blobs/sha256/%s", digest_hex(digest));
	return true;
}

int blob_open(const struct image_data *d, const char *digest)
{
	char path[96];
	int fd;

	if (!blob_path(digest, path))
		return -EINVAL;
	fd = openat(d->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int64_t blob_size(const struct image_data *d, const char *digest)
{
	char path[96];
	struct stat st;

	if (!blob_path(digest, path))
		return -EINVAL;
	if (fstatat(d->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? st.st_size : -EINVAL;
}

void blob_drop(const struct image_data *d, const char *digest)
{
	char path[96];

	if (blob_path(digest, path))
		unlinkat(d->fd, path, 0);
}

int blob_put(
	const struct image_data *d, const void *data, size_t n, struct digest *ret, struct err *e)
{
	autofd dir = openat(d->fd, "blobs/sha256", OPEN_DIR);

	digest_of(data, n, ret);
	if (dir < 0)
		return err_set(e, errno, "open %s/blobs/sha256", d->path);
	return data_write(dir, digest_hex(ret->text), data, n, e);
}

int blob_read(const struct image_data *d, const char *digest, size_t max, struct arena *a,
	char **ret, size_t *ret_n, struct err *e)
{
	autofd fd = blob_open(d, digest);
	autofree char *text = NULL;
	struct digest found;
	ssize_t n;

	if (fd < 0)
		return err_set(e, -fd, "open blob %s", digest);
	n = file_read_fd(fd, max, &text);
	if (n < 0)
		return err_set(e, (int)-n, "read blob %s", digest);
	digest_of(text, (size_t)n, &found);
	if (!str_eq(found.text, digest))
		return err_say(e, "blob %s is damaged: its digest is %s", digest, found.text);
	*ret = arena_strndup(a, text, (size_t)n);
	*ret_n = (size_t)n;
	return 0;
}

int blob_take(const struct staging *s, const char *name, int fd, const struct digest *digest,
	struct err *e)
{
	char path[96];

	blob_path(digest->text, path);
	if (fsync(fd) < 0 || renameat(s->fd, name, s->data->fd, path) < 0)
		return err_set(e, errno, "keep blob %s", digest->text);
	return 0;
}

int64_t data_bytes(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int64_t n = 0;

	if (!stream) {
		fd_close(&fd);
		return 0;
	}
	while ((entry = readdir(stream))) {
		struct stat st;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..") ||
			fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		n += S_ISDIR(st.st_mode) ? data_bytes(fd, entry->d_name) : st.st_size;
	}
	closedir(stream);
	return n;
}
