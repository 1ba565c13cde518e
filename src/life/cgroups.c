/* SPDX-License-Identifier: Apache-2.0 */
/* A container's folders in every hierarchy of the host, found again by its path. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/cgroup.h"

const char **cgroup_folders(const struct life *l, const char *path, struct arena *a)
{
	const char **all = arena_array(a, l->host.n_v1 + 2, sizeof(*all));
	size_t n = 0;

	if (!path || !path[0] || str_eq(path, "/"))
		return all;
	for (size_t i = 0; i < l->host.n_v1; i++)
		all[n++] = arena_printf(a, "%s%s", l->host.v1[i].mount_point, path);
	if (l->host.v2_mount_point)
		all[n++] = arena_printf(a, "%s%s", l->host.v2_mount_point, path);
	return all;
}

static bool names(const char *controllers, const char *one)
{
	size_t n = strlen(one);

	for (const char *s = controllers; s; s = strchr(s, ',')) {
		s += *s == ',';
		if (strncmp(s, one, n) == 0 && (s[n] == ',' || !s[n]))
			return true;
	}
	return false;
}

const char *cgroup_folder_of(
	const struct life *l, const char *path, const char *controller, struct arena *a)
{
	const struct host *h = &l->host;

	if (!path)
		return NULL;
	for (size_t i = 0; i < h->n_v1; i++)
		if (names(h->v1[i].controllers, controller))
			return arena_printf(a, "%s%s", h->v1[i].mount_point, path);
	/* the v2 tree freezes and kills whatever controllers it has */
	if (h->v2_mount_point &&
		(str_eq(controller, "freezer") || h->cgroup_mode == CGROUP_MODE_V2))
		return arena_printf(a, "%s%s", h->v2_mount_point, path);
	return NULL;
}

/* Kills what is left and removes the folders; the freezer first lets go of what it holds. */
int cgroups_clear(const struct life *l, const char *path, struct arena *a, struct err *e)
{
	const char **folders = cgroup_folders(l, path, a);
	int r;

	for (size_t i = 0; folders[i]; i++)
		if (access(folders[i], F_OK) == 0 && cgroup_is_frozen(folders[i]))
			cgroup_freeze(folders[i], false, CLEAR_TIMEOUT_MS);
	for (size_t i = 0; folders[i]; i++)
		if (access(folders[i], F_OK) == 0 && cgroup_is_populated(folders[i]))
			cgroup_kill(folders[i]);
	for (size_t i = 0; folders[i]; i++) {
		r = cgroup_remove(folders[i], CLEAR_TIMEOUT_MS);
		if (r < 0)
			return err_set(e, -r, "remove cgroup %s", folders[i]);
	}
	return 0;
}

const char *held_cgroup(const struct held *h, struct arena *a)
{
	char text[8192], path[4096];

	if (!held_text(h, "born", text, sizeof(text)) ||
		!store_value(text, "cgroup", path, sizeof(path)) || path[0] != '/')
		return NULL;
	return arena_strdup(a, path);
}
