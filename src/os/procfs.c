/* SPDX-License-Identifier: Apache-2.0 */
#include "os/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/file.h"

enum { MOUNTINFO_MAX = 64 << 20 };

/* linux/nsfs.h, Linux 6.11 */
#define PIDNS_GET_TGID_IN _IOR(0xb7, 0x9, int)

int procfs_open(const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Calls found for each numeric name of a folder; takes fd. Returns how many other folders. */
static int each_number(int fd, void (*found)(void *data, pid_t number), void *data)
{
	int others = 0;
	struct dirent *d;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		int r = -errno;

		fd_close(&fd);
		return r;
	}
	while ((d = readdir(dir))) {
		pid_t pid = 0;

		for (const char *s = d->d_name; *s && pid >= 0; s++)
			pid = *s >= '0' && *s <= '9' && pid < 100000000 ? pid * 10 + *s - '0' : -1;
		if (pid > 0)
			found(data, pid);
		else if (d->d_type == DT_DIR && d->d_name[0] != '.')
			others++;
	}
	closedir(dir);
	return others;
}

struct numbers {
	pid_t *pids;
	size_t n, room;
};

static void add_number(void *data, pid_t number)
{
	struct numbers *all = data;

	if (all->n == all->room) {
		all->room = all->room ? 2 * all->room : 256;
		all->pids = mem_resize(all->pids, all->room, sizeof(*all->pids));
	}
	all->pids[all->n++] = number;
}

static int numbers_in(int fd, pid_t **ret, size_t *ret_n)
{
	struct numbers all = { 0 };
	int r = each_number(fd, add_number, &all);

	if (r < 0)
		return r;
	*ret = all.pids;
	*ret_n = all.n;
	return 0;
}

int procfs_each_pid(int procfs, void (*found)(void *data, pid_t pid), void *data)
{
	return each_number(openat(procfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found, data);
}

uint32_t procfs_count(int procfs)
{
	struct stat st;

	/* fs/proc/root.c proc_root_getattr(): links are folders, and each process is one */
	return fstat(procfs, &st) == 0 ? (uint32_t)st.st_nlink : 0;
}

/* The options of a line of mountinfo that is a procfs on this folder; NULL for another line. */
static const char *procfs_options(char *line, const char *folder)
{
	char *tail = strstr(line, " - proc "), *at = line;
	size_t n = strlen(folder);

	for (int i = 0; tail && at && i < 4; i++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return tail && at && strncmp(at, folder, n) == 0 && at[n] == ' ' ? tail : NULL;
}

bool procfs_hides(int procfs, const char *root)
{
	autofree char *text = NULL;
	bool hides = false;
	char *next;

	if (file_read_all(procfs, "self/mountinfo", MOUNTINFO_MAX, &text) < 0)
		return false;
	/* of those on top of one another the last is seen */
	for (char *line = text; line; line = next) {
		const char *options, *how;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		options = procfs_options(line, root);
		if (!options)
			continue;
		how = strstr(options, "hidepid=");
		hides = how && !str_starts(how, "hidepid=off") && !str_starts(how, "hidepid=0");
	}
	return hides;
}

int procfs_pids(int procfs, pid_t **ret, size_t *ret_n)
{
	/* a description of its own: its position is nobody else's */
	return numbers_in(openat(procfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret, ret_n);
}

/* "PID/file" without printf: it runs several times for every process of the host. */
static void make_path(char path[64], pid_t pid, const char *file)
{
	char digits[12];
	int n = 0;
	size_t len = strnlen(file, 48);

	do
		digits[n++] = (char)('0' + pid % 10);
	while ((pid /= 10) > 0);
	while (n > 0)
		*path++ = digits[--n];
	*path++ = '/';
	memcpy(path, file, len);
	path[len] = '\0';
}

int procfs_tids(int procfs, pid_t pid, pid_t **ret, size_t *ret_n)
{
	char path[64];

	make_path(path, pid, "task");
	return numbers_in(openat(procfs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret, ret_n);
}

ssize_t procfs_read(int procfs, pid_t pid, const char *file, char *buf, size_t size)
{
	char path[64];
	autofd fd = FD_NONE;
	size_t len = 0;
	ssize_t n;

	make_path(path, pid, file);
	fd = openat(procfs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* procfs hands out most files whole in one read; a regular file may come in pieces */
	do {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
	} while (n > 0 && len < size - 1 && len % 4096 == 0);
	buf[len] = '\0';
	return (ssize_t)len;
}

ssize_t procfs_read_all(int procfs, pid_t pid, const char *file, char **ret)
{
	char path[64];
	autofd fd = FD_NONE;
	autofree char *buf = NULL;
	size_t len = 0, room = 0;
	ssize_t n;

	make_path(path, pid, file);
	fd = openat(procfs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		if (len + 4096 > room)
			buf = mem_resize(buf, room = room ? 2 * room : 8192, 1);
		n = read(fd, buf + len, room - len - 1);
		if (n < 0)
			return -errno;
		len += (size_t)n;
	} while (n > 0);
	buf[len] = '\0';
	*ret = take_ptr(buf);
	return (ssize_t)len;
}

static int read_link(int procfs, const char *path, enum ns_kind kind, uint64_t *ret)
{
	char link[64];
	ssize_t n = readlinkat(procfs, path, link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = '\0';
	return ns_link_parse(link, ns_types[kind].file, ret);
}

int procfs_uid(int procfs, pid_t pid, uid_t *ret)
{
	char path[64];
	struct stat st;

	make_path(path, pid, "");
	if (fstatat(procfs, path, &st, 0) < 0)
		return -errno;
	*ret = st.st_uid;
	return 0;
}

int procfs_pidns(int procfs, pid_t pid, const char *file, uint64_t *ret)
{
	char path[64];

	make_path(path, pid, file);
	return read_link(procfs, path, NS_PID, ret);
}

int procfs_mntns(int procfs, pid_t pid, uint64_t *ret)
{
	char path[64];

	make_path(path, pid, "ns/mnt");
	return read_link(procfs, path, NS_MOUNT, ret);
}

int procfs_own_pidns(int procfs, uint64_t *ret)
{
	return read_link(procfs, "self/ns/pid", NS_PID, ret);
}

int procfs_open_pidns(int procfs, pid_t pid)
{
	char path[64];
	int fd;

	make_path(path, pid, "ns/pid");
	fd = openat(procfs, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

pid_t procfs_pid_in(int pidns_fd, pid_t pid)
{
	int r = ioctl(pidns_fd, PIDNS_GET_TGID_IN, pid);

	return r < 0 ? -errno : r;
}
