/* SPDX-License-Identifier: Apache-2.0 */
/* INIT: nodes and links in /dev, then what is masked, read-only, and set read-only at last. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/mount.h"
#include "os/root.h"

/*
 * The folder a node goes into. A /dev that is a link would put it elsewhere, maybe into a folder
 * of the host that is bound there (CVE-2026-41579): no link may stand in the path.
 */
static int open_parent(struct birth *b, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char parent[4096];
	int fd;

	if (!slash || (size_t)(slash - path) >= sizeof(parent))
		return err_set(e, ENAMETOOLONG, "device %s", path);
	memcpy(parent, path, (size_t)(slash - path));
	parent[slash - path] = '\0';
	*ret_name = slash + 1;
	fd = root_open_nolinks(b->root, parent[0] ? parent : "/", O_PATH | O_DIRECTORY);
	if (fd == -ENOENT)
		fd = root_mkdirs(b->root, parent, 0755);
	if (fd == -ELOOP)
		return err_say(
			e, "%s: %s is or lies behind a symbolic link in the image", path, parent);
	return fd < 0 ? err_set(e, -fd, "open %s in the root filesystem", parent) : fd;
}

/* Most nodes and links lie in one folder, which is looked for once. */
struct folder {
	const char *path; /* lent: of the last node, of which len bytes are the folder's */
	size_t len;
	int fd; /* owned */
};

static int enter(
	struct birth *b, struct folder *f, const char *path, const char **ret_name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (slash && f->fd >= 0 && f->len == len && memcmp(f->path, path, len) == 0) {
		*ret_name = slash + 1;
		return 0;
	}
	fd_close(&f->fd);
	f->fd = open_parent(b, path, ret_name, e);
	f->path = path;
	f->len = len;
	return f->fd < 0 ? f->fd : 0;
}

static int check_node(int dir, const char *name, const struct plan_device *d, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "look at device %s", d->path);
	if ((st.st_mode & S_IFMT) != (d->mode & S_IFMT) ||
		(!S_ISFIFO(d->mode) && st.st_rdev != makedev(d->major, d->minor)))
		return err_say(e, "device %s: something else is there already", d->path);
	return 0;
}

static int make_node(int dir, const char *name, const struct plan_device *d, struct err *e)
{
	mode_t mask = umask(0);
	int r = mknodat(dir, name, d->mode, makedev(d->major, d->minor));
	struct stat st;

	umask(mask);
	if (r < 0) {
		if (errno == EEXIST)
			return check_node(dir, name, d, e);
		return err_set(e, errno, "make device %s", d->path);
	}
	/* where the folder has it otherwise: an ACL, or a group that it hands down */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		((st.st_mode & 07777) != (d->mode & 07777) &&
			fchmodat(dir, name, d->mode & 07777, 0) < 0) ||
		((st.st_uid != d->uid || st.st_gid != d->gid) &&
			fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0))
		return err_set(e, errno, "set the mode and owner of device %s", d->path);
	return 0;
}

static int bind_node(struct birth *b, const struct plan_device *d, struct err *e)
{
	autofd tree = mount_copy(AT_FDCWD, d->path, false, false), target = FD_NONE;
	struct stat st;
	int r;

	if (tree < 0)
		return err_set(e, -tree, "bind device %s", d->path);
	if (fstat(tree, &st) < 0 || (st.st_mode & S_IFMT) != (d->mode & S_IFMT) ||
		st.st_rdev != makedev(d->major, d->minor))
		return err_say(e, "the host's %s is not device %u:%u", d->path, d->major, d->minor);
	target = init_mount_target(b, d->path, true, true, e);
	if (target < 0)
		return target;
	r = mount_attach(tree, target);
	return r < 0 ? err_set(e, -r, "bind device %s", d->path) : 0;
}

static int make_link(struct birth *b, struct folder *f, const struct plan_link *l, struct err *e)
{
	const char *name;
	int r = enter(b, f, l->path, &name, e);

	if (r < 0)
		return r;
	if (symlinkat(l->target, f->fd, name) < 0 && errno != EEXIST && errno != EROFS)
		return err_set(e, errno, "make the link %s", l->path);
	return 0;
}

static int make_all(struct birth *b, struct folder *f, struct err *e)
{
	const struct plan *p = b->plan;
	int r = 0;

	for (size_t i = 0; i < p->n_devices && r == 0; i++) {
		const struct plan_device *d = &p->devices[i];
		const char *name;

		if (d->bind) {
			r = bind_node(b, d, e);
			continue;
		}
		r = enter(b, f, d->path, &name, e);
		if (r == 0)
			r = make_node(f->fd, name, d, e);
	}
	for (size_t i = 0; i < p->n_links && r == 0; i++)
		r = make_link(b, f, &p->links[i], e);
	return r;
}

int init_devices(struct birth *b, struct err *e)
{
	struct folder f = { .fd = FD_NONE };
	int r = make_all(b, &f, e);

	fd_close(&f.fd);
	return r;
}

/* The host's /dev/null, proven to be one (CVE-2025-31133: never the container's). */
static int open_null(struct birth *b, struct err *e)
{
	autofd null = init_copy_of_host(b, "/dev/null", false, false);
	struct stat st;

	if (null < 0 || fstat(null, &st) < 0)
		return err_set(e, null < 0 ? -null : errno, "bind /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_say(e, "the host's /dev/null is not device 1:3");
	return take_fd(&null);
}

static int open_empty(struct err *e)
{
	autofd fs = mount_fs_open("tmpfs"), empty = FD_NONE;

	if (fs >= 0) {
		mount_fs_string(fs, "mode", "755");
		empty = mount_fs_make(fs, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						  MOUNT_ATTR_NOEXEC);
	}
	return empty < 0 ? err_set(e, fs < 0 ? -fs : -empty, "make an empty tmpfs")
			 : take_fd(&empty);
}

/* What lies over masked files and folders: made for the first one, copied for each further. */
struct covers {
	int null, empty; /* owned */
};

static int cover_of(struct birth *b, struct covers *c, bool is_folder, struct err *e)
{
	int first = is_folder ? c->empty : c->null;
	int copy = first < 0 ? FD_NONE : mount_copy(first, "", false, false);

	/* a tree that is attached nowhere yet may not let its mounts be copied (before Linux 6.15)
	 */
	if (copy >= 0)
		return copy;
	return is_folder ? open_empty(e) : open_null(b, e);
}

static int mask(struct birth *b, struct covers *c, const char *path, struct err *e)
{
	autofd target = root_open(b->root, path, O_PATH), cover = FD_NONE;
	struct stat st;
	int r, *first;

	/* what is not there need not be hidden */
	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0 || fstat(target, &st) < 0)
		return err_set(e, target < 0 ? -target : errno, "open masked path %s", path);
	cover = cover_of(b, c, S_ISDIR(st.st_mode), e);
	if (cover < 0)
		return err_wrap(e, "mask %s", path);
	r = mount_attach(cover, target);
	if (r < 0)
		return err_set(e, -r, "mask %s", path);
	first = S_ISDIR(st.st_mode) ? &c->empty : &c->null;
	if (*first < 0)
		*first = take_fd(&cover);
	return 0;
}

static int make_readonly(struct birth *b, const char *path, struct err *e)
{
	autofd target = root_open(b->root, path, O_PATH), tree = FD_NONE;
	int r;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	if (target < 0)
		return err_set(e, -target, "open read-only path %s", path);
	tree = mount_copy(target, "", true, false);
	r = tree < 0 ? tree : mount_attr(tree, false, MOUNT_ATTR_RDONLY, 0, 0);
	if (r == 0)
		r = mount_attach(tree, target);
	return r < 0 ? err_set(e, -r, "make %s read-only", path) : 0;
}

int init_mounts_readonly(struct birth *b, struct err *e)
{
	const struct plan *p = b->plan;

	for (size_t i = 0; i < p->n_mounts; i++) {
		int r;

		if (!p->mounts[i].ro_after || b->sources[i] < 0)
			continue;
		r = mount_attr(b->sources[i], false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r < 0)
			return err_set(e, -r, "%s: make %s read-only", p->mounts[i].name,
				p->mounts[i].target);
	}
	return 0;
}

int init_paths(struct birth *b, struct err *e)
{
	const struct plan *p = b->plan;
	/* of a tree that is not attached yet, only the root's attributes can be changed */
	int r = b->template <0 ? init_mounts_readonly(b, e) : 0;
	struct covers c = { .null = FD_NONE, .empty = FD_NONE };

	for (size_t i = 0; i < p->n_readonly_paths && r == 0; i++)
		r = make_readonly(b, p->readonly_paths[i], e);
	for (size_t i = 0; i < p->n_masked_paths && r == 0; i++)
		r = mask(b, &c, p->masked_paths[i], e);
	fd_close(&c.null);
	fd_close(&c.empty);
	return r;
}
