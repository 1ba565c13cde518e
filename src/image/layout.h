/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images in files: OCI layouts (image-spec image-layout.md) as folders and archives, and what
 * `docker save` writes. Their blobs come into the store; nothing is unpacked yet.
 */
#pragma once

#include "image/index.h"
#include "image/ref.h"

struct found_image {
	const char *manifest; /* of one image, in the store with all it needs */
	const char **names;   /* as the file has them, canonical */
	size_t n_names;
};

struct layout_how {
	enum ref_kind kind; /* REF_NAME: an archive of either kind */
	const char *path;   /* NULL: fd */
	int fd;		    /* lent */
	const char *member; /* tag or name of the wanted one; NULL: all of them */
	const char *platform;
};

/* The caller holds "busy" (shared). At least one is found, or e says what is wrong. */
int layout_read(const struct image_data *d, const struct layout_how *how, struct arena *a,
	struct found_image **ret, size_t *ret_n, struct err *e);
