/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that build the hierarchy share: adding a namespace and finding it by inode. */
#pragma once

#include "procs/snapshot.h"

/* Inode to index. Ready when zeroed. */
struct ns_index {
	struct ns_slot {
		uint64_t inode;
		uint32_t ns;
		bool used;
	} * slots; /* owned; a power of two of them */
	uint32_t room, n;
};

uint32_t ns_index_find(const struct ns_index *x, uint64_t inode);
void ns_index_add(struct ns_index *x, uint64_t inode, uint32_t ns);
void ns_index_done(struct ns_index *x);

/* A new namespace without members at the end of s->ns; its index. */
uint32_t pidns_add(struct snapshot *s, uint64_t inode);

void pidns_join(struct snapshot *s, uint32_t i, uint32_t ns);
