/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stream.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

/* What may come out of what comes in: files of nothing but zeros are rare, and small. */
#define BOMB_FREE_BYTES (UINT64_C(1) << 30)
#define BOMB_RATIO	UINT64_C(100)

static la_ssize_t read_packed(struct archive *archive, void *data, const void **ret)
{
	struct stream *s = data;
	ssize_t n;

	(void)archive;
	do
		n = read(s->fd, s->block, sizeof(s->block));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		err_set(&s->failed, errno, "read it");
		return -1;
	}
	digester_add(&s->packed, s->block, (size_t)n);
	*ret = s->block;
	return n;
}

static la_ssize_t read_plain(struct archive *archive, void *data, const void **ret)
{
	struct stream *s = data;
	la_int64_t at;
	size_t n = 0;
	int r = s->ended ? ARCHIVE_EOF : archive_read_data_block(s->raw, ret, &n, &at);

	(void)archive;
	if (r == ARCHIVE_EOF) {
		s->ended = true;
		return 0;
	}
	if (r < ARCHIVE_WARN) {
		if (!s->failed.code)
			err_say(&s->failed, "%s", archive_error_string(s->raw));
		return -1;
	}
	digester_add(&s->unpacked, *ret, n);
	s->bomb = s->unpacked.bytes > BOMB_FREE_BYTES + BOMB_RATIO * s->packed.bytes;
	return s->bomb ? -1 : (la_ssize_t)n;
}

static int complain(struct stream *s, struct archive *a, struct err *e)
{
	autotext shown = { 0 };
	const char *why = archive_error_string(a);

	if (s->bomb)
		return err_say(e,
			"it unpacks to more than %llu times its size: a decompression bomb",
			(unsigned long long)BOMB_RATIO);
	if (s->failed.code) {
		*e = s->failed;
		return -e->code;
	}
	if (why)
		text_add_escaped(&shown, why, strnlen(why, 200));
	return err_say(e, "%s", shown.p ? shown.p : "it is no archive");
}

struct stream *stream_open(int fd, enum stream_filters filters, struct err *e)
{
	struct stream *s = mem_alloc(sizeof(*s));
	struct archive_entry *whole;

	s->fd = fd;
	s->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (s->locale)
		s->before = uselocale(s->locale);
	digester_init(&s->packed);
	digester_init(&s->unpacked);
	s->raw = archive_read_new();
	s->tar = archive_read_new();
	archive_read_support_filter_gzip(s->raw);
	archive_read_support_filter_zstd(s->raw);
	if (filters != STREAM_LAYER) {
		archive_read_support_filter_bzip2(s->raw);
		archive_read_support_filter_xz(s->raw);
	}
	archive_read_support_format_raw(s->raw);
	archive_read_support_format_tar(s->tar);
	archive_read_support_format_empty(s->tar);
	if (archive_read_open(s->raw, s, NULL, read_packed, NULL) != ARCHIVE_OK ||
		archive_read_next_header(s->raw, &whole) != ARCHIVE_OK) {
		complain(s, s->raw, e);
	} else if (filters == STREAM_PLAIN) {
		return s;
	} else if (archive_read_open(s->tar, s, NULL, read_plain, NULL) != ARCHIVE_OK) {
		complain(s, s->tar, e);
	} else {
		return s;
	}
	stream_close(s);
	return NULL;
}

int stream_next(struct stream *s, struct archive_entry **ret, struct err *e)
{
	int r = archive_read_next_header(s->tar, ret);

	if (r == ARCHIVE_EOF)
		return 1;
	/* a warning speaks of names that are no UTF-8, which are taken as they are */
	return r < ARCHIVE_WARN ? complain(s, s->tar, e) : 0;
}

int stream_data(struct stream *s, const void **ret, size_t *ret_n, int64_t *ret_at, struct err *e)
{
	la_int64_t at;
	int r = archive_read_data_block(s->tar, ret, ret_n, &at);

	if (r == ARCHIVE_EOF)
		return 1;
	if (r < ARCHIVE_WARN)
		return complain(s, s->tar, e);
	*ret_at = at;
	return 0;
}

int stream_finish(
	struct stream *s, struct digest *ret_packed, struct digest *ret_unpacked, struct err *e)
{
	const void *data;
	la_ssize_t n;

	/* behind the last entry: padding, which the digest counts */
	do
		n = read_plain(s->tar, s, &data);
	while (n > 0);
	if (n < 0)
		return complain(s, s->raw, e);
	do
		n = read_packed(s->raw, s, &data);
	while (n > 0);
	if (n < 0)
		return complain(s, s->raw, e);
	if (ret_packed)
		digester_end(&s->packed, ret_packed);
	if (ret_unpacked)
		digester_end(&s->unpacked, ret_unpacked);
	return 0;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	archive_read_free(s->tar);
	archive_read_free(s->raw);
	if (s->locale) {
		uselocale(s->before);
		freelocale(s->locale);
	}
	free(s);
}

int stream_path(const char *name, struct arena *a, const char **ret, struct err *e)
{
	char *out = arena_alloc(a, strlen(name) + 1);
	autotext shown = { 0 };
	size_t len = 0;

	text_add_escaped(&shown, name, strnlen(name, 100));
	for (const char *s = name; *s;) {
		size_t n = strcspn(s, "/");

		if (n == 2 && s[0] == '.' && s[1] == '.')
			return err_say(e, "entry %s leads out of the layer", shown.p);
		if (n > NAME_MAX)
			return err_set(e, ENAMETOOLONG, "entry %s...", shown.p);
		if (n && !(n == 1 && s[0] == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, s, n);
			len += n;
		}
		s += n;
		s += *s == '/';
	}
	if (len >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "entry %s...", shown.p);
	out[len] = '\0';
	*ret = out;
	return 0;
}
