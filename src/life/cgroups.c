/* SPDX-License-Identifier: Apache-2.0 */
#include "life/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/cgroup.h"
#include "os/file.h"

enum { CLEAR_TIMEOUT_MS = 10000 };

const char **cgroup_folders(const struct host *h, const char *path, struct arena *a)
{
	const char **all = arena_array(a, h->n_v1 + 2, sizeof(*all));
	size_t n = 0;

	if (!path || !path[0] || str_eq(path, "/"))
		return all;
	for (size_t i = 0; i < h->n_v1; i++)
		all[n++] = arena_printf(a, "%s%s", h->v1[i].mount_point, path);
	if (h->v2_mount_point)
		all[n++] = arena_printf(a, "%s%s", h->v2_mount_point, path);
	return all;
}

const char *cgroup_folder_of(
	const struct host *h, const char *path, const char *controller, struct arena *a)
{
	if (!path)
		return NULL;
	for (size_t i = 0; i < h->n_v1; i++)
		if (cgroup_names_controller(h->v1[i].controllers, controller))
			return arena_printf(a, "%s%s", h->v1[i].mount_point, path);
	/* the v2 tree freezes and kills whatever controllers it has */
	if (h->v2_mount_point &&
		(str_eq(controller, "freezer") || h->cgroup_mode == CGROUP_MODE_V2))
		return arena_printf(a, "%s%s", h->v2_mount_point, path);
	return NULL;
}

/* The freezer first lets go of what it holds. */
static void kill_all(const char *const *folders)
{
	for (size_t i = 0; folders[i]; i++)
		if (access(folders[i], F_OK) == 0 && cgroup_is_frozen(folders[i]))
			cgroup_freeze(folders[i], false, CLEAR_TIMEOUT_MS);
	for (size_t i = 0; folders[i]; i++)
		if (access(folders[i], F_OK) == 0 && cgroup_is_populated(folders[i]))
			cgroup_kill(folders[i]);
}

int cgroups_remove(const char *const *folders, struct err *e)
{
	bool busy = false;

	/* most often nobody is left: a folder that goes at once need not be looked into */
	for (size_t i = 0; folders[i]; i++)
		busy |= rmdir(folders[i]) < 0 && errno != ENOENT;
	if (!busy)
		return 0;
	kill_all(folders);
	for (size_t i = 0; folders[i]; i++) {
		int r = cgroup_remove(folders[i], CLEAR_TIMEOUT_MS);
		if (r < 0)
			return err_set(e, -r, "remove cgroup %s", folders[i]);
	}
	return 0;
}

int cgroups_clear(const struct host *h, const char *path, struct arena *a, struct err *e)
{
	return cgroups_remove(cgroup_folders(h, path, a), e);
}

static int write_file(const struct host *h, const char *path, const struct plan_cgroup_write *w,
	struct arena *a, struct err *e)
{
	const char *folder = w->controller ? cgroup_folder_of(h, path, w->controller, a)
			     : h->v2_mount_point && path
				     ? arena_printf(a, "%s%s", h->v2_mount_point, path)
				     : NULL;
	autofd dir = FD_NONE;
	int r;

	if (!folder && w->optional)
		return 0;
	if (!folder)
		return err_say(e, "write %s: this host has no cgroup controller for it", w->file);
	dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : file_write(dir, w->file, w->value);
	if (r == -ENOENT && w->other)
		r = file_write(dir, w->other, w->other_value);
	if (r == -EINVAL && str_eq(w->file, "cpu.rt_runtime_us"))
		r = cgroup_give_realtime(folder, strtoll(w->value, NULL, 10));
	if (r < 0 && !(r == -ENOENT && w->optional))
		return err_set(e, -r, "write %s to %s/%s", w->value, folder, w->file);
	return 0;
}

/*
 * v1's memory limit is never above that of memory and swap together: upwards the second has to go
 * first, downwards the first.
 */
static int write_memory_after_swap(const struct host *h, const char *path,
	const struct plan_cgroup *c, size_t i, struct arena *a, struct err *e)
{
	struct err first = *e;

	for (size_t j = i + 1; j < c->n_writes; j++) {
		if (!str_eq(c->writes[j].file, "memory.memsw.limit_in_bytes"))
			continue;
		if (write_file(h, path, &c->writes[j], a, e) < 0)
			return -e->code;
		return write_file(h, path, &c->writes[i], a, e);
	}
	*e = first;
	return -e->code;
}

int cgroups_write(const struct host *h, const char *path, const struct plan_cgroup *c,
	struct arena *a, struct err *e)
{
	for (size_t i = 0; i < c->n_writes; i++) {
		int r = write_file(h, path, &c->writes[i], a, e);

		if (r == -EINVAL && str_eq(c->writes[i].file, "memory.limit_in_bytes"))
			r = write_memory_after_swap(h, path, c, i, a, e);
		if (r < 0)
			return r;
	}
	return 0;
}
