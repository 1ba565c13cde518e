/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has which address: ROOT/leases/NETWORK/ADDRESS is a link to the container's folder, and
 * making it is what gives the address away. One whose container is no more is free again.
 */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "net/defs.h"
#include "net/want.h"

/* Fills in link's addresses and MAC for the container of this ID. */
int lease_take(int root, const struct defs_net *net, const char *id, struct want_link *link,
	struct arena *a, struct err *e);
/* Lets those of the link go that are this ID's. */
void lease_drop(int root, const struct want_link *link, const char *id);
/* All that is left of a network's, when it is removed. */
void lease_forget(int root, const char *network);
