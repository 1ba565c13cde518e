/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which processes are in a container, from the tree of cgroups instead of a file of every process:
 * the members of a container's cgroup are one read of its cgroup.procs, and there are fewer
 * containers than processes. Zombies are not listed there; their own files must be asked.
 */
#pragma once

#include "procs/owner.h"

/* Gives the owner for a path below a hierarchy, or NULL where it is no container's. */
typedef const struct owner *(*owner_of_path_fn)(void *data, const char *path);

/*
 * Sets the owner of every living process that a hierarchy lists in a container's cgroup. root: as
 * owner_assign() has it. Looked into are cgroup2, v1's name=systemd and v1's pids, which engines
 * always use.
 *
 * Returns true if everything was looked at. False: nothing was set for some processes, and each
 * one's cgroup file must be read: no hierarchy is mounted whole, or there are more cgroups than it
 * would pay to open.
 */
bool owner_walk(struct snapshot *s, const char *root, owner_of_path_fn owner_of, void *data);
