/* SPDX-License-Identifier: Apache-2.0 */
#include "os/copy_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

enum { DEPTH_MAX = 64 };

static int copy_dir(int from, int to, dev_t dev, int depth);

static int copy_file(int from, int to, const char *name, const struct stat *st)
{
	autofd in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = FD_NONE;
	ssize_t n;

	if (in < 0)
		return -errno;
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	do
		n = sendfile(out, in, NULL, 1 << 20);
	while (n > 0);
	if (n < 0 || fchown(out, st->st_uid, st->st_gid) < 0 ||
		fchmod(out, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_link(int from, int to, const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, to, name) < 0 ||
		fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int copy_node(int to, const char *name, const struct stat *st)
{
	if (S_ISSOCK(st->st_mode))
		return 0;
	if (mknodat(to, name, st->st_mode, st->st_rdev) < 0)
		return errno == EPERM ? 0 : -errno;
	if (fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return fchmodat(to, name, st->st_mode & 07777, 0) < 0 ? -errno : 0;
}

static int copy_below(int from, int to, const char *name, const struct stat *st, int depth)
{
	autofd in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofd out = FD_NONE;
	int r;

	if (in < 0 || (mkdirat(to, name, 0700) < 0 && errno != EEXIST))
		return -errno;
	out = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (out < 0)
		return -errno;
	r = copy_dir(in, out, st->st_dev, depth + 1);
	if (r < 0)
		return r;
	if (fchown(out, st->st_uid, st->st_gid) < 0 || fchmod(out, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int copy_one(int from, int to, const char *name, dev_t dev, int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (st.st_dev != dev)
		return 0;
	if (S_ISDIR(st.st_mode))
		return copy_below(from, to, name, &st, depth);
	if (S_ISREG(st.st_mode))
		return copy_file(from, to, name, &st);
	if (S_ISLNK(st.st_mode))
		return copy_link(from, to, name, &st);
	return copy_node(to, name, &st);
}

static int copy_dir(int from, int to, dev_t dev, int depth)
{
	int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!dir) {
		fd_close(&copy);
		return -errno;
	}
	if (depth > DEPTH_MAX)
		r = -ELOOP;
	while (r == 0 && (entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			r = copy_one(from, to, entry->d_name, dev, depth);
	closedir(dir);
	return r;
}

int copy_tree(int from, int to)
{
	struct stat st;

	return fstat(from, &st) < 0 ? -errno : copy_dir(from, to, st.st_dev, 0);
}
