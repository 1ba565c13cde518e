/* SPDX-License-Identifier: Apache-2.0 */
#include "os/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"
#include "os/mount.h"

#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif

enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int held = FD_NONE; /* the mount that this program was run again from */

/*
 * The read-only mount keeps nothing busy: it is detached and goes with this process. What is run
 * is opened below it, for fexecve(3) of an O_PATH descriptor of a file's own mount.
 */
static int open_readonly(void)
{
	autofd copy = mount_copy(AT_FDCWD, "/proc/self/exe", false, false);
	int r = copy < 0 ? copy : mount_attr(copy, false, MOUNT_ATTR_RDONLY, 0, 0);

	return r < 0 ? r : take_fd(&copy);
}

static int open_memory(int exe)
{
	autofd copy = memfd_create("clade", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t at = 0;

	if (copy < 0 || fstat(exe, &st) < 0)
		return -errno;
	while (at < st.st_size)
		if (sendfile(copy, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return errno ? -errno : -EIO;
	if (fchmod(copy, 0555) < 0 || fcntl(copy, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return take_fd(&copy);
}

static bool is_own_file(const char *path)
{
	struct stat own, other;

	return path[0] == '/' && stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_ino == other.st_ino && own.st_dev == other.st_dev;
}

int seal_exe_path(char *ret, unsigned size)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	if (is_own_file(ret))
		return 0;
	n = file_read(AT_FDCWD, "/proc/self/cmdline", ret, size);
	if (n < 0 && n != -EFBIG)
		return (int)n;
	ret[size - 1] = '\0';
	return ret[0] == '/' ? 0 : -ENOENT;
}

/* Run by its descriptor alone (execveat(2)), a program is told its number: AT_EXECFN. */
static void take_hold(int exe)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	struct stat own, other;
	int fd;

	if (!name || !str_starts(name, "/dev/fd/") || str_int(name + strlen("/dev/fd/"), &fd) < 0 ||
		fstat(exe, &own) < 0 || fstat(fd, &other) < 0 || own.st_ino != other.st_ino ||
		own.st_dev != other.st_dev)
		return;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		held = fd;
}

bool seal_is_held(void)
{
	return held >= 0;
}

void seal_let_go(void)
{
	fd_close(&held);
}

int seal_self(char **argv)
{
	autofd exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), sealed = FD_NONE;
	char path[PATH_MAX];
	struct statvfs st;

	if (exe < 0 || fstatvfs(exe, &st) < 0)
		return -errno;
	if (st.f_flag & ST_RDONLY)
		take_hold(exe);
	if ((st.f_flag & ST_RDONLY) || fcntl(exe, F_GET_SEALS) >= 0)
		return 0;
	sealed = open_readonly();
	/* its end waits for the whole machine: see seal_let_go() */
	if (sealed >= 0 && fcntl(sealed, F_SETFD, 0) < 0)
		return -errno;
	if (sealed < 0)
		sealed = open_memory(exe);
	if (sealed < 0)
		return sealed;
	if (seal_exe_path(path, sizeof(path)) == 0)
		argv[0] = path;
	syscall(SYS_execveat, sealed, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}
