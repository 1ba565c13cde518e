/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "image/stream.h"
#include "image/tree.h"
#include "os/file.h"
#include "os/root.h"

enum { HOLE_BYTES = 4096 };

struct kept_time {
	const char *path;
	struct timespec at;
};

struct in {
	const struct tree_in *how;
	struct stream *s;
	struct archive_entry *entry;
	struct arena arena, kept;
	const char *first, *target; /* the first entry's name, and what it is called here */
	int base;		    /* owned */
	int dir;		    /* owned: the folder of the entry */
	const char *path, *name;
	struct kept_time *times;
	size_t n_times;
};

/* A path of the archive as it is here: what lies in the first entry is below its new name. */
static int here(struct in *t, const char *name, const char **ret, struct err *e)
{
	const char *path;
	size_t n;

	if (stream_path(name, &t->arena, &path, e) < 0)
		return -e->code;
	*ret = path;
	if (!t->first)
		return 0;
	n = strlen(t->first);
	if (n && (strncmp(path, t->first, n) != 0 || (path[n] && path[n] != '/')))
		return err_say(e, "entry %s lies outside of what is copied", path);
	path += n;
	path += *path == '/' && (n || !t->target[0]);
	while (*path == '/')
		path++;
	*ret = !t->target[0] ? path
	       : path[0]     ? arena_printf(&t->arena, "%s/%s", t->target, path)
			     : t->target;
	return strlen(*ret) >= PATH_MAX ? err_set(e, ENAMETOOLONG, "%.60s...", *ret) : 0;
}

/* The folder of a path; what is missing of it is made. */
static int open_folder(struct in *t, const char *folder)
{
	const char *whole;

	if (t->how->follow) {
		whole = arena_printf(&t->arena, "%s/%s", t->how->base, folder);
		return root_mkdirs(t->how->root, whole, 0755);
	}
	if (!folder[0])
		return fcntl(t->base, F_DUPFD_CLOEXEC, 3);
	for (size_t i = 0; folder[i]; i++) {
		if (folder[i] == '/' || !folder[i + 1]) {
			char *part = arena_strndup(&t->arena, folder, folder[i] == '/' ? i : i + 1);
			const char *slash = strrchr(part, '/');
			autofd up = FD_NONE,
			       is = root_open_nolinks(t->base, part, O_PATH | O_DIRECTORY);

			if (is >= 0)
				continue;
			if (is != -ENOENT)
				return is;
			up = slash ? root_open_nolinks(t->base,
					     arena_strndup(&t->arena, part, (size_t)(slash - part)),
					     O_PATH | O_DIRECTORY)
				   : fcntl(t->base, F_DUPFD_CLOEXEC, 3);
			if (up < 0)
				return up;
			if (mkdirat(up, slash ? slash + 1 : part, 0755) < 0 && errno != EEXIST)
				return -errno;
		}
	}
	return root_open_nolinks(t->base, folder, O_PATH | O_DIRECTORY);
}

static int go(struct in *t, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	int fd =
		open_folder(t, slash ? arena_strndup(&t->arena, path, (size_t)(slash - path)) : "");

	if (fd < 0)
		return err_set(e, -fd, "open the folder of %s", path);
	fd_close(&t->dir);
	t->dir = fd;
	t->path = path;
	t->name = slash ? slash + 1 : path;
	return 0;
}

/* Makes room: a folder does not give way to a file, nor a file to a folder. */
static int clear(struct in *t, struct err *e)
{
	struct stat st;

	if (fstatat(t->dir, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "look at %s", t->path);
	if (S_ISDIR(st.st_mode))
		return err_say(e, "%s: cannot overwrite a directory with a file", t->path);
	if (unlinkat(t->dir, t->name, 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "replace %s", t->path);
	return 0;
}

static struct timespec time_of(const struct in *t)
{
	return (struct timespec){ archive_entry_mtime(t->entry),
		archive_entry_mtime_nsec(t->entry) };
}

static mode_t mode_of(const struct in *t)
{
	return archive_entry_perm(t->entry) & (t->how->keep_set_id ? 07777 : 01777);
}

static void own(struct in *t, int at, const char *name, int flags)
{
	int64_t uid = archive_entry_uid(t->entry), gid = archive_entry_gid(t->entry);

	/* an id that this namespace has not got: the file is ours, as everything of others is */
	if (t->how->keep_owner && uid >= 0 && uid < UINT32_MAX && gid >= 0 && gid < UINT32_MAX &&
		fchownat(at, name, (uid_t)uid, (gid_t)gid, flags) < 0)
		return;
}

/* Owner, attributes, mode, time: in this order, as each undoes a part of those behind it. */
static int finish(struct in *t, int fd, struct err *e)
{
	struct timespec times[2] = { time_of(t), time_of(t) };
	const char *name;
	const void *value;
	size_t n;

	own(t, fd, "", AT_EMPTY_PATH);
	archive_entry_xattr_reset(t->entry);
	while (archive_entry_xattr_next(t->entry, &name, &value, &n) == ARCHIVE_OK) {
		bool wanted = str_starts(name, "user.")
				      ? !str_starts(name, "user.overlay.")
				      : t->how->keep_set_id && str_eq(name, "security.capability");

		/* where a filesystem has none, they are lost as with cp(1) */
		if (wanted && fsetxattr(fd, name, value, n, 0) < 0)
			continue;
	}
	if (fchmod(fd, mode_of(t)) < 0)
		return err_set(e, errno, "set the mode of %s", t->path);
	if (archive_entry_mtime_is_set(t->entry))
		futimens(fd, times);
	return 0;
}

static bool is_hole(const char *data, size_t n)
{
	return n >= HOLE_BYTES && !data[0] && memcmp(data, data + 1, n - 1) == 0;
}

static int add_file(struct in *t, struct err *e)
{
	int64_t size = archive_entry_size(t->entry), at;
	autofd fd = FD_NONE;
	const void *data;
	size_t n;
	int r;

	if (clear(t, e) < 0)
		return -e->code;
	fd = openat(t->dir, t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, errno, "make %s", t->path);
	while ((r = stream_data(t->s, &data, &n, &at, e)) == 0) {
		while (n && !is_hole(data, n)) {
			ssize_t w = pwrite(fd, data, n, at);

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0)
				return err_set(e, errno, "write %s", t->path);
			data = (const char *)data + w;
			n -= (size_t)w;
			at += w;
		}
	}
	if (r < 0)
		return r;
	if (size > 0 && ftruncate(fd, size) < 0)
		return err_set(e, errno, "write %s", t->path);
	return finish(t, fd, e);
}

static int add_folder(struct in *t, struct err *e)
{
	autofd fd = FD_NONE;

	/* the folder that was there keeps what it is */
	if (!t->name[0])
		return 0;
	if (mkdirat(t->dir, t->name, 0700) < 0 && errno != EEXIST)
		return err_set(e, errno, "make the folder %s", t->path);
	fd = openat(t->dir, t->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* where links are followed, one to a folder is a folder */
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP) && t->how->follow) {
		fd = root_open(t->how->root,
			arena_printf(&t->arena, "%s/%s", t->how->base, t->path),
			O_RDONLY | O_DIRECTORY);
		return fd < 0 ? err_set(e, -fd, "open the folder %s", t->path) : 0;
	}
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_say(e, "%s: cannot overwrite a file with a directory", t->path);
	if (fd < 0)
		return err_set(e, errno, "open the folder %s", t->path);
	*(struct kept_time *)arena_grow(&t->kept, &t->times, &t->n_times, sizeof(*t->times)) =
		(struct kept_time){ arena_strdup(&t->kept, t->path), time_of(t) };
	return finish(t, fd, e);
}

static int add_link(struct in *t, struct err *e)
{
	const char *target = archive_entry_symlink(t->entry);
	struct timespec times[2] = { time_of(t), time_of(t) };

	target = target ? target : archive_entry_symlink_utf8(t->entry);
	if (!target || !*target)
		return err_say(e, "%s: a link to nowhere", t->path);
	if (clear(t, e) < 0)
		return -e->code;
	if (symlinkat(target, t->dir, t->name) < 0)
		return err_set(e, errno, "make the link %s", t->path);
	own(t, t->dir, t->name, AT_SYMLINK_NOFOLLOW);
	utimensat(t->dir, t->name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int add_node(struct in *t, struct err *e)
{
	mode_t mode = archive_entry_mode(t->entry);
	dev_t dev = S_ISFIFO(mode) ? 0
				   : makedev(archive_entry_rdevmajor(t->entry),
					     archive_entry_rdevminor(t->entry));

	if (clear(t, e) < 0)
		return -e->code;
	if (mknodat(t->dir, t->name, (mode & S_IFMT) | mode_of(t), dev) < 0) {
		/* who may not make devices does without */
		if (errno == EPERM && !S_ISFIFO(mode))
			return 0;
		return err_set(e, errno, "make %s", t->path);
	}
	own(t, t->dir, t->name, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int add_hard_link(struct in *t, const char *to, struct err *e)
{
	autofd dir = FD_NONE;
	const char *path, *slash;

	if (here(t, to, &path, e) < 0)
		return -e->code;
	slash = strrchr(path, '/');
	dir = open_folder(t, slash ? arena_strndup(&t->arena, path, (size_t)(slash - path)) : "");
	if (dir < 0)
		return err_set(e, -dir, "open the folder of %s", path);
	if (str_eq(path, t->path))
		return 0;
	if (clear(t, e) < 0)
		return -e->code;
	if (linkat(dir, slash ? slash + 1 : path, t->dir, t->name, 0) < 0)
		return err_set(e, errno, "link %s to %s", t->path, path);
	return 0;
}

static int begin(struct in *t, const char *name, struct err *e)
{
	const char *path;

	if (stream_path(name, &t->kept, &path, e) < 0 ||
		t->how->place(t->how->data, archive_entry_filetype(t->entry) == AE_IFDIR, path,
			&t->kept, &t->target, e) < 0)
		return -e->code;
	t->first = path;
	return 0;
}

static int one(struct in *t, struct err *e)
{
	const char *name = archive_entry_pathname(t->entry), *hard, *path;

	name = name ? name : archive_entry_pathname_utf8(t->entry);
	if (!name)
		return err_say(e, "an entry without a name");
	if (t->how->place && !t->first && begin(t, name, e) < 0)
		return -e->code;
	if (here(t, name, &path, e) < 0 || go(t, path, e) < 0)
		return -e->code;
	hard = archive_entry_hardlink(t->entry);
	hard = hard ? hard : archive_entry_hardlink_utf8(t->entry);
	if (!t->name[0] && archive_entry_filetype(t->entry) != AE_IFDIR)
		return err_say(e, "%s is no name for a file", name);
	if (hard)
		return add_hard_link(t, hard, e);
	switch (archive_entry_filetype(t->entry)) {
	case AE_IFREG:
		return add_file(t, e);
	case AE_IFDIR:
		return add_folder(t, e);
	case AE_IFLNK:
		return add_link(t, e);
	case AE_IFIFO:
	case AE_IFCHR:
	case AE_IFBLK:
		return add_node(t, e);
	default:
		return 0;
	}
}

static void set_times(struct in *t)
{
	for (size_t i = t->n_times; i-- > 0;) {
		struct timespec times[2] = { t->times[i].at, t->times[i].at };
		const char *slash = strrchr(t->times[i].path, '/');
		autofd dir = open_folder(t, slash ? arena_strndup(&t->arena, t->times[i].path,
							    (size_t)(slash - t->times[i].path))
						  : "");

		if (dir >= 0)
			utimensat(dir, slash ? slash + 1 : t->times[i].path, times,
				AT_SYMLINK_NOFOLLOW);
	}
}

static int unpack(struct in *t, struct err *e)
{
	int r;

	t->base = root_open(t->how->root, t->how->base, O_PATH | O_DIRECTORY);
	if (t->base < 0)
		return err_set(e, -t->base, "open %s", t->how->base);
	while ((r = stream_next(t->s, &t->entry, e)) == 0) {
		r = one(t, e);
		if (r < 0)
			break;
		arena_done(&t->arena);
	}
	if (r < 0)
		return r;
	set_times(t);
	if (stream_finish(t->s, NULL, NULL, e) < 0)
		return -e->code;
	if (t->how->ret_bytes)
		*t->how->ret_bytes = t->s->packed.bytes;
	return 0;
}

int tree_unpack(const struct tree_in *how, struct err *e)
{
	autostream s = stream_open(how->from, STREAM_ANY, e);
	struct in t = { .how = how, .s = s, .base = FD_NONE, .dir = FD_NONE };
	mode_t mask;
	int r;

	if (!s)
		return -e->code;
	mask = umask(0);
	r = unpack(&t, e);
	umask(mask);
	fd_close(&t.base);
	fd_close(&t.dir);
	arena_done(&t.arena);
	arena_done(&t.kept);
	return r;
}
