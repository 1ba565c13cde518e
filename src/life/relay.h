/* SPDX-License-Identifier: Apache-2.0 */
/* Our standard streams and a child process's, where they are not simply the same. */
#pragma once

#include "life/internal.h"

enum { FLOW_ROOM = 16384 };

/* One direction of a relay: from is read, to is written; both FD_NONE once it has ended. */
struct flow {
	int from, to;
	char *data; /* owned: FLOW_ROOM bytes, once there is something */
	size_t at, len;
};

struct relay {
	struct console console;
	struct flow in, out, err;
	int tty; /* lent: the master, or FD_NONE */
	bool closes_in;
	const struct proc_ref *process;
};

/*
 * Copies until the process has ended and what it said is out; our signals go to it. Returns 0,
 * LIFE_DETACHED when the detach keys were typed, or e.
 */
int relay_run(struct relay *r, struct err *e);
