/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of ours: written by libarchive, member by member, the same bytes each time. */
#pragma once

#include "base/err.h"
#include "image/digest.h"

struct pack;

struct pack *pack_open(int fd, struct err *e);
int pack_fd(struct pack *p, const char *name, int fd, struct err *e);
int pack_text(struct pack *p, const char *name, const char *text, size_t n, struct err *e);
/* r: what happened so far; below 0 the archive is left as it is. */
int pack_close(struct pack *p, int r, struct err *e);

/* Unpacks a packed stream (gzip, zstd, bzip2, xz, or plain) to a file; ret_filter: libarchive's. */
int pack_plain(int from, int to, struct digest *ret, int *ret_filter, struct err *e);
