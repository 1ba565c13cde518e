/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/seen.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum { ITEMS_MAX = 1 << 22 };

static const struct seen_zombie *find(const struct seen *x, pid_t pid, uint64_t start_ticks)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (x->items[mid].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < x->n && x->items[low].pid == pid && x->items[low].start_ticks == start_ticks)
		return &x->items[low];
	return NULL;
}

static void push(struct seen *x, const struct seen_zombie *z)
{
	if ((x->n & (x->n - 1)) == 0)
		x->items = mem_resize(x->items, x->n ? 2 * x->n : 1, sizeof(*x->items));
	x->items[x->n++] = *z;
}

void seen_load(struct seen *x, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	struct seen_zombie z;

	if (!f) {
		fd_close(&fd);
		return;
	}
	while (x->n < ITEMS_MAX && fscanf(f, "%d %" SCNu64 " %" SCNu64 "\n", &z.pid, &z.start_ticks,
					   &z.since_ticks) == 3) {
		if (z.pid <= 0 || (x->n && x->items[x->n - 1].pid >= z.pid))
			break;
		push(x, &z);
	}
	fclose(f);
}

bool seen_update(struct seen *x, const struct snapshot *s)
{
	struct seen now = { 0 };
	size_t kept = 0, before = x->n;

	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];
		const struct seen_zombie *old;
		struct seen_zombie z = { p->pid, p->start_ticks, s->now_ticks };

		if (!proc_is_zombie(p) || p->n_threads > 1)
			continue;
		old = find(x, p->pid, p->start_ticks);
		/* the ticks of another boot lie in the future */
		if (old && old->since_ticks <= s->now_ticks) {
			z.since_ticks = old->since_ticks;
			kept++;
		}
		push(&now, &z);
	}
	free(x->items);
	*x = now;
	return kept != before || now.n != before;
}

void seen_save(const struct seen *x, const char *path)
{
	autofree char *beside = NULL;
	FILE *f;
	int fd;

	if (asprintf(&beside, "%s.%d", path, getpid()) < 0)
		return;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		fd_close(&fd);
		return;
	}
	for (size_t i = 0; i < x->n; i++)
		fprintf(f, "%d %" PRIu64 " %" PRIu64 "\n", x->items[i].pid, x->items[i].start_ticks,
			x->items[i].since_ticks);
	if (fclose(f) != 0 || rename(beside, path) < 0)
		unlink(beside);
}

int64_t seen_age_ms(const struct seen *x, const struct snapshot *s, const struct proc *p)
{
	const struct seen_zombie *z =
		x && proc_is_zombie(p) ? find(x, p->pid, p->start_ticks) : NULL;

	if (!z || z->since_ticks > s->now_ticks)
		return -1;
	return (int64_t)((s->now_ticks - z->since_ticks) * 1000 / (uint64_t)s->ticks_per_second);
}

void seen_done(struct seen *x)
{
	free(x->items);
	*x = (struct seen){ 0 };
}
