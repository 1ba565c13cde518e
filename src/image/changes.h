/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed in its image's files, by its upper folder alone. */
#pragma once

#include "image/stack.h"

struct change {
	char kind;	  /* 'A' added, 'C' changed, 'D' deleted: docker's letters */
	const char *path; /* without a slash before it */
};

struct changes_how {
	int upper;		   /* lent: its upper folder */
	const struct stack *lower; /* the image's layers */
	const char *const *places; /* of mounts ("etc/hosts"), which are no changes of its own */
	size_t n_places;
};

/* Ordered by path, everything in the arena. */
int changes_find(const struct changes_how *how, struct arena *a, struct change **ret, size_t *ret_n,
	struct err *e);

/* Is the path one of them? */
bool changes_have(const struct change *all, size_t n, const char *path);
