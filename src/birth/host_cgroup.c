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

static int make_one(struct birth *b, const char *mount_point, bool v2, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	struct birth_cgroup *one;
	autotext dir = { 0 };
	bool made;
	int fd;

	text_addf(&dir, "%s%s", mount_point, c->path);
	fd = cgroup_make(mount_point, c->path, &made);
	if (fd < 0)
		return err_set(e, -fd, "make cgroup %s", dir.p);
	one = &b->cgroups[b->n_cgroups++];
	*one = (struct birth_cgroup){ .dir = text_take(&dir), .fd = fd, .v2 = v2, .made = made };
	if (made || !c->must_be_new)
		return 0;
	if (cgroup_is_populated(one->dir))
		return err_set(e, EBUSY, "cgroup %s already has processes", one->dir);
	if (cgroup_is_frozen(one->dir))
		return err_set(e, EBUSY, "cgroup %s is frozen", one->dir);
	return 0;
}

static int enable_controllers(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;

	for (size_t i = 0; i < c->n_enable; i++) {
		int r = cgroup_enable(b->plan->host->v2_mount_point, c->path, c->enable[i]);

		if (r < 0)
			return err_set(e, -r, "enable cgroup controller %s", c->enable[i]);
	}
	return 0;
}

static int write_one(struct birth *b, const struct plan_cgroup_write *w, struct err *e)
{
	const struct host *h = b->plan->host;

	for (size_t i = 0; i < b->n_cgroups; i++) {
		const struct birth_cgroup *one = &b->cgroups[i];
		int r;

		/* v1 hierarchies come in the host's order, the v2 tree after them */
		if (w->controller ? i >= h->n_v1 || !cgroup_names_controller(
							    h->v1[i].controllers, w->controller)
				  : !one->v2)
			continue;
		r = file_write(one->fd, w->file, w->value);
		if (r == 0 || (r == -ENOENT && w->optional))
			return 0;
		return err_set(e, -r, "write %s to %s/%s", w->value, one->dir, w->file);
	}
	if (w->optional)
		return 0;
	return err_set(e, ENOENT, "write %s: this host has no cgroup controller for it", w->file);
}

int host_cgroup(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	const struct host *h = b->plan->host;
	int r;

	b->cgroups = mem_alloc((h->n_v1 + 1) * sizeof(*b->cgroups));
	for (size_t i = 0; i < h->n_v1; i++) {
		r = make_one(b, h->v1[i].mount_point, false, e);
		if (r < 0)
			return r;
	}
	if (h->v2_mount_point) {
		r = make_one(b, h->v2_mount_point, true, e);
		if (r == 0)
			r = enable_controllers(b, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->n_writes; i++) {
		r = write_one(b, &c->writes[i], e);
		if (r < 0)
			return r;
	}
	return 0;
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

/* What clone3 could not do: v1 hierarchies, and a v2 folder it refused. */
int host_cgroup_attach(struct birth *b, struct err *e)
{
	for (size_t i = 0; i < b->n_cgroups; i++) {
		int r = b->cgroups[i].v2 ? 0 : cgroup_join(b->cgroups[i].fd, b->init.pid);

		if (r < 0)
			return err_set(e, -r, "put process %d into cgroup %s", b->init.pid,
				b->cgroups[i].dir);
	}
	return 0;
}

int host_device_filter(struct birth *b, struct err *e)
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
