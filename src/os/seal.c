/* SPDX-License-Identifier: Apache-2.0 */
#include "os/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
 * *ret_was: it was read-only before, and nothing has to be run again.
 */
static int open_readonly(bool *ret_was)
{
	autofd copy = mount_copy(AT_FDCWD, "/proc/self/exe", false, false);
	struct statvfs st;
	int r;

	if (copy < 0)
		return take_fd(&copy);
	*ret_was = fstatvfs(copy, &st) == 0 && (st.f_flag & ST_RDONLY);
	r = *ret_was ? 0 : mount_attr(copy, false, MOUNT_ATTR_RDONLY, 0, 0);
	return r < 0 ? r : take_fd(&copy);
}

static int open_memory(void)
{
	autofd exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	autofd copy = memfd_create("clade", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat st;
	off_t at = 0;

	if (exe < 0 || copy < 0 || fstat(exe, &st) < 0)
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
	char name[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	if (is_own_file(ret))
		return 0;
	n = file_read(AT_FDCWD, "/proc/self/cmdline", name, sizeof(name));
	if (n < 0 && n != -EFBIG)
		return (int)n;
	name[sizeof(name) - 1] = '\0';
	if (name[0] != '/' || size < PATH_MAX)
		return -ENOENT;
	return realpath(name, ret) ? 0 : -errno;
}

/*
 * Run by its descriptor alone (execveat(2)), a program is told its number: AT_EXECFN. Whoever did
 * that, what counts is that nobody can write to the file.
 */
static bool is_sealed(const char *name)
{
	autofd exe = FD_NONE;
	struct statvfs st;
	int fd;

	if (!str_starts(name, "/dev/fd/") || statvfs("/proc/self/exe", &st) < 0)
		return false;
	if (st.f_flag & ST_RDONLY) {
		if (str_int(name + strlen("/dev/fd/"), &fd) == 0 &&
			fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			held = fd;
		return true;
	}
	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	return exe >= 0 && fcntl(exe, F_GET_SEALS) >= 0;
}

void seal_let_go(void)
{
	fd_close(&held);
}

int seal_self(char **argv)
{
	const char *name = (const char *)getauxval(AT_EXECFN);
	autofd sealed = FD_NONE;
	bool is_readonly = false;
	char path[PATH_MAX];

	if (is_sealed(name ? name : ""))
		return 0;
	sealed = open_readonly(&is_readonly);
	if (sealed >= 0 && is_readonly) {
		held = take_fd(&sealed);
		return 0;
	}
	/* its end waits for the whole machine: see seal_let_go() */
	if (sealed >= 0 && fcntl(sealed, F_SETFD, 0) < 0)
		return -errno;
	if (sealed < 0)
		sealed = open_memory();
	if (sealed < 0)
		return sealed;
	if (name && name[0] == '/')
		argv[0] = (char *)name;
	else if (seal_exe_path(path, sizeof(path)) == 0)
		argv[0] = path;
	syscall(SYS_execveat, sealed, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}
