/* SPDX-License-Identifier: Apache-2.0 */
/* s6's death tally: when and how a service ended, for s6-permafailon in its finish script and for
 * s6-svdt. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/services/engine.h"

enum { ENTRY = 14 }; /* a TAI64N label, the exit code, the signal */

static void pack(unsigned char *to, int status)
{
	struct timespec t;
	uint64_t label;

	clock_gettime(CLOCK_REALTIME, &t);
	label = (UINT64_C(1) << 62) + 10 + (uint64_t)t.tv_sec;
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(label >> (56 - 8 * i));
	for (int i = 0; i < 4; i++)
		to[8 + i] = (unsigned char)((uint32_t)t.tv_nsec >> (24 - 8 * i));
	to[12] = (unsigned char)(WIFSIGNALED(status) ? 0 : WEXITSTATUS(status));
	to[13] = (unsigned char)(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* Forgets the first `drop` bytes. */
static off_t forget(int fd, off_t size, off_t drop)
{
	char room[ENTRY * 64];
	off_t at = drop;
	ssize_t n;

	while (at < size && (n = pread(fd, room, sizeof(room), at)) > 0) {
		if (pwrite(fd, room, (size_t)n, at - drop) != n)
			break;
		at += n;
	}
	return ftruncate(fd, at - drop) == 0 ? at - drop : 0;
}

void tally_add(struct service *s)
{
	const struct sv_def *d = s->def;
	char path[PATH_MAX];
	struct buf b = BUF(path);
	unsigned char entry[ENTRY];
	struct stat st;
	off_t size;
	int fd;

	if (!d->death_tally)
		return;
	buf_add(&b, "%ssupervise", d->dir);
	/* on a read-only root there is none, and s6-permafailon says that nothing has died */
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return;
	buf_add(&b, "/death_tally");
	fd = open(path,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (s->tallied ? 0 : O_TRUNC),
		0644);
	if (fd < 0)
		return;
	s->tallied = true; /* what an earlier run wrote is gone */
	pack(entry, s->status);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		size = st.st_size - st.st_size % ENTRY;
		if (size / ENTRY >= d->death_tally)
			size = forget(fd, size, size - (off_t)(d->death_tally - 1) * ENTRY);
		if (pwrite(fd, entry, ENTRY, size) < 0)
			sv.count.lost_bytes += ENTRY;
	}
	close(fd);
}
