/* SPDX-License-Identifier: Apache-2.0 */
/* The program's birth: between vfork(2) and execve(2) it is put where its personality puts it. */
#pragma once

#include <signal.h>

#include "init/decide.h"

/* As the kernel has it: libc keeps numbers 32 to 34 to itself. */
typedef unsigned long kernel_set;

struct received {
	kernel_set mask; /* what we were started with, and the program gets */
	struct sigaction ttou, ttin, chld;
};

/* The PID, or -1 (errno). What goes wrong behind it is said by the newborn, whose exit code tells.
 */
pid_t spawn_program(const struct rules *r, const struct received *got, char **argv);

int spawn_mask(int how, const kernel_set *set, kernel_set *ret_old);
/* From `first` on. */
void spawn_close(unsigned first);
