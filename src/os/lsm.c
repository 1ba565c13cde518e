/* SPDX-License-Identifier: Apache-2.0 */
#include "os/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/mount.h"
#include "os/root.h"

int lsm_open_procfs(int root_fd)
{
	autofd fs = mount_fs_open("proc"), fd = FD_NONE;
	struct statfs st;

	if (fs >= 0)
		fd = mount_fs_make(fs, 0);
	if (fd >= 0)
		return take_fd(&fd);
	fd = root_open_nolinks(root_fd, "/proc", O_PATH | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (fstatfs(fd, &st) < 0)
		return -errno;
	return st.f_type == PROC_SUPER_MAGIC ? take_fd(&fd) : -ENOTSUP;
}

int lsm_write(int procfs, const char *path, const char *value)
{
	autofd fd = root_open_noxdev(procfs, path, O_WRONLY);
	size_t n = strlen(value);
	ssize_t r;

	if (fd < 0)
		return fd;
	r = write(fd, value, n);
	if (r < 0)
		return -errno;
	return (size_t)r == n ? 0 : -EIO;
}

/* "self" is a link of the kernel's own: by number, as no link is followed. */
static int write_attr(int procfs, const char *file, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/attr/%s", getpid(), file);
	return lsm_write(procfs, path, value);
}

int lsm_exec_apparmor(int procfs, const char *profile)
{
	autotext word = { 0 };
	int r;

	text_addf(&word, "exec %s", profile);
	r = write_attr(procfs, "apparmor/exec", word.p);
	return r == -ENOENT ? write_attr(procfs, "exec", word.p) : r;
}

int lsm_exec_selinux(int procfs, const char *label)
{
	return write_attr(procfs, "exec", label);
}
