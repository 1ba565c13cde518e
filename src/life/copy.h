/* SPDX-License-Identifier: Apache-2.0 */
/* Files between containers and the host, and what containers changed: cp, diff, export, commit. */
#pragma once

#include "image/changes.h"
#include "life/images.h"

struct life_copy {
	const char *from, *to; /* CONTAINER:PATH, PATH, or "-": a tar stream on our stdio */
	bool archive;	       /* owners as they are */
	bool follow_link;      /* a source that is a link: what it leads to */
};
/* ret_bytes: of the archive in between; 0 for a stream. */
int life_copy(const struct life *l, const struct life_copy *c, uint64_t *ret_bytes, struct err *e);

int life_diff(const struct life *l, const char *ref, struct arena *a, struct change **ret,
	size_t *ret_n, struct err *e);

/* path NULL: standard output, which is no terminal. */
int life_export(const struct life *l, const char *ref, const char *path, struct err *e);

struct life_commit {
	const char *name;	      /* of the image; NULL: none */
	const char *author, *message; /* NULL: none */
	bool pause;
	struct opt_list changes;
};
int life_commit(const struct life *l, const char *ref, const struct life_commit *c, struct arena *a,
	struct image *ret, struct err *e);
