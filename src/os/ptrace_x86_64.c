/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x86-64. The stop inside signal handling shows the interrupted call whole: orig_rax its number,
 * rax -ERESTART*. Both put back at such a stop make the kernel restart it, restart_block included
 * (wait4 leaves that alone).
 */
#include "os/ptrace_machine.h"

#include <errno.h>
#include <sys/syscall.h>

#define USER_CS	       0x33 /* 64-bit code */
#define ERESTARTNOHAND 514  /* kernel-internal: restart unless a handler runs */

const unsigned char ptrace_machine_insn[PTRACE_INSN_MAX] = { 0x0f, 0x05 };
const size_t ptrace_machine_insn_len = 2, ptrace_machine_insn_align = 1;

const struct ptrace_known ptrace_machine_calls[] = {
	{ SYS_futex, PTRACE_RESTARTS, -1 },
	{ SYS_nanosleep, PTRACE_RESTARTS, -1 },
	{ SYS_clock_nanosleep, PTRACE_RESTARTS, -1 },
	{ SYS_restart_syscall, PTRACE_RESTARTS, -1 },
	{ SYS_pause, PTRACE_RESTARTS, -1 },
	{ SYS_rt_sigsuspend, PTRACE_RESTARTS, -1 },
	{ SYS_poll, PTRACE_RESTARTS, -1 },
	{ SYS_ppoll, PTRACE_RESTARTS, -1 },
	{ SYS_select, PTRACE_RESTARTS, -1 },
	{ SYS_pselect6, PTRACE_RESTARTS, -1 },
	{ SYS_wait4, PTRACE_RESTARTS, -1 },
	{ SYS_waitid, PTRACE_RESTARTS, -1 },
	{ SYS_flock, PTRACE_RESTARTS, -1 },
	{ SYS_read, PTRACE_BY_SOCKET, -1 },
	{ SYS_accept, PTRACE_BY_SOCKET, -1 },
	{ SYS_accept4, PTRACE_BY_SOCKET, -1 },
	{ SYS_recvfrom, PTRACE_BY_SOCKET, 3 },
	{ SYS_recvmsg, PTRACE_BY_SOCKET, 2 },
	{ SYS_epoll_wait, PTRACE_EINTR_ONLY, 3, .is_int_ms = true },
	{ SYS_epoll_pwait, PTRACE_EINTR_ONLY, 3, .is_int_ms = true },
	{ 441 /* epoll_pwait2 */, PTRACE_EINTR_ONLY, 3 },
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
	return r->cs == USER_CS;
}

bool ptrace_machine_in_user_mode(const struct ptrace_loan *l)
{
	return (int64_t)l->saved.orig_rax < 0;
}

uint64_t ptrace_machine_own_insn(const struct user_regs_struct *r)
{
	return (int64_t)r->orig_rax >= 0 ? r->rip - ptrace_machine_insn_len : 0;
}

int ptrace_machine_arrive(struct ptrace_loan *l)
{
	(void)l;
	return 0;
}

void ptrace_machine_call(
	const struct ptrace_loan *l, long nr, const uint64_t args[6], struct user_regs_struct *r)
{
	*r = l->saved;
	r->rip = l->insn;
	r->rax = (uint64_t)nr;
	r->orig_rax = UINT64_MAX; /* nothing here is to be restarted */
	r->rdi = args[0];
	r->rsi = args[1];
	r->rdx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
}

int64_t ptrace_machine_result(const struct user_regs_struct *r)
{
	return (int64_t)r->rax;
}

int ptrace_machine_leave(struct ptrace_loan *l)
{
	struct user_regs_struct r = l->saved;
	int err = ptrace_to_signal_stop(l);

	if (err < 0)
		return err;
	if ((int64_t)r.orig_rax >= 0 && (int64_t)r.rax == -EINTR &&
		ptrace_eintr_by_stop((long)r.orig_rax, r.rsi))
		r.rax = (uint64_t)-ERESTARTNOHAND;
	err = ptrace_registers_set(l->tid, &r);
	return err < 0 ? err : ptrace_sigmask_set(l->tid, l->sigmask);
}
