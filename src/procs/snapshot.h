/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All processes of the host, as one reading of /proc has them, with their PID namespaces and the
 * tree they form. Everything is derived in linear time, and everything lives until
 * snapshot_done(). Processes come and go while it is read: one that went is left out, and what
 * could not be read of the others is marked, not guessed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

/* "No process", "no namespace": where an index would stand. */
#define NO_PROC ((uint32_t)-1)
#define NO_NS	((uint32_t)-1)

enum proc_origin {
	ORIGIN_UNKNOWN,
	ORIGIN_OWN,	/* its present parent forked it */
	ORIGIN_ADOPTED, /* it was an orphan */
};

struct owner;

struct proc {
	pid_t pid, ppid, pgid, sid; /* as the reader's namespace numbers them; 0: outside of it */
	const pid_t *nspid;	    /* its PID at each level, the reader's first; 0: not known */
	uint64_t start_ticks;	    /* since boot */
	uint64_t cpu_ticks;	    /* user and system time used */
	int64_t rss_pages;
	int n_threads;
	int exit_signal;	   /* what its parent is sent when it ends; -1 for none */
	int exit_status;	   /* as wait(2) has it; -1: not a zombie, or not ours to see */
	uid_t uid;		   /* effective; only with SNAP_UID, else -1 */
	const char *comm;	   /* may hold any byte but NUL */
	const char *args;	   /* words joined by spaces; NULL where not asked for or empty */
	const char *cgroup;	   /* /proc/PID/cgroup as it is; NULL where not asked for */
	const struct owner *owner; /* container; NULL: none, or not asked for */
	const char *proof;	   /* constant words for the origin; NULL where unknown */
	/* The tree: indices into snapshot.procs, children in order of PID. */
	uint32_t parent, first_child, last_child, next_sibling;
	uint32_t ns;	     /* index into snapshot.ns */
	uint32_t next_in_ns; /* another process of the same namespace */
	uint8_t levels;	     /* how many numbers nspid has; 1: in the reader's own namespace */
	char state;	     /* R S D T t Z X I ... */
	enum proc_origin origin : 8;
	bool kernel_thread;
	bool ns_guessed;   /* its ns link was refused: placed by PIDs, parents and cgroup */
	bool is_subreaper; /* proved by an adopted child, or the kernel's word (has_kernel_words) */
	/* only with has_kernel_words */
	uint32_t born_exec,
		self_exec;   /* how many execs its parent had made at birth, and it itself */
	uint64_t cgroup_key; /* the same for the same cgroups; 0: not known */
};

/* Why a namespace without processes is still there. */
enum pidns_held {
	PIDNS_LIVE,
	PIDNS_HELD_MOUNT,  /* a bind mount */
	PIDNS_HELD_FD,	   /* a descriptor */
	PIDNS_NOT_ENTERED, /* unshared by a process whose next child will be its init */
};

struct pidns {
	uint64_t inode;	 /* 0: not ours to see */
	uint32_t parent; /* NO_NS: none, or above the reader's */
	uint32_t init;	 /* PID 1 of it; NO_PROC: not seen */
	uint32_t first_member;
	uint32_t holder; /* the process that holds one without processes; NO_PROC */
	uint32_t n_procs, n_zombies, n_threads;
	uid_t owner_uid; /* of the user namespace that owns it; -1: not known */
	uint8_t level;	 /* 0: the reader's own */
	enum pidns_held held : 8;
	bool parent_guessed; /* by its init's parent, for the kernel would not say */
	const struct owner *owner;
};

/* What is read beside stat and the namespace; each costs a file a process. */
enum snapshot_wants {
	SNAP_UID = 1 << 0,	 /* uid */
	SNAP_CGROUP = 1 << 1,	 /* cgroup */
	SNAP_ARGS = 1 << 2,	 /* args */
	SNAP_HELD = 1 << 3,	 /* namespaces without processes; looks at every descriptor */
	SNAP_INIT_ARGS = 1 << 4, /* args of the namespaces' PID 1 only */
	SNAP_ORIGIN = 1 << 5,	 /* origin and proof of live processes too, and subreapers */
	SNAP_NS_OWNER = 1 << 7,	 /* owner_uid of every namespace, the reader's own too */
	SNAP_NO_USAGE = 1 << 6,	 /* cpu_ticks and rss_pages are not needed: may come from BPF */
};

struct snapshot {
	struct proc *procs; /* ascending by pid */
	uint32_t n;
	struct pidns *ns; /* ns[0] is the reader's own; a parent always before its children */
	uint32_t n_ns;
	bool has_kernel_words; /* by the BPF task iterator, not from /proc */
	uint32_t n_refused;    /* processes whose namespace was refused */
	uint32_t n_vanished;   /* went away while they were read */
	uint32_t n_unsearched; /* SNAP_HELD: processes whose descriptors were refused */
	bool hides;	       /* hidepid= keeps other users' processes from us */
	uint32_t n_hidden;     /* so many; 0: not known */
	uint64_t now_ticks;    /* since boot, at the reading */
	long ticks_per_second;
	/* private */
	int procfs;
	uint32_t *by_pid; /* hash of indices + 1 */
	uint32_t by_pid_mask;
	struct arena arenas[8];
	struct arena *arena; /* the first of them */
};

/* root: "/proc" or a folder like it. Returns 0, or what could not be read at all. */
int snapshot_read(const char *root, unsigned wants, struct snapshot *ret, struct err *e);
void snapshot_done(struct snapshot *s);

/* Index of a process by the reader's number, or NO_PROC. */
uint32_t snapshot_find(const struct snapshot *s, pid_t pid);

/* The process that has this number in that namespace, or NO_PROC. */
uint32_t snapshot_find_in(const struct snapshot *s, uint32_t ns, pid_t pid);

/* Index of a namespace by inode, or NO_NS. */
uint32_t snapshot_find_ns(const struct snapshot *s, uint64_t inode);

static inline bool proc_is_zombie(const struct proc *p)
{
	return p->state == 'Z';
}

/* PID 1 of a namespace, the reader's own included. */
static inline bool proc_is_init(const struct proc *p)
{
	return p->levels > 0 && p->nspid[p->levels - 1] == 1;
}

/* Came in by setns(): it is not PID 1, but its parent is outside its namespace. */
bool proc_is_entered(const struct snapshot *s, uint32_t i);

/* Who would adopt its children: the nearest proved subreaper above, else the namespace's init. */
uint32_t proc_reaper(const struct snapshot *s, uint32_t i);

/* Reads args, cgroup and uid (SNAP_*) of one process now: for few rows out of many. */
void snapshot_fill(struct snapshot *s, uint32_t i, unsigned wants);

/* The text of its /proc/PID/cgroup, read now unless it was; NULL where it has gone. */
const char *snapshot_cgroup(struct snapshot *s, uint32_t i);

/* Milliseconds since it was started. */
uint64_t proc_age_ms(const struct snapshot *s, const struct proc *p);
