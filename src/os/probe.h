/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out what this kernel and this user can do. */
#pragma once

#include "plan/host.h"

/* Fills ret; freed by arena_done(&ret->arena). 0 or -errno (-ENOTSUP without a /proc). */
int host_probe(struct host *ret);
