/* SPDX-License-Identifier: Apache-2.0 */
/* The id maps of a user namespace (user_namespaces(7)). */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* "uid_map" or "gid_map" of a process by its text, in one write(2). 0 or -errno. */
int idmap_write(pid_t pid, const char *file, const char *text);

/* Before a gid_map without privileges: "deny" (Linux 3.19). */
int idmap_deny_setgroups(pid_t pid);

/* newuidmap(1) or newgidmap(1) with the same text as words. 0, -errno, or its exit status. */
int idmap_run_helper(const char *program, pid_t pid, const char *text);

/*
 * A user namespace with these maps and no process in it, for idmapped mounts. The caller needs
 * the rights to write them. A descriptor or -errno.
 */
int idmap_make_userns(const char *uid_map, const char *gid_map);
