/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive under its own names, loaded when the first of them is called. It brings seventeen
 * libraries with it (ICU, libxml2, the C++ runtime): linked to clade, they would be more than half
 * of the start of every command, and few commands read an archive (docs/decisions/images.md).
 *
 * Whoever uses a further function adds its line below; the linker says if it is forgotten.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#define SONAME "libarchive.so.13"

/* Without it no archive can be read: a package is missing, which a user can do something about. */
static void *find(const char *name)
{
	void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	void *function = library ? dlsym(library, name) : NULL;

	if (function)
		return function;
	dprintf(STDERR_FILENO, "clade: load " SONAME ": %s\n", dlerror());
	_exit(125);
}

#define LAZY(type, name, parameters, arguments)                                                    \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*real) parameters;                                                     \
		if (!real)                                                                         \
			*(void **)&real = find(#name);                                             \
		return real arguments;                                                             \
	}
#define VOID(name, parameters, arguments)                                                          \
	void name parameters                                                                       \
	{                                                                                          \
		static void(*real) parameters;                                                     \
		if (!real)                                                                         \
			*(void **)&real = find(#name);                                             \
		real arguments;                                                                    \
	}
#define OF_ENTRY(type, name)   LAZY(type, name, (struct archive_entry * e), (e))
#define OF_ARCHIVE(type, name) LAZY(type, name, (struct archive * a), (a))

LAZY(struct archive *, archive_read_new, (void), ())
OF_ARCHIVE(int, archive_read_free)
OF_ARCHIVE(const char *, archive_error_string)
OF_ARCHIVE(int, archive_read_support_filter_bzip2)
OF_ARCHIVE(int, archive_read_support_filter_gzip)
OF_ARCHIVE(int, archive_read_support_filter_xz)
OF_ARCHIVE(int, archive_read_support_filter_zstd)
OF_ARCHIVE(int, archive_read_support_format_empty)
OF_ARCHIVE(int, archive_read_support_format_raw)
OF_ARCHIVE(int, archive_read_support_format_tar)
LAZY(int, archive_read_open,
	(struct archive * a, void *data, archive_open_callback *o, archive_read_callback *r,
		archive_close_callback *c),
	(a, data, o, r, c))
LAZY(int, archive_read_next_header, (struct archive * a, struct archive_entry **e), (a, e))
LAZY(int, archive_read_data_block,
	(struct archive * a, const void **data, size_t *n, la_int64_t *at), (a, data, n, at))
OF_ENTRY(mode_t, archive_entry_filetype)
OF_ENTRY(mode_t, archive_entry_mode)
OF_ENTRY(mode_t, archive_entry_perm)
OF_ENTRY(la_int64_t, archive_entry_uid)
OF_ENTRY(la_int64_t, archive_entry_gid)
OF_ENTRY(la_int64_t, archive_entry_size)
OF_ENTRY(time_t, archive_entry_mtime)
OF_ENTRY(long, archive_entry_mtime_nsec)
OF_ENTRY(int, archive_entry_mtime_is_set)
OF_ENTRY(dev_t, archive_entry_rdevmajor)
OF_ENTRY(dev_t, archive_entry_rdevminor)
OF_ENTRY(const char *, archive_entry_pathname)
OF_ENTRY(const char *, archive_entry_pathname_utf8)
OF_ENTRY(const char *, archive_entry_hardlink)
OF_ENTRY(const char *, archive_entry_hardlink_utf8)
OF_ENTRY(const char *, archive_entry_symlink)
OF_ENTRY(const char *, archive_entry_symlink_utf8)
OF_ENTRY(int, archive_entry_xattr_reset)
LAZY(int, archive_entry_xattr_next,
	(struct archive_entry * e, const char **name, const void **value, size_t *n),
	(e, name, value, n))

/* writing */
LAZY(struct archive *, archive_write_new, (void), ())
LAZY(struct archive_entry *, archive_entry_new, (void), ())
LAZY(struct archive_entry *, archive_entry_clear, (struct archive_entry * e), (e))
OF_ARCHIVE(int, archive_write_set_format_pax_restricted)
OF_ARCHIVE(int, archive_write_fail)
OF_ARCHIVE(int, archive_write_close)
OF_ARCHIVE(int, archive_write_free)
OF_ARCHIVE(int, archive_errno)
LAZY(int, archive_write_set_bytes_in_last_block, (struct archive * a, int n), (a, n))
LAZY(int, archive_write_open_fd, (struct archive * a, int fd), (a, fd))
LAZY(int, archive_write_header, (struct archive * a, struct archive_entry *e), (a, e))
LAZY(la_ssize_t, archive_write_data, (struct archive * a, const void *data, size_t n), (a, data, n))
LAZY(int, archive_filter_code, (struct archive * a, int n), (a, n))
OF_ARCHIVE(int, archive_write_set_format_pax)
VOID(archive_entry_set_symlink, (struct archive_entry * e, const char *text), (e, text))
VOID(archive_entry_set_hardlink, (struct archive_entry * e, const char *text), (e, text))
VOID(archive_entry_set_uid, (struct archive_entry * e, la_int64_t id), (e, id))
VOID(archive_entry_set_gid, (struct archive_entry * e, la_int64_t id), (e, id))
VOID(archive_entry_set_rdev, (struct archive_entry * e, dev_t dev), (e, dev))
VOID(archive_entry_xattr_add_entry,
	(struct archive_entry * e, const char *name, const void *value, size_t n),
	(e, name, value, n))
VOID(archive_entry_free, (struct archive_entry * e), (e))
VOID(archive_entry_set_pathname, (struct archive_entry * e, const char *name), (e, name))
VOID(archive_entry_set_filetype, (struct archive_entry * e, unsigned type), (e, type))
VOID(archive_entry_set_perm, (struct archive_entry * e, mode_t mode), (e, mode))
VOID(archive_entry_set_size, (struct archive_entry * e, la_int64_t n), (e, n))
VOID(archive_entry_set_mtime, (struct archive_entry * e, time_t s, long ns), (e, s, ns))
