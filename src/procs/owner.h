/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose container a process is in: by the path of its cgroup, which even a zombie keeps, then by
 * the files in which the engine wrote the container's name. No daemon is asked.
 */
#pragma once

#include "procs/snapshot.h"

struct owner {
	const char *runtime;	       /* "docker", "podman", "kubernetes", "lxc", ... */
	const char *id;		       /* as the engine has it; never NULL */
	const char *name;	       /* what people call it; the id where nobody does */
	const char *pod, *kns, *image; /* NULL: none, or not known */
};

/* A container that is known beforehand: clade's own. */
struct owner_hint {
	uint64_t pidns_inode;	 /* of its processes; 0: not known */
	const char *cgroup_path; /* "/clade/ID"; NULL */
	struct owner owner;
};

/*
 * Finds runtime and id in the text of a /proc/PID/cgroup. Returns false where no component is a
 * container's. ret->id and name are in the arena.
 */
bool owner_from_cgroup(const char *cgroup, struct arena *a, struct owner *ret);

/*
 * Gives every process and every namespace its owner: one parse a cgroup. root: "" or a folder
 * before the absolute paths of the engines' files and of the cgroup mounts.
 */
void owner_assign(
	struct snapshot *s, const struct owner_hint *hints, size_t n_hints, const char *root);
