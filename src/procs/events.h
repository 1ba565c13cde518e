/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to processes, as it happens: the process connector tells of fork, exec and exit;
 * who became an orphan, who adopted it, who stayed a zombie and when it was reaped are concluded
 * here. Lost events are noticed, said, and healed by reading /proc again.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "procs/facts.h"

enum event_kind {
	EVENT_FORK,
	EVENT_EXEC,
	EVENT_EXIT,
	EVENT_ORPHAN, /* its parent ended */
	EVENT_ADOPT,  /* and this process is its parent now */
	EVENT_ZOMBIE, /* dead for EVENTS_SETTLE_MS, and nobody waited for it */
	EVENT_REAP,
	EVENT_NS, /* a PID namespace was born or died */
	EVENT_LOST,
	EVENT_KINDS,
};

enum { EVENTS_SETTLE_MS = 1000 };

struct event {
	enum event_kind kind;
	struct timespec at;  /* CLOCK_REALTIME */
	pid_t pid, ns_pid;   /* as the host, and as its innermost namespace has it; 0: unknown */
	pid_t ppid;	     /* its parent now; EVENT_ORPHAN: the one that ended */
	pid_t adopter;	     /* EVENT_ORPHAN and EVENT_ADOPT */
	uint64_t pidns;	     /* inode; 0: unknown */
	int wait_status;     /* EVENT_EXIT, EVENT_ZOMBIE, EVENT_REAP */
	int64_t after_ms;    /* EVENT_REAP: how long it was a zombie */
	bool born;	     /* EVENT_NS: else died */
	bool parent_is_init; /* ppid is PID 1 of its namespace */
	uint64_t lost;	     /* EVENT_LOST: how many */
	char comm[FACTS_COMM_MAX];
	char runtime[16], container[FACTS_CONTAINER_MAX]; /* "" for none */
};

struct events;

typedef void (*event_fn)(void *data, const struct event *ev);

/* Subscribes, then reads the processes there are. -EPERM is said in words. */
int events_open(struct events **ret, struct err *e);

/* Waits at most timeout_ms for something and tells all of it. */
int events_wait(struct events *ev, int timeout_ms, event_fn tell, void *data, struct err *e);

/* Readable when events_wait() has something to tell; for poll(2). */
int events_fd(const struct events *ev);

void events_free(struct events *ev);

/* "fork", "exec", ... */
const char *event_word(enum event_kind kind);

/* "fork,exit" into one bit for each kind. Returns 0, or err_say() naming the unknown word. */
int event_kinds_parse(const char *words, unsigned *ret, struct err *e);
