/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

const struct ns_type ns_types[NS_KINDS] = {
	[NS_USER] = { NS_USER, "user", "user", "user", CLONE_NEWUSER, NULL },
	[NS_MOUNT] = { NS_MOUNT, "mount", "mnt", "mount", CLONE_NEWNS, NULL },
	[NS_UTS] = { NS_UTS, "uts", "uts", "uts", CLONE_NEWUTS, NULL },
	[NS_IPC] = { NS_IPC, "ipc", "ipc", "ipc", CLONE_NEWIPC, NULL },
	[NS_NET] = { NS_NET, "network", "net", "network", CLONE_NEWNET, NULL },
	[NS_PID] = { NS_PID, "pid", "pid", "pid", CLONE_NEWPID, "pid_for_children" },
	[NS_CGROUP] = { NS_CGROUP, "cgroup", "cgroup", "cgroup", CLONE_NEWCGROUP, NULL },
	[NS_TIME] = { NS_TIME, "time", "time", "time", CLONE_NEWTIME, "time_for_children" },
};

const struct ns_type *ns_by_oci(const char *word)
{
	for (size_t i = 0; i < NS_KINDS; i++) {
		if (str_eq(ns_types[i].oci, word))
			return &ns_types[i];
	}
	return NULL;
}

const struct ns_type *ns_by_file(const char *word)
{
	for (size_t i = 0; i < NS_KINDS; i++) {
		if (str_eq(ns_types[i].file, word))
			return &ns_types[i];
	}
	return NULL;
}

int ns_open(int proc_pid_fd, enum ns_kind kind)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "ns/%s", ns_types[kind].file);
	fd = openat(proc_pid_fd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int ns_inode(int ns_fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(ns_fd, &st) < 0)
		return -errno;
	*ret = st.st_ino;
	return 0;
}

int ns_link_parse(const char *link, const char *file, uint64_t *ret)
{
	size_t n = strlen(file);
	char *end;
	unsigned long long v;

	if (strncmp(link, file, n) != 0 || link[n] != ':' || link[n + 1] != '[' ||
		link[n + 2] < '0' || link[n + 2] > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(link + n + 2, &end, 10);
	if (errno || !str_eq(end, "]"))
		return -EINVAL;
	*ret = v;
	return 0;
}

static int read_inode(int proc_pid_fd, const char *name, const char *word, uint64_t *ret)
{
	char path[40], link[64];
	ssize_t n;

	snprintf(path, sizeof(path), "ns/%s", name);
	n = readlinkat(proc_pid_fd, path, link, sizeof(link) - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	return ns_link_parse(link, word, ret);
}

int ns_inode_of(int proc_pid_fd, enum ns_kind kind, uint64_t *ret)
{
	return read_inode(proc_pid_fd, ns_types[kind].file, ns_types[kind].file, ret);
}

int ns_inode_for_children(int proc_pid_fd, enum ns_kind kind, uint64_t *ret)
{
	if (!ns_types[kind].children)
		return ns_inode_of(proc_pid_fd, kind, ret);
	return read_inode(proc_pid_fd, ns_types[kind].children, ns_types[kind].file, ret);
}

int ns_type_of(int ns_fd)
{
	int type = ioctl(ns_fd, NS_GET_NSTYPE);

	return type < 0 ? (errno == ENOTTY ? -EINVAL : -errno) : type;
}

int ns_parent(int ns_fd)
{
	int fd = ioctl(ns_fd, NS_GET_PARENT);

	return fd < 0 ? -errno : fd;
}

int ns_owner(int ns_fd)
{
	int fd = ioctl(ns_fd, NS_GET_USERNS);

	return fd < 0 ? -errno : fd;
}

int ns_owner_uid(int userns_fd, uid_t *ret)
{
	uid_t uid;

	if (ioctl(userns_fd, NS_GET_OWNER_UID, &uid) < 0)
		return -errno;
	*ret = uid;
	return 0;
}
