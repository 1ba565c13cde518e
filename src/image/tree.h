/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files as a tar stream and back: what cp, export and commit are made of. Whoever lives in the tree
 * may change it while it is read or written: every step is taken from a descriptor, links on the
 * way are never followed out of it, and what was looked at is what is read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"

enum tree_mounts {
	TREE_MOUNTS_ENTER, /* but those of the kernel (proc, sysfs, ...) are empty */
	TREE_MOUNTS_EMPTY, /* places where something is mounted are empty */
};

struct tree_out {
	int to;		  /* lent: where the archive goes */
	int file;	  /* lent: O_PATH of the file or folder itself */
	const char *name; /* of it in the archive; "": a folder whose contents alone are wanted */
	enum tree_mounts mounts;
	bool layer,
		userxattr; /* overlay's marks become whiteouts, as image-spec layer.md has them */
	/* layer: which of it (a path without a slash before it); NULL: all */
	bool (*wanted)(void *data, const char *path);
	void *data;
};
int tree_pack(const struct tree_out *t, struct err *e);

struct tree_in {
	int from; /* lent: the archive */
	int root; /* lent: nothing leads out of it */
	/* A folder below root, which is there. follow: links of the root on the way are followed.
	 */
	const char *base;
	bool follow;
	/*
	 * Called with the first entry, which is the thing that is copied: the name it gets in base,
	 * "" for base itself. NULL: names are as in the archive.
	 */
	int (*place)(void *data, bool is_dir, const char *name, struct arena *a, const char **ret,
		struct err *e);
	void *data;
	bool keep_owner;     /* else they are whose we are */
	bool keep_set_id;    /* set-user-ID and set-group-ID stay */
	uint64_t *ret_bytes; /* of the archive; NULL: nobody asks */
};
/* Archives packed with gzip, zstd, bzip2 and xz are read, too. */
int tree_unpack(const struct tree_in *t, struct err *e);
