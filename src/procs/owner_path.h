/* SPDX-License-Identifier: Apache-2.0 */
/* What the path of a cgroup alone says of a container. Pure. */
#pragma once

#include "procs/owner.h"

/*
 * Looks for a component that an engine makes, the outermost one first: an engine inside a container
 * names its own below. n: length of path, which need not be terminated. On true ret is filled, its
 * words in the arena, name the same as id, and pod the pod's UID where there is one.
 */
bool owner_path_parse(const char *path, size_t n, struct arena *a, struct owner *ret);

/* The user in whose systemd slice a path lies ("user-1000.slice"); -1 for none. */
uid_t owner_path_uid(const char *path);

/* Does this name end as a systemd unit's? Those are no containers of a plain runtime. */
bool owner_path_is_unit(const char *name);
