/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of another process, borrowed for a moment: it makes a few system calls for us, through
 * a syscall instruction it already has, and then goes on as if nothing had been. No memory of the
 * process is written, no signal is sent to it, and the call it was blocked in is restarted by the
 * kernel with the right time left.
 *
 * Between ptrace_borrow() and ptrace_give_back() the thread runs with our registers and all its
 * signals blocked, so the borrower must not die there: borrow only in a process that has all its
 * own signals blocked and does nothing else. (SIGKILL of the borrower in this moment, some 50 us,
 * is the one thing nobody can mend.)
 *
 * Source: ptrace(2); the kernel decides about a restart (-ERESTART*) only on the way out of signal
 * handling, so that is where the registers are put back. Debuggers that put them back at a
 * syscall stop leak these numbers to the program.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/* What a thread is blocked in, as /proc/PID/task/TID/syscall has it. */
struct ptrace_blocked {
	long nr;	  /* system call; -1: blocked outside of one; -2: running */
	uint64_t args[6]; /* zero unless nr >= 0 */
	uint64_t pc;	  /* zero where running */
};

enum { PTRACE_NO_CALL = -1, PTRACE_RUNNING = -2 };

/*
 * How much of a stop a thread would notice, by what it is blocked in. Lower is better. Everything
 * up to PTRACE_UNSEEN is restarted exactly, PTRACE_RETIMED starts its timeout afresh.
 */
enum ptrace_notice {
	PTRACE_UNSEEN,	/* futex, nanosleep, poll, read, pause ... */
	PTRACE_RETIMED, /* an EINTR-only call with a finite timeout */
	PTRACE_UNKNOWN, /* any other system call */
	PTRACE_ON_CPU,	/* running: a restartable sequence may be in the way */
	PTRACE_NOTICED, /* would return early: recv(MSG_WAITALL), a write half done */
	PTRACE_NOT_NOW, /* /proc did not say */
};

/* Reads the text of /proc/PID/task/TID/syscall; lent. Returns 0, or -EBADMSG. */
int ptrace_blocked_parse(const char *text, struct ptrace_blocked *ret);

enum ptrace_notice ptrace_notice(const struct ptrace_blocked *b);

struct ptrace_loan {
	pid_t pid, tid;
	struct ptrace_blocked blocked; /* as seen before; restoring some calls needs it */
	struct user_regs_struct saved;
	uint64_t sigmask;
	uint64_t insn;	       /* address of a syscall instruction of the process */
	uint64_t stopped_ns;   /* CLOCK_MONOTONIC, when it stood */
	long restart_nr;       /* aarch64: the call to restart; -1: none */
	bool stopped_by_owner; /* a SIGSTOP came meanwhile and must be passed on */
	bool touched;	       /* its registers are not its own now */
};

/*
 * Borrows thread tid of process pid. suspend_seccomp: the process has a seccomp filter.
 *
 * Returns 0, or with the thread untouched: -EPERM (not permitted, or traced by another),
 * -ESRCH (gone), -EBUSY (does not stop: frozen or in an uninterruptible wait), -ENOEXEC (32-bit
 * code, or no syscall instruction anywhere), -EAGAIN (inside a restartable sequence: try again),
 * -EACCES (the filter cannot be suspended: needs CAP_SYS_ADMIN in the initial user namespace and
 * no filter on ourselves).
 *
 * After a failure the caller must exit or have waited for nothing: a tracer's exit detaches.
 */
int ptrace_borrow(struct ptrace_loan *l, pid_t pid, pid_t tid, const struct ptrace_blocked *blocked,
	bool suspend_seccomp);

/* Makes one system call; its result to ret, -errno as the kernel has it. 0, or -ESRCH (it died). */
int ptrace_call(struct ptrace_loan *l, long nr, const uint64_t args[6], int64_t *ret);

/*
 * Puts everything back and lets go. It returns only when that is done or the thread is dead,
 * however long that takes (a process frozen meanwhile is waited for). Returns how long the thread
 * was held, in ns.
 */
uint64_t ptrace_give_back(struct ptrace_loan *l);
