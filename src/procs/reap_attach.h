/* SPDX-License-Identifier: Apache-2.0 */
/* One attach: the parent waits for its zombies itself, while a helper process holds its hand. */
#pragma once

#include "base/err.h"
#include "procs/reap_family.h"

/* Called when the helper takes longer than it should: the thread will not stop or go on. */
typedef void (*reap_slow_fn)(void *told, const struct reap_parent *p);

/*
 * Makes f->parent wait for every zombie that is REAP_REAPABLE and has a pidfd, in one attach, and
 * notes in each what came of it (result, fate). *ret_held_ns: how long the thread was held.
 *
 * The attach is made by a forked helper with all signals blocked: Ctrl-C, or the death of this
 * process, does not end it. SIGKILL to the helper itself, in the microseconds of the hold, would
 * leave the parent with our registers and all its signals blocked; nothing else does.
 *
 * Returns 0, or with nothing changed: err_say() why the parent could not be borrowed.
 */
int reap_attach(
	struct reap_family *f, reap_slow_fn slow, void *told, uint64_t *ret_held_ns, struct err *e);
