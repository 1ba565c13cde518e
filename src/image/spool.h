/* SPDX-License-Identifier: Apache-2.0 */
/* An archive that can be read only once: each of its files becomes a blob, found by its path. */
#pragma once

#include "image/data.h"

struct spool_file {
	const char *path;   /* "blobs/sha256/..." */
	const char *digest; /* of a file; NULL: a link */
	const char *link;   /* to which path */
};

struct spool {
	struct spool_file *items; /* in the arena */
	size_t n;
};

int spool_archive(
	const struct image_data *d, int fd, struct arena *a, struct spool *ret, struct err *e);

/* The digest of the file at a path, links followed; NULL: there is none. */
const char *spool_find(const struct spool *s, const char *path, struct arena *a);

/* Copies all of a file and hashes it. */
int spool_copy(int from, int to, struct digest *ret, struct err *e);
