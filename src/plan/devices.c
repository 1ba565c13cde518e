/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes and links in /dev. */
#include <sys/stat.h>

#include "base/str.h"
#include "plan/decide.h"

/* config-linux.md#default-devices; /dev/console and /dev/ptmx are birth's own steps. */
static const struct plan_device defaults[] = {
	{ .path = "/dev/null", .mode = S_IFCHR | 0666, .major = 1, .minor = 3 },
	{ .path = "/dev/zero", .mode = S_IFCHR | 0666, .major = 1, .minor = 5 },
	{ .path = "/dev/full", .mode = S_IFCHR | 0666, .major = 1, .minor = 7 },
	{ .path = "/dev/random", .mode = S_IFCHR | 0666, .major = 1, .minor = 8 },
	{ .path = "/dev/urandom", .mode = S_IFCHR | 0666, .major = 1, .minor = 9 },
	{ .path = "/dev/tty", .mode = S_IFCHR | 0666, .major = 5, .minor = 0 },
};

/* runtime-linux.md#dev-symbolic-links, and the ptmx of the container's own devpts */
static const struct plan_link links[] = {
	{ .target = "/proc/self/fd", .path = "/dev/fd" },
	{ .target = "/proc/self/fd/0", .path = "/dev/stdin" },
	{ .target = "/proc/self/fd/1", .path = "/dev/stdout" },
	{ .target = "/proc/self/fd/2", .path = "/dev/stderr" },
	{ .target = "pts/ptmx", .path = "/dev/ptmx" },
};

static mode_t type_bits(char type)
{
	switch (type) {
	case 'c':
	case 'u':
		return S_IFCHR;
	case 'b':
		return S_IFBLK;
	case 'p':
		return S_IFIFO;
	}
	return 0;
}

/* A bind mount over /dev is the host's or somebody's own: nothing is made in it. */
static bool dev_is_bound(const struct plan *p)
{
	for (size_t i = 0; i < p->n_mounts; i++)
		if (p->mounts[i].kind == MOUNT_BIND && str_eq(p->mounts[i].target, "/dev"))
			return true;
	return false;
}

static struct plan_device *place_for(const struct decide *d, const char *path)
{
	struct plan *p = d->plan;

	for (size_t i = 0; i < p->n_devices; i++)
		if (str_eq(p->devices[i].path, path))
			return &p->devices[i];
	return arena_grow(d->arena, &p->devices, &p->n_devices, sizeof(*p->devices));
}

static int add(const struct decide *d, size_t i, bool bind, struct err *e)
{
	const struct spec_device *s = &d->spec->linux_.devices[i];
	mode_t type = type_bits(s->type),
	       bits = s->file_mode.set ? (mode_t)s->file_mode.value : 0666;
	const char *path;

	if (!s->path || s->path[0] != '/')
		return err_say(e, "linux.devices[%zu]: the path is not absolute", i);
	if (!type)
		return err_say(e, "linux.devices[%zu]: the type is not c, b, u or p", i);
	if (type != S_IFIFO &&
		(s->major < 0 || s->major > 0xfff || s->minor < 0 || s->minor > 0xfffff))
		return err_say(e, "linux.devices[%zu]: %lld:%lld is no device number", i,
			(long long)s->major, (long long)s->minor);
	if (bits & ~(mode_t)07777 & ~(mode_t)S_IFMT)
		return err_say(e, "linux.devices[%zu]: fileMode is no file mode", i);
	path = decide_clean_path(d, s->path);
	*place_for(d, path) = (struct plan_device){
		.path = path,
		.mode = type | (bits & 07777),
		.major = type == S_IFIFO ? 0 : (unsigned)s->major,
		.minor = type == S_IFIFO ? 0 : (unsigned)s->minor,
		.uid = s->uid,
		.gid = s->gid,
		.bind = bind && type != S_IFIFO,
	};
	return 0;
}

int devices_decide(const struct decide *d, struct err *e)
{
	struct plan *p = d->plan;
	bool bind = namespaces_restricted(d);

	if (!p->root.has_mount_ns || dev_is_bound(p)) {
		if (p->root.has_mount_ns || !d->spec->linux_.n_devices)
			return 0;
		return err_say(e, "linux.devices: the container has no mount namespace of its own");
	}
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct plan_device *device = place_for(d, defaults[i].path);

		*device = defaults[i];
		device->bind = bind;
	}
	for (size_t i = 0; i < d->spec->linux_.n_devices; i++) {
		int r = add(d, i, bind, e);

		if (r < 0)
			return r;
	}
	p->links = arena_array(d->arena, ARRAY_LEN(links), sizeof(*p->links));
	memcpy(p->links, links, sizeof(links));
	p->n_links = ARRAY_LEN(links);
	return 0;
}
