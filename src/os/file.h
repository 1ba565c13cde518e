/* SPDX-License-Identifier: Apache-2.0 */
/* Small files of the kernel and of ours: read and written whole, always below a descriptor. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a file whole into buf, at most size - 1 bytes, and terminates it. dirfd may be AT_FDCWD.
 * Returns the length or -errno; -EFBIG for a longer one.
 */
ssize_t file_read(int dirfd, const char *path, char *buf, size_t size);

/* As file_read(), into memory of its own, the caller's to free; -EFBIG above max bytes. */
ssize_t file_read_all(int dirfd, const char *path, size_t max, char **ret);

/* The same of an open descriptor, from where it stands. */
ssize_t file_read_fd(int fd, size_t max, char **ret);

/* Writes text in one write(2) to a file that is there, as files of /proc and cgroups want it. */
int file_write(int dirfd, const char *path, const char *text);

/* All n bytes to fd, also over short writes and signals. 0 or -errno. */
int file_write_all(int fd, const void *data, size_t n);

/* "/proc/self/fd/N": a path that means just this descriptor. */
enum { FILE_FD_PATH = 32 };
const char *file_fd_path(int fd, char buf[FILE_FD_PATH]);
