/* SPDX-License-Identifier: Apache-2.0 */
#include "os/ptrace.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "os/ptrace_machine.h"

#define STOP_DEADLINE_NS       300000000u /* until a thread that does not stop is left alone */
#define STOP_SPIN_NS	       500000u	  /* an idle thread stops within 50 us */
#define STOP_NAP_NS	       50000
#define GET_RSEQ_CONFIGURATION 0x420f /* Linux 5.13; musl has no name for it */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int ptrace_blocked_parse(const char *text, struct ptrace_blocked *ret)
{
	struct ptrace_blocked b = { .nr = PTRACE_RUNNING };
	uint64_t v[8] = { 0 };
	int n;

	if (strncmp(text, "running", 7) == 0) {
		*ret = b;
		return 0;
	}
	n = sscanf(text,
		"%ld %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		" %" SCNx64 " %" SCNx64,
		&b.nr, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	if (n == 3 && b.nr == -1) { /* blocked outside a system call: "-1 SP PC" */
		b.pc = v[1];
	} else if (n == 9 && b.nr >= 0) {
		memcpy(b.args, v, sizeof(b.args));
		b.pc = v[7];
	} else {
		return -EBADMSG;
	}
	*ret = b;
	return 0;
}

static const struct ptrace_known *find_known(long nr)
{
	for (const struct ptrace_known *k = ptrace_machine_calls; k->nr >= 0; k++) {
		if (k->nr == nr)
			return k;
	}
	return NULL;
}

enum ptrace_notice ptrace_notice(const struct ptrace_blocked *b)
{
	const struct ptrace_known *k;
	uint64_t arg;

	if (b->nr < 0)
		return PTRACE_ON_CPU;
	k = find_known(b->nr);
	if (!k)
		return PTRACE_UNKNOWN;
	arg = k->arg >= 0 ? b->args[k->arg] : 0;
	switch (k->manner) {
	case PTRACE_BY_SOCKET:
		return arg & MSG_WAITALL ? PTRACE_NOTICED : PTRACE_UNSEEN;
	case PTRACE_EINTR_ONLY:
		if (k->is_int_ms)
			return (int)arg < 0 ? PTRACE_UNSEEN : PTRACE_RETIMED;
		return arg == 0 ? PTRACE_UNSEEN : PTRACE_RETIMED;
	case PTRACE_RETURNS_PART:
		return PTRACE_NOTICED;
	default:
		return PTRACE_UNSEEN;
	}
}

bool ptrace_eintr_by_stop(long nr, uint64_t second_arg)
{
	const struct ptrace_known *k = find_known(nr);

	if (!k || (k->manner != PTRACE_EINTR_ONLY && k->manner != PTRACE_BY_SOCKET))
		return false;
	/* io_uring_enter(fd, to_submit, ...): what it has submitted must not be submitted again */
	return nr != SYS_io_uring_enter || (unsigned)second_arg == 0;
}

int ptrace_registers_get(pid_t tid, struct user_regs_struct *ret)
{
	struct user_regs_struct r;
	struct iovec io = { &r, sizeof(r) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &io) < 0)
		return -errno;
	/* a 32-bit thread gives its own, shorter set */
	if (io.iov_len != sizeof(r) || !ptrace_machine_native(&r))
		return -ENOEXEC;
	*ret = r;
	return 0;
}

int ptrace_registers_set(pid_t tid, const struct user_regs_struct *r)
{
	struct user_regs_struct copy = *r;
	struct iovec io = { &copy, sizeof(copy) };

	return ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &io) < 0 ? -errno : 0;
}

int ptrace_sigmask_set(pid_t tid, uint64_t mask)
{
	return ptrace(PTRACE_SETSIGMASK, tid, sizeof(mask), &mask) < 0 ? -errno : 0;
}

/* What a wait status means; -ESRCH where the thread is gone. */
static int stop_kind(int status)
{
	if (!WIFSTOPPED(status))
		return -ESRCH;
	if (status >> 16 == PTRACE_EVENT_STOP)
		return PTRACE_STOP_TRAP;
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		return PTRACE_STOP_SYSCALL;
	return PTRACE_STOP_SIGNAL;
}

int ptrace_wait(struct ptrace_loan *l)
{
	int status, kind;

	while (waitpid(l->tid, &status, __WALL) < 0) {
		if (errno != EINTR)
			return -ESRCH;
	}
	kind = stop_kind(status);
	if (kind == PTRACE_STOP_SIGNAL && WSTOPSIG(status) == SIGSTOP)
		l->stopped_by_owner = true;
	return kind;
}

static int resume(struct ptrace_loan *l, int how)
{
	return ptrace(how, l->tid, NULL, NULL) < 0 ? -ESRCH : 0;
}

int ptrace_to_signal_stop(struct ptrace_loan *l)
{
	int kind;

	do {
		if (ptrace(PTRACE_INTERRUPT, l->tid, NULL, NULL) < 0 || resume(l, PTRACE_CONT) < 0)
			return -ESRCH;
		kind = ptrace_wait(l);
	} while (kind >= 0 && kind != PTRACE_STOP_TRAP);
	return kind < 0 ? kind : 0;
}

int ptrace_to_syscall_stop(struct ptrace_loan *l)
{
	int kind;

	do {
		if (resume(l, PTRACE_SYSCALL) < 0)
			return -ESRCH;
		kind = ptrace_wait(l);
	} while (kind >= 0 && kind != PTRACE_STOP_SYSCALL);
	return kind < 0 ? kind : 0;
}

/*
 * Waits for the first stop, after which nothing was changed yet: with a limit, and letting
 * through the signals that were on their way.
 */
static int wait_first(struct ptrace_loan *l)
{
	uint64_t start = now_ns(), waited;

	for (;;) {
		int status, r = waitpid(l->tid, &status, __WALL | WNOHANG);

		if (r < 0)
			return -ESRCH;
		if (r > 0) {
			int kind = stop_kind(status);

			if (kind < 0 || kind == PTRACE_STOP_TRAP)
				return kind;
			if (ptrace(PTRACE_CONT, l->tid, NULL, (long)WSTOPSIG(status)) < 0)
				return -ESRCH;
			continue;
		}
		waited = now_ns() - start;
		if (waited > STOP_DEADLINE_NS)
			return -EBUSY;
		if (waited > STOP_SPIN_NS)
			nanosleep(&(struct timespec){ .tv_nsec = STOP_NAP_NS }, NULL);
		else
			sched_yield();
	}
}

static bool insn_at(int mem, uint64_t at)
{
	unsigned char b[PTRACE_INSN_MAX];

	return pread(mem, b, ptrace_machine_insn_len, (off_t)at) ==
		       (ssize_t)ptrace_machine_insn_len &&
	       memcmp(b, ptrace_machine_insn, ptrace_machine_insn_len) == 0;
}

/* The first syscall instruction in [lo, hi) of an address space, or 0. */
static uint64_t scan_range(int mem, uint64_t lo, uint64_t hi)
{
	unsigned char b[4096 + PTRACE_INSN_MAX];

	for (uint64_t at = lo; at < hi; at += 4096) {
		ssize_t n = pread(mem, b, sizeof(b), (off_t)at);

		for (ssize_t i = 0; i + (ssize_t)ptrace_machine_insn_len <= n && i < 4096;
			i += (ssize_t)ptrace_machine_insn_align) {
			if (memcmp(b + i, ptrace_machine_insn, ptrace_machine_insn_len) == 0)
				return at + (uint64_t)i < hi ? at + (uint64_t)i : 0;
		}
	}
	return 0;
}

/* A syscall instruction for a thread that is not in a system call: the vdso's, else any text's. */
static uint64_t find_insn(pid_t pid, pid_t tid, int mem)
{
	char path[80], line[512], perm[8];
	uint64_t lo, hi, found = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", pid, tid);
	for (int pass = 0; pass < 2 && !found; pass++) {
		FILE *f = fopen(path, "re");

		while (f && !found && fgets(line, sizeof(line), f)) {
			bool vdso = strstr(line, "[vdso]");

			if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &lo, &hi, perm) != 3 ||
				perm[2] != 'x' || strstr(line, "[vsyscall]") || vdso != (pass == 0))
				continue;
			found = scan_range(mem, lo, hi);
		}
		if (f)
			fclose(f);
	}
	return found;
}

/*
 * A thread stopped in user mode may be inside a restartable sequence. The kernel would forget
 * that when it sees our program counter, so such a one is left alone for now.
 */
static bool in_rseq(pid_t tid)
{
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} c = { 0 };
	long cs;

	if (ptrace(GET_RSEQ_CONFIGURATION, tid, sizeof(c), &c) <= 0 || !c.pointer)
		return false;
	errno = 0;
	cs = ptrace(PTRACE_PEEKDATA, tid, c.pointer + 8, NULL); /* struct rseq.rseq_cs */
	return errno || cs;
}

/* The thread stands and nothing is changed yet: may it be used, and with which instruction? */
static int examine(struct ptrace_loan *l, int mem, uint64_t fallback)
{
	uint64_t own;
	int r = ptrace_registers_get(l->tid, &l->saved);

	if (r < 0)
		return r;
	if (ptrace(PTRACE_GETSIGMASK, l->tid, sizeof(l->sigmask), &l->sigmask) < 0)
		return -errno;
	own = ptrace_machine_own_insn(&l->saved);
	l->insn = own && insn_at(mem, own)	       ? own
		  : fallback && insn_at(mem, fallback) ? fallback
						       : 0;
	if (!l->insn)
		return -ENOEXEC;
	return ptrace_machine_in_user_mode(l) && in_rseq(l->tid) ? -EAGAIN : 0;
}

int ptrace_borrow(struct ptrace_loan *l, pid_t pid, pid_t tid, const struct ptrace_blocked *blocked,
	bool suspend_seccomp)
{
	long options = PTRACE_O_TRACESYSGOOD | (suspend_seccomp ? PTRACE_O_SUSPEND_SECCOMP : 0);
	autofd mem = FD_NONE;
	uint64_t fallback;
	char path[80];
	int r;

	*l = (struct ptrace_loan){ .pid = pid, .tid = tid, .blocked = *blocked, .restart_nr = -1 };
	/* the thread's own: where the first thread has exited, the process's is empty */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/mem", pid, tid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mem < 0)
		return errno == ENOENT ? -ESRCH : errno == EACCES ? -EPERM : -errno;
	fallback = find_insn(pid, tid, mem);
	if (ptrace(PTRACE_SEIZE, tid, NULL, options) < 0) {
		if (suspend_seccomp && (errno == EPERM || errno == EINVAL) &&
			ptrace(PTRACE_SEIZE, tid, NULL, 0L) == 0)
			return -EACCES; /* permitted, but for the filter */
		return -errno;
	}
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return -ESRCH;
	r = wait_first(l);
	if (r < 0)
		return r;
	l->stopped_ns = now_ns();
	r = examine(l, mem, fallback);
	if (r == 0)
		r = ptrace_sigmask_set(tid, ~UINT64_C(0));
	if (r < 0) {
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
		return r;
	}
	l->touched = true;
	return ptrace_machine_arrive(l);
}

int ptrace_call(struct ptrace_loan *l, long nr, const uint64_t args[6], int64_t *ret)
{
	struct user_regs_struct r;
	int err;

	ptrace_machine_call(l, nr, args, &r);
	if (ptrace_registers_set(l->tid, &r) < 0 || ptrace_to_syscall_stop(l) < 0 ||
		ptrace_to_syscall_stop(l) < 0)
		return -ESRCH;
	err = ptrace_registers_get(l->tid, &r);
	if (err < 0)
		return err;
	*ret = ptrace_machine_result(&r);
	return 0;
}

uint64_t ptrace_give_back(struct ptrace_loan *l)
{
	if (l->touched)
		ptrace_machine_leave(l);
	ptrace(PTRACE_DETACH, l->tid, NULL, NULL);
	if (l->stopped_by_owner)
		kill(l->pid, SIGSTOP);
	l->touched = false;
	return now_ns() - l->stopped_ns;
}
