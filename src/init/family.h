/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of our PID namespace, as /proc shows them. Nothing is found where it is not
 * mounted. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct process {
	pid_t pid, parent, group;
	char state;
	char name[16];
	unsigned long long started; /* clock ticks after boot */
};

bool family_read(pid_t pid, struct process *ret);

/* Each of them to `see`, in no order. false: there is no /proc. */
bool family_each(void (*see)(const struct process *p, void *arg), void *arg);
