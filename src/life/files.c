/* SPDX-License-Identifier: Apache-2.0 */
#include "life/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "life/image.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/ns.h"
#include "os/remove_tree.h"
#include "os/root.h"
#include "os/userns.h"

enum { FREEZE_TIMEOUT_MS = 10000 };

struct job {
	const struct life *l;
	const struct held *h;
	const char *state; /* the container's folder */
	enum files_want want;
	struct container_files files;
	int (*work)(const struct container_files *f, void *data, struct err *e);
	void *data;
};

static int call_work(void *data, struct err *e)
{
	struct job *j = data;

	return j->work(&j->files, j->data, e);
}

/* --- one that runs: what its init sees ---------------------------------------------------------
 */

static bool same_namespace(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static int open_upper(struct job *j, struct err *e)
{
	const char *upper = j->files.spec->overlay.upper;
	autoarena a = { 0 };

	/* an image without layers: all there is is its own */
	if (!upper && j->files.record->data_root)
		upper = arena_printf(&a, "%s/containers/%s", j->files.record->data_root, j->h->id);
	if (!upper)
		return 0;
	j->files.upper = open(arena_printf(&a, "%s/upper", upper),
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return j->files.upper < 0 ? err_set(e, errno, "open %s/upper", upper) : 0;
}

static int upper_work(void *data, struct err *e)
{
	return open_upper(data, e) < 0 ? -e->code : call_work(data, e);
}

static int run_in_running(struct job *j, const struct proc_ref *init, struct err *e)
{
	char path[64];
	autofd theirs = FD_NONE, ours = FD_NONE, root = FD_NONE;

	snprintf(path, sizeof(path), "/proc/%d/root", init->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, errno, "open the container's root");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", init->pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	ours = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	/* the number was its init's all the time we used it */
	if (!proc_ref_alive(init))
		return err_say(e, "container %s ended meanwhile", j->h->record.name);
	if (theirs < 0 || ours < 0)
		return err_set(e, errno, "open the container's user namespace");
	j->files.root = root;
	return userns_run_in(
		same_namespace(theirs, ours) ? FD_NONE : theirs, false, upper_work, j, e);
}

/* --- one that does not: its layers are mounted where nobody else sees it -----------------------
 */

/*
 * mount(2) takes a page of options and the names are as short as can be when we stand where the
 * descriptors are: 500 layers fit.
 */
static int mount_overlay(struct job *j, const char *spot, struct err *e)
{
	const struct spec_overlay *o = &j->files.spec->overlay;
	autofd upper = open(o->upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autofd here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autotext data = { 0 };
	int r;

	if (upper < 0)
		return err_set(e, errno, "open %s", o->upper);
	if (o->is_volatile)
		remove_tree(upper, "work/work/incompat");
	text_add(&data, "lowerdir=");
	for (size_t i = 0; i < o->n_lower; i++) {
		/* left open: the process ends with its work */
		int fd = open(o->lower[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_set(e, errno, "open layer %s", o->lower[i]);
		text_addf(&data, "%s%d", i ? ":" : "", fd);
	}
	text_addf(&data, ",upperdir=%d/upper,workdir=%d/work%s%s", upper, upper,
		j->files.userxattr ? ",userxattr" : "", o->is_volatile ? ",volatile" : "");
	if (chdir("/proc/self/fd") < 0)
		return err_set(e, errno, "go to /proc/self/fd");
	r = mount_plain("overlay", spot, data.p);
	if (here >= 0 && fchdir(here) < 0 && r == 0)
		r = -errno;
	return r < 0 ? err_set(e, -r, "mount the layers of container %s", j->h->record.name) : 0;
}

/* What the user mounted is where it would be; what cannot be there is not. */
static void mount_binds(struct job *j)
{
	const struct spec *s = j->files.spec;

	for (size_t i = 0; i < s->n_mounts; i++) {
		autofd tree = FD_NONE, spot = FD_NONE;
		struct stat a, b;

		if (!s->mounts[i].type || !str_eq(s->mounts[i].type, "bind") ||
			!s->mounts[i].source)
			continue;
		tree = mount_copy(AT_FDCWD, s->mounts[i].source, true, false);
		if (tree < 0 || fstat(tree, &b) < 0)
			continue;
		/* as a start would make it */
		spot = S_ISDIR(b.st_mode)
			       ? root_mkdirs(j->files.root, s->mounts[i].destination, 0755)
			       : root_mkfile(j->files.root, s->mounts[i].destination, 0755);
		if (spot < 0 || fstat(spot, &a) < 0 || S_ISDIR(a.st_mode) != S_ISDIR(b.st_mode))
			continue;
		for (size_t k = 0; k < s->mounts[i].options.n; k++)
			if (str_eq(s->mounts[i].options.items[k], "ro"))
				mount_attr(tree, true, MOUNT_ATTR_RDONLY, 0, 0);
		mount_attach(tree, spot);
	}
}

static int run_in_stopped(void *data, struct err *e)
{
	struct job *j = data;
	const struct spec *s = j->files.spec;
	autoarena a = { 0 };
	const char *spot = arena_printf(&a, "%s/rootfs", j->state);
	autofd root = FD_NONE;

	if (j->want == FILES_UPPER)
		return upper_work(j, e);
	if (s->overlay.n_lower && mount_overlay(j, spot, e) < 0)
		return -e->code;
	root = open(s->overlay.n_lower ? spot : s->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, errno, "open the files of container %s", j->h->record.name);
	if (!s->overlay.n_lower && j->want == FILES_ROOT) {
		/* a place of our own to mount on */
		int tree = mount_copy(root, "", true, false);

		if (tree >= 0 && mount_attach(tree, root) == 0) {
			fd_close(&root);
			root = tree;
		}
	}
	j->files.root = root;
	if (j->want == FILES_ROOT)
		mount_binds(j);
	return upper_work(j, e);
}

/* --- both --------------------------------------------------------------------------------------
 */

static int run_frozen(struct job *j, const struct now *now, struct err *e)
{
	autoarena a = { 0 };
	const char *folder = cgroup_folder_of(&j->l->host, held_cgroup(j->h, &a), "freezer", &a);
	bool thaw = folder && now->status != LIFE_PAUSED &&
		    cgroup_freeze(folder, true, FREEZE_TIMEOUT_MS) == 0;
	int r = run_in_running(j, &now->init, e);

	if (thaw)
		cgroup_freeze(folder, false, FREEZE_TIMEOUT_MS);
	return r;
}

static int choose(struct job *j, const struct now *now, bool freeze, const struct image_data *d,
	struct err *e)
{
	const struct spec_overlay *o = &j->files.spec->overlay;

	if (now->init.pidfd >= 0)
		return freeze ? run_frozen(j, now, e) : run_in_running(j, &now->init, e);
	if (o->n_lower && !o->upper)
		return err_say(e,
			"container %s does not run: what it changed in the files of `%s` went with "
			"its end",
			j->h->record.name, j->h->record.image);
	return d->maps.uids ? userns_run(&d->maps, run_in_stopped, j, e)
			    : userns_run_in(FD_NONE, true, run_in_stopped, j, e);
}

int files_run(const struct life *l, const char *ref, enum files_want want, bool freeze,
	int (*work)(const struct container_files *f, void *data, struct err *e), void *data,
	struct err *e)
{
	autoarena a = { 0 };
	autodata d = IMAGE_DATA_NONE;
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	struct spec spec = { 0 };
	struct job j = { .l = l,
		.h = &h,
		.want = want,
		.files = { .root = FD_NONE, .upper = FD_NONE, .spec = &spec, .record = &h.record },
		.work = work,
		.data = data };
	int r;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd < 0) {
		lock = held_lock(&h, e);
		now_done(&now);
		if (lock < 0 || now_look(l, &h, &now, e) < 0)
			return -e->code;
	}
	if (life_data(l, &d, e) < 0)
		return -e->code;
	j.files.userxattr = d.userxattr;
	j.state = held_path(l, &h, "", &a);
	r = spec_load(held_path(l, &h, "config.json", &a), &spec, e);
	if (r == 0)
		r = choose(&j, &now, freeze, &d, e);
	spec_done(&spec);
	return r;
}
