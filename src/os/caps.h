/* SPDX-License-Identifier: Apache-2.0 */
/* Capability sets of the calling thread as masks: bit n is capability n (capabilities(7)). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All 0 or -errno. */
int caps_get(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable);
int caps_set(uint64_t effective, uint64_t permitted, uint64_t inheritable);

/* Drops from the bounding set what is not in keep. */
int caps_bound(uint64_t keep, unsigned last_cap);

/* Clears the ambient set, then raises these, which must be permitted and inheritable. */
int caps_ambient(uint64_t raise, unsigned last_cap);

/* PR_SET_KEEPCAPS: a change of user ids leaves the permitted set. */
int caps_keep_over_setuid(bool keep);

int caps_no_new_privs(void);

/* Highest capability this kernel knows (/proc/sys/kernel/cap_last_cap). */
unsigned caps_last(void);
