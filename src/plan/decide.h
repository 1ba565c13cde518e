/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every decision sees. make.c calls them in order; each fills its own part of the plan from
 * the request and what was decided before it, and returns 0 or a sentence in e that names the
 * field.
 */
#pragma once

#include "plan/plan.h"

struct decide {
	const struct plan_request *req;
	const struct spec *spec;
	const struct host *host;
	struct plan *plan;
	struct arena *arena; /* the plan's */
};

int namespaces_decide(const struct decide *d, struct err *e);
int ids_decide(const struct decide *d, const struct spec_process *process, struct err *e);
int root_decide(const struct decide *d, struct err *e);
int mounts_decide(const struct decide *d, struct err *e);
int devices_decide(const struct decide *d, struct err *e);
int cgroup_decide(const struct decide *d, struct err *e);
int resctrl_decide(const struct decide *d, struct err *e);
/* update's: lines of these two schemata */
int resctrl_lines(const struct decide *d, const char *l3, const char *bandwidth, struct err *e);
int sysctl_decide(const struct decide *d, struct err *e);
int process_decide(const struct decide *d, const struct spec_process *process, struct err *e);
int caps_decide(const struct decide *d, const struct spec_process *process, struct err *e);

/* In seccomp/compile.c: the system call filter; exec has the container's too. */
int seccomp_decide(const struct decide *d, struct err *e);

/* Is this kind of namespace (CLONE_NEW*) the container's own or joined, not the caller's? */
bool namespaces_has(const struct plan_namespaces *n, int flag);

/* A user namespace other than the caller's, or the caller is in one: mknod and the like fail. */
bool namespaces_restricted(const struct decide *d);

/* The host's id of the container's id by a spec's mappings; false: not mapped. */
bool ids_to_host(const struct spec_idmaps *maps, uint32_t id, uint32_t *ret);

/* Says once, on success too, what the user should know. */
void decide_warn(const struct decide *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* "/a//b/./c/../d" to "/a/b/d": absolute, never above "/"; links are not its business. */
const char *decide_clean_path(const struct decide *d, const char *path);
