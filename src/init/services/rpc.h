/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisor's XML-RPC. rpc_read.c reads what is asked, rpc.c knows the methods, rpc_act.c,
 * rpc_log.c and rpc_show.c carry them out, and what they answer is sent by rpc_say.c as it is
 * found.
 */
#pragma once

#include "init/services/ctl.h"

enum rpc_fault {
	UNKNOWN_METHOD = 1,
	INCORRECT_PARAMETERS = 2,
	BAD_ARGUMENTS = 3,
	SIGNATURE_UNSUPPORTED = 4,
	SHUTDOWN_STATE = 6,
	BAD_NAME = 10,
	BAD_SIGNAL = 11,
	NO_FILE = 20,
	NOT_EXECUTABLE = 21,
	FAILED = 30,
	ABNORMAL_TERMINATION = 40,
	SPAWN_ERROR = 50,
	ALREADY_STARTED = 60,
	NOT_RUNNING = 70,
	SUCCESS = 80,
	ALREADY_ADDED = 90,
	STILL_RUNNING = 91,
	CANT_REREAD = 92,
};

/* --- what is asked: words[0] is the method, its values are those behind it --- */

/* The body; false: none that can be read. Of system.multicall c->calls is set. */
bool rpc_read(struct client *c);
/* The next of c->calls: 1, or 0 for no more, -1 for one that cannot be read. */
int rpc_read_next(struct client *c);

/* --- what is said: a fault, or a value between begin and end; of system.multicall an element ---
 */

void rpc_begin(struct client *c);
void rpc_end(struct client *c);
void rpc_fault(
	struct client *c, int code, const char *extra); /* extra: NULL, or what it is about */
void rpc_true(struct client *c);
void rpc_string(struct client *c, const char *value);
void rpc_raw(struct client *c, const char *xml);
void rpc_put(struct client *c, const struct buf *xml);
/* As text in XML. How much of it was taken: not all: the half of a character at its end is left. */
size_t rpc_escape(struct buf *b, const char *text, size_t n, bool all);
/* Members of a struct. */
void rpc_add_number(struct buf *b, const char *name, long value);
void rpc_add_text(struct buf *b, const char *name, const char *value);
void rpc_add_bool(struct buf *b, const char *name, bool value);
/* What became of one of several: an element of an array. */
void rpc_result(struct client *c, const struct service *s, int code);

/* --- the methods --- */

void rpc_act(struct client *c);
void rpc_feed(struct client *c);
void rpc_reload_config(struct client *c);
void rpc_add_group(struct client *c);
void rpc_remove_group(struct client *c);

void rpc_read_log(struct client *c);
void rpc_tail_log(struct client *c);
void rpc_clear(struct client *c);
void rpc_clear_main(struct client *c);

void rpc_process_info(struct client *c);
void rpc_all_info(struct client *c);
void rpc_all_config(struct client *c);
void rpc_itself(struct client *c);
/* Where a service's stream goes: a path, "" for nowhere. */
const char *rpc_log_of(const struct sv_def *d, int which);
