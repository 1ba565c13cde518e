/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/doomed.h"

#include <assert.h>

#include "base/mem.h"

enum { SLOTS = ARRAY_LEN(((struct doomed *)0)->slots) };

/* Its slot, or the free one where it would be: a batch fills a quarter of them at most. */
static size_t slot_of(const struct doomed *d, pid_t pid)
{
	size_t h = (unsigned)pid * 2654435769u >> 8;

	while (d->slots[h % SLOTS].batch == d->batch && d->slots[h % SLOTS].pid != pid)
		h++;
	return h % SLOTS;
}

void doomed_find(struct doomed *d, const struct cn_event *events, size_t n, bool *ret)
{
	assert(n <= DOOMED_MAX);
	d->batch++;
	for (size_t i = n; i-- > 0;) {
		size_t slot = slot_of(d, events[i].pid);

		ret[i] = events[i].what != CN_EXIT && d->slots[slot].batch == d->batch;
		if (events[i].what != CN_EXIT)
			continue;
		d->slots[slot].pid = events[i].pid;
		d->slots[slot].batch = d->batch;
	}
}
