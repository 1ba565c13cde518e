/* SPDX-License-Identifier: Apache-2.0 */
/* What PID 1 does about what happens: pure, so that every cell is tested. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	SIGNALS = 65,	/* 1 to 64 */
	STOP_STEPS = 8, /* of a stop sequence */
	EXIT_CODES = 256,
};

/* Whom a signal that comes is passed on to. */
enum target { TO_CHILD, TO_GROUP, TO_ALL };

struct stop_step {
	int signo;
	int64_t wait_ms; /* until the next; -1: for ever */
};

/* Everything that was asked for; filled once by options.c. */
struct rules {
	enum target target;
	unsigned char rewrite[SIGNALS]; /* 0: as it is; DROP: not passed on */
	struct stop_step stop[STOP_STEPS];
	int n_stop;			    /* 0: no sequence */
	unsigned char exit_map[EXIT_CODES]; /* code + 1; 0: as it is */
	int64_t drain_ms;	/* -1: do not wait for others; after it they are killed */
	bool own_session;	/* setsid() instead of a process group */
	bool own_group;		/* setpgid(), the terminal is given to it */
	bool term_group_at_end; /* dumb-init: TERM to the session that is left */
	bool stops_with_it;	/* dumb-init: job control's stops stop us, too */
	bool subreaper, warns, pause;
	int verbosity;
	int parent_death;    /* 0: none */
	const char *control; /* path of the control socket; NULL: none */
};

enum { DROP = 255 };

enum decision {
	DECIDE_NOTHING,
	DECIDE_REAP,
	DECIDE_FORWARD,	       /* signo: as what */
	DECIDE_STOP,	       /* begin the stop sequence, or go on to its next step */
	DECIDE_STOP_OURSELVES, /* after passing SIGSTOP on */
};

struct decided {
	enum decision what;
	int signo;
};

/* A signal came. is_pid1: job control's stops have no effect on us anyway. */
struct decided decide_signal(const struct rules *r, int signo);

/* A wait status as the exit code of whoever stood for it: 128 + n for signal n, then the map. */
int decide_exit_code(const struct rules *r, int status);

/* The step after `step` (-1: none yet) of the stop sequence; it stays at the last. */
int decide_next_stop(const struct rules *r, int step);
