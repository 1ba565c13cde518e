/* SPDX-License-Identifier: Apache-2.0 */
/* A process and the zombies among its children, as /proc has them now. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "procs/reap_origin.h"

enum { REAP_COMM_MAX = 64 }; /* as facts.h has it */

struct reap_parent {
	pid_t host_pid, ns_pid; /* ns_pid: in its own, innermost namespace */
	pid_t sid;		/* in its own namespace; 0: from outside */
	int levels;		/* PID namespaces it is seen in, ours included */
	uint64_t start_ticks;
	pid_t tracer; /* 0: none */
	char state;   /* of its first thread */
	bool seccomp; /* has a filter that may be in the way of wait4 */
	int filters;  /* how many; 0: not known */
	struct reap_kin_parent kin;
	int pidfd; /* owned; taken before anything was read */
	char comm[REAP_COMM_MAX];
};

/* Where a zombie stands, first while it is looked at, then after what was done. */
enum reap_fate {
	REAP_REAPABLE,
	REAP_LEFT_OWN,	   /* its parent's own child, and --own was not asked */
	REAP_LEFT_UNKNOWN, /* and --unknown was not asked */
	REAP_LEFT_YOUNG,   /* not yet a zombie for long enough */
	REAP_LEFT_THREADS, /* only its first thread has exited */
	REAP_LEFT_TRACED,  /* its tracer must wait for it first */
	REAP_DONE,	   /* reaped, and confirmed */
	REAP_VANISHED,	   /* its parent was quicker */
	REAP_FAILED,	   /* wait4 did not take it; see result */
};

struct reap_zombie {
	pid_t host_pid, ns_pid; /* ns_pid: in the parent's namespace, the number wait4 wants */
	uint64_t start_ticks;
	int wait_status;	   /* as wait(2) has it; -1: not for us to see */
	int pidfd;		   /* owned; FD_NONE until reap_family_hold() */
	struct reap_kin_child kin; /* what its origin was judged by */
	enum reap_origin origin;
	const char *proof; /* constant words; NULL where the origin is unknown */
	enum reap_fate fate;
	int64_t result; /* what wait4 answered in the parent */
	char comm[REAP_COMM_MAX];
};

struct reap_family {
	struct reap_parent parent;
	struct reap_zombie *zombies; /* owned */
	size_t n;
};

/*
 * Reads a parent and all its zombies. Children that vanish meanwhile are left out. A process
 * that has no PID in the parent's namespace (it cannot be waited for from there) is no child.
 */
int reap_family_read(pid_t parent, struct reap_family *ret, struct err *e);

/*
 * Proves more of those whose origin is unknown, by the exec counts that only the kernel's task
 * iterator tells: the pinned one, or if may_load one that is loaded for it. Where there is none
 * they stay unknown.
 */
void reap_family_ask_kernel(struct reap_family *f, bool may_load);

/*
 * Takes pidfds of reapable zombies that have none, at most max, and makes sure that each still is
 * the one that was read; those which are not any more become REAP_VANISHED. Returns how many are
 * held now, fewer where descriptors run out.
 */
size_t reap_family_hold(struct reap_family *f, size_t max);

/* Lets go of all pidfds. */
void reap_family_let_go(struct reap_family *f);

/* Has the process of this pidfd been reaped? Works on every kernel that has pidfds. */
bool reap_family_is_gone(int pidfd);

void reap_family_done(struct reap_family *f);

/* The parent of a zombie, or 0 if pid is alive or not there. */
pid_t reap_family_parent_of_zombie(pid_t pid);
