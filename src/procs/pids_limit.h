/* SPDX-License-Identifier: Apache-2.0 */
/* The pids controller of a process's cgroup (v1 or v2), zombies and threads counted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pids_limit {
	int64_t current; /* -1: there is no pids controller there */
	int64_t max;	 /* -1: no limit of its own */
};

/* cgroup: the text of /proc/PID/cgroup; NULL is allowed. */
void pids_limit_read(const char *cgroup, struct pids_limit *ret);
