/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "image/stack.h"
#include "image/tree.h"
#include "os/file.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

enum { BLOCK = 1 << 18, XATTR_NAMES = 1 << 16, XATTR_VALUE = 1 << 16 };

/* A file with several names: under its first one it is whole, then it is a link to that. */
struct seen {
	dev_t dev;
	ino_t ino;
	const char *name;
};

struct out {
	const struct tree_out *how;
	struct archive *tar;
	struct archive_entry *entry;
	struct arena arena;
	struct seen *seen; /* open addressing, by inode */
	size_t n_seen, room;
	char *block; /* owned */
};

static int complain(struct out *o, const char *name, struct err *e)
{
	int code = archive_errno(o->tar);

	return code > 0 ? err_set(e, code, "write %s", name)
			: err_say(e, "write %s: %s", name, archive_error_string(o->tar));
}

static size_t slot_of(const struct out *o, const struct stat *st)
{
	size_t at = (st->st_ino * 0x9e3779b97f4a7c15u + st->st_dev) & (o->room - 1);

	while (o->seen[at].name && (o->seen[at].ino != st->st_ino || o->seen[at].dev != st->st_dev))
		at = (at + 1) & (o->room - 1);
	return at;
}

/* The name it had before, or NULL: this one is remembered. */
static const char *seen_before(struct out *o, const struct stat *st, const char *name)
{
	size_t at;

	if (o->n_seen * 2 >= o->room) {
		struct seen *old = o->seen;
		size_t room = o->room;

		o->room = room ? room * 2 : 64;
		o->seen = mem_alloc(o->room * sizeof(*o->seen));
		memset(o->seen, 0, o->room * sizeof(*o->seen));
		for (size_t i = 0; i < room; i++)
			if (old[i].name)
				o->seen[slot_of(o, &(struct stat){ .st_dev = old[i].dev,
							   .st_ino = old[i].ino })] = old[i];
		free(old);
	}
	at = slot_of(o, st);
	if (o->seen[at].name)
		return o->seen[at].name;
	o->seen[at] = (struct seen){ st->st_dev, st->st_ino, arena_strdup(&o->arena, name) };
	o->n_seen++;
	return NULL;
}

static void add_xattrs(struct out *o, int fd)
{
	autofree char *names = mem_alloc(XATTR_NAMES), *value = mem_alloc(XATTR_VALUE);
	char path[FILE_FD_PATH];
	ssize_t n = listxattr(file_fd_path(fd, path), names, XATTR_NAMES);

	for (const char *s = names; n > 0 && s < names + n; s += strlen(s) + 1) {
		ssize_t len;

		if (!str_eq(s, "security.capability") &&
			(!str_starts(s, "user.") || str_starts(s, "user.overlay.")))
			continue;
		len = getxattr(path, s, value, XATTR_VALUE);
		if (len >= 0)
			archive_entry_xattr_add_entry(o->entry, s, value, (size_t)len);
	}
}

static void describe(struct out *o, const char *name, const struct stat *st)
{
	archive_entry_clear(o->entry);
	archive_entry_set_pathname(o->entry, name);
	archive_entry_set_filetype(o->entry, st->st_mode & S_IFMT);
	archive_entry_set_perm(o->entry, st->st_mode & 07777);
	archive_entry_set_uid(o->entry, st->st_uid);
	archive_entry_set_gid(o->entry, st->st_gid);
	archive_entry_set_mtime(o->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_size(o->entry, 0);
}

static int header(struct out *o, const char *name, struct err *e)
{
	/* a warning speaks of a name that is no UTF-8: it is written as it is */
	return archive_write_header(o->tar, o->entry) < ARCHIVE_WARN ? complain(o, name, e) : 0;
}

/* As many bytes as its header says, whatever its writer does meanwhile. */
static int add_data(struct out *o, int fd, const char *name, int64_t size, struct err *e)
{
	while (size > 0) {
		ssize_t n = read(fd, o->block, size < BLOCK ? (size_t)size : BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read %s", name);
		if (n == 0) {
			n = size < BLOCK ? (ssize_t)size : BLOCK;
			memset(o->block, 0, (size_t)n);
		}
		if (archive_write_data(o->tar, o->block, (size_t)n) < 0)
			return complain(o, name, e);
		size -= n;
	}
	return 0;
}

static int add_file(
	struct out *o, int at, const char *name, struct stat *st, bool empty, struct err *e)
{
	const char *first = st->st_nlink > 1 && !empty ? seen_before(o, st, name) : NULL;
	char path[FILE_FD_PATH];
	autofd fd = FD_NONE;

	describe(o, name, st);
	if (first) {
		archive_entry_set_hardlink(o->entry, first);
		return header(o, name, e);
	}
	if (!empty) {
		fd = open(file_fd_path(at, path), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, st) < 0)
			return err_set(e, errno, "open %s", name);
		archive_entry_set_size(o->entry, st->st_size);
		add_xattrs(o, at);
	}
	if (header(o, name, e) < 0)
		return -e->code;
	return empty ? 0 : add_data(o, fd, name, st->st_size, e);
}

static int add_link(struct out *o, int at, const char *name, const struct stat *st, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(at, "", target, sizeof(target) - 1);

	if (n < 0)
		return err_set(e, errno, "read the link %s", name);
	target[n] = '\0';
	describe(o, name, st);
	archive_entry_set_symlink(o->entry, target);
	return header(o, name, e);
}

static int add_whiteout(
	struct out *o, const char *folder, const char *of, const struct stat *like, struct err *e)
{
	struct stat st = { .st_mode = S_IFREG | 0600, .st_mtim = like->st_mtim };
	const char *name = arena_printf(&o->arena, "%s%s.wh.%s", folder, folder[0] ? "/" : "", of);

	describe(o, name, &st);
	return header(o, name, e);
}

static bool is_kernels(int fd)
{
	static const long magics[] = { PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC,
		CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC,
		SECURITYFS_MAGIC, BPF_FS_MAGIC, 0x19800202 /* mqueue */ };
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(magics); i++)
		if (fs.f_type == magics[i])
			return true;
	return false;
}

static bool is_mount(int fd)
{
	struct statx x;

	return statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &x) == 0 &&
	       (x.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static int add_one(
	struct out *o, int at, const char *folder, const char *own, bool is_top, struct err *e);

static int add_contents(struct out *o, int at, const char *name, struct err *e)
{
	char path[FILE_FD_PATH];
	int fd = open(file_fd_path(at, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!stream) {
		err_set(e, errno, "read the folder %s", name);
		fd_close(&fd);
		return -e->code;
	}
	while (r == 0 && (d = readdir(stream))) {
		autofd child = FD_NONE;

		if (str_eq(d->d_name, ".") || str_eq(d->d_name, ".."))
			continue;
		child = openat(fd, d->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0 && errno == ENOENT)
			continue;
		r = child < 0 ? err_set(e, errno, "open %s/%s", name, d->d_name)
			      : add_one(o, child, name, d->d_name, false, e);
	}
	closedir(stream);
	return r;
}

static int add_folder(
	struct out *o, int at, const char *name, const struct stat *st, bool empty, struct err *e)
{
	bool opaque = o->how->layer && stack_is_opaque(at, o->how->userxattr);

	if (name[0]) {
		describe(o, arena_printf(&o->arena, "%s/", name), st);
		add_xattrs(o, at);
		if (header(o, name, e) < 0)
			return -e->code;
	}
	if (opaque && add_whiteout(o, name, ".wh..opq", st, e) < 0)
		return -e->code;
	return empty ? 0 : add_contents(o, at, name, e);
}

static int add_node(struct out *o, const char *name, const struct stat *st, struct err *e)
{
	describe(o, name, st);
	archive_entry_set_rdev(o->entry, st->st_rdev);
	return header(o, name, e);
}

static int add_one(
	struct out *o, int at, const char *folder, const char *own, bool is_top, struct err *e)
{
	const char *name = folder[0] ? arena_printf(&o->arena, "%s/%s", folder, own)
				     : arena_strdup(&o->arena, own);
	bool mount = !is_top && is_mount(at), empty;
	struct stat st;

	if (strlen(name) >= PATH_MAX)
		return err_say(e, "%.60s...: nested too deeply for an archive", name);
	if (fstat(at, &st) < 0)
		return err_set(e, errno, "look at %s", name);
	if (!is_top && o->how->wanted && !o->how->wanted(o->how->data, name))
		return 0;
	empty = mount && (o->how->mounts == TREE_MOUNTS_EMPTY || is_kernels(at));
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return add_file(o, at, name, &st, empty, e);
	case S_IFDIR:
		return add_folder(o, at, name, &st, empty, e);
	case S_IFLNK:
		return add_link(o, at, name, &st, e);
	case S_IFCHR:
		if (o->how->layer && stack_is_whiteout(&st))
			return add_whiteout(o, folder, own, &st, e);
		return add_node(o, name, &st, e);
	case S_IFBLK:
	case S_IFIFO:
		return add_node(o, name, &st, e);
	default:
		return 0; /* a socket lives only with who listens */
	}
}

int tree_pack(const struct tree_out *t, struct err *e)
{
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before;
	struct out o = { .how = t, .block = mem_alloc(BLOCK) };
	int r;

	before = utf8 ? uselocale(utf8) : (locale_t)0;
	o.tar = archive_write_new();
	o.entry = archive_entry_new();
	archive_write_set_format_pax_restricted(o.tar);
	archive_write_set_bytes_in_last_block(o.tar, 1);
	r = archive_write_open_fd(o.tar, t->to) == ARCHIVE_OK ? 0 : complain(&o, "the archive", e);
	if (r == 0)
		r = add_one(&o, t->file, "", t->name, true, e);
	if (r < 0)
		archive_write_fail(o.tar);
	else if (archive_write_close(o.tar) != ARCHIVE_OK)
		r = complain(&o, "the archive", e);
	archive_entry_free(o.entry);
	archive_write_free(o.tar);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	arena_done(&o.arena);
	free(o.seen);
	free(o.block);
	return r;
}
