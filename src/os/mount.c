/* SPDX-License-Identifier: Apache-2.0 */
#include "os/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/file.h"

/* linux/mount.h and sys/mount.h do not go together everywhere: what is used, by number. */
enum {
	FS_CONFIG_FLAG = 0,
	FS_CONFIG_STRING = 1,
	FS_CONFIG_CREATE = 6,
	FS_OPEN_CLOEXEC = 1,
	FS_MOUNT_CLOEXEC = 1,
	TREE_CLONE = 1,
	MOVE_FROM_EMPTY_PATH = 0x04,
	MOVE_TO_EMPTY_PATH = 0x40,
	EMPTY_PATH = 0x1000,
	TREE_RECURSIVE = 0x8000,
	ATTR_IDMAP = 0x00100000,
};

struct attr {
	uint64_t set, clear, propagation, userns_fd;
};

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int mount_fs_open(const char *fstype)
{
	return result(syscall(SYS_fsopen, fstype, FS_OPEN_CLOEXEC));
}

int mount_fs_string(int fs, const char *key, const char *value)
{
	return result(syscall(SYS_fsconfig, fs, FS_CONFIG_STRING, key, value, 0));
}

int mount_fs_flag(int fs, const char *key)
{
	return result(syscall(SYS_fsconfig, fs, FS_CONFIG_FLAG, key, NULL, 0));
}

int mount_fs_make(int fs, uint64_t attr)
{
	int r = result(syscall(SYS_fsconfig, fs, FS_CONFIG_CREATE, NULL, NULL, 0));

	if (r < 0)
		return r;
	return result(syscall(SYS_fsmount, fs, FS_MOUNT_CLOEXEC, attr));
}

const char *mount_fs_message(int fs, char *buf, size_t size)
{
	ssize_t n = read(fs, buf, size - 1);

	/* each is "e text", the oldest first; one is enough for a sentence */
	if (n < 3) {
		buf[0] = '\0';
		return buf;
	}
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf + 2;
}

int mount_copy(int dirfd, const char *path, bool recursive, bool nofollow)
{
	unsigned flags = TREE_CLONE | O_CLOEXEC | (recursive ? TREE_RECURSIVE : 0) |
			 (nofollow ? AT_SYMLINK_NOFOLLOW : 0) | (path[0] ? 0 : EMPTY_PATH);

	return result(syscall(SYS_open_tree, dirfd, path, flags));
}

int mount_attach(int mount_fd, int target_fd)
{
	return result(syscall(SYS_move_mount, mount_fd, "", target_fd, "",
		MOVE_FROM_EMPTY_PATH | MOVE_TO_EMPTY_PATH));
}

int mount_attr(int fd, bool recursive, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct attr attr = { .set = set, .clear = clear, .propagation = propagation };

	return result(syscall(SYS_mount_setattr, fd, "",
		EMPTY_PATH | (recursive ? TREE_RECURSIVE : 0), &attr, sizeof(attr)));
}

int mount_idmap(int fd, bool recursive, int userns_fd)
{
	struct attr attr = { .set = ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };

	return result(syscall(SYS_mount_setattr, fd, "",
		EMPTY_PATH | (recursive ? TREE_RECURSIVE : 0), &attr, sizeof(attr)));
}

int mount_propagation_of_root(uint64_t propagation, bool recursive)
{
	return result(mount(
		NULL, "/", NULL, propagation | (recursive ? (unsigned long)MS_REC : 0), NULL));
}

/*
 * Only a mount that is a peer of others matters: going up from path, the first folder that is a
 * mount point (EINVAL for one that is not).
 */
int mount_parent_private(const char *path)
{
	autofree char *at = mem_strdup(path);

	for (;;) {
		char *slash;

		if (mount(NULL, at[0] ? at : "/", NULL, MS_PRIVATE, NULL) == 0)
			return 0;
		if (errno != EINVAL || !at[0])
			return -errno;
		slash = strrchr(at, '/');
		if (!slash)
			return -EINVAL;
		*slash = '\0';
	}
}

int mount_remount(int fd, uint64_t flags, const char *data)
{
	char path[FILE_FD_PATH];

	return result(mount(NULL, file_fd_path(fd, path), NULL, MS_REMOUNT | flags, data));
}

int mount_pivot(int root_fd)
{
	autofd old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0 || fchdir(root_fd) < 0)
		return -errno;
	/* "." and ".": the old root is stacked on the new one, no folder is needed for it */
	if (syscall(SYS_pivot_root, ".", ".") < 0 || fchdir(old) < 0)
		return -errno;
	/* so that the unmounting does not reach the host */
	if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0 || umount2(".", MNT_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

int mount_move_root(int root_fd)
{
	if (fchdir(root_fd) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
		chdir("/") < 0)
		return -errno;
	return 0;
}

int mount_plain(const char *fstype, const char *target, const char *data)
{
	return mount(fstype, target, fstype, 0, data) < 0 ? -errno : 0;
}

int mount_detach(const char *target)
{
	return umount2(target, MNT_DETACH) < 0 ? -errno : 0;
}
