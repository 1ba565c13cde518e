/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer's archive becomes a folder that overlayfs can put upon those of the layers below.
 * The archive is a stranger's: every path is walked below the folder's descriptor, links on the
 * way are read and followed within, ".." is refused, and so are more bytes than an archive of
 * its size can honestly hold.
 */
#pragma once

#include "image/stack.h"

struct unpack {
	int archive; /* lent: the blob */
	int layer;   /* lent: an empty folder, which becomes the layer's */
	const struct stack *below;
	const char *blob;    /* its digest, to be found so; NULL: whatever it is */
	const char *diff_id; /* of what it unpacks to; NULL: whatever it is */
	bool any_filter;     /* bzip2 and xz, too */
	struct unpacked {
		char diff_id[72];
		uint64_t bytes; /* of files, as they are */
		uint64_t entries;
		unsigned skipped_devices, other_owners,
			lost_xattrs; /* what this user may not make */
	} ret;
};

int unpack_layer(struct unpack *u, struct err *e);
