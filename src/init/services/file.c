/* SPDX-License-Identifier: Apache-2.0 */
/* Log files: appended to, renamed away when they are large enough. A full disk loses lines, never
 * clade-init. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/services/engine.h"

int file_open(const char *path, int64_t *ret_bytes)
{
	/* not blocking: it may be a fifo nobody reads */
	int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	struct stat st;

	if (fd < 0)
		return -errno;
	*ret_bytes = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
	return fd;
}

static void shift(const char *path, int backups)
{
	char from[PATH_MAX], to[PATH_MAX];

	for (int i = backups - 1; i >= 0; i--) {
		struct buf f = BUF(from), t = BUF(to);

		from[0] = to[0] = '\0';
		buf_add(&f, "%s", path);
		if (i)
			buf_add(&f, ".%d", i);
		buf_add(&t, "%s.%d", path, i + 1);
		rename(from, to);
	}
}

static int rotate(int *fd, const char *path, int64_t *bytes, int backups)
{
	if (backups <= 0) {
		*bytes = 0;
		return ftruncate(*fd, 0) < 0 ? -errno : 0;
	}
	shift(path, backups);
	close(*fd);
	*fd = file_open(path, bytes);
	return *fd < 0 ? *fd : 0;
}

static int append(int fd, int64_t *bytes, const char *data, size_t n)
{
	ssize_t put = write(fd, data, n);

	if (put > 0 && *bytes >= 0)
		*bytes += put;
	return put == (ssize_t)n ? 0 : put < 0 ? -errno : -ENOSPC;
}

/* How much of it still fits: whole lines, if there are any. */
static size_t fitting(const char *data, size_t n, int64_t room)
{
	if ((int64_t)n <= room)
		return n;
	for (size_t i = room > 0 ? (size_t)room : 0; i; i--)
		if (data[i - 1] == '\n')
			return i;
	return 0;
}

int file_write(int *fd, const char *path, int64_t *bytes, int64_t max, int backups,
	const char *data, size_t n)
{
	/* *bytes is -1 for what is no file: there is nothing to rotate */
	while (n && max > 0 && *bytes >= 0 && *bytes + (int64_t)n > max) {
		size_t part = fitting(data, n, max - *bytes);
		int r;

		/* a line longer than a whole file is written whole */
		if (!part && *bytes == 0) {
			const char *newline = memchr(data, '\n', n);

			part = newline ? (size_t)(newline - data) + 1 : n;
		}
		r = part ? append(*fd, bytes, data, part) : 0;
		if (r < 0)
			return r;
		data += part;
		n -= part;
		if (n && (r = rotate(fd, path, bytes, backups)) < 0)
			return r;
	}
	return n ? append(*fd, bytes, data, n) : 0;
}
