/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of images: each opens this user's data folder and asks image/ (its headers say more).
 */
#pragma once

#include "image/change.h"
#include "image/check.h"
#include "image/remove.h"
#include "image/save.h"
#include "image/volumes.h"
#include "life/life.h"

struct life_image {
	struct image image;
	struct image_config config;
	int64_t created_ns; /* as its configuration says; 0: it does not */
	int64_t bytes;
	size_t containers;
	const char *error; /* its configuration cannot be read; NULL */
};

/* RFC 3339, as configurations have times, in CLOCK_REALTIME nanoseconds; 0 for what is none. */
int64_t life_time_of(const char *text);

/* All of them, the newest first. */
int life_image_list(const struct life *l, struct arena *a, struct life_image **ret, size_t *ret_n,
	struct err *e);
int life_image_find(const struct life *l, const char *ref, struct arena *a, struct life_image *ret,
	struct err *e);

struct life_pull {
	const char *name;
	bool all_quiet;
	struct pull_how how; /* bars is set here */
};
int life_image_pull(const struct life *l, const struct life_pull *p, struct arena *a,
	struct pulled *ret, const char **ret_name, struct err *e);

/* Names of all that the repository has: p->name with each of its tags. */
int life_image_tags(const struct life *l, const struct life_pull *p, struct arena *a,
	const char ***ret, size_t *ret_n, struct err *e);

int life_image_remove(const struct life *l, const char *ref, bool force, struct arena *a,
	struct image_removed *ret, struct err *e);
int life_image_prune(const struct life *l, const struct image_pruning *how, struct arena *a,
	struct image_removed *ret, struct err *e);
int life_image_tag(const struct life *l, const char *ref, const char *name, struct err *e);

/* path NULL: standard output, input; a terminal is refused. */
int life_image_save(const struct life *l, const char *const *refs, size_t n,
	enum save_format format, const char *path, struct err *e);
int life_image_load(const struct life *l, const char *path, const char *platform, struct arena *a,
	struct image **ret, size_t *ret_n, struct err *e);

struct life_import {
	const char *path;		       /* "-": standard input */
	const char *name, *message, *platform; /* NULL: none */
	struct opt_list changes;
};
int life_image_import(const struct life *l, const struct life_import *i, struct arena *a,
	struct image *ret, struct err *e);

struct life_volume_usage {
	struct volume volume;
	int64_t bytes;
};

/* What is on disk: docker's system df. All in the arena. */
struct life_usage {
	size_t images, images_used, containers, containers_running, volumes, volumes_used;
	int64_t image_bytes, image_reclaimable, container_bytes, container_reclaimable;
	int64_t volume_bytes, volume_reclaimable;
	struct life_image *image_items;
	int64_t *image_shared; /* of each, what other images have, too */
	struct life_info *container_items;
	struct life_volume_usage *volume_items;
};
int life_system_df(const struct life *l, struct arena *a, struct life_usage *ret, struct err *e);
/* Fills in own_bytes, all_bytes and n_volumes of what life_list() found. */
int life_add_sizes(const struct life *l, struct life_info *all, size_t n, struct err *e);

int life_system_check(const struct life *l, const struct check_how *how, struct arena *a,
	struct check_found *ret, struct err *e);

/* Removes containers that do not run; their IDs. */
int life_prune_containers(const struct life *l, int64_t before_ns, struct arena *a,
	const char ***ret, size_t *ret_n, struct err *e);
