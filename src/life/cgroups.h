/* SPDX-License-Identifier: Apache-2.0 */
/* A container's folders in every hierarchy of the host, found again by its path ("/clade/ID"). */
#pragma once

#include "base/err.h"
#include "base/mem.h"
#include "plan/plan.h"

/* The absolute folders, NULL-terminated, in the arena; path NULL or "/": none. */
const char **cgroup_folders(const struct host *h, const char *path, struct arena *a);

/* The one where a controller's files are; NULL: no such controller, or no path. */
const char *cgroup_folder_of(
	const struct host *h, const char *path, const char *controller, struct arena *a);

/* Thaws and kills what is left in folders (NULL-terminated) and removes them. */
int cgroups_remove(const char *const *folders, struct err *e);
int cgroups_clear(const struct host *h, const char *path, struct arena *a, struct err *e);

/* update: what a plan says is to be written, into folders that are there. */
int cgroups_write(const struct host *h, const char *path, const struct plan_cgroup *c,
	struct arena *a, struct err *e);
