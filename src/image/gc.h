/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody uses any more goes. */
#pragma once

#include "image/rootfs.h"

/* What killed pulls and containers without a state folder left. Cheap; says nothing. */
void gc_sweep(const struct image_data *d);

struct gc_done {
	const char **layers; /* chain IDs that went, in the arena */
	size_t n_layers;
	int64_t bytes; /* of layers and blobs */
	bool busy;     /* something is being pulled: it is left to the next time */
};
/* Layers and blobs of no image and no container. The caller holds no lock. */
int gc_collect(const struct image_data *d, struct arena *a, struct gc_done *ret, struct err *e);

/* On a full disk what was begun makes it no better: it goes. e: why it failed; busy: our lock. */
void gc_after_failure(const struct image_data *d, int *busy, const struct err *e);
