/* SPDX-License-Identifier: Apache-2.0 */
#include "os/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* A race with a rename makes the kernel give up (-EAGAIN): as often as an attacker may win. */
enum { RACE_TRIES = 64 };

static int open_in(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.resolve = resolve,
	};

	for (int i = 0; i < RACE_TRIES; i++) {
		int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return fd;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

int root_open(int root, const char *path, int flags)
{
	return open_in(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int root_open_nolinks(int root, const char *path, int flags)
{
	return open_in(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int root_chdir(const char *path)
{
	autofd fd = open_in(AT_FDCWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? fd : fchdir(fd) < 0 ? -errno : 0;
}

int root_open_noxdev(int root, const char *path, int flags)
{
	return open_in(root, path, flags, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
}

/* Makes name in the folder and opens it; something that appeared meanwhile is opened as it is. */
static int make_dir(int dir, const char *name, mode_t mode)
{
	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return -errno;
	return open_in(dir, name, O_PATH | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/*
 * The deepest part of the path that exists: the whole path is asked for first, as it nearly
 * always exists, then one part less each time. *ret_rest: what is missing behind it.
 */
static int open_existing(int root, char *path, const char **ret_rest)
{
	size_t len = strlen(path);

	for (size_t cut = len;; cut--) {
		char saved;
		int fd;

		while (cut > 0 && cut < len && path[cut] != '/')
			cut--;
		saved = path[cut];
		path[cut] = '\0';
		fd = root_open(root, cut ? path : "/", O_PATH | O_DIRECTORY);
		path[cut] = saved;
		if (fd >= 0) {
			*ret_rest = path + cut;
			return fd;
		}
		if (fd != -ENOENT || cut == 0)
			return fd;
	}
}

int root_mkdirs(int root, const char *path, mode_t mode)
{
	autofree char *copy = mem_strdup(path);
	autofd fd = FD_NONE;
	const char *rest;
	char *part, *next;

	fd = open_existing(root, copy, &rest);
	if (fd < 0)
		return fd;
	for (part = (char *)rest; *part; part = next) {
		int made;

		part += strspn(part, "/");
		if (!*part)
			break;
		next = part + strcspn(part, "/");
		if (*next)
			*next++ = '\0';
		if (strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0)
			return -EINVAL;
		made = make_dir(fd, part, mode);
		if (made < 0)
			return made == -ELOOP ? -ENOENT : made;
		fd_close(&fd);
		fd = made;
	}
	return take_fd(&fd);
}

int root_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	autofree char *parent = NULL;

	*ret_name = slash ? slash + 1 : path;
	if (!**ret_name || strcmp(*ret_name, ".") == 0 || strcmp(*ret_name, "..") == 0)
		return -EINVAL;
	parent = mem_strdup(path);
	parent[slash ? slash - path : 0] = '\0';
	return root_mkdirs(root, parent[0] ? parent : "/", 0755);
}

int root_mkfile(int root, const char *path, mode_t mode)
{
	autofd dir = FD_NONE, made = FD_NONE;
	const char *name;
	int fd = root_open(root, path, O_PATH);

	if (fd != -ENOENT)
		return fd;
	dir = root_parent(root, path, &name);
	if (dir < 0)
		return dir;
	/* O_EXCL: a dangling link in the last place is not followed but refused */
	made = openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
	if (made < 0)
		return -errno;
	return open_in(dir, name, O_PATH, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}
