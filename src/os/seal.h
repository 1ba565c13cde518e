/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that enters a container shows it its own executable as /proc/PID/exe; a container
 * with the host's root could write to that file (CVE-2019-5736). So the program runs itself again
 * from a read-only copy of its mount, or from a sealed copy in memory where it may not mount.
 */
#pragma once

#include <stdbool.h>

/*
 * Returns 0 when this executable cannot be written by way of /proc/self/exe (already run again,
 * or it lies on a read-only mount), does not return when it could run itself again, or -errno.
 */
int seal_self(char **argv);

/*
 * Gives up the mount this program was run again from. The kernel waits for a grace period of all
 * processors when it goes (up to 0.1 ms): by who has nothing else to do just then.
 */
void seal_let_go(void);

/* The path of this executable on disk, also after it was run again; size: PATH_MAX. */
int seal_exe_path(char *ret, unsigned size);
