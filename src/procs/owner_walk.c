/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"

enum {
	DEPTH_MAX = 32,	   /* of cgroups below each other; descriptors stay open on the way down */
	FREE_DIRS = 128,   /* so many are always looked at */
	PROCS_PER_DIR = 3, /* opening a folder costs as much as reading so many cgroup files */
	FILE_MAX = 64 << 20,
};

struct walk {
	struct snapshot *s;
	owner_of_path_fn owner_of;
	void *data;
	size_t dirs_left;
	struct text path; /* below the hierarchy's root, "" for that */
};

static void give(struct walk *w, int dir, const struct owner *o)
{
	autofree char *list = NULL;
	char *end;

	/* a threaded cgroup has none: its processes are listed above it */
	if (file_read_all(dir, "cgroup.procs", FILE_MAX, &list) < 0)
		return;
	for (const char *c = list;; c = end) {
		long pid = strtol(c, &end, 10);
		uint32_t i;

		if (end == c)
			return;
		i = snapshot_find(w->s, (pid_t)pid);
		if (i != NO_PROC && !w->s->procs[i].owner)
			w->s->procs[i].owner = o;
	}
}

/* Takes dir. Returns false where it gave up. */
static bool walk_dir(struct walk *w, int dir, const struct owner *o, int depth)
{
	size_t len = w->path.len;
	struct dirent *d;
	struct stat st;
	bool all = true;
	DIR *list;

	if (!o && len)
		o = w->owner_of(w->data, w->path.p);
	if (o)
		give(w, dir, o);
	/* kernfs counts: two links are no folders in it */
	if (depth >= DEPTH_MAX || (fstat(dir, &st) == 0 && st.st_nlink == 2)) {
		close(dir);
		return depth < DEPTH_MAX;
	}
	list = fdopendir(dir);
	if (!list) {
		close(dir);
		return false;
	}
	while (all && (d = readdir(list))) {
		int sub;

		if (d->d_name[0] == '.' || (d->d_type != DT_DIR && d->d_type != DT_UNKNOWN))
			continue;
		sub = openat(
			dirfd(list), d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub < 0)
			continue; /* removed meanwhile, or no folder */
		if (w->dirs_left == 0) {
			close(sub);
			all = false;
			break;
		}
		w->dirs_left--;
		text_add(&w->path, "/");
		text_add(&w->path, d->d_name);
		all = walk_dir(w, sub, o, depth + 1);
		w->path.len = len;
		w->path.p[len] = '\0';
	}
	closedir(list);
	return all;
}

/* Is this line of mountinfo a hierarchy worth walking, from its root? -1: one that is cut off. */
static int usable(char *line, char **ret_at)
{
	char *f[5], *tail = strstr(line, " - "), *type, *source, *options;
	bool wanted;
	int i;

	if (!tail)
		return 0;
	*tail = '\0';
	type = tail + 3;
	source = strchr(type, ' ');
	options = source ? strchr(source + 1, ' ') : NULL;
	if (!options)
		return 0;
	*source = '\0';
	wanted = str_eq(type, "cgroup2") ||
		 (str_eq(type, "cgroup") &&
			 (strstr(options, "name=systemd") || strstr(options, "pids")));
	for (i = 0; wanted && i < 5; i++) {
		f[i] = strsep(&line, " ");
		if (!f[i])
			return 0;
	}
	if (!wanted)
		return 0;
	*ret_at = f[4];
	return str_eq(f[3], "/") ? 1 : -1;
}

bool owner_walk(struct snapshot *s, const char *root, owner_of_path_fn owner_of, void *data)
{
	struct walk w = { .s = s,
		.owner_of = owner_of,
		.data = data,
		.dirs_left = FREE_DIRS + s->n / PROCS_PER_DIR };
	autofree char *mounts = NULL;
	bool any = false, all = true;
	char *next;

	if (file_read_all(s->procfs, "self/mountinfo", FILE_MAX, &mounts) < 0)
		return false;
	for (char *line = mounts; all && line; line = next) {
		char *at, *path;
		int dir, r;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = usable(line, &at);
		if (r < 0)
			all = false;
		if (r <= 0)
			continue;
		path = arena_printf(s->arena, "%s%s", root, at);
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		any = true;
		w.path.len = 0;
		all = walk_dir(&w, dir, NULL, 0);
	}
	text_done(&w.path);
	return any && all;
}
