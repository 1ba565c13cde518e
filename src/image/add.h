/* SPDX-License-Identifier: Apache-2.0 */
/* From blobs in the store to an image of it: layers unpacked, digests verified, a name given. */
#pragma once

#include "image/index.h"

struct image_add {
	const char *manifest; /* digest of an image's manifest (no index), whose blobs are there */
	const char **names;   /* canonical; may be none */
	size_t n_names;
	const char *digest; /* "docker.io/library/busybox@sha256:..." or NULL */
};

/*
 * The caller holds "busy" (shared), so that nothing is collected under it. Layers that others
 * have unpacked are shared. Whatever fails, the store is as before; a blob that is not what its
 * name says is removed, so that it can be fetched again.
 */
int image_add(const struct image_data *d, const struct image_add *what, struct arena *a,
	struct image *ret, struct err *e);
