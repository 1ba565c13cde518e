/* SPDX-License-Identifier: Apache-2.0 */
#include "os/proc_ref.h"

#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			pause();
	}
	return pid;
}

static void a_reused_number_is_another_process(void **state)
{
	struct proc_ref r = PROC_REF_NONE;
	uint64_t start = 0;

	(void)state;
	assert_int_equal(proc_start_ticks(getpid(), &start), 0);
	assert_int_equal(proc_ref_open(getpid(), start + 1, &r), -ESRCH);
	assert_int_equal(r.pidfd, -EBADF);
	assert_int_equal(proc_ref_open(getpid(), start, &r), 0);
	assert_true(proc_ref_alive(&r));
	proc_ref_done(&r);
	assert_false(proc_ref_alive(&r));
}

static void numbers_that_are_no_process(void **state)
{
	struct proc_ref r = PROC_REF_NONE;

	(void)state;
	assert_int_equal(proc_ref_open(0, 0, &r), -ESRCH);
	assert_int_equal(proc_ref_open(-1, 0, &r), -ESRCH);
	assert_int_equal(proc_ref_open(0x7ffffff0, 0, &r), -ESRCH);
}

static void it_is_alive_then_a_zombie_then_gone(void **state)
{
	struct proc_ref r = PROC_REF_NONE;
	pid_t pid = sleeper();

	(void)state;
	assert_int_equal(proc_ref_open(pid, 0, &r), 0);
	assert_int_equal(proc_ref_wait(&r, 0), -ETIMEDOUT);
	assert_int_equal(proc_ref_signal(&r, SIGKILL), 0);
	assert_int_equal(proc_ref_wait(&r, 10000), 0);
	assert_false(proc_ref_alive(&r));
	assert_int_equal(proc_ref_signal(&r, 0), 0);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_ref_signal(&r, 0), -ESRCH);
	assert_int_equal(proc_ref_open(pid, r.start_ticks, &r), -ESRCH);
	proc_ref_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reused_number_is_another_process),
		cmocka_unit_test(numbers_that_are_no_process),
		cmocka_unit_test(it_is_alive_then_a_zombie_then_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
