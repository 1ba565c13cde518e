/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of /proc/PID/status that have one number for each PID namespace. */
#pragma once

#include <sys/types.h>

enum {
	NSPID_ABSENT = 1,
	NSPID_DEPTH_MAX = 33, /* pid_namespaces(7): 32 nested levels below the first */
};

struct nspid {
	int depth;
	pid_t pid[NSPID_DEPTH_MAX];
};

/*
 * Reads the "NSpid:" line (or "NSsid:", "NSpgid:") of a /proc/PID/status text.
 *
 * status: NUL-terminated text of the whole file; lent.
 * label:  the line's name without its colon.
 * ret:    one number per PID namespace, the reader's first; left alone unless 0 returns.
 *
 * Returns 0, or NSPID_ABSENT where the text has no such line (before Linux 4.1), or -EBADMSG for
 * a line that is not numbers, -E2BIG for more than NSPID_DEPTH_MAX of them.
 */
int nspid_parse(const char *status, const char *label, struct nspid *ret);
