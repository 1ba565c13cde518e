/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the control socket, between ctl.c (connections) and ctl_cmd.c, ctl_show.c (what they
 * ask). */
#pragma once

#include "init/services/ctl_wire.h"
#include "init/services/engine.h"

enum ctl_wait {
	WAIT_NONE,
	WAIT_START,
	WAIT_STOP,
	WAIT_RESTART,
	WAIT_UPDATE,
	WAIT_TAIL,
	WAIT_MAINTAIL
};

enum { CTL_WORDS = 64, HTTP_MAX = 32768 /* of a request by HTTP */ };

enum rpc { RPC_NONE, RPC_SAID, RPC_ONE, RPC_MANY };

struct client {
	int fd;		     /* -1: a free place */
	unsigned long since; /* the place of whoever came first is given away when all are taken */
	size_t n;
	bool asked; /* its request is complete */
	char *request;
	const char **words;
	int n_words;
	int code;
	enum ctl_wait wait;
	int follows, stream;		   /* WAIT_TAIL */
	unsigned char pending[SV_MAX / 8]; /* services that are waited for */
	int n_pending;
	bool inet;		    /* came by TCP */
	bool http, chunked, headed; /* the head of its answer is out */
	char *body;
	char *calls;  /* of system.multicall: those that are still to be made; NULL: it is none */
	enum rpc rpc; /* what its answer is: of one process, or an element for each */
	int fault;
};

/* A line (no newline needed) to it. */
void ctl_say(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ctl_bytes(struct client *c, enum ctl_kind kind, const char *data, size_t n);
void ctl_wait_for(struct client *c, const struct service *s);
void ctl_finish(struct client *c); /* the exit code, and good-bye */

/* ctl_cmd.c: carries out what was asked; who has nothing to wait for is finished. */
void ctl_command(struct client *c);
void ctl_start(struct client *c, int from); /* the words from there on */
void ctl_restart_now(struct client *c);

/* ctl_show.c */
void ctl_status(struct client *c);
void ctl_pid(struct client *c);
void ctl_avail(struct client *c);
void ctl_stats(struct client *c);
void ctl_tail(struct client *c);
void ctl_maintail(struct client *c);

/* Of a configuration, in the order of their own names. */
const struct sv_def *ctl_next_def(const struct conf *conf, const struct sv_def *last);
/* The one service it names; NULL. */
struct service *ctl_one(const char *word);
void ctl_foreground(struct client *c);
void ctl_describe(struct buf *b, const struct service *s);
bool ctl_is_running(const struct service *s);
void ctl_send(struct client *c, const char *data, size_t n);

/* http.c */
bool http_is(const struct client *c);
int http_split(struct client *c); /* 1: complete, 0: not yet, -1: none it will be */
void http_command(struct client *c);
void http_head(struct client *c, const char *status, const char *type);
void http_bytes(struct client *c, const char *data, size_t n);
void http_end(struct client *c);

/* rpc.c */
void rpc_command(struct client *c);
bool rpc_came_out(struct client *c, const struct service *s);
/* What is left to say; false: there is more to wait for (system.multicall). */
bool rpc_finish(struct client *c);

/* "web", or "group:web" where the group has another name */
void ctl_name(struct buf *b, const char *group, const char *name);
/* Services in the order of their names; NULL first, then the last; NULL: no more. */
struct service *ctl_next(const struct service *last);
/* Does a word mean it? whole: "all", "group:*" or "group:". */
bool ctl_means(const char *word, const struct service *s, bool *ret_whole);
