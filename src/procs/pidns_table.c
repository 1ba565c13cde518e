/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/pidns_table.h"

#include <stdlib.h>

static struct ns_slot *slot_for(const struct ns_index *x, uint64_t inode)
{
	uint64_t h = inode * 0x9e3779b97f4a7c15u >> 20;

	while (x->slots[h & (x->room - 1)].used && x->slots[h & (x->room - 1)].inode != inode)
		h++;
	return &x->slots[h & (x->room - 1)];
}

uint32_t ns_index_find(const struct ns_index *x, uint64_t inode)
{
	const struct ns_slot *slot;

	if (!x->room)
		return NO_NS;
	slot = slot_for(x, inode);
	return slot->used ? slot->ns : NO_NS;
}

void ns_index_add(struct ns_index *x, uint64_t inode, uint32_t ns)
{
	struct ns_slot *slot;

	if (2 * x->n >= x->room) {
		struct ns_index bigger = { .room = x->room ? 2 * x->room : 64 };

		bigger.slots = mem_alloc(bigger.room * sizeof(*bigger.slots));
		for (uint32_t i = 0; i < x->room; i++) {
			if (x->slots[i].used)
				*slot_for(&bigger, x->slots[i].inode) = x->slots[i];
		}
		bigger.n = x->n;
		free(x->slots);
		*x = bigger;
	}
	slot = slot_for(x, inode);
	x->n += !slot->used;
	*slot = (struct ns_slot){ .inode = inode, .ns = ns, .used = true };
}

void ns_index_done(struct ns_index *x)
{
	free(x->slots);
	*x = (struct ns_index){ 0 };
}
