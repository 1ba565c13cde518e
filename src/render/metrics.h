/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus' text format (0.0.4) of one snapshot and what was counted meanwhile. */
#pragma once

#include "base/str.h"
#include "procs/counters.h"
#include "procs/pids_limit.h"
#include "procs/seen.h"
#include "procs/snapshot.h"
#include "procs/zombies.h"

struct metrics {
	const struct snapshot *s;
	const struct seen *seen;
	const struct zombie *zombies;
	size_t n_zombies;
	const struct pids_limit *limits; /* one a namespace */
	unsigned n_undying;		 /* namespaces that were killed and cannot die */
	const struct counters *counters; /* NULL: one shot, nothing was counted */
	double scan_seconds;		 /* how long the reading took */
};

void metrics_render(const struct metrics *m, struct text *t);
