/* SPDX-License-Identifier: Apache-2.0 */
#include "os/same_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

enum { DEPTH_MAX = 400, BLOCK = 1 << 16 };

struct comparison {
	char *a, *b; /* owned: room for contents */
	char *what;
	size_t size;
};

static int differs(struct comparison *c, const char *name)
{
	snprintf(c->what, c->size, "%s", name);
	return 1;
}

static ssize_t fill(int fd, char *buf)
{
	size_t len = 0;

	while (len < BLOCK) {
		ssize_t n = read(fd, buf + len, BLOCK - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static int same_file(struct comparison *c, int one, int other, const char *name)
{
	autofd a = openat(one, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), b = FD_NONE;

	if (a < 0)
		return -errno;
	b = openat(other, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (b < 0)
		return -errno;
	for (;;) {
		ssize_t n = fill(a, c->a), m = fill(b, c->b);

		if (n < 0 || m < 0)
			return n < 0 ? (int)n : (int)m;
		if (n != m || memcmp(c->a, c->b, (size_t)n) != 0)
			return differs(c, name);
		if (n == 0)
			return 0;
	}
}

static int same_link(struct comparison *c, int one, int other, const char *name)
{
	char a[PATH_MAX], b[PATH_MAX];
	ssize_t n = readlinkat(one, name, a, sizeof(a)), m = readlinkat(other, name, b, sizeof(b));

	if (n < 0 || m < 0)
		return -errno;
	return n == m && memcmp(a, b, (size_t)n) == 0 ? 0 : differs(c, name);
}

static int same_below(struct comparison *c, int one, int other, int depth);

static int same_one(struct comparison *c, int one, int other, const char *name, int depth)
{
	struct stat a, b;

	if (fstatat(one, name, &a, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (fstatat(other, name, &b, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? differs(c, name) : -errno;
	if (a.st_mode != b.st_mode || a.st_uid != b.st_uid || a.st_gid != b.st_gid ||
		(!S_ISDIR(a.st_mode) && a.st_size != b.st_size) ||
		((S_ISCHR(a.st_mode) || S_ISBLK(a.st_mode)) && a.st_rdev != b.st_rdev))
		return differs(c, name);
	if (S_ISREG(a.st_mode))
		return same_file(c, one, other, name);
	if (S_ISLNK(a.st_mode))
		return same_link(c, one, other, name);
	if (S_ISDIR(a.st_mode)) {
		autofd in = openat(one, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		autofd out = openat(other, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (in < 0 || out < 0)
			return -errno;
		return depth > DEPTH_MAX ? 0 : same_below(c, in, out, depth + 1);
	}
	return 0;
}

/* names_only: is all that one has in the other, whatever it is there? */
static int each(struct comparison *c, int one, int other, int depth, bool names_only)
{
	int copy = openat(one, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	if (!dir) {
		r = -errno;
		fd_close(&copy);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (!names_only)
			r = same_one(c, one, other, entry->d_name, depth);
		else if (faccessat(other, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			r = differs(c, entry->d_name);
	}
	closedir(dir);
	return r;
}

static int same_below(struct comparison *c, int one, int other, int depth)
{
	int r = each(c, one, other, depth, false);

	return r ? r : each(c, other, one, depth, true);
}

int same_tree(int one, int other, char *what, size_t size)
{
	autofree char *a = mem_alloc(BLOCK), *b = mem_alloc(BLOCK);
	struct comparison c = { a, b, what, size };
	struct stat x, y;

	if (fstat(one, &x) < 0 || fstat(other, &y) < 0)
		return -errno;
	if (x.st_mode != y.st_mode || x.st_uid != y.st_uid || x.st_gid != y.st_gid)
		return differs(&c, "/");
	return same_below(&c, one, other, 0);
}
