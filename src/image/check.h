/* SPDX-License-Identifier: Apache-2.0 */
/* Is the store what it says it is? Each blob by its digest, each layer against its archive. */
#pragma once

#include "image/rootfs.h"

struct check_how {
	bool repair; /* what can be made good again is; what cannot goes, unless it is in use */
	bool quick;  /* are they there? not what is in them */
};

struct check_found {
	const char **problems; /* a sentence each, in the arena */
	size_t n;
	size_t repaired;	      /* of them; the rest wants a pull, or a person */
	size_t images, layers, blobs; /* looked at */
};

int check_store(const struct image_data *d, const struct check_how *how, struct arena *a,
	struct check_found *ret, struct err *e);
