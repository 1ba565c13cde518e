/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All processes from the kernel in one stream, by a BPF program over its tasks (bpf_iter, Linux
 * 5.8 with BTF): with their PIDs and namespaces at every level, and what /proc does not tell.
 * Pinned once by root it is a file that whoever its mode lets may read, without loading anything.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "os/task_record.h"

#define TASK_ITER_PIN "/sys/fs/bpf/clade/tasks"

/*
 * Opens the pinned iterator for one reading. -ENOENT, -EACCES where it is not there or not for us;
 * -EXDEV outside of the first PID namespace, whose numbers it gives; -ESTALE for what is no such
 * file of root's.
 */
int task_iter_open_pinned(void);

/* Loads the program for one reading. -ENOSYS: built without; -EXDEV as above. */
int task_iter_open_loaded(void);

/* What that stands on: the program loaded, an iterator of it opened (task_iter_load.c). */
int task_iter_load(void);

/*
 * Calls take for every process until the end. The record is lent. Returns 0, or -errno; -ESTALE
 * for records of another version of clade, before any was taken.
 */
int task_iter_read(int fd, void (*take)(void *data, const struct task_record *r), void *data);

/*
 * Loads and pins the iterator below a bpffs, which is mounted on /sys/fs/bpf if there is none.
 * Mode 0440, root's and this group's; one that was there is replaced. *ret_step: what failed.
 */
int task_iter_pin(gid_t group, const char **ret_step);

/* 0, also where there is none. */
int task_iter_unpin(void);
