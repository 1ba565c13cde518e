/* SPDX-License-Identifier: Apache-2.0 */
#include "os/remove_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

enum { DEPTH = 32 };

/* top: where deep folders are moved to; *n: how many were. */
struct removal {
	int top;
	unsigned moved, removed;
};

static void moved_name(char buf[48], unsigned n)
{
	snprintf(buf, 48, ".clade-deep-%d-%u", (int)getpid(), n);
}

static int remove_at(struct removal *r, int dir, const char *name, int depth);

static int empty(struct removal *r, int dir, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), first = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		int code = -errno;

		if (fd >= 0)
			close(fd);
		return code;
	}
	while ((entry = readdir(stream))) {
		int one;

		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		one = remove_at(r, fd, entry->d_name, depth + 1);
		first = first ? first : one;
	}
	closedir(stream);
	return first;
}

static int remove_at(struct removal *r, int dir, const char *name, int depth)
{
	autofd fd = FD_NONE;
	char moved[48];
	int one;

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTDIR)
		return -EPERM;
	if (depth > DEPTH) {
		moved_name(moved, r->moved++);
		if (renameat(dir, name, r->top, moved) < 0)
			return -errno;
		return 0;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	fchmod(fd, 0700);
	one = empty(r, fd, depth);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT && one == 0)
		one = -errno;
	return one;
}

/* What was moved up is removed in turn, which may move further ones up. */
static int finish(struct removal *r, int first)
{
	for (; r->removed < r->moved; r->removed++) {
		char name[48];
		int one;

		moved_name(name, r->removed);
		one = remove_at(r, r->top, name, 0);
		first = first ? first : one;
	}
	return first;
}

int remove_tree(int dir, const char *name)
{
	struct removal r = { .top = dir };

	return finish(&r, remove_at(&r, dir, name, 0));
}

int remove_tree_inside(int dir)
{
	struct removal r = { .top = dir };

	return finish(&r, empty(&r, dir, 0));
}
