/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data folder, which outlives a reboot (/var/lib/clade, $XDG_DATA_HOME/clade):
 *   images.json             the images there are (index.h)
 *   blobs/sha256/HEX        manifests, configurations, layers as they came: named by their digest
 *   layers/CHAIN/diff       a layer unpacked upon those below it; its chain ID is its name
 *   containers/ID/          what a container of an image changes: upper, work; uses: of what
 *   volumes/NAME/           a volume (volumes.h)
 *   tmp/NAME/               being made: whoever holds its lock lives; else it is swept
 *   lock                    flock(2): images.json and containers/; short
 *   busy                    flock(2): shared by whoever adds blobs and layers, whole by who removes
 *   locks/NAME              flock(2): one pull of one image
 * Everything is written beside its place, synced, and renamed: whatever is there is whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fd.h"
#include "base/mem.h"
#include "image/digest.h"
#include "os/userns.h"

struct image_data {
	char *path;		 /* owned; absolute */
	int fd;			 /* owned */
	struct userns_maps maps; /* lent; how this user gets files of other ids */
	bool userxattr;		 /* overlay's marks are user.overlay.*, for user namespaces */
};
#define IMAGE_DATA_NONE                                                                            \
	{                                                                                          \
		.fd = FD_NONE                                                                      \
	}

/* Makes what is missing of it. */
int data_open(const char *path, struct image_data *ret, struct err *e);
void data_done(struct image_data *d);
#define autodata __attribute__((cleanup(data_done))) struct image_data

/* flock(2) of a file in it ("lock", "busy", "locks/x"): the descriptor that holds it, or e. */
int data_lock(const struct image_data *d, const char *name, bool shared, struct err *e);
/* The same without waiting: FD_NONE when somebody else has it. */
int data_try_lock(const struct image_data *d, const char *name);

/* Writes dir/name whole and durably. */
int data_write(int dir, const char *name, const void *text, size_t n, struct err *e);
/* The same for what a power cut ends anyway: not waiting for the disk. */
int data_write_lightly(int dir, const char *name, const void *text, size_t n, struct err *e);

/* Removes a tree below dir that may have files of other ids. */
int data_remove(const struct image_data *d, int dir, const char *name, struct err *e);

/* What the files of a tree below dir take up, as far as they may be seen. */
int64_t data_bytes(int dir, const char *name);

/* A folder in tmp/ that is ours for as long as we live. */
struct staging {
	const struct image_data *data; /* lent */
	int fd;			       /* owned; holds the lock */
	char name[32];
};
#define STAGING_NONE                                                                               \
	{                                                                                          \
		.fd = FD_NONE                                                                      \
	}
int staging_make(const struct image_data *d, struct staging *ret, struct err *e);
void staging_done(struct staging *s);
#define autostaging __attribute__((cleanup(staging_done))) struct staging
const char *staging_path(const struct staging *s, struct arena *a);

/* What killed ones left in tmp/. */
void data_sweep(const struct image_data *d);

/* Blobs, by "sha256:HEX". */
int blob_open(const struct image_data *d, const char *digest);	   /* or -errno */
int64_t blob_size(const struct image_data *d, const char *digest); /* or -errno */
int blob_put(
	const struct image_data *d, const void *data, size_t n, struct digest *ret, struct err *e);
/* A small one, verified as it is read. */
int blob_read(const struct image_data *d, const char *digest, size_t max, struct arena *a,
	char **ret, size_t *ret_n, struct err *e);
/* A file in a staging folder, synced, becomes the blob of its digest. */
int blob_take(const struct staging *s, const char *name, int fd, const struct digest *digest,
	struct err *e);
/* Removes one: what does not have its digest helps nobody. */
void blob_drop(const struct image_data *d, const char *digest);
