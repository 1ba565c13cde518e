/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of blocking call, made once and checked by the one who made it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

struct kind {
	const char *name;
	bool (*run)(void); /* true if result and errno were as they should be */
	bool retimed;	   /* a stop starts its timeout afresh: it may take longer */
};

extern const struct kind time_kinds[], fd_kinds[], ipc_kinds[]; /* { 0 }-terminated */

/* How long the call should take. */
long victim_ms(void);
struct timespec victim_span(void);
struct timespec victim_deadline(clockid_t clock);

/* As fork(); the child does not outlive this process. */
pid_t victim_fork(void);

/* Does act(with) in another process once the time is over. */
void victim_later(void (*act)(long), long with);

/* A signal to this process once the time is over; handled by a function that does nothing. */
void victim_signal_later(int sig);
void victim_catch(int sig);
void victim_block(int sig);

/* Was it a success (error 0) or this failure? What it was instead is remembered for the report. */
bool victim_is(long result, int error);
bool victim_holds(bool condition, const char *otherwise);
