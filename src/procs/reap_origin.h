/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Was a child born to its present parent, or adopted by it? Only what /proc proves counts;
 * tempting hints (its place in the list of children) are wrong for programs with threads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum reap_origin {
	REAP_ORIGIN_UNKNOWN,
	REAP_ORIGIN_OWN,     /* its parent forked it, and may want to know how it ended */
	REAP_ORIGIN_ADOPTED, /* its parent never heard of it */
};

/* What counts of a parent. PIDs and session are those of the parent's own PID namespace. */
struct reap_kin_parent {
	pid_t pid, sid;	      /* sid 0: the session came from outside the namespace */
	uint64_t start_ticks; /* /proc/PID/stat field 22 */
	bool leader_alive;    /* its first thread has not exited */
	bool execs_known;     /* by the BPF task iterator: self_exec and born_exec hold */
	uint32_t self_exec;   /* programs it has executed */
};

/* What counts of its child, in the parent's PID namespace too. */
struct reap_kin_child {
	pid_t pid, sid;
	uint64_t start_ticks;
	int exit_signal;     /* field 38 */
	uint32_t born_exec;  /* programs its parent had executed when it was born */
	bool on_leader_list; /* found in /proc/PID/task/PID/children, not in another thread's */
};

/*
 * proof: set to words for a person, a constant; NULL leaves unknown without any.
 *
 * Adoption appends to the list of the first living thread and resets the exit signal to SIGCHLD.
 * A session is only ever inherited at fork or made by its leader: PID 1 of a namespace can only
 * have been in one from outside (0 in there) or in its own, any other process that does not lead
 * its session is in the one it was born into; a child in a third one has another ancestor between.
 * Who was born to one that had executed more programs than the present parent was born to another.
 */
enum reap_origin reap_origin(const struct reap_kin_parent *parent,
	const struct reap_kin_child *child, const char **ret_proof);

/* "adopted", "own", "unknown". */
const char *reap_origin_word(enum reap_origin origin);
