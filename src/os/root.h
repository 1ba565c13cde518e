/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of a root filesystem that may be hostile: every one is walked once, by the kernel, below
 * the root's descriptor, so that no link and no race leads out of it (openat2(2),
 * RESOLVE_IN_ROOT, Linux 5.6). What was opened is then only used by its descriptor.
 */
#pragma once

#include <sys/types.h>

/* openat2(2) with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS; the descriptor or -errno. */
int root_open(int root, const char *path, int flags);

/* The same, and no symbolic link anywhere in the path. */
int root_open_nolinks(int root, const char *path, int flags);

/* chdir(2) to an absolute path; through a magic link (/proc/PID/fd/N, PID/cwd ...): -ELOOP. */
int root_chdir(const char *path);

/* For a procfs: nothing may be mounted over any part of the path (RESOLVE_NO_XDEV). */
int root_open_noxdev(int root, const char *path, int flags);

/*
 * Opens a folder, making what is missing of the path with mode. Symbolic links on the way are
 * followed inside the root; one that dangles is an error (-ENOENT), nothing is made through it.
 * Returns an O_PATH descriptor or -errno.
 */
int root_mkdirs(int root, const char *path, mode_t mode);

/* Opens the parent of a path, made if missing; *ret_name points to the last part in path. */
int root_parent(int root, const char *path, const char **ret_name);

/* As root_mkdirs(), but the last part is an empty file, if there is nothing yet. */
int root_mkfile(int root, const char *path, mode_t mode);
