/* SPDX-License-Identifier: Apache-2.0 */
/* Images as archives that docker, podman and skopeo read. */
#pragma once

#include "image/index.h"

enum save_format { SAVE_DOCKER, SAVE_OCI };

/* refs: names or IDs; a name goes into the archive with its image. fd is lent. */
int image_save(const struct image_data *d, const char *const *refs, size_t n,
	enum save_format format, int fd, struct err *e);
