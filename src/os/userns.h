/* SPDX-License-Identifier: Apache-2.0 */
/* Work on files whose owners are a user's subordinate ids: by a child that is root over them. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct userns_maps {
	const char *uids, *gids; /* uid_map(5)'s text; NULL: no namespace is needed */
	bool helper;		 /* newuidmap(1) and newgidmap(1) write them */
	bool deny_setgroups;	 /* one's own id alone */
};

/*
 * Runs work in a child in new user and mount namespaces and waits for it; without maps (root) it
 * is called as it is. What it says in e comes back; it shares no memory otherwise.
 */
int userns_run(const struct userns_maps *maps, int (*work)(void *data, struct err *e), void *data,
	struct err *e);

/*
 * The same in a child that enters a user namespace that is there (FD_NONE: stays in ours) and has
 * its own mounts, if it makes some.
 */
int userns_run_in(int userns, bool own_mounts, int (*work)(void *data, struct err *e), void *data,
	struct err *e);
