/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds a lock of flock(2). */
#pragma once

#include <stdbool.h>

/*
 * Does a process that this one descends from hold the lock of the file, by /proc/locks? Then
 * waiting for it is waiting for oneself. false also where that cannot be told: another procfs, or
 * none.
 */
bool lock_is_an_ancestors(int fd);
