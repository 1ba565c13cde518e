/* SPDX-License-Identifier: Apache-2.0 */
/* Work on many processes shared out among threads, a piece at a time: one may be slower. */
#pragma once

#include <stdint.h>

enum { SHARE_THREADS_MAX = 4 };

/* thread: 0 (the caller) and up, for what each has of its own. [first, end): what to work on. */
typedef void (*share_fn)(void *data, unsigned thread, uint32_t first, uint32_t end);

/*
 * Calls work until all of n is done; from `worth` on by as many threads as there are CPUs, each
 * with a table of descriptors of its own: what it opens it must close. Without threads to be had
 * the caller does all.
 */
void share(uint32_t n, uint32_t worth, uint32_t piece, share_fn work, void *data);

/* How many CPUs there are, at most SHARE_THREADS_MAX. */
unsigned share_threads(void);
