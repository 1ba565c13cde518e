/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aarch64. The kernel has prepared the restart before a tracer sees the stop: the program counter
 * is back at the svc, x0 is the first argument again, and whether it will run the same call or
 * restart_syscall(2) is not to be seen in the registers. So the thread is let into the call it was
 * about to restart, where the number shows, and the call is skipped; at the end it is let into it
 * once more, and there, at the entry, it gets its signals back: one that is pending by then
 * interrupts the call as it always would.
 *
 * Source: arch/arm64/kernel/signal.c do_signal(), ptrace.c syscall_trace_enter().
 */
#include "os/ptrace_machine.h"

#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define SVC_0		0xd4000001u
#define PSTATE_32_BIT	0x10u
#define NT_SYSTEM_CALL	0x404 /* NT_ARM_SYSTEM_CALL, Linux 3.19 */
#define NR_EPOLL_PWAIT2 441
#define SKIP_THE_CALL	(-1)

const unsigned char ptrace_machine_insn[PTRACE_INSN_MAX] = { 0x01, 0x00, 0x00, 0xd4 };
const size_t ptrace_machine_insn_len = 4, ptrace_machine_insn_align = 4;

const struct ptrace_known ptrace_machine_calls[] = {
	{ SYS_futex, PTRACE_RESTARTS, -1 },
	{ SYS_nanosleep, PTRACE_RESTARTS, -1 },
	{ SYS_clock_nanosleep, PTRACE_RESTARTS, -1 },
	{ SYS_restart_syscall, PTRACE_RESTARTS, -1 },
	{ SYS_rt_sigsuspend, PTRACE_RESTARTS, -1 },
	{ SYS_ppoll, PTRACE_RESTARTS, -1 },
	{ SYS_pselect6, PTRACE_RESTARTS, -1 },
	{ SYS_wait4, PTRACE_RESTARTS, -1 },
	{ SYS_waitid, PTRACE_RESTARTS, -1 },
	{ SYS_flock, PTRACE_RESTARTS, -1 },
	{ SYS_read, PTRACE_BY_SOCKET, -1 },
	{ SYS_accept, PTRACE_BY_SOCKET, -1 },
	{ SYS_accept4, PTRACE_BY_SOCKET, -1 },
	{ SYS_recvfrom, PTRACE_BY_SOCKET, 3 },
	{ SYS_recvmsg, PTRACE_BY_SOCKET, 2 },
	{ SYS_epoll_pwait, PTRACE_EINTR_ONLY, 3, .is_int_ms = true },
	{ NR_EPOLL_PWAIT2, PTRACE_EINTR_ONLY, 3 },
	{ SYS_rt_sigtimedwait, PTRACE_EINTR_ONLY, 2 },
	{ SYS_semop, PTRACE_EINTR_ONLY, -1 },
	{ SYS_semtimedop, PTRACE_EINTR_ONLY, 3 },
	{ SYS_io_getevents, PTRACE_EINTR_ONLY, 4 },
	{ SYS_io_pgetevents, PTRACE_EINTR_ONLY, 4 },
	{ SYS_io_uring_enter, PTRACE_EINTR_ONLY, -1 },
	{ SYS_write, PTRACE_RETURNS_PART, -1 },
	{ SYS_writev, PTRACE_RETURNS_PART, -1 },
	{ SYS_sendto, PTRACE_RETURNS_PART, -1 },
	{ SYS_sendmsg, PTRACE_RETURNS_PART, -1 },
	{ SYS_sendfile, PTRACE_RETURNS_PART, -1 },
	{ SYS_splice, PTRACE_RETURNS_PART, -1 },
	{ -1 },
};

bool ptrace_machine_native(const struct user_regs_struct *r)
{
	return !(r->pstate & PSTATE_32_BIT);
}

/* Not to be told from the registers; inside a system call the check finds nothing anyway. */
bool ptrace_machine_in_user_mode(const struct ptrace_loan *l)
{
	(void)l;
	return true;
}

/*
 * Never the svc at the program counter: called from there with our number, the kernel would take
 * it for its prepared restart and replace the number by restart_syscall's.
 */
uint64_t ptrace_machine_own_insn(const struct user_regs_struct *r)
{
	return r->pc - ptrace_machine_insn_len;
}

static bool is_svc(pid_t tid, uint64_t at)
{
	long word;

	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, tid, at, NULL);
	return !errno && (uint32_t)word == SVC_0;
}

static int skip_call(pid_t tid, long *ret_nr)
{
	int nr;
	struct iovec io = { &nr, sizeof(nr) };

	if (ptrace(PTRACE_GETREGSET, tid, NT_SYSTEM_CALL, &io) < 0)
		return -errno;
	*ret_nr = nr;
	nr = SKIP_THE_CALL;
	return ptrace(PTRACE_SETREGSET, tid, NT_SYSTEM_CALL, &io) < 0 ? -errno : 0;
}

int ptrace_machine_arrive(struct ptrace_loan *l)
{
	int r;

	if (!is_svc(l->tid, l->saved.pc))
		return 0;
	r = ptrace_to_syscall_stop(l);
	if (r == 0)
		r = skip_call(l->tid, &l->restart_nr);
	return r < 0 ? r : ptrace_to_syscall_stop(l);
}

void ptrace_machine_call(
	const struct ptrace_loan *l, long nr, const uint64_t args[6], struct user_regs_struct *r)
{
	*r = l->saved;
	r->pc = l->insn;
	r->regs[8] = (uint64_t)nr;
	for (int i = 0; i < 6; i++)
		r->regs[i] = args[i];
}

int64_t ptrace_machine_result(const struct user_regs_struct *r)
{
	return (int64_t)r->regs[0];
}

/*
 * Turns a call that answered -EINTR to our stop alone into one to be made again. Its first
 * argument was overwritten by the answer, so it is known only if /proc showed this very call.
 */
static void make_again(struct ptrace_loan *l, struct user_regs_struct *r)
{
	long nr = (long)r->regs[8];

	if ((int64_t)r->regs[0] != -EINTR || l->blocked.nr != nr || l->blocked.pc != r->pc ||
		!ptrace_eintr_by_stop(nr, r->regs[1]) ||
		!is_svc(l->tid, r->pc - ptrace_machine_insn_len))
		return;
	r->pc -= ptrace_machine_insn_len;
	r->regs[0] = l->blocked.args[0];
	l->restart_nr = nr;
}

int ptrace_machine_leave(struct ptrace_loan *l)
{
	struct user_regs_struct r = l->saved;
	int err = ptrace_to_signal_stop(l);

	if (err < 0)
		return err;
	if (l->restart_nr < 0)
		make_again(l, &r);
	if (l->restart_nr >= 0)
		r.regs[8] = (uint64_t)l->restart_nr;
	err = ptrace_registers_set(l->tid, &r);
	if (err == 0 && l->restart_nr >= 0)
		err = ptrace_to_syscall_stop(l);
	return err < 0 ? err : ptrace_sigmask_set(l->tid, l->sigmask);
}
