/* SPDX-License-Identifier: Apache-2.0 */
/* The array of processes as trees: who is whose child, across namespaces. */
#pragma once

#include "procs/snapshot.h"

/*
 * Links parents, children and siblings and builds the hash by PID. A process whose parent is not
 * in the array (0, or it vanished) becomes a root; a loop, which only a torn reading can show, is
 * cut where it is met.
 */
void forest_link(struct snapshot *s);

/* All processes, each after its parent: n indices in the arena. Children ascend by PID. */
uint32_t *forest_order(const struct snapshot *s, struct arena *a);

/* The next process of the tree below top after i, parents first, or NO_PROC. NO_PROC for top: all.
 */
uint32_t forest_next(const struct snapshot *s, uint32_t i, uint32_t top);
