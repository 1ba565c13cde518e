/* SPDX-License-Identifier: Apache-2.0 */
#include "image/spool.h"

#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "image/digester.h"
#include "image/stream.h"
#include "os/file.h"

enum { FILES_MAX = 100000, LINKS_MAX = 8 };

static int write_blob(const struct staging *s, struct stream *in, struct digest *ret, struct err *e)
{
	autofd to = openat(s->fd, "blob", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct digester sum;
	const void *data;
	int64_t at;
	size_t n;
	int r;

	if (to < 0)
		return err_set(e, errno, "make a blob");
	digester_init(&sum);
	while ((r = stream_data(in, &data, &n, &at, e)) == 0) {
		if ((uint64_t)at != sum.bytes)
			return err_say(e, "a file of the archive has holes");
		digester_add(&sum, data, n);
		r = file_write_all(to, data, n);
		if (r < 0)
			return err_set(e, -r, "write a blob");
	}
	if (r < 0)
		return r;
	digester_end(&sum, ret);
	return blob_take(s, "blob", to, ret, e);
}

static int take_entry(const struct staging *s, struct stream *in, struct archive_entry *entry,
	struct arena *a, struct spool *ret, struct err *e)
{
	const char *name = archive_entry_pathname(entry), *path;
	const char *link = archive_entry_hardlink(entry);
	struct spool_file *f;
	struct digest digest;

	if (!name || stream_path(name, a, &path, e) < 0)
		return name ? -e->code : err_say(e, "an entry without a name");
	if (!link && archive_entry_filetype(entry) == AE_IFLNK) {
		const char *slash = strrchr(path, '/'), *target = archive_entry_symlink(entry);

		/* docker's older archives: ../OTHER/layer.tar */
		if (!target)
			return 0;
		link = arena_printf(a, "%.*s/%s", (int)(slash ? slash - path : 0), path, target);
	} else if (link && stream_path(link, a, &link, e) < 0) {
		return -e->code;
	}
	if (!link && archive_entry_filetype(entry) != AE_IFREG)
		return 0;
	if (ret->n >= FILES_MAX)
		return err_say(e, "more than %d files: this is no image", FILES_MAX);
	if (!link && write_blob(s, in, &digest, e) < 0)
		return -e->code;
	f = arena_grow(a, &ret->items, &ret->n, sizeof(*f));
	f->path = path;
	f->link = link;
	f->digest = link ? NULL : arena_strdup(a, digest.text);
	return 0;
}

int spool_archive(
	const struct image_data *d, int fd, struct arena *a, struct spool *ret, struct err *e)
{
	autostaging staging = STAGING_NONE;
	autostream in = stream_open(fd, STREAM_ANY, e);
	struct archive_entry *entry;
	int r;

	*ret = (struct spool){ 0 };
	if (!in || staging_make(d, &staging, e) < 0)
		return -e->code;
	while ((r = stream_next(in, &entry, e)) == 0) {
		r = take_entry(&staging, in, entry, a, ret, e);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : stream_finish(in, NULL, NULL, e);
}

/* "a/../b" is "b"; NULL for what leads out. */
static const char *clean(const char *path, struct arena *a)
{
	char *out = arena_alloc(a, strlen(path) + 2);
	size_t len = 0;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			if (!len)
				return NULL;
			while (len && out[len - 1] != '/')
				len--;
			len -= len > 0;
		} else if (n && !(n == 1 && path[0] == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, path, n);
			len += n;
		}
		path += n;
		path += *path == '/';
	}
	out[len] = '\0';
	return out;
}

const char *spool_find(const struct spool *s, const char *path, struct arena *a)
{
	path = clean(path, a);
	for (int links = 0; path && links < LINKS_MAX; links++) {
		const struct spool_file *found = NULL;

		/* the last of a name is what an archive means */
		for (size_t i = s->n; i-- && !found;)
			if (str_eq(s->items[i].path, path))
				found = &s->items[i];
		if (!found)
			return NULL;
		if (found->digest)
			return found->digest;
		path = clean(found->link, a);
	}
	return NULL;
}

int spool_copy(int from, int to, struct digest *ret, struct err *e)
{
	enum { BLOCK = 1 << 18 };
	autofree char *buf = mem_alloc(BLOCK);
	struct digester sum;

	digester_init(&sum);
	for (;;) {
		ssize_t n = read(from, buf, BLOCK);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "read");
		if (n == 0)
			break;
		digester_add(&sum, buf, (size_t)n);
		r = file_write_all(to, buf, (size_t)n);
		if (r < 0)
			return err_set(e, -r, "write");
	}
	digester_end(&sum, ret);
	return 0;
}
