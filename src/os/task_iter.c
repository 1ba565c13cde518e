/* SPDX-License-Identifier: Apache-2.0 */
#include "os/task_iter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/file.h"

#define FIRST_PIDNS 4026531836u /* PROC_PID_INIT_INO, the same on every kernel */

static bool in_first_pidns(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == FIRST_PIDNS;
}

int task_iter_open_pinned(void)
{
	autofd fd = open(TASK_ITER_PIN, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!in_first_pidns())
		return -EXDEV;
	/* the descriptor is the iterator's already: what is asked is the name */
	if (statfs(TASK_ITER_PIN, &fs) < 0 || lstat(TASK_ITER_PIN, &st) < 0)
		return -errno;
	if (fs.f_type != BPF_FS_MAGIC || st.st_uid != 0 || st.st_mode & S_IWOTH)
		return -ESTALE;
	return take_fd(&fd);
}

int task_iter_open_loaded(void)
{
	return in_first_pidns() ? task_iter_load() : -EXDEV;
}

/* Is there a whole record at p, of which n bytes are there? */
static bool is_record(const char *p, size_t n, struct task_record *head)
{
	size_t fixed = offsetof(struct task_record, levels);

	if (n < fixed)
		return false;
	memcpy(head, p, fixed);
	return head->magic == TASK_RECORD_MAGIC && head->n_levels >= 1 &&
	       head->n_levels <= TASK_RECORD_LEVELS &&
	       head->size == fixed + head->n_levels * sizeof(head->levels[0]) && head->size <= n;
}

int task_iter_read(int fd, void (*take)(void *data, const struct task_record *r), void *data)
{
	size_t size = 256 * 1024, have = 0;
	autofree char *buf = mem_resize(NULL, size, 1);
	struct task_record r;
	bool any = false;
	ssize_t n;

	while ((n = read(fd, buf + have, size - have)) != 0) {
		size_t at = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		have += (size_t)n;
		for (; is_record(buf + at, have - at, &r); at += r.size) {
			memcpy(&r, buf + at, r.size);
			r.comm[sizeof(r.comm) - 1] = '\0';
			take(data, &r);
			any = true;
		}
		have -= at;
		/* a rest that is longer than any record is none of ours */
		if (have > sizeof(struct task_record))
			return any ? -EBADMSG : -ESTALE;
		memmove(buf, buf + at, have);
	}
	return have == 0 && any ? 0 : any ? -EBADMSG : -ESTALE;
}

int task_iter_unpin(void)
{
	if (unlink(TASK_ITER_PIN) < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	if (rmdir("/sys/fs/bpf/clade") < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	return 0;
}
