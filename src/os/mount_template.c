/* SPDX-License-Identifier: Apache-2.0 */
#include "os/mount_template.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "os/clone.h"
#include "os/mount.h"
#include "os/ns.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

#define FOLDER "/run/clade-oci"
#define PIN    FOLDER "/.mounts"

enum { PIN_TRIES = 16 };

/* The n-th of the processors we may run on, and round again. */
static void run_on(int n)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof(all), &all) < 0)
		return;
	n %= CPU_COUNT(&all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all) || n-- > 0)
			continue;
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

/* In a process of its own: makes the namespace and keeps it until it is killed. */
static _Noreturn void hold(int ready, int n)
{
	autofd fs = FD_NONE, root = FD_NONE;
	char word = 'r';

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	run_on(n);
	if (clone_unshare(CLONE_NEWNS) < 0 || mount_propagation_of_root(MS_PRIVATE, true) < 0)
		_exit(1);
	fs = mount_fs_open("tmpfs");
	if (fs < 0 || mount_fs_string(fs, "mode", "0555") < 0 ||
		mount_fs_string(fs, "size", "4k") < 0)
		_exit(1);
	root = mount_fs_make(
		fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (root >= 0) {
		autofd on = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (on < 0 || mount_attach(root, on) < 0 || mount_pivot(root) < 0 ||
			write(ready, &word, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	_exit(1);
}

/*
 * The namespace of a process that holds a new one. Binding a mount namespace fails with EINVAL
 * where its number is below ours, and numbers are dealt per processor: on another one it may do.
 */
static int make_one(int n)
{
	int pair[2], pidfd = FD_NONE, status, r;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	autofd ns = FD_NONE, made = FD_NONE;
	char path[32], word;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = clone_process(&args);
	if (pid == 0)
		hold(pair[1], n);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return pid;
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	r = read(pair[0], &word, 1) == 1 ? 0 : -EIO;
	if (r == 0 && (ns = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	if (r == 0)
		made = open(PIN, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r == 0 && (made < 0 || mount(path, PIN, NULL, MS_BIND, NULL) < 0))
		r = -errno;
	close(pair[0]);
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	clone_wait(pidfd, &status);
	close(pidfd);
	return r < 0 ? r : take_fd(&ns);
}

static int open_pin(void)
{
	autofd fd = open(PIN, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs st;
	char byte;

	if (fd < 0 || fstatfs(fd, &st) < 0)
		return -errno;
	if (st.f_type == NSFS_MAGIC)
		return ns_type_of(fd) == CLONE_NEWNS ? take_fd(&fd) : -EINVAL;
	/* nothing is pinned; and where something is written, that could not be done */
	return read(fd, &byte, 1) == 1 ? -EOPNOTSUPP : -ENOENT;
}

/* It is not to be tried again for each container. */
static void give_up(void)
{
	autofd fd = open(PIN, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		(void)!write(fd, "-", 1);
}

int mount_template_open(void)
{
	struct stat st;
	int fd = open_pin();

	if (fd != -ENOENT)
		return fd;
	/* nobody but root may have put anything there */
	if (mkdir(FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(FOLDER, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0 ||
		(st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	for (int i = 0; i < PIN_TRIES; i++) {
		fd = make_one(i);
		if (fd >= 0)
			return fd;
		if (fd != -EINVAL)
			break;
	}
	give_up();
	return fd;
}

void mount_template_forget(void)
{
	if (access(PIN, F_OK) < 0)
		return;
	while (umount2(PIN, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	unlink(PIN);
}

unsigned mount_template_tasks(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : info.procs;
}

int mount_template_enter(int template_fd, int root_fd)
{
	autofd top = FD_NONE;
	int r = clone_join(template_fd, CLONE_NEWNS);

	if (r == 0)
		r = clone_unshare(CLONE_NEWNS);
	if (r < 0)
		return r;
	top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	r = mount_attach(root_fd, top);
	if (r < 0)
		return r;
	return fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;
}
