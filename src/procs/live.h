/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot that stays true: read whole once, then changed by what the events say, and read whole
 * again slowly, so that what was lost is healed. Without the right to hear events it is read
 * again more often, never so often that it costs more than about a hundredth of a core.
 */
#pragma once

#include "procs/snapshot.h"

struct event;
struct events;
struct usage;

/* Reads the snapshot anew, with its owners; the one before is gone then. */
struct live_source {
	int (*read)(void *data, struct snapshot **ret, struct err *e);
	void *data;
};

struct live {
	struct snapshot *s; /* the source's; indices change with every live_wait() */
	bool has_events;
	uint64_t n_lost;				  /* events that never came */
	uint64_t n_orphans, n_adopted, n_exits, n_reaped; /* since it began */
	/* private */
	struct live_source source;
	struct events *events;
	struct proc *procs; /* owned: the snapshot's, once it was changed */
	size_t room;
	struct arena links[2];
	int which;
	int64_t read_at_ms, read_cost_ms, applied_ms;
	bool stale; /* something came that only a whole reading can tell */
	struct usage *usage;
	uint32_t usage_mask;
	pid_t *dirty; /* owned */
	size_t n_dirty, dirty_room;
	void (*heard)(void *data, const struct event *ev); /* may be NULL */
	void *heard_data;
};

int live_open(struct live *l, const struct live_source *source, struct err *e);
void live_done(struct live *l);

/*
 * Waits until something happened to processes, input_fd (-1: none) can be read or a signal came,
 * at most timeout_ms. Returns LIVE_INPUT where input is there, LIVE_CHANGED, both, or 0.
 */
enum { LIVE_INPUT = 1, LIVE_CHANGED = 2 };
int live_wait(struct live *l, int input_fd, int timeout_ms, struct err *e);

/* Reads times and memory of these processes now; what live_cpu() says is since the time before. */
void live_refresh(struct live *l, const uint32_t *procs, size_t n);

/* Share of one core in percent lately; below 0: not known yet. */
double live_cpu(const struct live *l, const struct proc *p);

/* Sends a signal to exactly this process. 0, or what hindered. */
int live_signal(const struct proc *p, int signal, struct err *e);
