/* SPDX-License-Identifier: Apache-2.0 */
/* What the descriptors of other processes are. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* The device of the files that are namespaces; 0: not known. */
dev_t procfs_nsfs(int procfs);

/*
 * PID namespaces that a process's descriptors (PID/fd) point to: called for each inode. nsfs: as
 * above. 0 or -errno.
 */
int procfs_fd_pidns(
	int procfs, pid_t pid, dev_t nsfs, void (*found)(void *data, uint64_t inode), void *data);
