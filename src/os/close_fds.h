/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Every descriptor from first on closes at exec (close_range(2), Linux 5.11). 0 or -errno. */
int close_fds_on_exec(unsigned first);
