/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and indexes, the OCI's and docker's (image-spec manifest.md, image-index.md; docker
 * image manifest version 2, schema 2). They are a stranger's: bounded, and checked before use.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

enum {
	MANIFEST_MAX_BYTES = 4 << 20,
	MANIFEST_MAX_LAYERS = 500, /* overlayfs takes no more (OVL_MAX_STACK) */
};

#define MEDIA_OCI_MANIFEST  "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_INDEX	    "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_CONFIG    "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER	    "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_DOCKER	    "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_LIST   "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER  "application/vnd.docker.image.rootfs.diff.tar"

struct descriptor {
	const char *media_type;			 /* "" where there is none */
	const char *digest;			 /* sha256 */
	int64_t size;				 /* bytes */
	const char *os, *architecture, *variant; /* of an index; "" where there is none */
	const char *ref_name;			 /* org.opencontainers.image.ref.name; or NULL */
	const char *full_name;			 /* io.containerd.image.name; or NULL */
};

struct manifest {
	bool is_index;
	struct descriptor config;
	struct descriptor *items; /* layers, or manifests of an index */
	size_t n;
};

/* schema 1 and what is none: a sentence. */
int manifest_parse(
	const char *text, size_t n, struct arena *a, struct manifest *ret, struct err *e);

/* "linux/arm64/v8"; NULL: this machine's. Strings in the arena. */
struct platform {
	const char *os, *architecture, *variant; /* variant "": any */
};
int platform_parse(const char *text, struct arena *a, struct platform *ret, struct err *e);

/* Which of an index: NULL where none fits. */
const struct descriptor *manifest_choose(const struct manifest *index, const struct platform *p);
