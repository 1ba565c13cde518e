/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running system's files for a normal user. The kernel does not let a user namespace put an
 * overlay over "/": below it lie mounts that cover what that user must not see. Folders without
 * such mounts below are free, so the root is put together from them: a tmpfs with an overlay for
 * each folder of the host, and its files and links copied. Folders with mounts below are entered
 * and put together in the same way.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/file.h"
#include "os/mount.h"

enum { DEPTH_MAX = 4, OVERLAYS_MAX = 256, COPY_MAX = 1 << 20 };

/* Of the root alone: what the container has of its own, and where other filesystems are mounted. */
static const char *const left_empty[] = { "proc", "sys", "dev", "run", "tmp", "home", "mnt",
	"media", "lost+found", NULL };

struct compose {
	int upper;  /* lent: a tmpfs for upper layers */
	unsigned n; /* overlays made */
};

static int overlay_on(struct compose *c, int lower, int target)
{
	autofd fs = mount_fs_open("overlay"), mount = FD_NONE;
	char name[32], path[FILE_FD_PATH];
	struct stat st;
	int r;

	if (fs < 0)
		return fs;
	if (c->n >= OVERLAYS_MAX)
		return -EMFILE;
	for (int work = 0; work < 2; work++) {
		autotext dir = { 0 };

		snprintf(name, sizeof(name), "%u.%s", c->n, work ? "work" : "upper");
		if (mkdirat(c->upper, name, 0755) < 0)
			return -errno;
		if (!work && fstat(lower, &st) == 0)
			fchmodat(c->upper, name, st.st_mode & 07777, 0);
		text_addf(&dir, "%s/%s", file_fd_path(c->upper, path), name);
		r = mount_fs_string(fs, work ? "workdir" : "upperdir", dir.p);
		if (r < 0)
			return r;
	}
	c->n++;
	r = mount_fs_string(fs, "lowerdir", file_fd_path(lower, path));
	if (r < 0)
		return r;
	mount_fs_flag(fs, "userxattr");
	mount = mount_fs_make(fs, 0);
	return mount < 0 ? mount : mount_attach(mount, target);
}

/* What cannot be read by this user is not there for them. */
static void copy_file(int from, int to, const char *name, const struct stat *st)
{
	autofd in = FD_NONE, out = FD_NONE;
	ssize_t n;

	if (st->st_size > COPY_MAX)
		return;
	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (in < 0)
		return;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st->st_mode & 0777);
	do
		n = out < 0 ? 0 : sendfile(out, in, NULL, COPY_MAX);
	while (n > 0);
}

static void copy_link(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return;
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0)
		return;
}

static int compose(struct compose *c, int from, int to, int depth);

static int compose_folder(
	struct compose *c, int from, int to, const char *name, const struct stat *st, int depth)
{
	autofd lower = openat(from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofd target = FD_NONE, inner = FD_NONE, readable = FD_NONE;
	int r;

	if (mkdirat(to, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fchmodat(to, name, st->st_mode & 07777, 0);
	if (lower < 0)
		return 0;
	for (size_t i = 0; depth == 0 && left_empty[i]; i++)
		if (str_eq(left_empty[i], name))
			return 0;
	target = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return -errno;
	r = overlay_on(c, lower, target);
	/* EINVAL: mounts lie below it */
	if (r != -EINVAL || depth >= DEPTH_MAX)
		return r == -EINVAL ? 0 : r;
	readable = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	inner = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (readable < 0 || inner < 0)
		return 0;
	return compose(c, readable, inner, depth + 1);
}

static int compose(struct compose *c, int from, int to, int depth)
{
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	struct stat top, st;

	if (!dir || fstat(from, &top) < 0) {
		r = -errno;
		fd_close(&copy);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..") ||
			fstatat(from, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && st.st_dev != top.st_dev)
			mkdirat(to, entry->d_name, 0755); /* another mount of the host */
		else if (S_ISDIR(st.st_mode))
			r = compose_folder(c, from, to, entry->d_name, &st, depth);
		else if (S_ISREG(st.st_mode))
			copy_file(from, to, entry->d_name, &st);
		else if (S_ISLNK(st.st_mode))
			copy_link(from, to, entry->d_name);
	}
	closedir(dir);
	return r;
}

int init_compose(int upper, const char *lower, int root, struct err *e)
{
	autofd from = open(lower, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofd to = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct compose c = { .upper = upper };
	int r;

	if (from < 0 || to < 0)
		return err_set(e, errno, "open %s", lower);
	r = compose(&c, from, to, 0);
	return r < 0 ? err_set(e, -r, "put %s together from overlays", lower) : 0;
}
