/* SPDX-License-Identifier: Apache-2.0 */
/* What the rest of clade asks of this room: an image by whatever a person calls it. */
#pragma once

#include "image/layout.h"
#include "image/pull.h"
#include "image/rootfs.h"

enum pull_policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER };

/*
 * REF_NAME from the store, or a registry as the policy has it; the archives and layouts through
 * the store, too. Not REF_DIR and REF_HOST. member and file as in ref; file is absolute.
 */
int image_get(const struct image_data *d, const char *text, const struct image_ref *ref,
	enum pull_policy policy, const struct pull_how *how, struct arena *a, struct image *ret,
	struct err *e);

/* load: all images of an archive (path NULL: fd), with their names. */
int image_load(const struct image_data *d, const struct layout_how *how, struct arena *a,
	struct image **ret, size_t *ret_n, struct err *e);
