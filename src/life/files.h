/* SPDX-License-Identifier: Apache-2.0 */
/* A container's files for whoever works on them from outside, whether it runs or not. */
#pragma once

#include "life/internal.h"

/* What work() has, in a process that may read and write whatever the container's root may. */
struct container_files {
	int root;  /* the container's root: openat2() within is the only way (os/root.h) */
	int upper; /* what it changed in its image; FD_NONE: not a container of the store */
	bool userxattr;
	const struct spec *spec;
	const struct record *record;
};

enum files_want {
	FILES_ROOT,  /* with the mounts of the user, also when it does not run */
	FILES_BARE,  /* without them */
	FILES_UPPER, /* no root, only upper */
};

/*
 * Runs work in a process of its own. A container that does not run is locked meanwhile: nobody
 * starts it. freeze: one that runs is paused meanwhile.
 */
int files_run(const struct life *l, const char *ref, enum files_want want, bool freeze,
	int (*work)(const struct container_files *f, void *data, struct err *e), void *data,
	struct err *e);
