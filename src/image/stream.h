/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive as it is read: what comes in (gzip, zstd, or plain) and what that unpacks to are
 * both hashed on the way, and how much it may unpack to is bounded. libarchive does the reading.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"
#include "image/digester.h"

enum stream_filters {
	STREAM_LAYER, /* what a layer may be: gzip, zstd, plain */
	STREAM_ANY,   /* what people hand in: also bzip2 and xz */
	STREAM_PLAIN, /* the same, to be read as plain bytes from raw: no entries */
};

struct stream {
	int fd; /* lent */
	struct digester packed, unpacked;
	struct archive *raw, *tar; /* owned: bytes of fd → plain bytes → entries */
	locale_t locale, before;   /* names are UTF-8, whatever the user's language is */
	uint64_t in_max;
	bool bomb, ended;
	struct err failed; /* of reading fd */
	char block[1 << 16];
};

struct stream *stream_open(int fd, enum stream_filters filters, struct err *e);

/* The next entry, lent; 0, or 1 at the end, or e. */
int stream_next(struct stream *s, struct archive_entry **ret, struct err *e);

/* Data of the entry, lent until the next call, and where it belongs; 0, 1 at its end, or e. */
int stream_data(struct stream *s, const void **ret, size_t *ret_n, int64_t *ret_at, struct err *e);

/* Reads what stands behind the last entry; then both digests are whole. ret_*: may be NULL. */
int stream_finish(
	struct stream *s, struct digest *ret_packed, struct digest *ret_unpacked, struct err *e);

void stream_close(struct stream *s);
static inline void stream_closep(struct stream **s)
{
	stream_close(*s);
}
#define autostream __attribute__((cleanup(stream_closep))) struct stream *

/* "./a//b/." and "/a/b" are "a/b"; what has ".." or is longer than a path may be: a sentence. */
int stream_path(const char *name, struct arena *a, const char **ret, struct err *e);
