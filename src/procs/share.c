/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/share.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

struct shared {
	uint32_t n, piece;
	share_fn work;
	void *data;
	_Atomic uint32_t next;
};

struct sharer {
	struct shared *shared;
	unsigned thread;
};

static void take_pieces(struct shared *sh, unsigned thread)
{
	uint32_t i;

	while ((i = atomic_fetch_add(&sh->next, sh->piece)) < sh->n)
		sh->work(sh->data, thread, i, sh->n - i < sh->piece ? sh->n : i + sh->piece);
}

static void *run(void *arg)
{
	struct sharer *me = arg;

	/* to open, close or use a descriptor of a shared table costs all of them */
	unshare(CLONE_FILES);
	take_pieces(me->shared, me->thread);
	return NULL;
}

unsigned share_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > SHARE_THREADS_MAX ? SHARE_THREADS_MAX : (unsigned)cpus;
}

void share(uint32_t n, uint32_t worth, uint32_t piece, share_fn work, void *data)
{
	struct shared sh = { .n = n, .piece = piece, .work = work, .data = data };
	unsigned threads = n < worth ? 1 : share_threads();
	pthread_t ids[SHARE_THREADS_MAX];
	struct sharer them[SHARE_THREADS_MAX];
	bool runs[SHARE_THREADS_MAX];

	for (unsigned i = 1; i < threads; i++) {
		them[i] = (struct sharer){ &sh, i };
		runs[i] = pthread_create(&ids[i], NULL, run, &them[i]) == 0;
	}
	take_pieces(&sh, 0);
	for (unsigned i = 1; i < threads; i++)
		if (runs[i])
			pthread_join(ids[i], NULL);
}
