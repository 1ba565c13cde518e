/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a procfs, or a folder that looks like one, by its descriptor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/ns.h"

/* Opens "/proc" or another folder of processes; the descriptor or -errno. */
int procfs_open(const char *root);

/* All PIDs there are, in the kernel's (ascending) order; *ret is the caller's to free. 0 or -errno.
 */
int procfs_pids(int procfs, pid_t **ret, size_t *ret_n);

/* The same one by one, while it is listed. Returns how many folders are none of a process. */
int procfs_each_pid(int procfs, void (*found)(void *data, pid_t pid), void *data);

/* How many processes there are now, without listing them, or a few more; 0: not known. */
uint32_t procfs_count(int procfs);

/* Is it mounted there, on root, with hidepid=, so that some see only their own processes? */
bool procfs_hides(int procfs, const char *root);

/* The threads of a process, likewise. */
int procfs_tids(int procfs, pid_t pid, pid_t **ret, size_t *ret_n);

/*
 * Reads at most size - 1 bytes of "PID/file" and terminates them. Returns the length, or -errno:
 * -ENOENT or -ESRCH where the process has gone, -EACCES or -EPERM where it is not ours to see.
 */
ssize_t procfs_read(int procfs, pid_t pid, const char *file, char *buf, size_t size);

/* The whole of a file that may be long ("task/7/children"), the caller's to free. */
ssize_t procfs_read_all(int procfs, pid_t pid, const char *file, char **ret);

/* The effective user: the owner of its folder, whatever is hidden in there. 0 or -errno. */
int procfs_uid(int procfs, pid_t pid, uid_t *ret);

/* The inode of a process's PID namespace; file: "ns/pid" or "ns/pid_for_children". 0 or -errno. */
int procfs_pidns(int procfs, pid_t pid, const char *file, uint64_t *ret);

/* The reader's own PID namespace, which numbers this procfs as a rule ("self/ns/pid"). */
int procfs_own_pidns(int procfs, uint64_t *ret);

/* Opens "PID/ns/pid"; the descriptor or -errno. */
int procfs_open_pidns(int procfs, pid_t pid);

/*
 * The PID that a process of the caller's namespace has in another one (ioctl_ns(2), Linux 6.11):
 * the PID, -ESRCH where it is not in there, -ENOTTY on older kernels.
 */
pid_t procfs_pid_in(int pidns_fd, pid_t pid);

/* The inode of a process's mount namespace. 0 or -errno. */
int procfs_mntns(int procfs, pid_t pid, uint64_t *ret);
