/* SPDX-License-Identifier: Apache-2.0 */
/* INIT: the root filesystem as a mount of its own, and later the step into it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/mount_template.h"
#include "os/remove_tree.h"

/* overlayfs takes ":" and "\\" as its own; a descriptor's path has neither. */
static int lower_text(const struct spec_overlay *o, int *fds, struct text *t, struct err *e)
{
	for (size_t i = 0; i < o->n_lower; i++) {
		char path[FILE_FD_PATH];

		fds[i] = open(o->lower[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			return err_set(e, errno, "open lower folder %s", o->lower[i]);
		text_addf(t, "%s%s", i ? ":" : "",
			strpbrk(o->lower[i], ":,\\") ? file_fd_path(fds[i], path) : o->lower[i]);
	}
	return 0;
}

static int make_tmpfs(struct err *e)
{
	autofd fs = mount_fs_open("tmpfs");
	int tmpfs = FD_NONE;

	if (fs >= 0) {
		mount_fs_string(fs, "mode", "0755");
		tmpfs = mount_fs_make(fs, 0);
	}
	return tmpfs < 0 ? err_set(e, fs < 0 ? -fs : -tmpfs, "make a tmpfs for the root") : tmpfs;
}

/* A throw-away upper layer: a tmpfs that only the overlay on top of it holds. */
static int make_upper(struct birth *b, int target, struct err *e)
{
	autofd tmpfs = make_tmpfs(e);
	struct stat st;

	if (tmpfs < 0)
		return tmpfs;
	if (mkdirat(tmpfs, "upper", 0755) < 0 || mkdirat(tmpfs, "work", 0755) < 0)
		return err_set(e, errno, "make folders for the upper layer");
	/* the root folder of the container looks like the one below it */
	if (stat(b->plan->root.overlay.lower[0], &st) == 0)
		fchmodat(tmpfs, "upper", st.st_mode & 07777, 0);
	if (mount_attach(tmpfs, target) < 0)
		return err_set(e, errno, "attach the upper layer at %s", b->plan->root.path);
	return take_fd(&tmpfs);
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] > 0)
			fd_close(&fds[i]);
}

/* The descriptors of the lower folders by their numbers alone: 500 of them fit in a page. */
static void lower_numbers(const int *fds, size_t n, struct text *t)
{
	for (size_t i = 0; i < n; i++)
		text_addf(t, "%s%d", i ? ":" : "", fds[i]);
}

/*
 * Many layers: more than fsconfig(2) takes in one value. mount(2) takes a page, and the names are
 * as short as can be when we stand where they are.
 */
static int mount_many(struct birth *b, const int *fds, int upper, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	autofd here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autotext data = { 0 };
	int r, tree;

	text_add(&data, "lowerdir=");
	lower_numbers(fds, root->overlay.n_lower, &data);
	text_addf(&data, ",upperdir=%d/upper,workdir=%d/work%s%s", upper, upper,
		root->overlay_userxattr ? ",userxattr" : "",
		root->overlay.is_volatile ? ",volatile" : "");
	if (here < 0 || chdir("/proc/self/fd") < 0)
		return err_set(e, errno, "go to /proc/self/fd");
	r = mount_plain("overlay", root->path, data.p);
	if (fchdir(here) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_set(e, -r, "mount an overlay of %zu layers", root->overlay.n_lower);
	tree = mount_copy(AT_FDCWD, root->path, false, false);
	mount_detach(root->path);
	return tree < 0 ? err_set(e, -tree, "take hold of the overlay of %zu layers",
				  root->overlay.n_lower)
			: tree;
}

enum { FSCONFIG_VALUE_MAX = 255 };

/* ovl_mount_dir(): "filesystem not supported as upperdir", which mount(2) says as EINVAL. */
static int check_upper(const struct plan_root *root, int upper, struct err *e)
{
	struct statfs fs;

	if (!root->overlay.upper || fstatfs(upper, &fs) < 0 || fs.f_type != OVERLAYFS_SUPER_MAGIC)
		return 0;
	return err_say(e,
		"%s lies on an overlay, which cannot hold what another one changes: --data-root "
		"on another file system is needed",
		root->overlay.upper);
}

static int make_overlay(struct birth *b, int target, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	autofree int *lower = mem_alloc((root->overlay.n_lower + 1) * sizeof(int));
	autofd fs = mount_fs_open("overlay"), upper = FD_NONE, mount = FD_NONE;
	autotext lowers = { 0 }, upperdir = { 0 }, workdir = { 0 };
	char path[FILE_FD_PATH], said[256];
	int r;

	if (fs < 0)
		return err_set(e, -fs, "open overlay");
	if (root->overlay.upper)
		upper = open(root->overlay.upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		upper = make_upper(b, target, e);
	if (upper < 0)
		return root->overlay.upper ? err_set(e, errno, "open %s", root->overlay.upper)
					   : upper;
	if (check_upper(root, upper, e) < 0)
		return -e->code;
	/* overlayfs.rst, "Volatile mount": what was, and did not come to its end, is in the way */
	if (root->overlay.is_volatile)
		remove_tree(upper, "work/work/incompat");
	r = lower_text(&root->overlay, lower, &lowers, e);
	text_addf(&upperdir, "%s/upper", file_fd_path(upper, path));
	text_addf(&workdir, "%s/work", file_fd_path(upper, path));
	if (r == 0 && lowers.len > FSCONFIG_VALUE_MAX) {
		mount = mount_many(b, lower, upper, e);
		close_all(lower, root->overlay.n_lower);
		return mount < 0 ? mount : take_fd(&mount);
	}
	if (r == 0 && ((r = mount_fs_string(fs, "lowerdir", lowers.p)) < 0 ||
			      (r = mount_fs_string(fs, "upperdir", upperdir.p)) < 0 ||
			      (r = mount_fs_string(fs, "workdir", workdir.p)) < 0))
		err_set(e, -r, "configure the overlay of %s", lowers.p);
	if (r == 0 && root->overlay_userxattr)
		mount_fs_flag(fs, "userxattr");
	if (r == 0 && root->overlay.is_volatile)
		mount_fs_flag(fs, "volatile");
	if (r == 0) {
		mount = mount_fs_make(fs, 0);
		if (mount < 0)
			err_set(e, -mount, "mount an overlay over %s (%s)", root->overlay.lower[0],
				mount_fs_message(fs, said, sizeof(said)));
	}
	close_all(lower, root->overlay.n_lower);
	return mount < 0 ? -e->code : take_fd(&mount);
}

/* An overlay the kernel refuses (it stacks two deep, and not everything lies below one). */
static int make_fallback(struct birth *b, struct err *e)
{
	const char *lower = b->plan->root.overlay.lower[0];
	autofd tree = mount_copy(AT_FDCWD, lower, false, false);
	char text[640];
	int r;

	/* a user namespace may not uncover what lies below the host's other mounts: with them */
	if (tree == -EINVAL)
		tree = mount_copy(AT_FDCWD, lower, true, false);
	r = tree < 0 ? tree : mount_attr(tree, true, MOUNT_ATTR_RDONLY, 0, 0);
	if (r < 0)
		return err_wrap(e, "bind %s read-only (%s) instead of", lower, strerror(-r));
	log_warn("%s; %s is shown read-only instead", err_text(e, text, sizeof(text)), lower);
	return take_fd(&tree);
}

int init_copy_of_host(struct birth *b, const char *path, bool recursive, bool nofollow)
{
	const struct plan_root *root = &b->plan->root;
	autofd tree = mount_copy(AT_FDCWD, path, recursive, nofollow);
	int r;

	if (tree < 0 || b->template <0)
		return take_fd(&tree);
	/* we stand among the host's own mounts, not among copies that are below them */
	r = mount_attr(tree, true, 0, 0, root->propagation);
	return r < 0 ? r : take_fd(&tree);
}

/* A tree that is attached to nothing: the mounts are made on it, and it is the root then. */
static int root_detached(struct birth *b, int target, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	autofd tree = mount_copy(target, "", true, false);
	int r = tree < 0 ? tree : mount_attr(tree, true, 0, 0, root->propagation);

	if (r < 0)
		return err_set(e, -r, "copy the root filesystem %s", root->path);
	b->root = take_fd(&tree);
	return 0;
}

/* *ret_upper: the tree is an empty tmpfs, to be filled once it is attached (init_compose()). */
static int make_tree(struct birth *b, int *target, int *ret_upper, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	int tree;

	if (!root->overlay.n_lower) {
		tree = mount_copy(*target, "", true, false);
		return tree < 0 ? err_set(e, -tree, "bind the root filesystem %s", root->path)
				: tree;
	}
	tree = make_overlay(b, *target, e);
	if (tree == -EINVAL && root->overlay_userxattr && !root->overlay.upper) {
		*ret_upper = make_upper(b, *target, e);
		return *ret_upper < 0 ? *ret_upper : make_tmpfs(e);
	}
	return tree < 0 && root->bind_fallback ? make_fallback(b, e) : tree;
}

/* pivot_root(2) wants a mount below the new root that passes nothing on: slaves do not. */
static int quiet_parent(const struct plan_root *root)
{
	bool is_quiet = root->propagation == MS_SLAVE || root->propagation == MS_PRIVATE;

	return root->propagation_recursive && is_quiet ? 0 : mount_parent_private(root->path);
}

int init_root(struct birth *b, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	autofd target = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC), tree = FD_NONE;
	autofd upper = FD_NONE;
	int r;

	if (target < 0)
		return err_set(e, errno, "open the root filesystem %s", root->path);
	if (!root->has_mount_ns) {
		b->root = take_fd(&target);
		return 0;
	}
	if (b->template >= 0)
		return root_detached(b, target, e);
	r = mount_propagation_of_root(root->propagation, root->propagation_recursive);
	if (r < 0)
		return err_set(e, -r, "set the propagation of /");
	r = quiet_parent(root);
	if (r < 0)
		return err_set(e, -r, "make the mount below %s private", root->path);
	tree = make_tree(b, &target, &upper, e);
	if (tree < 0)
		return tree;
	/* what was attached meanwhile (the upper layer) is covered: the path is walked again */
	fd_close(&target);
	target = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target < 0)
		return err_set(e, errno, "open the root filesystem %s", root->path);
	r = mount_attach(tree, target);
	if (r < 0)
		return err_set(e, -r, "attach the root filesystem at %s", root->path);
	r = upper < 0 ? 0 : init_compose(upper, root->overlay.lower[0], tree, e);
	if (r < 0)
		return r;
	b->root = take_fd(&tree);
	return 0;
}

int init_pivot(struct birth *b, struct err *e)
{
	const struct plan_root *root = &b->plan->root;
	int r;

	if (!root->has_mount_ns) {
		if (fchdir(b->root) < 0 || chroot(".") < 0 || chdir("/") < 0)
			return err_set(e, errno, "chroot to %s", root->path);
		return 0;
	}
	if (root->readonly) {
		r = mount_attr(b->root, false, MOUNT_ATTR_RDONLY, 0, 0);
		if (r < 0)
			return err_set(e, -r, "make the root filesystem read-only");
	}
	r = b->template >= 0 ? mount_template_enter(b->template, b->root)
	    : root->no_pivot ? mount_move_root(b->root)
			     : mount_pivot(b->root);
	if (r < 0)
		return err_set(e, -r, "%s to %s", root->no_pivot ? "move the root" : "pivot_root",
			root->path);
	if (b->template >= 0 && init_mounts_readonly(b, e) < 0)
		return -e->code;
	if (root->final_propagation) {
		r = mount_propagation_of_root(root->final_propagation, root->final_recursive);
		if (r < 0)
			return err_set(e, -r, "set the propagation of the container's /");
	}
	return 0;
}
