/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of a single program's clade-init (--control): counters on request. There is no
 * loop over descriptors there, so the kernel tells of it by a signal like everything else, and it
 * costs nothing while nobody asks.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct control_counts {
	unsigned long reaped, adopted, forwarded;
	pid_t main_pid;
	/* who has zombies and does not wait, a line each */
	void (*zombies)(void (*say)(int fd, const char *text, size_t n), int fd);
};

/* false: said why not. */
bool control_open(const char *path);
/* Was this signal about the socket? Then who has asked has been answered. */
bool control_event(const siginfo_t *info, const struct control_counts *now);
void control_close(void);
