/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people call a container, from the files in which its engine keeps it and from the arguments
 * of the processes that mind it. Every file is a stranger's: it may be a fifo, huge, or not JSON.
 */
#pragma once

#include "procs/owner.h"

/* What is read once for all containers. */
struct owner_files {
	struct snapshot *s;
	const char *root; /* before absolute paths */
	/* private; ready when zeroed */
	struct owner_minder *minders; /* conmons, by ID */
	size_t n_minders;
	const char **docker_roots, **runtime_roots;
	size_t n_docker_roots, n_runtime_roots;
	struct owner_store *stores;
	size_t n_stores;
	bool looked;
};

/* Fills in name, pod, kns and image as far as they are there. uid: whose engine; -1: root's. */
void owner_files_name(struct owner_files *f, uid_t uid, struct owner *o);

/*
 * Is the cgroup's last component a container's ID of a plain runtime (runc, crun, youki, clade-oci)
 * or of ctr, by their state folders? path is terminated.
 */
bool owner_files_find(struct owner_files *f, const char *path, struct owner *ret);

/*
 * By its namespace's PID 1: a child of conmon or of a shim is the container in their arguments,
 * whatever its cgroup; else PID 1's environment says "container=". False: neither.
 */
bool owner_files_by_init(struct owner_files *f, uint32_t init, struct owner *ret);
