/* SPDX-License-Identifier: Apache-2.0 */
/* The systemd cgroup manager: a transient scope, and what of the limits systemd is told. */
#pragma once

#include "plan/decide.h"

/* Fills plan->cgroup.slice, .unit and .properties. */
int systemd_decide(const struct decide *d, struct err *e);

/* Of resources alone, for update: fills plan->cgroup.properties with what can change. */
int systemd_limits_decide(const struct decide *d, const struct spec_resources *r, struct err *e);
