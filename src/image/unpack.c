/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpack.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/str.h"
#include "image/place.h"
#include "image/stream.h"
#include "os/remove_tree.h"

enum { HOLE_BYTES = 4096 };

static const char *entry_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);

	return name ? name : archive_entry_pathname_utf8(entry);
}

static const char *link_text(const char *plain, const char *utf8)
{
	return plain ? plain : utf8;
}

/* Owner, attributes, mode, times: in this order, as each undoes a part of those behind it. */
static void wanted_xattrs(struct place *p, int fd, struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t n;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &n) == ARCHIVE_OK) {
		/* overlay's own marks in an archive would change what others see */
		if (!str_eq(name, "security.capability") &&
			(!str_starts(name, "user.") || str_starts(name, "user.overlay.")))
			continue;
		if (fsetxattr(fd, name, value, n, 0) < 0)
			p->counts->lost_xattrs++;
	}
}

static void owner_of(struct archive_entry *entry, uid_t *uid, gid_t *gid)
{
	int64_t u = archive_entry_uid(entry), g = archive_entry_gid(entry);

	*uid = u < 0 || u >= UINT32_MAX ? 0 : (uid_t)u;
	*gid = g < 0 || g >= UINT32_MAX ? 0 : (gid_t)g;
}

static void times_of(struct archive_entry *entry, struct timespec ret[2])
{
	ret[0] = ret[1] =
		(struct timespec){ archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) };
}

static int finish_fd(struct place *p, int fd, struct archive_entry *entry, struct err *e)
{
	struct timespec times[2];
	uid_t uid;
	gid_t gid;

	owner_of(entry, &uid, &gid);
	times_of(entry, times);
	if (fchown(fd, uid, gid) < 0) {
		if (errno != EPERM && errno != EINVAL)
			return err_set(e, errno, "set the owner of %s", p->path);
		p->counts->other_owners++;
	}
	wanted_xattrs(p, fd, entry);
	if (fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
		return err_set(e, errno, "set the mode of %s", p->path);
	if (archive_entry_mtime_is_set(entry))
		futimens(fd, times);
	return 0;
}

/* Zeros become a hole, as they were before they were packed. */
static bool is_hole(const char *data, size_t n)
{
	return n >= HOLE_BYTES && !data[0] && memcmp(data, data + 1, n - 1) == 0;
}

static int write_file(struct place *p, int fd, struct stream *s, struct err *e)
{
	const void *data;
	int64_t at;
	size_t n;
	int r;

	while ((r = stream_data(s, &data, &n, &at, e)) == 0) {
		while (n && !is_hole(data, n)) {
			ssize_t w = pwrite(fd, data, n, at);

			if (w < 0 && errno == EINTR)
				continue;
			if (w < 0)
				return err_set(e, errno, "write %s", p->path);
			data = (const char *)data + w;
			n -= (size_t)w;
			at += w;
		}
	}
	return r < 0 ? r : 0;
}

static int make_file(struct place *p, struct stream *s, struct archive_entry *entry, struct err *e)
{
	autofd fd = FD_NONE;
	int64_t size = archive_entry_size(entry);

	if (place_clear(p, false, e) < 0)
		return -e->code;
	fd = openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(e, errno, "make %s", p->path);
	if (write_file(p, fd, s, e) < 0)
		return -e->code;
	/* a hole at the end */
	if (size > 0 && ftruncate(fd, size) < 0)
		return err_set(e, errno, "write %s", p->path);
	p->counts->bytes += size > 0 ? (uint64_t)size : 0;
	return finish_fd(p, fd, entry, e);
}

static int make_dir(struct place *p, struct archive_entry *entry, struct err *e)
{
	autofd fd = FD_NONE;

	if (p->name[0]) {
		if (place_folder(p, e) < 0)
			return -e->code;
		fd = openat(p->dir, p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	} else {
		fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, errno, "open %s", p->path);
	place_keep_time(p, archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
	return finish_fd(p, fd, entry, e);
}

static int make_link(struct place *p, struct archive_entry *entry, struct err *e)
{
	const char *target =
		link_text(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
	struct timespec times[2];
	uid_t uid;
	gid_t gid;

	if (!target || !*target || strlen(target) >= PATH_MAX)
		return err_say(e, "%s: a link to nowhere", p->path);
	if (place_clear(p, false, e) < 0)
		return -e->code;
	if (symlinkat(target, p->dir, p->name) < 0)
		return err_set(e, errno, "make the link %s", p->path);
	owner_of(entry, &uid, &gid);
	times_of(entry, times);
	if (fchownat(p->dir, p->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		p->counts->other_owners++;
	if (archive_entry_mtime_is_set(entry))
		utimensat(p->dir, p->name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

static int make_node(struct place *p, struct archive_entry *entry, struct err *e)
{
	mode_t mode = archive_entry_mode(entry);
	dev_t dev = S_ISFIFO(mode) ? 0
				   : makedev(archive_entry_rdevmajor(entry),
					     archive_entry_rdevminor(entry));
	struct timespec times[2];
	uid_t uid;
	gid_t gid;

	/* a device 0:0 would be a whiteout */
	if (S_ISCHR(mode) && !dev) {
		p->counts->skipped_devices++;
		return 0;
	}
	if (place_clear(p, false, e) < 0)
		return -e->code;
	if (mknodat(p->dir, p->name, mode, dev) < 0) {
		if (errno != EPERM)
			return err_set(e, errno, "make %s", p->path);
		p->counts->skipped_devices++;
		return 0;
	}
	owner_of(entry, &uid, &gid);
	times_of(entry, times);
	if (fchownat(p->dir, p->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		p->counts->other_owners++;
	if (fchmodat(p->dir, p->name, mode & 07777, 0) < 0)
		return err_set(e, errno, "set the mode of %s", p->path);
	if (archive_entry_mtime_is_set(entry))
		utimensat(p->dir, p->name, times, AT_SYMLINK_NOFOLLOW);
	return 0;
}

/* .wh..wh..opq, .wh.NAME; aufs's other marks mean nothing. */
static int whiteout(struct place *p, struct err *e)
{
	if (str_eq(p->name, ".wh..wh..opq"))
		return place_opaque(p, e);
	if (str_starts(p->name, ".wh..wh."))
		return 0;
	p->name += strlen(".wh.");
	if (!p->name[0] || str_eq(p->name, ".") || str_eq(p->name, ".."))
		return err_say(e, "%s: a whiteout of nothing", p->path);
	return place_whiteout(p, e);
}

static int one_entry(struct place *p, struct stream *s, struct archive_entry *entry, struct err *e)
{
	const char *name = entry_name(entry);
	const char *hard =
		link_text(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));

	if (!name)
		return err_say(e, "an entry without a name");
	if (place_go(p, name, e) < 0)
		return -e->code;
	if (str_starts(p->name, ".wh."))
		return whiteout(p, e);
	if (!p->name[0] && archive_entry_filetype(entry) != AE_IFDIR)
		return err_say(e, "the root of the layer is no folder");
	if (hard)
		return place_hard_link(p, hard, e);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return make_file(p, s, entry, e);
	case AE_IFDIR:
		return make_dir(p, entry, e);
	case AE_IFLNK:
		return make_link(p, entry, e);
	case AE_IFIFO:
	case AE_IFCHR:
	case AE_IFBLK:
		return make_node(p, entry, e);
	default:
		return 0; /* a socket lives only with who listens */
	}
}

static int check(const struct unpack *u, const struct digest *packed, const struct digest *plain,
	struct err *e)
{
	if (u->blob && !str_eq(packed->text, u->blob))
		return err_say(e, "its digest is %s", packed->text);
	if (u->diff_id && !str_eq(plain->text, u->diff_id))
		return err_say(e, "what it unpacks to has the digest %s, and the image wants %s",
			plain->text, u->diff_id);
	return 0;
}

int unpack_layer(struct unpack *u, struct err *e)
{
	autostream s = stream_open(u->archive, u->any_filter ? STREAM_ANY : STREAM_LAYER, e);
	autoplace p = PLACE_NONE;
	struct archive_entry *entry;
	struct digest packed, plain;
	mode_t mask;
	int r;

	if (!s)
		return -e->code;
	mask = umask(0);
	u->ret = (struct unpacked){ 0 };
	place_init(&p, u->layer, u->below, &u->ret);
	while ((r = stream_next(s, &entry, e)) == 0) {
		u->ret.entries++;
		r = one_entry(&p, s, entry, e);
		if (r < 0)
			break;
	}
	umask(mask);
	if (r < 0)
		return r;
	place_set_times(&p);
	if (stream_finish(s, &packed, &plain, e) < 0 || check(u, &packed, &plain, e) < 0)
		return -e->code;
	strcpy(u->ret.diff_id, plain.text);
	return 0;
}
