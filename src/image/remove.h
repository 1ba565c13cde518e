/* SPDX-License-Identifier: Apache-2.0 */
/* Names come and go, and images with their last one: rmi, prune, tag, in docker's words. */
#pragma once

#include "image/gc.h"

struct image_removal {
	bool force;
	/* Does the container at this state folder run? NULL: nobody knows. */
	bool (*runs)(void *data, const char *state);
	void *data;
};

struct image_removed {
	const char **lines; /* "Untagged: busybox:latest", "Deleted: sha256:..." */
	size_t n;
	int64_t bytes;
	bool busy; /* space is freed by the next prune: something is being pulled */
};

/* A name, or an ID. What a container uses stays: without force it is refused. */
int image_remove(const struct image_data *d, const char *ref, const struct image_removal *how,
	struct arena *a, struct image_removed *ret, struct err *e);

struct image_pruning {
	bool all;	     /* also those with a name that no container uses */
	int64_t before_ns;   /* made before that; 0: whenever */
	const char **labels; /* "key" or "key=value": all of them */
	size_t n_labels;
};
int image_prune(const struct image_data *d, const struct image_pruning *how, struct arena *a,
	struct image_removed *ret, struct err *e);

int image_tag(const struct image_data *d, const char *ref, const char *name, struct err *e);
