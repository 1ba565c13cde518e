/* SPDX-License-Identifier: Apache-2.0 */
/* Network interfaces, as little as a container's birth needs; each 0 or -errno. */
#pragma once

/*
 * Sets lo up: in the caller's network namespace, or in that of a process (fd: its pidfd) or of an
 * nsfs descriptor, which the caller enters and leaves again (setns(2): CAP_SYS_ADMIN over both).
 */
int link_loopback_up(void);
int link_loopback_up_of(int fd);

/*
 * Moves an interface of the caller's network namespace into another, under a new name (or its
 * own; "eth%d": the first that is free), with its permanent global addresses, and sets it up there.
 */
int link_move(const char *name, int netns_fd, const char *new_name);
