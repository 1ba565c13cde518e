/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netavark(1): a container's interfaces on bridges, its published ports as rules of the host's
 * packet filter, and its names in aardvark-dns. What it was told lies as DIR/netavark for as long
 * as it has to be taken back; ROOT/netavark is its own folder.
 */
#pragma once

#include "base/err.h"
#include "net/defs.h"
#include "net/helper.h"
#include "net/want.h"

/* The programs, or which package is missing; dns: aardvark-dns too. */
struct bridge_tools {
	const char *netavark, *aardvark; /* aardvark: NULL, where no network wants names */
};
int bridge_usable(bool dns, struct arena *a, struct bridge_tools *ret, struct err *e);

struct bridge_request {
	const struct bridge_tools *tools;
	int root;	       /* the state folder; lent */
	const char *root_path; /* of it */
	int dir;	       /* the container's folder; lent */
	const char *id;
	const struct want *want;     /* its links are made */
	const struct defs_net *nets; /* nets[i] of want->links[i] */
	int netns;
};
/*
 * Writes DIR/netavark and starts it. netns and ret_lock (ROOT/netavark's lock, which is to be held
 * until bridge_ready() has returned) stay open meanwhile.
 */
int bridge_begin(const struct bridge_request *r, struct helper *ret, int *ret_lock, struct err *e);
int bridge_ready(struct helper *h, struct err *e);

/* Only writes DIR/netavark: what bridge_end() is to take back. Without links: nothing. */
int bridge_remember(const struct bridge_request *r, struct err *e);

/*
 * The container's name on a network is another: aardvark-dns reads its file again. Names that were
 * further ones stay.
 */
int bridge_rename(int root, const char *root_path, const char *network, const char *id,
	const char *name, struct err *e);

/* One more network of a container that runs, or one less: as bridge_begin(), and waits. */
int bridge_change(const struct bridge_request *r, bool add, struct err *e);

/*
 * Takes back what DIR/netavark says, if there is one; the container's own namespace may be dying,
 * dead, or held by a stranger: its interface goes, and an empty one stands in for it. What netavark
 * could not take back is remembered: bridge_sweep() tries again.
 */
int bridge_end(int root, const char *root_path, int dir, const char *id, struct err *e);
void bridge_sweep(int root, const char *root_path);
