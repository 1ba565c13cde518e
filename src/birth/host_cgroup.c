/* SPDX-License-Identifier: Apache-2.0 */
/* HOST: the container's cgroup folders, made before it exists and entered as it is cloned. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/cgroup.h"
#include "os/file.h"

enum { REMOVE_TIMEOUT_MS = 5000 };

/* v1: which hierarchy; NULL: the v2 tree */
static int make_one(
	struct birth *b, const struct host_hierarchy *v1, const char *path, struct err *e)
{
	const char *mount_point = v1 ? v1->mount_point : b->plan->host->v2_mount_point;
	const struct plan_cgroup *c = &b->plan->cgroup;
	struct birth_cgroup *one;
	autotext dir = { 0 };
	bool made;
	int fd;

	text_addf(&dir, "%s%s", mount_point, path);
	fd = cgroup_make(mount_point, path, &made);
	if (fd < 0)
		return err_set(e, -fd, "make cgroup %s", dir.p);
	one = &b->cgroups[b->n_cgroups++];
	*one = (struct birth_cgroup){ .dir = text_take(&dir),
		.fd = fd,
		.controllers = v1 ? v1->controllers : NULL,
		.v2 = !v1,
		.made = made };
	if (made || !c->must_be_new)
		return 0;
	if (cgroup_is_populated(one->dir))
		return err_set(e, EBUSY, "cgroup %s already has processes", one->dir);
	if (cgroup_is_frozen(one->dir))
		return err_set(e, EBUSY, "cgroup %s is frozen", one->dir);
	return 0;
}

static int enable_controllers(struct birth *b, const char *path, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;

	for (size_t i = 0; i < c->n_enable; i++) {
		int r = cgroup_enable(b->plan->host->v2_mount_point, path, c->enable[i]);

		/* the user's systemd has done what it may; what is missing a write will say */
		if (r < 0 && !c->user_bus)
			return err_set(e, -r, "enable cgroup controller %s", c->enable[i]);
	}
	return 0;
}

static int write_one(struct birth *b, const struct plan_cgroup_write *w, struct err *e)
{
	for (size_t i = 0; i < b->n_cgroups; i++) {
		const struct birth_cgroup *one = &b->cgroups[i];
		int r;

		if (w->controller ? !one->controllers || !cgroup_names_controller(
								 one->controllers, w->controller)
				  : !one->v2)
			continue;
		r = file_write(one->fd, w->file, w->value);
		if (r == -ENOENT && w->other)
			r = file_write(one->fd, w->other, w->other_value);
		if (r == -EINVAL && str_eq(w->file, "cpu.rt_runtime_us"))
			r = cgroup_give_realtime(one->dir, strtoll(w->value, NULL, 10));
		if (r == 0 || (r == -ENOENT && w->optional))
			return 0;
		return err_set(e, -r, "write %s to %s/%s", w->value, one->dir, w->file);
	}
	if (w->optional)
		return 0;
	return err_set(e, ENOENT, "write %s: this host has no cgroup controller for it", w->file);
}

int birth_fill_cgroups(struct birth *b, const char *path, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	const struct host *h = b->plan->host;
	int r = 0;

	b->cgroups = mem_alloc((h->n_v1 + 1) * sizeof(*b->cgroups));
	/* a user's systemd has nothing to give in v1 hierarchies */
	for (size_t i = 0; i < h->n_v1 && r == 0 && !c->user_bus; i++)
		r = make_one(b, &h->v1[i], path, e);
	if (r == 0 && h->v2_mount_point)
		r = make_one(b, NULL, path, e);
	if (r == 0 && h->v2_mount_point)
		r = enable_controllers(b, path, e);
	for (size_t i = 0; i < c->n_writes && r == 0; i++)
		r = write_one(b, &c->writes[i], e);
	for (size_t i = 0; i < b->n_cgroups && r == 0 && c->delegate; i++) {
		int given = b->cgroups[i].v2 ? cgroup_give_away(b->cgroups[i].fd, c->owner) : 0;

		if (given < 0)
			r = err_set(e, -given, "give cgroup %s to user %u", b->cgroups[i].dir,
				c->owner);
	}
	return r;
}

int host_cgroup(struct birth *b, struct err *e)
{
	return birth_fill_cgroups(b, b->plan->cgroup.path, e);
}

void host_cgroup_undo(struct birth *b)
{
	for (size_t i = 0; i < b->n_cgroups; i++)
		if (b->cgroups[i].made)
			cgroup_remove(b->cgroups[i].dir, REMOVE_TIMEOUT_MS);
}

/* exec: the folders that were recorded when the container was made. */
int host_cgroup_find(struct birth *b, struct err *e)
{
	size_t n = 0;

	while (b->cgroup_paths && b->cgroup_paths[n])
		n++;
	b->cgroups = mem_alloc((n + 1) * sizeof(*b->cgroups));
	for (size_t i = 0; i < n; i++) {
		const char *dir = b->cgroup_paths[i];
		int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_set(e, errno, "open cgroup %s", dir);
		b->cgroups[b->n_cgroups++] = (struct birth_cgroup){
			.dir = mem_strdup(dir), .fd = fd, .v2 = cgroup_is_v2(fd)
		};
		if (!b->ignore_paused && cgroup_is_frozen(dir))
			return err_say(e, "the container is paused");
	}
	return 0;
}

/* What clone3 could not do: v1 hierarchies, and the folder below a scope of systemd's. */
int host_cgroup_attach(struct birth *b, struct err *e)
{
	for (size_t i = 0; i < b->n_cgroups; i++) {
		int r = b->cgroups[i].v2 && !b->scope_started
				? 0
				: cgroup_join(b->cgroups[i].fd, b->init.pid);

		if (r < 0)
			return err_set(e, -r, "put process %d into cgroup %s", b->init.pid,
				b->cgroups[i].dir);
	}
	return 0;
}

int birth_device_filter(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;

	for (size_t i = 0; i < b->n_cgroups; i++) {
		int r = b->cgroups[i].v2 ? cgroup_attach_devices(b->cgroups[i].fd, c->device_prog,
						   c->device_prog_len)
					 : 0;

		if (r < 0)
			return err_set(
				e, -r, "attach the device filter to cgroup %s", b->cgroups[i].dir);
	}
	return 0;
}
