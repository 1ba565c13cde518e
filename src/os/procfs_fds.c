/* SPDX-License-Identifier: Apache-2.0 */
#include "os/procfs_fds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "os/ns.h"

/*
 * One that was opened through a bind mount has that one's path for its link. The file is not asked
 * itself, which may be on a server that does not answer: what the kernel remembers does.
 */
static int fd_by_path(int dir, const char *name, dev_t nsfs, uint64_t *ret)
{
	autofd fd = FD_NONE;
	struct statx st;

	if (statx(dir, name, AT_STATX_DONT_SYNC, STATX_INO, &st) < 0 ||
		makedev(st.stx_dev_major, st.stx_dev_minor) != nsfs)
		return -ENOENT;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ns_type_of(fd) != CLONE_NEWPID)
		return -ENOENT;
	*ret = st.stx_ino;
	return 0;
}

dev_t procfs_nsfs(int procfs)
{
	struct stat st;

	return fstatat(procfs, "self/ns/pid", &st, 0) == 0 ? st.st_dev : 0;
}

/* One buffer of a PID/fd that is listed. */
static void look_at_fds(int dir, dev_t nsfs, const char *entries, ssize_t size,
	void (*found)(void *data, uint64_t inode), void *data)
{
	for (ssize_t at = 0; at < size;) {
		const struct dirent64 *d = (const void *)(entries + at);
		char link[64];
		uint64_t inode;
		ssize_t n;

		at += d->d_reclen;
		/* of a longer link (a file's path) the beginning tells that it is none */
		n = d->d_name[0] == '.' ? 0 : readlinkat(dir, d->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (ns_link_parse(link, ns_types[NS_PID].file, &inode) == 0 ||
			(link[0] == '/' && fd_by_path(dir, d->d_name, nsfs, &inode) == 0))
			found(data, inode);
	}
}

int procfs_fd_pidns(
	int procfs, pid_t pid, dev_t nsfs, void (*found)(void *data, uint64_t inode), void *data)
{
	_Alignas(struct dirent64) char entries[4096];
	char path[64];
	autofd fd = FD_NONE;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/fd", pid);
	fd = openat(procfs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* without opendir(3), which takes 32 KiB from the heap for each process */
	do {
		n = getdents64(fd, entries, sizeof(entries));
		if (n < 0)
			return -errno;
		look_at_fds(fd, nsfs, entries, n, found, data);
		/* where there was room for another entry there was none */
	} while (n > (ssize_t)(sizeof(entries) - sizeof(struct dirent64)));
	return 0;
}
