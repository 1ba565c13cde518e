/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format of one snapshot. */
#pragma once

#include "base/str.h"
#include "procs/snapshot.h"
#include "procs/zombies.h"

/* scan_seconds: how long the reading took. */
void metrics_render(const struct snapshot *s, const struct zombie *zombies, size_t n_zombies,
	double scan_seconds, struct text *t);
