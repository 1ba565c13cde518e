/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out what this kernel and this user can do. */
#pragma once

#include "plan/host.h"

/*
 * Fills ret, of what HOST_* bits name only what is wanted; freed by arena_done(&ret->arena). 0 or
 * -errno (-ENOTSUP without a /proc).
 */
int host_probe(struct host *ret, unsigned wants);

/* Who we are and the kernel alone: all that a further process in a container depends on. */
void host_probe_process(struct host *ret, unsigned wants);

/* Whether this process's ids are the machine's own; false also where /proc does not say. */
bool host_is_initial_userns(void);
