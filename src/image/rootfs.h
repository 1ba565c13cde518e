/* SPDX-License-Identifier: Apache-2.0 */
/* A container's files: the layers of its image, and a folder for what it changes. */
#pragma once

#include "image/index.h"
#include "image/stack.h"

struct rootfs {
	const char **lower; /* absolute folders, topmost first */
	size_t n_lower;
	const char *upper; /* absolute folder that has upper/ and work/; NULL: not made */
};

/* Where the layers of an image lie; nothing is made. */
void rootfs_of(
	const struct image_data *d, const struct image *i, struct arena *a, struct rootfs *ret);

/*
 * Makes containers/ID and with it the claim on the image, which rmi and prune respect from then
 * on. state: the folder whose end is the container's end (its ROOT/ID). -ERR_ABSENT: the image
 * went away meanwhile.
 */
int rootfs_make(const struct image_data *d, const char *image_id, const char *container,
	const char *state, struct arena *a, struct rootfs *ret, struct err *e);

/* Removes it; what is not there is success. */
int rootfs_remove(const struct image_data *d, const char *container, struct err *e);

/* The image's files as a container would see them. */
int rootfs_stack(
	const struct image_data *d, const struct image *i, struct stack *ret, struct err *e);

/* Who uses what: containers that are alive, by their claims. All in the arena. */
struct rootfs_use {
	const char *container, *image, *state;
	const char **chains;
	size_t n_chains;
	bool gone; /* its state folder is not there any more */
};
int rootfs_uses(const struct image_data *d, struct arena *a, struct rootfs_use **ret, size_t *ret_n,
	struct err *e);
