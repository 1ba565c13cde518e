/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INIT: the mounts, one plan row after the other. Each is made detached, given its attributes, and
 * attached to a descriptor that was opened below the root without leaving it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/copy_tree.h"
#include "os/mount.h"
#include "os/root.h"

int init_mount_target(struct birth *b, const char *path, bool is_file, bool nolinks, struct err *e)
{
	int fd;

	/* CVE-2019-19921, CVE-2023-27561: /proc and /sys are folders, not links */
	if (nolinks) {
		fd = root_open_nolinks(b->root, path, O_PATH);
		if (fd >= 0)
			return fd;
		if (fd == -ELOOP)
			return err_say(e,
				"%s must be an ordinary folder, and is or lies behind a symbolic "
				"link",
				path);
		if (fd != -ENOENT)
			return err_set(e, -fd, "open %s in the root filesystem", path);
	}
	fd = is_file ? root_mkfile(b->root, path, 0644) : root_mkdirs(b->root, path, 0755);
	return fd < 0 ? err_set(e, -fd, "make %s in the root filesystem", path) : fd;
}

static int set_attributes(const struct plan_mount *m, int fd, struct err *e)
{
	int r = 0;

	if (m->attr_set || m->attr_clear)
		r = mount_attr(fd, false, m->attr_set, m->attr_clear, 0);
	/* what a less privileged namespace inherited is locked: it may be added to, not lifted */
	if (r == -EPERM && m->attr_clear)
		r = mount_attr(fd, false, m->attr_set, 0, 0);
	if (r == 0 && (m->attr_set_recursive || m->attr_clear_recursive))
		r = mount_attr(fd, true, m->attr_set_recursive, m->attr_clear_recursive, 0);
	return r < 0 ? err_set(e, -r, "set the attributes of the mount on %s", m->target) : 0;
}

/*
 * Once it is attached, which makes a peer of what is mounted on a shared mount. On a template's
 * tree nothing is shared, and before: attached to that it cannot be changed.
 */
static int set_propagation(
	struct birth *b, const struct plan_mount *m, int fd, bool attached, struct err *e)
{
	int r = attached == (b->template >= 0) ? 0
		: m->propagation ? mount_attr(fd, m->propagation_recursive, 0, 0, m->propagation)
				 : 0;

	return r < 0 ? err_set(e, -r, "set the propagation of the mount on %s", m->target) : 0;
}

/* Flags that mount(2) takes for every filesystem and fsconfig(2) only where one knows them. */
static bool may_be_unknown(const struct spec_pair *o)
{
	return !o->value &&
	       (str_eq(o->key, "iversion") || str_eq(o->key, "mand") || str_eq(o->key, "nomand"));
}

static bool says(const struct plan_mount *m, const char *option)
{
	for (size_t i = 0; i < m->data.n; i++)
		if (str_eq(m->data.items[i].key, option))
			return true;
	return false;
}

/* runc's rule: a tmpfs that says nothing else has the mode of the folder it covers. */
static int mode_of_covered(struct birth *b, const struct plan_mount *m, int fs)
{
	autofd there = FD_NONE;
	char mode[16];
	struct stat st;

	if (!str_eq(m->fstype, "tmpfs") || m->tmpcopyup || says(m, "mode"))
		return 0;
	there = root_open(b->root, m->target, O_PATH | O_DIRECTORY);
	if (there < 0 || fstat(there, &st) < 0)
		return 0;
	/* as its option: a mount is no descriptor that fchmod(2) takes, and may be read-only */
	snprintf(mode, sizeof(mode), "%o", st.st_mode & 07777);
	return mount_fs_string(fs, "mode", mode);
}

static int fill_filesystem(struct birth *b, const struct plan_mount *m, int fs, struct err *e)
{
	int r = mount_fs_string(fs, "source", m->source);
	char said[256];

	/* some filesystems have no source, and say so */
	for (size_t i = 0; i < m->data.n; i++) {
		const struct spec_pair *o = &m->data.items[i];

		r = o->value ? mount_fs_string(fs, o->key, o->value) : mount_fs_flag(fs, o->key);
		if (r < 0 && !may_be_unknown(o))
			return err_set(e, -r, "mount %s on %s: option %s%s%s (%s)", m->fstype,
				m->target, o->key, o->value ? "=" : "", o->value ? o->value : "",
				mount_fs_message(fs, said, sizeof(said)));
	}
	if (m->label) {
		r = mount_fs_string(fs, "context", m->label);
		if (r < 0)
			return err_set(
				e, -r, "mount %s on %s: label %s", m->fstype, m->target, m->label);
	}
	r = mode_of_covered(b, m, fs);
	return r < 0 ? err_set(e, -r, "give the tmpfs on %s its mode", m->target) : 0;
}

static int make_new(struct birth *b, const struct plan_mount *m, struct err *e)
{
	autofd fs = mount_fs_open(m->fstype), made = FD_NONE;
	char said[256];

	if (fs < 0)
		return err_set(e, -fs, "mount %s on %s", m->fstype, m->target);
	if (fill_filesystem(b, m, fs, e) < 0)
		return -e->code;
	made = mount_fs_make(fs, m->attr_set);
	if (made < 0) {
		mount_fs_message(fs, said, sizeof(said));
		return said[0] ? err_set(e, -made, "mount %s on %s (%s)", m->fstype, m->target,
					 said)
			       : err_set(e, -made, "mount %s on %s", m->fstype, m->target);
	}
	return take_fd(&made);
}

static int copy_up(
	struct birth *b, const struct plan_mount *m, int tmpfs, int target, struct err *e)
{
	autofd from = openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* fsmount(2)'s own only stands for a path: fchmod(2) and fchown(2) refuse it */
	autofd into = openat(tmpfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (from < 0 || into < 0 || fstat(from, &st) < 0)
		return err_set(e, errno, "open %s", m->target);
	r = copy_tree(from, into);
	if (r < 0)
		return err_set(e, -r, "copy the content of %s into the tmpfs", m->target);
	/* of the folder it covers it has all that it does not say itself */
	if ((!says(m, "mode") && fchmod(into, st.st_mode & 07777) < 0) ||
		fchown(into, says(m, "uid") ? (uid_t)-1 : st.st_uid,
			says(m, "gid") ? (gid_t)-1 : st.st_gid) < 0)
		return err_set(e, errno, "give the tmpfs on %s its mode", m->target);
	return 0;
}

/* "/proc" itself and "/sys": whoever redirects them decides what is read and written later. */
static bool is_kernel_fs(const struct plan_mount *m)
{
	return m->fstype && (str_eq(m->fstype, "proc") || str_eq(m->fstype, "sysfs"));
}

static bool is_below_dev(const char *target)
{
	return str_eq(target, "/dev") || str_starts(target, "/dev/");
}

static int mount_new(struct birth *b, const struct plan_mount *m, int *ret, struct err *e)
{
	autofd made = make_new(b, m, e), target = FD_NONE;
	int r;

	if (made < 0)
		return made;
	target = init_mount_target(
		b, m->target, false, is_kernel_fs(m) || is_below_dev(m->target), e);
	if (target < 0)
		return target;
	if (m->tmpcopyup && copy_up(b, m, made, target, e) < 0)
		return -e->code;
	if (m->attr_set_recursive || m->attr_clear_recursive) {
		r = mount_attr(made, true, m->attr_set_recursive, m->attr_clear_recursive, 0);
		if (r < 0)
			return err_set(e, -r, "set the attributes of the mount on %s", m->target);
	}
	if (set_propagation(b, m, made, false, e) < 0)
		return -e->code;
	r = mount_attach(made, target);
	if (r < 0)
		return err_set(e, -r, "mount %s on %s", m->fstype, m->target);
	*ret = take_fd(&made);
	return set_propagation(b, m, *ret, true, e);
}

/* copy-symlink: the link itself is made again, if there is nothing in its place. */
static int copy_symlink(struct birth *b, const struct plan_mount *m, struct err *e)
{
	char target[PATH_MAX];
	const char *name;
	autofd dir = FD_NONE;
	ssize_t n = readlink(m->source, target, sizeof(target) - 1);

	if (n < 0)
		return err_set(e, errno, "read the link %s", m->source);
	target[n] = '\0';
	dir = root_parent(b->root, m->target, &name);
	if (dir < 0)
		return err_set(e, -dir, "make %s in the root filesystem", m->target);
	if (symlinkat(target, dir, name) < 0 && errno != EEXIST)
		return err_set(e, errno, "make the link %s in the root filesystem", m->target);
	return 0;
}

static int mount_bind(
	struct birth *b, size_t i, const struct plan_mount *m, int *ret, struct err *e)
{
	autofd tree = FD_NONE, target = FD_NONE;
	struct stat st;
	int r;

	if (m->copy_symlink && lstat(m->source, &st) == 0 && S_ISLNK(st.st_mode))
		return copy_symlink(b, m, e);
	tree = take_fd(&b->sources[i]);
	if (tree < 0)
		tree = init_copy_of_host(b, m->source, m->recursive, m->nofollow_source);
	/* mounts that a less privileged namespace inherited come only all together */
	if (tree == -EINVAL && !m->recursive)
		tree = init_copy_of_host(b, m->source, true, m->nofollow_source);
	if (tree < 0)
		return err_set(e, -tree, "bind %s to %s", m->source, m->target);
	if (fstat(tree, &st) < 0)
		return err_set(e, errno, "look at %s", m->source);
	if (m->nofollow_target)
		target = root_open_nolinks(b->root, m->target, O_PATH);
	if (target < 0)
		target = init_mount_target(
			b, m->target, !S_ISDIR(st.st_mode), is_below_dev(m->target), e);
	if (target < 0)
		return target;
	if (set_attributes(m, tree, e) < 0 || set_propagation(b, m, tree, false, e) < 0)
		return -e->code;
	r = mount_attach(tree, target);
	if (r < 0)
		return err_set(e, -r, "bind %s to %s", m->source, m->target);
	*ret = take_fd(&tree);
	return set_propagation(b, m, *ret, true, e);
}

static int remount(struct birth *b, const struct plan_mount *m, int *ret, struct err *e)
{
	autofd fd = root_open(b->root, m->target, O_PATH);
	autotext data = { 0 };
	int r;

	if (fd < 0)
		return err_set(e, -fd, "open %s in the root filesystem", m->target);
	for (size_t i = 0; i < m->data.n; i++)
		text_addf(&data, "%s%s%s%s", i ? "," : "", m->data.items[i].key,
			m->data.items[i].value ? "=" : "",
			m->data.items[i].value ? m->data.items[i].value : "");
	r = data.len ? mount_remount(fd, m->attr_set & MOUNT_ATTR_RDONLY, data.p) : 0;
	if (r < 0)
		return err_set(e, -r, "remount %s with %s", m->target, data.p);
	if (set_attributes(m, fd, e) < 0 || set_propagation(b, m, fd, true, e) < 0)
		return -e->code;
	*ret = take_fd(&fd);
	return 0;
}

static int mount_one(struct birth *b, size_t i, struct err *e)
{
	const struct plan_mount *m = &b->plan->mounts[i];
	int made = FD_NONE, r = 0;

	switch (m->kind) {
	case MOUNT_NEW:
		r = mount_new(b, m, &made, e);
		break;
	case MOUNT_BIND:
		r = mount_bind(b, i, m, &made, e);
		break;
	case MOUNT_CGROUP:
		r = init_mount_cgroup(b, m, e);
		break;
	case MOUNT_REMOUNT:
		r = remount(b, m, &made, e);
		break;
	}
	if (r < 0 && m->optional) {
		log_debug("%s is left out: %s", m->name, e->msg);
		e->code = 0;
		r = 0;
	}
	/* what INIT writes through it goes past whatever is mounted beneath (os/lsm.h) */
	if (m->kind == MOUNT_NEW && made >= 0 && str_eq(m->fstype, "proc") && b->mounted_procfs < 0)
		b->mounted_procfs = take_fd(&made);
	/* made read-only when all that lies beneath has been made: kept in the source's place */
	if (m->ro_after && made >= 0)
		b->sources[i] = take_fd(&made);
	fd_close(&made);
	return r < 0 ? err_wrap(e, "%s", m->name) : 0;
}

/* Does it show the same in whichever network namespace it is made? */
static bool is_of_no_network(const struct plan_mount *m)
{
	static const char *const types[] = { "proc", "tmpfs", "devpts", "mqueue" };

	if (m->kind != MOUNT_NEW)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(m->fstype, types[i]))
			return true;
	return false;
}

int init_mounts_first(struct birth *b, struct err *e)
{
	while (b->next_mount < b->plan->n_mounts &&
		is_of_no_network(&b->plan->mounts[b->next_mount]))
		if (mount_one(b, b->next_mount++, e) < 0)
			return -e->code;
	return 0;
}

int init_mounts(struct birth *b, struct err *e)
{
	while (b->next_mount < b->plan->n_mounts)
		if (mount_one(b, b->next_mount++, e) < 0)
			return -e->code;
	return 0;
}
