/* SPDX-License-Identifier: Apache-2.0 */
/* What PID 1 does about what happens: pure, so that every cell is tested. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/options.h"

enum {
	STOP_STEPS = 8, /* of a stop sequence */
	DELAYS = 4,
	EXIT_CODES = 256,
	DROP = 255,
};

/* Whose manners. */
enum personality { AS_CLADE, AS_TINI, AS_DUMB_INIT, AS_CATATONIT, AS_PAUSE };

/* Whom a signal that comes is passed on to. */
enum target { TO_CHILD, TO_GROUP, TO_ALL };

/* What becomes of whoever is adopted. */
enum orphans { ORPHANS_KEEP, ORPHANS_TERM, ORPHANS_KILL };

struct stop_step {
	int signo;
	int64_t wait_ms; /* until the next; -1: for ever */
};

struct delay {
	int signo; /* 0: none */
	int64_t wait_ms;
};

/* Everything that was asked for; filled once by command.c or compat.c. */
struct rules {
	enum personality as;
	enum target target;
	enum orphans orphans;
	unsigned char rewrite[SIGNALS]; /* 0: as it is; DROP: not passed on */
	struct stop_step stop[STOP_STEPS];
	int n_stop; /* 0: no sequence */
	struct delay delay[DELAYS];
	unsigned char exit_map[EXIT_CODES]; /* code + 1; 0: as it is */
	int64_t drain_ms;	/* -1: do not wait for others; after it they are killed */
	bool own_session;	/* setsid() instead of a process group */
	bool own_group;		/* setpgid(), the terminal is given to it */
	bool term_group_at_end; /* dumb-init: TERM to who is left */
	bool subreaper, warns, pause, json;
	unsigned verbosity;  /* in the personality's own count */
	int parent_death;    /* 0: none */
	int preserve_fds;    /* beyond 2, the program's; -1: all that are open */
	const char *control; /* path of the control socket; NULL: none */
};

/* --- a signal that came ---------------------------------------------------------------------- */

enum decision {
	DECIDE_NOTHING,
	DECIDE_REAP,
	DECIDE_FORWARD, /* signo: as what */
	DECIDE_DROP,	/* it was asked not to be passed on */
	DECIDE_STOP,	/* one that the stop sequence answers */
};

struct decided {
	enum decision what;
	int signo;
	bool stop_ourselves; /* dumb-init: after it, SIGSTOP to ourselves */
};

struct decided decide_signal(const struct rules *r, int signo);

/* --- what is done ---------------------------------------------------------------------------- */

enum state { RUNNING, STOPPING, DRAINING, KILLING, PAUSED, STATES };

enum event {
	ON_SIGNAL, /* one to pass on */
	ON_STOP,   /* one that asks to stop */
	ON_END,	   /* the program has ended */
	ON_ALONE,  /* nobody is left but us */
	ON_TIME,   /* what was waited for did not come in time */
	EVENTS
};

enum action {
	IGNORE,
	FORWARD,
	NEXT_STOP, /* the next step of the stop sequence */
	LEAVE,	   /* at once, or after a drain where one was asked for */
	KILL_REST,
	EXIT,	   /* with the program's code */
	EXIT_WELL, /* 0 */
};

struct move {
	enum action action;
	enum state next;
};

/* The table itself. */
struct move decide_event(enum state s, enum event e);

/* A wait status as the exit code of whoever stood for it: 128 + n for signal n, then the map. */
int decide_exit_code(const struct rules *r, int status);

/* The step after `step` (-1: none yet) of the stop sequence; it stays at the last. */
int decide_next_stop(const struct rules *r, int step);

/* How long a signal is held back; 0: not at all. */
int64_t decide_delay(const struct rules *r, int signo);

/* --- a program that stopped ------------------------------------------------------------------ */

enum stopped {
	STAYS_STOPPED,
	STOP_TOO, /* somebody above us resumes us, and we it */
	RESUME,	  /* nobody would: the terminal's stop is taken back */
};

/*
 * signo: what it stopped by; asked: such a signal was passed on by us; has_terminal: it is the
 * terminal's foreground; has_shell: our group has a parent that does job control.
 */
enum stopped decide_stopped(int signo, bool asked, bool has_terminal, bool has_shell);
