/* SPDX-License-Identifier: Apache-2.0 */
/* The hierarchy of PID namespaces, from what the processes of a snapshot say of theirs. */
#pragma once

#include "procs/scan.h"
#include "procs/snapshot.h"

/*
 * Fills s->ns and, for every process, ns, nspid and levels. s->procs is linked (forest_link()).
 * found: the namespace of each process; one that was refused is placed by the number of its
 * levels, its parents and its cgroup. own_inode: the reader's, 0 if unknown.
 */
void pidns_build(
	struct snapshot *s, const struct scan_result *found, uint64_t own_inode, unsigned wants);

/* Fills nspid and levels of every process that has none; ns and its level are known. */
void pidns_number(struct snapshot *s);

/* Opens a namespace through one of its members; the descriptor or -errno. */
int pidns_open(const struct snapshot *s, uint32_t ns);

/* Adds namespaces without processes: held by mounts of this process, descriptors, or unshared. */
void pidns_add_held(struct snapshot *s);
