/* SPDX-License-Identifier: Apache-2.0 */
/* Every resource of the specification as files and values, on v1, hybrid and v2. */
#pragma once

#include "plan/decide.h"

/* Fills plan->cgroup.writes, .enable and .device_prog. */
int cgroup_limits_decide(const struct decide *d, const struct spec_resources *r, struct err *e);

/* Would doing without a cgroup break a promise? Device rules hold by lack of rights alone. */
bool cgroup_limits_asked(const struct spec_resources *r);

enum cgroup_where {
	WHERE_NOWHERE, /* this host has no such controller */
	WHERE_V1,
	WHERE_V2,
};

/* In which hierarchy a controller lives here: "memory", "cpu", "io" ("blkio" on v1). */
enum cgroup_where cgroup_limits_where(const struct host *h, const char *v1, const char *v2);

/* One write; controller as v1 names it, NULL for v2. */
void cgroup_limits_write(const struct decide *d, const char *controller, const char *file,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Where the last write's file is not there: another, with this value. */
void cgroup_limits_or(const struct decide *d, const char *file, const char *value);
/* The last write's file need not be there. */
void cgroup_limits_optional(const struct decide *d);

/* runtime-spec's cpu shares (2..262144) as cgroup v2's cpu.weight (1..10000); 0 stays 0. */
uint64_t cgroup_limits_weight(uint64_t shares);

/* In cgroup_io.c: block devices, huge pages, RDMA and network classes. */
int cgroup_io_decide(const struct decide *d, const struct spec_resources *r, struct err *e);

/* Says so when what was asked for has no controller here; a v2 one is noted as to be enabled. */
int cgroup_limits_find(const struct decide *d, const char *v1, const char *v2, const char *field,
	enum cgroup_where *ret, struct err *e);

int device_bpf_decide(const struct decide *d, const struct spec_resources *r, struct err *e);
