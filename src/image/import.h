/* SPDX-License-Identifier: Apache-2.0 */
/* Images made here: of a tarball (import), or of an image and one more layer (commit). */
#pragma once

#include "image/add.h"
#include "image/change.h"

struct image_make {
	const struct image *base; /* whose layers come first; NULL: none */
	int layer;		  /* lent: a tarball, packed or not */
	const struct image_change *change;
	const char *created_by, *comment, *author; /* "" for none */
	const char *name;			   /* canonical; NULL: none */
	const char *platform;			   /* NULL: this machine's */
};

/* The caller holds nothing; "busy" is taken here. */
int image_make(const struct image_data *d, const struct image_make *how, struct arena *a,
	struct image *ret, struct err *e);
