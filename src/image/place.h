/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a layer's folder an entry of its archive goes, and what overlayfs wants there. */
#pragma once

#include "base/fd.h"
#include "image/unpack.h"

struct place_time {
	const char *path;
	int64_t s;
	long ns;
};

struct place {
	int root; /* lent: the layer's folder */
	const struct stack *below;
	struct unpacked *counts;
	struct arena arena; /* of the walk; times have their own */
	struct arena kept;
	char *at;	  /* owned: which folder dir is, without links */
	int dir;	  /* owned: O_PATH */
	const char *path; /* of the entry, for messages */
	const char *name; /* its last part; "" is the root */
	struct place_time *times;
	size_t n_times;
};
#define PLACE_NONE                                                                                 \
	{                                                                                          \
		.dir = FD_NONE                                                                     \
	}
void place_init(struct place *p, int root, const struct stack *below, struct unpacked *counts);
void place_done(struct place *p);
#define autoplace __attribute__((cleanup(place_done))) struct place

/* Goes to the folder of an entry, making what is missing of the way as it is below. */
int place_go(struct place *p, const char *name, struct err *e);

/* Removes what this layer has at the place already; keep_folder: but not a folder. */
int place_clear(struct place *p, bool keep_folder, struct err *e);

/* A folder at the place, perhaps there already. */
int place_folder(struct place *p, struct err *e);

/* What the layers below have there is gone. */
int place_whiteout(struct place *p, struct err *e);
/* What they have in the folder we are in is gone. */
int place_opaque(struct place *p, struct err *e);

/* A second name of a file of this layer; one from below is copied up first. */
int place_hard_link(struct place *p, const char *target, struct err *e);

/* Folders get their times last: what is made in them changes these. */
void place_keep_time(struct place *p, int64_t s, long ns);
void place_set_times(struct place *p);
