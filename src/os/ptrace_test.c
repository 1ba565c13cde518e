/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/ptrace.h"

static void a_blocked_call_is_read_with_its_arguments(void **state)
{
	struct ptrace_blocked b;

	(void)state;
	assert_int_equal(ptrace_blocked_parse(
				 "202 0x7f00 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd1000 0x7f12\n", &b),
		0);
	assert_int_equal(b.nr, 202);
	assert_int_equal(b.args[1], 0x189);
	assert_int_equal(b.pc, 0x7f12);
}

static void running_and_blocked_outside_a_call_are_told_apart(void **state)
{
	struct ptrace_blocked b;

	(void)state;
	assert_int_equal(ptrace_blocked_parse("running\n", &b), 0);
	assert_int_equal(b.nr, PTRACE_RUNNING);
	assert_int_equal(ptrace_blocked_parse("-1 0x7ffd1000 0x401000\n", &b), 0);
	assert_int_equal(b.nr, PTRACE_NO_CALL);
	assert_int_equal(b.pc, 0x401000);
}

static void nonsense_is_no_blocked_call(void **state)
{
	static const char *const bad[] = { "", "x", "0\n", "7 0x1 0x2\n", "-5 0x1 0x2\n" };
	struct ptrace_blocked b = { .nr = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ptrace_blocked_parse(bad[i], &b), -EBADMSG);
	assert_int_equal(b.nr, 7);
}

static void a_timeout_or_waitall_makes_a_stop_noticed(void **state)
{
	struct ptrace_blocked futex = { .nr = SYS_futex };
	struct ptrace_blocked epoll = { .nr = SYS_epoll_pwait, .args = { 3, 0, 1, UINT32_MAX } };
	struct ptrace_blocked recv = { .nr = SYS_recvfrom, .args = { 3, 0, 1, 0x100 } };

	(void)state;
	assert_int_equal(ptrace_notice(&futex), PTRACE_UNSEEN);
	assert_int_equal(ptrace_notice(&epoll), PTRACE_UNSEEN);
	epoll.args[3] = 1000;
	assert_int_equal(ptrace_notice(&epoll), PTRACE_RETIMED);
	assert_int_equal(ptrace_notice(&recv), PTRACE_NOTICED);
	assert_int_equal(ptrace_notice(&(struct ptrace_blocked){ .nr = -2 }), PTRACE_ON_CPU);
	assert_int_equal(ptrace_notice(&(struct ptrace_blocked){ .nr = 100000 }), PTRACE_UNKNOWN);
}

/* A child that sleeps, holding a zombie it will not wait for; ends 0 if its sleep was whole. */
static pid_t start_sleeper(pid_t *ret_zombie)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct timespec whole = { .tv_nsec = 300000000 };
		pid_t zombie = fork();

		if (zombie == 0)
			_exit(3);
		waitid(P_PID, (id_t)zombie, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
		if (write(fds[1], &zombie, sizeof(zombie)) != sizeof(zombie))
			_exit(1);
		_exit(nanosleep(&whole, NULL) == 0 ? 0 : 2);
	}
	assert_int_equal(read(fds[0], ret_zombie, sizeof(*ret_zombie)), sizeof(*ret_zombie));
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void a_sleeper_reaps_and_sleeps_on(void **state)
{
	struct ptrace_blocked unknown = { .nr = PTRACE_RUNNING };
	struct ptrace_loan loan;
	pid_t zombie, pid = start_sleeper(&zombie);
	int64_t result = 0;
	int status, r;

	(void)state;
	do {
		r = ptrace_borrow(&loan, pid, pid, &unknown, false);
	} while (r == -EAGAIN);
	if (r == -EPERM) {
		waitpid(pid, &status, 0);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(ptrace_call(&loan, SYS_wait4,
				 (uint64_t[6]){ (uint64_t)zombie, 0, WNOHANG | __WALL }, &result),
		0);
	assert_int_equal(result, zombie);
	assert_int_equal(ptrace_call(&loan, SYS_wait4,
				 (uint64_t[6]){ (uint64_t)zombie, 0, WNOHANG | __WALL }, &result),
		0);
	assert_int_equal(result, -ECHILD);
	assert_true(ptrace_give_back(&loan) > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_dead_cannot_be_borrowed(void **state)
{
	struct ptrace_blocked unknown = { .nr = PTRACE_RUNNING };
	struct ptrace_loan loan;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(ptrace_borrow(&loan, pid, pid, &unknown, false), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_call_is_read_with_its_arguments),
		cmocka_unit_test(running_and_blocked_outside_a_call_are_told_apart),
		cmocka_unit_test(nonsense_is_no_blocked_call),
		cmocka_unit_test(a_timeout_or_waitall_makes_a_stop_noticed),
		cmocka_unit_test(a_sleeper_reaps_and_sleeps_on),
		cmocka_unit_test(the_dead_cannot_be_borrowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
