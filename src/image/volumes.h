/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: folders that outlive containers.
 *   volumes/NAME/_data        what is mounted
 *   volumes/NAME/volume.json  when it was made, its labels, whether it has a name of its own
 *   volumes/NAME/uses/ID      a link to the state folder of a container that has it; one whose
 * folder is gone counts for nothing Whoever makes, uses or removes one holds the data folder's
 * "lock".
 */
#pragma once

#include "image/data.h"

struct volume_label {
	const char *key, *value;
};

struct volume {
	const char *name, *path; /* path: of _data */
	const char *created;	 /* RFC 3339 */
	bool anonymous;
	size_t links; /* how many containers have it */
	struct volume_label *labels;
	size_t n_labels;
	/* docker's local driver: what is mounted instead of the folder; type NULL: the folder */
	const char *type, *device, *o; /* o: mount(8)'s -o; NULL: none */
};

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+ */
bool volume_name_fits(const char *name);
/* Where one of that name lies, or would. */
const char *volume_path(const char *data_path, const char *name, struct arena *a);

/* What v says of name, anonymous, labels and device. 1: it was there already, and is as it was. */
int volume_make(const struct image_data *d, const struct volume *v, struct err *e);
/* The same for a container: it has it until volume_release(). state: its folder. */
int volume_use(const struct image_data *d, const char *name, bool anonymous, const char *container,
	const char *state, struct err *e);
void volume_release(const struct image_data *d, const char *name, const char *container);

/* By name; everything in the arena. */
int volume_list(const struct image_data *d, struct arena *a, struct volume **ret, size_t *ret_n,
	struct err *e);
/* -ERR_ABSENT in docker's words. */
int volume_find(const struct image_data *d, const char *name, struct arena *a, struct volume *ret,
	struct err *e);
/* One that a container has stays, and e says so. */
int volume_remove(const struct image_data *d, const char *name, struct err *e);
/* What its files take up. */
int64_t volume_bytes(const struct image_data *d, const char *name);
