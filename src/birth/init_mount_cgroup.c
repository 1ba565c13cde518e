/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INIT: the container's view of its cgroups. On a v2 host a cgroup2 filesystem of its cgroup
 * namespace; where v1 hierarchies are in use, a tmpfs with its own folder of each in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/cgroup.h"
#include "os/mount.h"
#include "os/root.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

enum { SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

static uint64_t attributes(const struct plan_mount *m)
{
	return m->attr_set | SAFE | (m->ro_after ? MOUNT_ATTR_RDONLY : 0);
}

/* The container's folder in a hierarchy, or our own where it has none. */
static char *folder(const struct birth *b, const char *mount_point, const char *own_path)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	autofree char *asked = NULL;
	const char *path = c->path;
	autotext t = { 0 };

	if (c->manager == CGROUP_NONE)
		path = own_path;
	else if (c->manager == CGROUP_SYSTEMD && b->cgroup_path)
		path = b->cgroup_path;
	else if (c->manager == CGROUP_SYSTEMD && cgroup_path_of(0, &asked) == 0)
		path = asked;
	text_addf(&t, "%s%s", mount_point, path ? path : "/");
	return text_take(&t);
}

static int bind_folder(struct birth *b, const char *dir, int target, uint64_t attr, struct err *e)
{
	autofd tree = init_copy_of_host(b, dir, false, false);
	int r;

	if (tree < 0)
		return err_set(e, -tree, "bind cgroup %s", dir);
	r = mount_attr(tree, false, attr, 0, 0);
	if (r == 0)
		r = mount_attach(tree, target);
	return r < 0 ? err_set(e, -r, "bind cgroup %s", dir) : 0;
}

static int mount_v2(struct birth *b, const struct plan_mount *m, int target, struct err *e)
{
	const struct host *h = b->plan->host;
	autofree char *dir = folder(b, h->v2_mount_point, h->v2_own_path);
	autofd fs = FD_NONE, made = FD_NONE;

	if (b->plan->namespaces.unshare_flags & CLONE_NEWCGROUP) {
		fs = mount_fs_open("cgroup2");
		if (fs >= 0)
			made = mount_fs_make(fs, attributes(m));
		if (made >= 0 && mount_attach(made, target) == 0)
			return 0;
	}
	return bind_folder(b, dir, target, attributes(m), e);
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int mount_hierarchy(struct birth *b, const struct plan_mount *m, int tmpfs,
	const char *mount_point, const char *own_path, struct err *e)
{
	autofree char *dir = folder(b, mount_point, own_path);
	const char *name = last_part(mount_point);
	autofd target = FD_NONE;

	if (mkdirat(tmpfs, name, 0755) < 0)
		return errno == EEXIST ? 0 : err_set(e, errno, "make a folder for cgroup %s", name);
	target = openat(tmpfs, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (target < 0)
		return err_set(e, errno, "open the folder for cgroup %s", name);
	return bind_folder(b, dir, target, attributes(m), e);
}

/* "cpu" and "cpuacct" lead to "cpu,cpuacct", as everywhere. */
static void link_controllers(int tmpfs, const struct host_hierarchy *v1)
{
	const char *name = last_part(v1->mount_point);
	autofree char *copy = mem_strdup(v1->controllers);
	char *save = NULL;

	for (char *c = strtok_r(copy, ",", &save); c; c = strtok_r(NULL, ",", &save))
		if (!str_eq(c, name) && !str_starts(c, "name="))
			(void)!symlinkat(name, tmpfs, c);
}

static int mount_v1(struct birth *b, const struct plan_mount *m, int target, struct err *e)
{
	const struct host *h = b->plan->host;
	autofd fs = mount_fs_open("tmpfs"), tmpfs = FD_NONE;
	int r;

	if (fs < 0)
		return err_set(e, -fs, "mount a tmpfs on %s", m->target);
	mount_fs_string(fs, "mode", "755");
	tmpfs = mount_fs_make(fs, SAFE | m->attr_set);
	r = tmpfs < 0 ? tmpfs : mount_attach(tmpfs, target);
	if (r < 0)
		return err_set(e, -r, "mount a tmpfs on %s", m->target);
	for (size_t i = 0; i < h->n_v1; i++) {
		if (mount_hierarchy(b, m, tmpfs, h->v1[i].mount_point, h->v1[i].own_path, e) < 0)
			return -e->code;
		link_controllers(tmpfs, &h->v1[i]);
	}
	if (h->v2_mount_point &&
		mount_hierarchy(b, m, tmpfs, h->v2_mount_point, h->v2_own_path, e) < 0)
		return -e->code;
	r = m->ro_after ? mount_attr(tmpfs, false, MOUNT_ATTR_RDONLY, 0, 0) : 0;
	return r < 0 ? err_set(e, -r, "make %s read-only", m->target) : 0;
}

int init_mount_cgroup(struct birth *b, const struct plan_mount *m, struct err *e)
{
	const struct host *h = b->plan->host;
	autofd target = init_mount_target(b, m->target, false, true, e);

	if (target < 0)
		return target;
	if (h->cgroup_mode == CGROUP_MODE_NONE)
		return 0; /* this host has none to show */
	return h->cgroup_mode == CGROUP_MODE_V2 ? mount_v2(b, m, target, e)
						: mount_v1(b, m, target, e);
}
