/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of what happens, in the words of whomever we stand for. */
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include "init/decide.h"
#include "init/family.h"

void voice_begin(const struct rules *r); /* before the program */
void voice_spawned(const struct rules *r, pid_t pid, const char *name);
void voice_received(const struct rules *r, int signo);
void voice_hand_off(const struct rules *r, int signo);
/* to: 0 where it was dropped; error: errno of the kill, 0: none */
void voice_passed(const struct rules *r, int signo, int to, int error);
void voice_suspending(const struct rules *r);
void voice_stopping(const struct rules *r, int signo);

struct reaped {
	pid_t pid;
	bool is_main;
	int status;
	struct rusage usage;
	struct process was; /* pid 0: not known */
};

void voice_reaped(const struct rules *r, const struct reaped *e);
void voice_none_left(const struct rules *r, bool any_child);
void voice_ending(const struct rules *r, int code);

/* Zombies of a parent that lives and does not wait: to the log, or a line each to who asks. */
typedef void voice_line(int fd, const char *text, size_t n);
void voice_culprits(const struct rules *r);
void voice_zombies(voice_line *tell, int fd);
