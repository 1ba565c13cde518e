/* SPDX-License-Identifier: Apache-2.0 */
#include "os/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/file.h"

enum { VALUE_MAX = 4096, PROCS_MAX = 64 << 20 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What can only be asked again and again: shortly at first, at most 10 ms apart. */
static bool pause_until(int64_t deadline_ms, int *step_us)
{
	struct timespec t = { .tv_nsec = *step_us * 1000L };

	if (now_ms() >= deadline_ms)
		return false;
	nanosleep(&t, NULL);
	*step_us = *step_us < 5000 ? *step_us * 2 : 10000;
	return true;
}

/* A new v1 cpuset has no CPU and no node, and no process can enter it: cpuset(7). */
static void fill_cpuset(int parent, int dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char own[VALUE_MAX], above[VALUE_MAX];

		if (file_read(dir, files[i], own, sizeof(own)) < 0 || own[0] > ' ')
			continue;
		if (file_read(parent, files[i], above, sizeof(above)) > 0)
			file_write(dir, files[i], above);
	}
}

static int make_one(int parent, const char *name, bool *ret_made)
{
	int dir;

	*ret_made = mkdirat(parent, name, 0755) == 0;
	if (!*ret_made && errno != EEXIST)
		return -errno;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0) {
		int r = -errno;

		if (*ret_made)
			unlinkat(parent, name, AT_REMOVEDIR);
		return r;
	}
	if (*ret_made && !cgroup_is_v2(dir))
		fill_cpuset(parent, dir);
	return dir;
}

static int make_path(const char *mount_point, const char *path, bool *ret_made)
{
	autofree char *copy = mem_strdup(path);
	autofd fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs st;
	bool made = false;
	char *save = NULL;

	if (fd < 0)
		return -errno;
	/* a folder of a tmpfs in its place is no cgroup */
	if (fstatfs(fd, &st) < 0 ||
		(st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC))
		return -ENOTSUP;
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
		int next = make_one(fd, part, &made);

		if (next < 0)
			return next;
		fd_close(&fd);
		fd = next;
	}
	*ret_made = made;
	return take_fd(&fd);
}

int cgroup_make(const char *mount_point, const char *path, bool *ret_made)
{
	int r = -ENOENT;

	/* somebody may take an empty folder of the way away under us */
	for (int i = 0; i < 16 && r == -ENOENT; i++)
		r = make_path(mount_point, path, ret_made);
	return r;
}

static bool is_enabled(int fd, const char *controller)
{
	char all[VALUE_MAX], *save = NULL;

	if (file_read(fd, "cgroup.subtree_control", all, sizeof(all)) < 0)
		return false;
	for (char *c = strtok_r(all, " \n", &save); c; c = strtok_r(NULL, " \n", &save))
		if (str_eq(c, controller))
			return true;
	return false;
}

int cgroup_enable(const char *mount_point, const char *path, const char *controller)
{
	autofree char *copy = mem_strdup(path);
	autofd fd = open(mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char word[64], *save = NULL, *part;

	if (fd < 0)
		return -errno;
	snprintf(word, sizeof(word), "+%s", controller);
	part = strtok_r(copy, "/", &save);
	while (part) {
		int next, r = file_write(fd, "cgroup.subtree_control", word);

		/* above what was delegated to us it is enabled, or it cannot be */
		if (r < 0 && !(r == -EACCES && is_enabled(fd, controller)))
			return r;
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		part = strtok_r(NULL, "/", &save);
		if (next < 0)
			return part ? -errno : 0;
		fd_close(&fd);
		fd = next;
	}
	return 0;
}

int cgroup_path_of(pid_t pid, char **ret)
{
	autofree char *all = NULL;
	char path[48], *save = NULL;
	const char *found = NULL;
	ssize_t n;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	n = file_read_all(AT_FDCWD, pid ? path : "/proc/self/cgroup", PROCS_MAX, &all);
	if (n < 0)
		return (int)n;
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *systemd = strstr(line, ":name=systemd:");

		if (systemd)
			found = systemd + strlen(":name=systemd:");
		else if (!found && str_starts(line, "0::"))
			found = line + strlen("0::");
	}
	if (!found)
		return -ENOENT;
	*ret = mem_strdup(found);
	return 0;
}

int cgroup_give_away(int fd, uid_t uid)
{
	char all[VALUE_MAX] = "", *save = NULL;
	int r = 0;

	/* config-linux.md#cgroup-ownership: "MUST fall back to using the following list of files"
	 */
	if (file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", all, sizeof(all)) <= 0)
		strcpy(all, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
	if (fchown(fd, uid, (gid_t)-1) < 0)
		return -errno;
	for (char *file = strtok_r(all, "\n", &save); file && r == 0;
		file = strtok_r(NULL, "\n", &save))
		if (fchownat(fd, file, uid, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			r = -errno;
	return r;
}

bool cgroup_is_v2(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC;
}

int cgroup_join(int fd, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return file_write(fd, "cgroup.procs", text);
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs st;

	if (fd < 0)
		return -errno;
	/* never believe a cgroup.procs that somebody laid into a tmpfs */
	if (fstatfs(fd, &st) < 0 ||
		(st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC)) {
		close(fd);
		return -ENOTSUP;
	}
	return fd;
}

/* Calls visit for the folder and all below, the deepest first. */
static int walk(int fd, int (*visit)(int fd, void *data), void *data)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		fd_close(&copy);
		return -errno;
	}
	while (r >= 0 && (entry = readdir(dir))) {
		autofd child = FD_NONE;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			r = walk(child, visit, data);
	}
	closedir(dir);
	return r < 0 ? r : visit(fd, data);
}

struct pid_list {
	pid_t *items;
	size_t n, room;
};

static int add_pids(int fd, void *data)
{
	struct pid_list *list = data;
	autofree char *text = NULL;
	ssize_t n = file_read_all(fd, "cgroup.procs", PROCS_MAX, &text);

	/* a threaded v2 folder has no list of its own (-EOPNOTSUPP): its processes are above */
	if (n < 0)
		return n == -ENOENT || n == -ENODEV || n == -EOPNOTSUPP ? 0 : (int)n;
	for (char *s = text; *s; s += strspn(s, "\n")) {
		if (list->n == list->room) {
			list->room = list->room ? list->room * 2 : 64;
			list->items = mem_resize(list->items, list->room, sizeof(pid_t));
		}
		list->items[list->n++] = (pid_t)strtol(s, &s, 10);
	}
	return 0;
}

int cgroup_pids(const char *dir, pid_t **ret, size_t *ret_n)
{
	struct pid_list list = { 0 };
	autofd fd = open_dir(dir);
	int r = fd < 0 ? fd : walk(fd, add_pids, &list);

	if (r < 0) {
		free(list.items);
		return r;
	}
	*ret = list.items;
	*ret_n = list.n;
	return 0;
}

bool cgroup_names_controller(const char *controllers, const char *one)
{
	size_t n = strlen(one);

	for (const char *s = controllers; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (strncmp(s, one, n) == 0 && (s[n] == ',' || !s[n]))
			return true;
	}
	return false;
}

bool cgroup_is_populated(const char *dir)
{
	int64_t populated;
	autofree pid_t *pids = NULL;
	size_t n = 0;

	if (cgroup_read_key(dir, "cgroup.events", "populated", &populated) == 0)
		return populated;
	return cgroup_pids(dir, &pids, &n) == 0 && n > 0;
}

static int read_key(int dir, const char *file, const char *key, int64_t *ret)
{
	char text[VALUE_MAX];
	size_t len = strlen(key);
	ssize_t n = file_read(dir, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	for (char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return str_i64(line + len + 1, ret);
	}
	return -ENOENT;
}

bool cgroup_is_frozen(const char *dir)
{
	autofd fd = open_dir(dir);
	char state[32];
	int64_t frozen;

	if (fd < 0)
		return false;
	if (cgroup_is_v2(fd))
		return read_key(fd, "cgroup.events", "frozen", &frozen) == 0 && frozen;
	return file_read(fd, "freezer.state", state, sizeof(state)) > 0 &&
	       str_starts(state, "FROZEN");
}

int cgroup_freeze(const char *dir, bool frozen, int timeout_ms)
{
	autofd fd = open_dir(dir);
	int64_t deadline = now_ms() + timeout_ms;
	int step_us = 100, r;

	if (fd < 0)
		return fd;
	if (cgroup_is_v2(fd))
		r = file_write(fd, "cgroup.freeze", frozen ? "1" : "0");
	else
		r = file_write(fd, "freezer.state", frozen ? "FROZEN" : "THAWED");
	while (r == 0 && frozen && !cgroup_is_frozen(dir))
		if (!pause_until(deadline, &step_us))
			return -ETIMEDOUT;
	return r;
}

int cgroup_kill(const char *dir)
{
	autofd fd = open_dir(dir);
	int64_t deadline = now_ms() + 2000;
	int step_us = 100, r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	r = file_write(fd, "cgroup.kill", "1");
	if (r == 0)
		return 0;
	/* what forks faster than we kill loses in the end: SIGKILL comes before its next fork */
	do {
		autofree pid_t *pids = NULL;
		size_t n = 0;

		r = cgroup_pids(dir, &pids, &n);
		if (r < 0 || n == 0)
			return r == -ENOENT ? 0 : r;
		for (size_t i = 0; i < n; i++)
			if (pids[i] > 0)
				kill(pids[i], SIGKILL);
	} while (pause_until(deadline, &step_us));
	return -EBUSY;
}

static int remove_walk(int parent, const char *name)
{
	autofd fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int copy, r = 0;
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		fd_close(&copy);
		return -EBUSY;
	}
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			r = remove_walk(fd, entry->d_name) < 0 ? -EBUSY : r;
	closedir(dir);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(const char *dir, int timeout_ms)
{
	const char *slash = strrchr(dir, '/');
	autofree char *parent = NULL;
	autofd fd = FD_NONE;
	int64_t deadline = now_ms() + timeout_ms;
	int step_us = 100, r;

	if (!slash || !slash[1])
		return -EINVAL;
	parent = mem_strdup(dir);
	parent[slash - dir] = '\0';
	fd = open_dir(parent);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	do
		r = remove_walk(fd, slash + 1);
	while (r == -EBUSY && pause_until(deadline, &step_us));
	return r;
}

ssize_t cgroup_read(const char *dir, const char *file, char *buf, size_t size)
{
	autofd fd = open_dir(dir);

	return fd < 0 ? fd : file_read(fd, file, buf, size);
}

int cgroup_read_i64(const char *dir, const char *file, int64_t *ret)
{
	autofd fd = open_dir(dir);
	char text[64];
	ssize_t n = fd < 0 ? fd : file_read(fd, file, text, sizeof(text));

	if (n < 0)
		return (int)n;
	text[strcspn(text, "\n")] = '\0';
	if (str_eq(text, "max")) {
		*ret = INT64_MAX;
		return 0;
	}
	return str_i64(text, ret);
}

int cgroup_read_key(const char *dir, const char *file, const char *key, int64_t *ret)
{
	autofd fd = open_dir(dir);

	return fd < 0 ? fd : read_key(fd, file, key, ret);
}

int cgroup_attach_devices(int fd, const struct bpf_insn *prog, size_t len)
{
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)prog,
		.insn_cnt = (uint32_t)len,
		.license = (uint64_t)(uintptr_t) "Apache-2.0",
	};
	autofd loaded = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	union bpf_attr attach = {
		.target_fd = (uint32_t)fd,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (loaded < 0)
		return -errno;
	attach.attach_bpf_fd = (uint32_t)loaded;
	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0 ? -errno : 0;
}
