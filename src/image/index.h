/* SPDX-License-Identifier: Apache-2.0 */
/* images.json: which images there are, by what names, and of what layers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "image/config.h"
#include "image/data.h"
#include "image/manifest.h"

struct image_layer {
	const char *chain;   /* 64 digits: its folder in layers/ */
	const char *diff_id; /* sha256:... */
	const char *blob;    /* sha256:...: as it came */
	int64_t bytes;	     /* unpacked */
};

struct image {
	const char *id;	      /* sha256 of its configuration, as docker has it */
	const char *manifest; /* sha256 of its manifest */
	const char **names;   /* canonical: "docker.io/library/busybox:latest"; none: dangling */
	size_t n_names;
	const char **digests; /* "docker.io/library/busybox@sha256:...", where it was pulled from */
	size_t n_digests;
	int64_t added_ns;
	struct image_layer *layers; /* lowest first */
	size_t n_layers;
};

struct image_index {
	struct image *items;
	size_t n;
};

/* Everything lies in the arena. No file: no images. */
int index_read(const struct image_data *d, struct arena *a, struct image_index *ret, struct err *e);
/* The caller holds "lock". */
int index_write(const struct image_data *d, const struct image_index *index, struct err *e);

/*
 * A name ("busybox", "busybox:1", "x@sha256:..."), an ID or the beginning of exactly one (with or
 * without sha256:). -ERR_ABSENT with docker's words; ret_name (may be NULL): the canonical name
 * it was found by, or NULL for an ID.
 */
int index_find(struct image_index *index, const char *ref, struct arena *a, struct image **ret,
	const char **ret_name, struct err *e);

/* The image's size: all its layers. */
int64_t image_bytes(const struct image *i);

/* Its configuration, verified. */
int image_config_read(const struct image_data *d, const struct image *i, struct arena *a,
	struct image_config *ret, struct err *e);

/* sha256 of "CHAIN DIFFID", image-spec config.md#layer-chainid; parent NULL: the lowest. */
const char *chain_id(const char *parent_hex, const char *diff_id, struct arena *a);

/* Lets a name go from whoever has it: an image that loses its last one dangles. */
void index_take_name(struct image_index *index, const char *name);
void image_add_name(struct image *i, const char *name, struct arena *a);
void image_add_digest(struct image *i, const char *digest, struct arena *a);
