/* SPDX-License-Identifier: Apache-2.0 */
/* --device and --privileged: nodes, and the rules that let them be used. */
#include <dirent.h>
#include <fcntl.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/str.h"
#include "spec/docker.h"

enum { DEVICES_MAX = 4096 };

struct asked {
	const struct docker_run *run;
	struct spec *spec;
	struct arena *a;
};

static struct spec_device_rule *add_device_rule(struct asked *b)
{
	struct spec_resources *r = &b->spec->linux_.resources;

	return arena_grow(b->a, &r->devices, &r->n_devices, sizeof(*r->devices));
}

static bool read_access(const char *text, struct spec_device_rule *rule)
{
	for (const char *s = text; *s; s++) {
		rule->read |= *s == 'r';
		rule->write |= *s == 'w';
		rule->mknod |= *s == 'm';
		if (!strchr("rwm", *s))
			return false;
	}
	return *text;
}

static int add_device(struct asked *b, const char *host, const char *inside,
	const struct spec_device_rule *access, int depth, struct err *e)
{
	struct spec_linux *l = &b->spec->linux_;
	struct spec_device *device;
	struct stat st;
	struct dirent *entry;
	DIR *dir;
	int r = 0;

	if (stat(host, &st) < 0)
		return err_set(e, errno, "--device %s", host);
	if (S_ISDIR(st.st_mode)) {
		dir = depth < 8 ? opendir(host) : NULL;
		if (!dir)
			return err_set(e, errno, "--device %s", host);
		while (r == 0 && (entry = readdir(dir))) {
			if (entry->d_name[0] == '.' ||
				(entry->d_type != DT_CHR && entry->d_type != DT_BLK &&
					entry->d_type != DT_DIR))
				continue;
			r = add_device(b, arena_printf(b->a, "%s/%s", host, entry->d_name),
				arena_printf(b->a, "%s/%s", inside, entry->d_name), access,
				depth + 1, e);
		}
		closedir(dir);
		return r;
	}
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_say(e, "--device %s: is no device", host);
	if (l->n_devices >= DEVICES_MAX)
		return err_say(e, "--device %s: too many devices", host);
	device = arena_grow(b->a, &l->devices, &l->n_devices, sizeof(*device));
	*device = (struct spec_device){ .path = inside,
		.type = S_ISCHR(st.st_mode) ? 'c' : 'b',
		.major = major(st.st_rdev),
		.minor = minor(st.st_rdev),
		.file_mode = SOME(st.st_mode & 07777),
		.uid = st.st_uid,
		.gid = st.st_gid };
	if (b->run->rootless || b->run->in_userns || !access)
		return 0;
	*add_device_rule(b) = (struct spec_device_rule){ .allow = true,
		.type = device->type,
		.major = device->major,
		.minor = device->minor,
		.read = access->read,
		.write = access->write,
		.mknod = access->mknod };
	return 0;
}

/* --device HOST[:CONTAINER[:rwm]] */
static int device_flag(struct asked *b, const char *text, struct err *e)
{
	struct spec_device_rule access = { 0 };
	char *host = arena_strdup(b->a, text), *inside = strchr(host, ':'), *mode = NULL;

	if (inside)
		*inside++ = '\0';
	if (inside && (mode = strchr(inside, ':')))
		*mode++ = '\0';
	if (inside && !mode && read_access(inside, &access)) {
		mode = inside;
		inside = NULL;
	}
	access = (struct spec_device_rule){ 0 };
	if (!read_access(mode ? mode : "rwm", &access))
		return err_say(e, "--device %s: the access is made of r, w and m", text);
	if (host[0] != '/' || (inside && inside[0] != '/'))
		return err_say(e, "--device %s: the path is not absolute", text);
	return add_device(b, host, inside ? inside : host, &access, 0, e);
}

static bool is_usable(const struct asked *b, const char *path)
{
	return (!b->run->rootless && !b->run->in_userns) ||
	       faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0;
}

/*
 * --privileged: every node of the host's /dev but its terminals, which are not the container's; in
 * a user namespace, where nodes can only be bound, those that their owner lets everybody use.
 */
static int host_devices(struct asked *b, const char *path, int depth, struct err *e)
{
	static const char *const not_these[] = { "pts", "shm", "fd", "mqueue", "console", "ptmx",
		"tty", "init", ".lxc", "core", NULL };
	struct dirent *entry;
	DIR *dir = opendir(path);
	int r = 0;

	while (dir && r == 0 && (entry = readdir(dir))) {
		const char *child = arena_printf(b->a, "%s/%s", path, entry->d_name);
		bool skip = entry->d_name[0] == '.';

		for (size_t i = 0; depth == 0 && not_these[i]; i++)
			skip |= str_eq(entry->d_name, not_these[i]);
		if (skip)
			continue;
		if (entry->d_type == DT_DIR && depth < 8)
			r = host_devices(b, child, depth + 1, e);
		else if ((entry->d_type == DT_CHR || entry->d_type == DT_BLK) &&
			 is_usable(b, child))
			r = add_device(b, child, child, NULL, 0, e);
		/* a node that was taken away meanwhile is no mistake */
		r = r == -ENOENT ? 0 : r;
	}
	if (dir)
		closedir(dir);
	return r;
}

int docker_devices(const struct docker_run *run, struct spec *spec, struct err *e)
{
	struct asked asked = { run, spec, &spec->arena }, *b = &asked;

	if (!run->rootless && !run->in_userns)
		*add_device_rule(b) = (struct spec_device_rule){ .allow = run->privileged,
			.type = 'a',
			.major = -1,
			.minor = -1,
			.read = true,
			.write = true,
			.mknod = true };
	if (run->privileged && host_devices(b, "/dev", 0, e) < 0)
		return -e->code;
	for (size_t i = 0; i < run->devices.n; i++)
		if (device_flag(b, run->devices.items[i], e) < 0)
			return -e->code;
	return 0;
}
