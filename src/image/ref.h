/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an image is named. The grammar is distribution's (github.com/distribution/reference):
 *   [domain[:port]/]path[:tag][@algorithm:hex]
 * with docker's defaults: docker.io, library/, latest.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum ref_kind {
	REF_NAME,	    /* of a registry, or of the store */
	REF_OCI,	    /* oci:PATH[:TAG]: a layout */
	REF_OCI_ARCHIVE,    /* oci-archive:PATH[:TAG] */
	REF_DOCKER_ARCHIVE, /* docker-archive:PATH[:NAME] */
	REF_DIR,	    /* dir:PATH: a root filesystem */
	REF_HOST,	    /* the running system */
};

/* Strings lie in the arena given. */
struct image_ref {
	enum ref_kind kind;
	const char *domain, *path; /* REF_NAME: "docker.io", "library/busybox" */
	const char *tag, *digest;  /* NULL: not given; digest with its algorithm */
	const char *short_name;	   /* REF_NAME without a registry: what was typed, without tag */
	const char *file, *member; /* the others: PATH, and what stands behind it or NULL */
};

/* Any of them; what is no name is err_say()'d in docker's words. */
int ref_parse(const char *text, struct arena *a, struct image_ref *ret, struct err *e);

/* A name of a registry and nothing else; tag and digest as given. */
int ref_parse_name(const char *text, struct arena *a, struct image_ref *ret, struct err *e);

/* "docker.io/library/busybox": without tag and digest. */
const char *ref_repository(const struct image_ref *r, struct arena *a);

/* "docker.io/library/busybox:latest": as it is kept; latest where there is neither. */
const char *ref_canonical(const struct image_ref *r, struct arena *a);

/* As people write it: "docker.io/library/busybox:1" as "busybox:1"; text is a canonical one. */
const char *ref_familiar(const char *text);

/* "sha256:" and 64 lower-case hexadecimal digits, which is what is trusted here. */
int ref_is_sha256(const char *text);

/* Does [a-f0-9]+ alone make it look like an image's ID? */
int ref_is_hex(const char *text);
