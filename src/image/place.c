/* SPDX-License-Identifier: Apache-2.0 */
#include "image/place.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/str.h"
#include "image/stream.h"
#include "os/file.h"
#include "os/remove_tree.h"
#include "os/root.h"

enum { LINKS_MAX = 40 };

void place_init(struct place *p, int root, const struct stack *below, struct unpacked *counts)
{
	*p = (struct place){ .root = root, .below = below, .counts = counts, .dir = FD_NONE };
}

void place_done(struct place *p)
{
	fd_close(&p->dir);
	mem_freep(&p->at);
	arena_done(&p->arena);
	arena_done(&p->kept);
}

static const char *join(struct arena *a, const char *dir, const char *name)
{
	return dir[0] ? arena_printf(a, "%s/%s", dir, name) : arena_strdup(a, name);
}

/* What is below and not hidden by this layer: a descriptor, or -ENOENT. */
static int find_below(struct place *p, const char *path, struct stat *st)
{
	if (!p->below->n || stack_layer_hides(p->root, path, p->below->userxattr))
		return -ENOENT;
	return stack_find(p->below, path, st);
}

static int set_opaque(int fd)
{
	char path[FILE_FD_PATH];

	file_fd_path(fd, path);
	/* which of the two counts depends on who mounts; the other says nothing */
	if (setxattr(path, stack_opaque_name(false), "y", 1, 0) == 0 ||
		setxattr(path, stack_opaque_name(true), "y", 1, 0) == 0)
		return 0;
	return -errno;
}

static int make_folder(struct place *p, const char *path, bool opaque, struct err *e)
{
	autofd fd = FD_NONE, dir = FD_NONE;
	const char *slash = strrchr(path, '/');
	struct stat st;
	int lower;

	dir = root_open_nolinks(p->root,
		slash ? arena_strndup(&p->arena, path, (size_t)(slash - path)) : ".",
		O_PATH | O_DIRECTORY);
	if (dir < 0 || mkdirat(dir, slash ? slash + 1 : path, 0755) < 0)
		return err_set(e, dir < 0 ? -dir : errno, "make folder %s", path);
	fd = root_open_nolinks(p->root, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_set(e, -fd, "open folder %s", path);
	if (opaque)
		return set_opaque(fd) < 0 ? err_set(e, errno, "mark folder %s", path) : 0;
	/* as it is below: it would hide what that one allows */
	lower = find_below(p, path, &st);
	if (lower < 0)
		return 0;
	close(lower);
	if (fchown(fd, st.st_uid, st.st_gid) < 0)
		p->counts->other_owners++;
	fchmod(fd, st.st_mode & 07777);
	return 0;
}

/* One step of a walk: *ret_link is what a link there says. */
static int step(struct place *p, const char *path, const char **ret_link, struct err *e)
{
	autofd fd = root_open_nolinks(p->root, path, O_PATH | O_NOFOLLOW), lower = FD_NONE;
	char target[PATH_MAX];
	bool gone = false;
	struct stat st;
	ssize_t n;

	if (fd >= 0 && fstat(fd, &st) < 0)
		return err_set(e, errno, "look at %s", path);
	if (fd >= 0 && stack_is_whiteout(&st)) {
		gone = true;
		fd_close(&fd);
		if (remove_tree(p->root, path) < 0)
			return err_set(e, errno, "remove the whiteout %s", path);
	}
	if (fd < 0 && fd != -ENOENT && fd != FD_NONE)
		return err_set(e, -fd, "go to %s", path);
	if (fd < 0) {
		lower = gone ? -ENOENT : find_below(p, path, &st);
		if (lower < 0 || S_ISDIR(st.st_mode))
			return make_folder(p, path, gone, e);
	}
	if (S_ISDIR(st.st_mode))
		return 0;
	if (!S_ISLNK(st.st_mode))
		return fd >= 0 ? err_set(e, ENOTDIR, "go to %s", path)
			       : make_folder(p, path, false, e);
	n = readlinkat(fd >= 0 ? fd : lower, "", target, sizeof(target) - 1);
	if (n < 0)
		return err_set(e, errno, "read the link %s", path);
	target[n] = '\0';
	*ret_link = arena_strdup(&p->arena, target);
	return 0;
}

/* The way step by step, links followed within what the container will see. */
static int walk_slowly(struct place *p, const char *path, const char **ret_at, struct err *e)
{
	const char *at = "", *rest = path;

	for (int links = 0; *rest;) {
		size_t n = strcspn(rest, "/");
		const char *part = arena_strndup(&p->arena, rest, n), *link = NULL, *next;

		rest += n;
		rest += strspn(rest, "/");
		if (!n || str_eq(part, "."))
			continue;
		if (str_eq(part, "..")) {
			const char *slash = strrchr(at, '/');

			at = slash ? arena_strndup(&p->arena, at, (size_t)(slash - at)) : "";
			continue;
		}
		next = join(&p->arena, at, part);
		if (strlen(next) >= PATH_MAX)
			return err_set(e, ENAMETOOLONG, "go to %.100s...", next);
		if (step(p, next, &link, e) < 0)
			return -e->code;
		if (!link) {
			at = next;
			continue;
		}
		if (++links > LINKS_MAX)
			return err_set(e, ELOOP, "go to %s", path);
		at = link[0] == '/' ? "" : at;
		rest = arena_printf(&p->arena, "%s/%s", link, rest);
	}
	*ret_at = at;
	return 0;
}

/* Opens a folder of the layer, made where it is missing; *ret_at: which it is. */
static int walk(struct place *p, const char *path, const char **ret_at, struct err *e)
{
	int fd = root_open_nolinks(p->root, path[0] ? path : ".", O_PATH | O_DIRECTORY);

	*ret_at = path;
	if (fd >= 0)
		return fd;
	if (walk_slowly(p, path, ret_at, e) < 0)
		return -e->code;
	fd = root_open_nolinks(p->root, **ret_at ? *ret_at : ".", O_PATH | O_DIRECTORY);
	return fd < 0 ? err_set(e, -fd, "open folder %s", *ret_at) : fd;
}

/* "a/b/c" is "a/b" and "c" */
static const char *split(struct place *p, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	return slash ? arena_strndup(&p->arena, path, (size_t)(slash - path)) : "";
}

int place_go(struct place *p, const char *name, struct err *e)
{
	const char *path, *parent, *at;
	int fd;

	arena_done(&p->arena);
	if (stream_path(name, &p->arena, &path, e) < 0)
		return -e->code;
	parent = split(p, path, &p->name);
	p->path = path[0] ? path : "/";
	if (p->at && str_eq(p->at, parent))
		return 0;
	fd = walk(p, parent, &at, e);
	if (fd < 0)
		return fd;
	fd_close(&p->dir);
	p->dir = fd;
	free(p->at);
	p->at = mem_strdup(at);
	return 0;
}

int place_clear(struct place *p, bool keep_folder, struct err *e)
{
	struct stat st;
	int r;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "look at %s", p->path);
	if (S_ISDIR(st.st_mode) && keep_folder)
		return 0;
	r = remove_tree(p->dir, p->name);
	if (r < 0)
		return err_set(e, -r, "replace %s", p->path);
	/* the folder we were in may have been in what is gone */
	return 0;
}

int place_folder(struct place *p, struct err *e)
{
	autofd fd = FD_NONE;
	struct stat st;
	bool was_gone =
		fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && stack_is_whiteout(&st);

	if (place_clear(p, true, e) < 0)
		return -e->code;
	if (mkdirat(p->dir, p->name, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make folder %s", p->path);
	if (!was_gone)
		return 0;
	fd = openat(p->dir, p->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || set_opaque(fd) < 0 ? err_set(e, errno, "mark folder %s", p->path) : 0;
}

int place_whiteout(struct place *p, struct err *e)
{
	autofd fd = FD_NONE, lower = FD_NONE;
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* this layer has its own already: that one stays, without what is below */
		if (!S_ISDIR(st.st_mode))
			return 0;
		fd = openat(p->dir, p->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 || set_opaque(fd) < 0 ? err_set(e, errno, "mark folder %s", p->path)
						    : 0;
	}
	lower = find_below(p, join(&p->arena, p->at, p->name), &st);
	if (lower < 0)
		return 0;
	if (mknodat(p->dir, p->name, S_IFCHR, makedev(0, 0)) < 0)
		return err_set(e, errno, "make the whiteout %s", p->path);
	return 0;
}

/* Calls one for each name in a folder. */
static int each_name(int dir, int (*one)(struct place *p, const char *name, struct err *e),
	struct place *p, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		err_set(e, errno, "read a folder of %s", p->path);
		fd_close(&fd);
		return -e->code;
	}
	while (r == 0 && (entry = readdir(stream)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			r = one(p, entry->d_name, e);
	closedir(stream);
	return r;
}

static int drop_whiteout(struct place *p, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(p->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && stack_is_whiteout(&st) &&
		unlinkat(p->dir, name, 0) < 0)
		return err_set(e, errno, "remove the whiteout %s", name);
	return 0;
}

static int whiteout_name(struct place *p, const char *name, struct err *e)
{
	p->name = name;
	return place_whiteout(p, e);
}

int place_opaque(struct place *p, struct err *e)
{
	/* overlayfs merges the roots of all layers, whatever they say: each name by itself */
	if (!p->at[0]) {
		for (size_t i = 0; i < p->below->n; i++)
			if (each_name(p->below->layers[i], whiteout_name, p, e) < 0)
				return -e->code;
		return 0;
	}
	if (set_opaque(p->dir) < 0)
		return err_set(e, errno, "mark folder %s", p->at);
	/* in what does not go down any further they would be seen as they are */
	return each_name(p->dir, drop_whiteout, p, e);
}

static int copy_data(int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1 << 22);
	while (n > 0);
	return n < 0 ? -errno : 0;
}

static void copy_xattrs(int from, int to)
{
	char names[4096], value[4096];
	ssize_t n = flistxattr(from, names, sizeof(names));

	for (const char *s = names; n > 0 && s < names + n; s += strlen(s) + 1) {
		ssize_t len = fgetxattr(from, s, value, sizeof(value));

		if (len >= 0 && !str_starts(s, "trusted.") && !str_starts(s, "user.overlay."))
			fsetxattr(to, s, value, (size_t)len, 0);
	}
}

/* What is linked to lies below: the layer gets its own copy, as overlayfs would do. */
static int copy_up(
	struct place *p, int lower, const struct stat *st, int dir, const char *name, struct err *e)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	char target[PATH_MAX], path[FILE_FD_PATH];
	autofd from = FD_NONE, to = FD_NONE;
	ssize_t n;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(lower, "", target, sizeof(target) - 1);
		if (n < 0)
			return err_set(e, errno, "read the link %s", name);
		target[n] = '\0';
		if (symlinkat(target, dir, name) < 0)
			return err_set(e, errno, "copy %s", name);
		fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
		utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW);
		return 0;
	}
	if (!S_ISREG(st->st_mode))
		return err_say(e, "%s: a hard link to what is no file", p->path);
	from = open(file_fd_path(lower, path), O_RDONLY | O_CLOEXEC);
	if (from >= 0)
		to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (from < 0 || to < 0)
		return err_set(e, errno, "copy %s", name);
	if (copy_data(from, to) < 0)
		return err_set(e, errno, "copy %s", name);
	if (fchown(to, st->st_uid, st->st_gid) < 0)
		p->counts->other_owners++;
	copy_xattrs(from, to);
	fchmod(to, st->st_mode & 07777);
	futimens(to, times);
	return 0;
}

int place_hard_link(struct place *p, const char *target, struct err *e)
{
	const char *path, *parent, *name, *at;
	autofd dir = FD_NONE, lower = FD_NONE;
	struct stat st, own;

	if (stream_path(target, &p->arena, &path, e) < 0)
		return err_wrap(e, "%s: a hard link", p->path);
	parent = split(p, path, &name);
	if (!*name || !p->name[0])
		return err_say(e, "%s: a hard link to a folder", p->path);
	dir = walk(p, parent, &at, e);
	if (dir < 0)
		return err_wrap(e, "%s: a hard link", p->path);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		lower = find_below(p, join(&p->arena, at, name), &st);
		if (lower < 0)
			return err_say(
				e, "%s: a hard link to %s, which is not there", p->path, path);
		if (!S_ISDIR(st.st_mode) && copy_up(p, lower, &st, dir, name, e) < 0)
			return -e->code;
	}
	if (S_ISDIR(st.st_mode) || stack_is_whiteout(&st))
		return err_say(e, "%s: a hard link to %s, which is no file", p->path, path);
	if (fstatat(p->dir, p->name, &own, AT_SYMLINK_NOFOLLOW) == 0 && lower < 0 &&
		own.st_ino == st.st_ino)
		return 0;
	if (place_clear(p, false, e) < 0)
		return -e->code;
	if (linkat(dir, name, p->dir, p->name, 0) < 0)
		return err_set(e, errno, "link %s to %s", p->path, path);
	return 0;
}

void place_keep_time(struct place *p, int64_t s, long ns)
{
	struct place_time *t = arena_grow(&p->kept, &p->times, &p->n_times, sizeof(*t));

	t->path = p->name[0] ? join(&p->kept, p->at, p->name) : ".";
	t->s = s;
	t->ns = ns;
}

void place_set_times(struct place *p)
{
	for (size_t i = 0; i < p->n_times; i++) {
		struct timespec times[2];
		autofd fd = root_open_nolinks(p->root, p->times[i].path, O_RDONLY | O_DIRECTORY);

		times[0] = times[1] = (struct timespec){ p->times[i].s, p->times[i].ns };
		if (fd >= 0)
			futimens(fd, times);
	}
}
