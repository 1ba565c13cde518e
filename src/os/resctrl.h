/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of the resctrl filesystem (Documentation/arch/x86/resctrl.rst): cache and memory bandwidth
 * by class of service. All return a descriptor or 0, or -errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where it is mounted, malloc'ed; -ENOENT: nowhere. */
int resctrl_find(char **ret);

/*
 * The descriptor of root/clos; clos "/" is the root itself, the default class. create: it is made
 * where it is missing, and *ret_made says so.
 */
int resctrl_open(const char *root, const char *clos, bool create, bool *ret_made);

/* Does the group have this line of a schemata ("L3:0=7f0;1=1f") already? 1, 0, -EINVAL, -errno. */
int resctrl_has(int group, const char *line);

/* Writes one line into its schemata. */
int resctrl_write(int group, const char *line);

/* Makes mon_groups/name in it; the descriptor of that. */
int resctrl_monitor(int group, const char *name, bool *ret_made);

int resctrl_join(int group, pid_t pid);

/* What the kernel says about the last refusal, cut to size, without the newline; "" for nothing. */
const char *resctrl_why(const char *root, char *why, size_t size);
