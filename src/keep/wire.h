/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clade-keep, the minder of one container, says and hears. life/ speaks the other side.
 *
 * SYNC     to whoever starts it: one struct wire_born, how the start ended
 * BORN     from the process that gives birth: WIRE_BORN (with the terminal's master by
 *          SCM_RIGHTS, if there is one), then the final stage; a closed socket means it was killed
 * clients  attach.sock, SOCK_SEQPACKET: one struct wire_frame a message
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* argv of clade-keep: descriptors as numbers, -1 for none. */
enum wire_arg {
	WIRE_ARG_SYNC = 1,
	WIRE_ARG_BORN,
	WIRE_ARG_LISTEN,
	WIRE_ARG_FIRST, /* a client that is there from the start, and clears away at the end */
	WIRE_ARG_DIR,	/* the container's state folder */
	WIRE_ARG_LOCK,	/* held as long as we live */
	WIRE_ARG_IN,	/* write end of the container's standard input */
	WIRE_ARG_OUT,
	WIRE_ARG_ERR,
	WIRE_ARG_TTY,	 /* 1: a terminal comes with WIRE_BORN */
	WIRE_ARG_POLICY, /* enum wire_policy */
	WIRE_ARG_MAX,	 /* on-failure: how often at most; 0: no bound */
	WIRE_ARG_LOG,	 /* bytes of log that are kept; 0: no log */
	WIRE_ARG_OOM,	 /* file with a line "oom_kill N", or "" */
	WIRE_ARG_SELF,	 /* clade, run again to restart ("internal-start") or clear away */
	WIRE_ARG_ROOT,
	WIRE_ARG_ID,
	WIRE_ARGS,
};

enum wire_policy { WIRE_RESTART_NO, WIRE_RESTART_ON_FAILURE, WIRE_RESTART_ALWAYS };

/* internal-start finds BORN here; the container's standard files are its 0, 1 and 2. */
enum { WIRE_BORN_FD = 3 };

enum wire_stage {
	WIRE_BORN = 1,	  /* pid is there; not executed yet */
	WIRE_RUNNING,	  /* the program runs */
	WIRE_FAILED,	  /* err says why; the process is gone */
	WIRE_EXEC_FAILED, /* the same, and the program itself was the reason */
};

struct wire_born {
	int32_t stage, pid;
	struct {
		int32_t code;
		char msg[508];
	} err; /* struct err */
};

enum wire_kind {
	/* to clade-keep */
	WIRE_STDIN = 1, /* data */
	WIRE_EOF,	/* no more input; the first client's closes it for good */
	WIRE_RESIZE,	/* a: rows, b: columns */
	WIRE_QUIET,	/* no output is wanted, only WIRE_EXIT */
	WIRE_TAKE,	/* after WIRE_EXIT: the first client clears away, clade-keep just ends */
	/* from clade-keep */
	WIRE_STDOUT, /* data */
	WIRE_STDERR, /* data */
	WIRE_EXIT,   /* a: exit code, 128 + signal; b: 1 if it will be started again */
};

enum { WIRE_DATA_MAX = 32768 };

struct wire_frame {
	int32_t kind, a, b;
	char data[WIRE_DATA_MAX];
};

#define WIRE_HEAD offsetof(struct wire_frame, data)
