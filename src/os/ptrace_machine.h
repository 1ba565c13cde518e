/* SPDX-License-Identifier: Apache-2.0 */
/* What of ptrace.c is different on every machine: ptrace_x86_64.c or ptrace_aarch64.c, by Meson. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/ptrace.h"

/* How a stop came about, from ptrace_wait(). */
enum ptrace_stop { PTRACE_STOP_TRAP, PTRACE_STOP_SYSCALL, PTRACE_STOP_SIGNAL };

/*
 * Waits, without a limit, for the next stop of the borrowed thread. Returns the kind, or -ESRCH.
 * A signal that only SIGSTOP can be here is remembered and swallowed, to be passed on at the end.
 */
int ptrace_wait(struct ptrace_loan *l);

/* The general registers. Return 0, or -errno; -ENOEXEC where the thread runs 32-bit code. */
int ptrace_registers_get(pid_t tid, struct user_regs_struct *ret);
int ptrace_registers_set(pid_t tid, const struct user_regs_struct *r);
int ptrace_sigmask_set(pid_t tid, uint64_t mask);

/* Resumes until the thread stands inside signal handling, where restarts are decided. */
int ptrace_to_signal_stop(struct ptrace_loan *l);

/* Resumes until the next syscall stop, entry or exit. 0, or -ESRCH. */
int ptrace_to_syscall_stop(struct ptrace_loan *l);

/* The syscall instruction: its bytes, and at which addresses one can begin. */
#define PTRACE_INSN_MAX 4
extern const unsigned char ptrace_machine_insn[PTRACE_INSN_MAX];
extern const size_t ptrace_machine_insn_len, ptrace_machine_insn_align;

/* Is this 64-bit code of this machine? */
bool ptrace_machine_native(const struct user_regs_struct *r);

/* Where the call the thread was stopped in was made, or 0 if that may not be used again. */
uint64_t ptrace_machine_own_insn(const struct user_regs_struct *r);

/* Was the thread stopped in user mode, so that a restartable sequence may be under way? */
bool ptrace_machine_in_user_mode(const struct ptrace_loan *l);

/* The thread stands at its first stop, all signals blocked, registers saved: whatever must be
 * learnt about the interrupted call is learnt now. 0, or -ESRCH. */
int ptrace_machine_arrive(struct ptrace_loan *l);

/* Fills r so that the thread calls nr at l->insn. */
void ptrace_machine_call(
	const struct ptrace_loan *l, long nr, const uint64_t args[6], struct user_regs_struct *r);
int64_t ptrace_machine_result(const struct user_regs_struct *r);

/* Puts registers and signal mask back, in the way that makes the kernel restart the call. */
int ptrace_machine_leave(struct ptrace_loan *l);

/* How a blocking call takes it when its thread is stopped for a moment. */
enum ptrace_manner {
	PTRACE_RESTARTS,     /* the kernel restarts it by itself */
	PTRACE_BY_SOCKET,    /* so too, but -EINTR where the socket has a timeout; arg: its flags */
	PTRACE_EINTR_ONLY,   /* always -EINTR; arg: its timeout */
	PTRACE_RETURNS_PART, /* returns what it has done so far */
};

struct ptrace_known {
	short nr;
	signed char manner;
	signed char arg; /* index of the argument the manner speaks of; -1: none */
	bool is_int_ms;	 /* that timeout is an int of milliseconds, below 0 for ever; else a pointer
			  */
};

/* The calls of this machine whose manner is known, up to nr -1. */
extern const struct ptrace_known ptrace_machine_calls[];

/*
 * Is this -EINTR, from this call, the stop's doing alone? Such calls answer any wake-up with it;
 * turned into -ERESTARTNOHAND the kernel restarts them unless a signal really is pending.
 */
bool ptrace_eintr_by_stop(long nr, uint64_t second_arg);
