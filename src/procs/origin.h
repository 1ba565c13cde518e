/* SPDX-License-Identifier: Apache-2.0 */
/* Who was adopted, as far as one snapshot proves it (reap_origin.h has the rules). */
#pragma once

#include "procs/snapshot.h"

/*
 * Sets origin and proof of every zombie, and of all processes where live is true; a parent with
 * a proved orphan that is not PID 1 of its namespace is marked as subreaper.
 * Reads status of each zombie, and the lists of children of its parent if that has threads.
 */
void origin_find(struct snapshot *s, bool live);
