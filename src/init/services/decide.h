/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a service: state x event -> next state and what is to be done. Pure; every cell
 * is tested. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "init/services/conf.h"

enum sv_state {
	SV_STOPPED,  /* never started, or stopped because somebody said so */
	SV_WAITING,  /* for what it needs */
	SV_STARTING, /* runs, is not ready yet */
	SV_RUNNING,
	SV_BACKOFF,  /* it ended; will be started again when its time is up */
	SV_STOPPING, /* has been told to end */
	SV_CLEARING, /* ended by itself; what is left of it is being stopped, or its finish program
			runs */
	SV_EXITED,   /* ended, and that is all right */
	SV_FATAL,    /* lost for good */
	SV_STATES,
};

enum sv_event {
	EV_START,     /* somebody wants it up */
	EV_STOP,      /* somebody wants it down, and nobody needs it any more */
	EV_MAY_START, /* what it needs is there */
	EV_NEVER,     /* what it needs is lost */
	EV_READY,
	EV_DUE,	  /* its time is up: to be ready, to wait, to obey */
	EV_ENDED, /* its main process has ended, something of it is left */
	EV_AGAIN, /* nothing of it is left; by its rule: start again */
	EV_LATER, /* ... after a while */
	EV_DONE,  /* ... it is done */
	EV_LOST,  /* ... give up */
	SV_EVENTS,
};

enum sv_act {
	ACT_NONE,
	ACT_LOOK, /* see whether what it needs is there */
	ACT_SPAWN,
	ACT_READY,	/* tell who waits */
	ACT_STOP_FIRST, /* the first step of its stop sequence */
	ACT_STOP_NEXT,
	ACT_CLEAR,    /* stop what is left of it, run its finish program */
	ACT_WAIT,     /* set the clock for the next start */
	ACT_REMEMBER, /* start it again when it has stopped */
	ACT_STOPPED,  /* tell who waits; start again if that was remembered */
	ACT_EXITED,
	ACT_FATAL,
};

struct sv_cell {
	enum sv_state next;
	enum sv_act act;
};

struct sv_cell services_decide(enum sv_state s, enum sv_event e);

/* What follows from an end by itself. */
struct sv_verdict {
	enum sv_event event; /* EV_AGAIN, EV_LATER, EV_DONE, EV_LOST */
	int tries;	     /* ends in a row that count as failures, this one included */
	int64_t wait_ms;     /* EV_LATER: before the next start */
};

/* status: of waitpid(2); alive_ms: from its start; was_ready; tries: before this end. */
struct sv_verdict services_after(
	const struct sv_rule *r, int status, int64_t alive_ms, bool was_ready, int tries);

/* Is this end one of those the rule calls good? */
bool services_expected(const struct sv_rule *r, int status);

/* Does a process of it run, or may one? */
bool services_is_live(enum sv_state s);

/* supervisord's name of it. */
const char *services_word(enum sv_state s);
