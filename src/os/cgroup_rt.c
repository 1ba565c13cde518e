/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real-time of v1's cpu hierarchy: a group may be given no more than its parent has, and one that
 * was just made has none (Documentation/scheduler/sched-rt-group.rst).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/cgroup.h"
#include "os/file.h"

#define RUNTIME "cpu.rt_runtime_us"
#define PERIOD	"cpu.rt_period_us"

static int64_t number(const char *dir, const char *file)
{
	int64_t n;

	return cgroup_read_i64(dir, file, &n) == 0 && n > 0 ? n : 0;
}

static int64_t times(int64_t period, int64_t runtime, int64_t of_period)
{
	return of_period ? (int64_t)(((__int128)runtime * period + of_period - 1) / of_period) : 0;
}

/* What the groups in parent add up to in its period, with runtime for the one called name. */
static int64_t add_up(const char *parent, const char *name, int64_t runtime)
{
	int64_t period = number(parent, PERIOD), sum = 0;
	DIR *d = opendir(parent);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		autofree char *one = NULL;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
			asprintf(&one, "%s/%s", parent, entry->d_name) < 0)
			continue;
		sum += times(period,
			strcmp(entry->d_name, name) == 0 ? runtime : number(one, RUNTIME),
			number(one, PERIOD));
	}
	if (d)
		closedir(d);
	return sum;
}

/* The hierarchy's own root has no cgroup above it, and is not ours to change. */
static bool is_root(const char *dir)
{
	autofree char *above = NULL;
	struct statfs fs;

	return asprintf(&above, "%s/..", dir) < 0 || statfs(above, &fs) < 0 ||
	       fs.f_type != CGROUP_SUPER_MAGIC;
}

static int write_number(const char *dir, int64_t runtime)
{
	autofd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, runtime);
	return fd < 0 ? -errno : file_write(fd, RUNTIME, text);
}

int cgroup_give_realtime(const char *dir, int64_t runtime_us)
{
	autofree char *parent = mem_strdup(dir);
	char *slash = strrchr(parent, '/');
	int r = write_number(dir, runtime_us);

	if (r != -EINVAL || runtime_us <= 0 || !slash || slash == parent)
		return r;
	*slash = '\0';
	if (is_root(parent) ||
		cgroup_give_realtime(parent, add_up(parent, slash + 1, runtime_us)) < 0)
		return r;
	return write_number(dir, runtime_us);
}
