/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of interfaces, one end of each on a bridge of ours; each 0 or -errno. */
#pragma once

#include <stdint.h>

enum { VETH_MAC = 6 };

/* A pair in that network namespace: one end of this name, the other of any. */
int veth_add(int netns_fd, const char *name);

/*
 * The ends on a bridge whose other end has this address, or is in a namespace that is dying, go
 * now: the kernel takes its time over a dead namespace, and one with a connection that is still
 * being closed lives on for minutes. mac NULL: only the dying. A bridge that is not there: 0.
 */
int veth_drop(const char *bridge, const uint8_t mac[VETH_MAC]);

/* Any interface of the caller's namespace; one that is not there: 0. */
int veth_delete(const char *name);
