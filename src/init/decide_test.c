/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_childs_end_is_reaped_and_the_terminals_stops_are_dropped(void **state)
{
	assert_int_equal(decide_signal(SIGCHLD), DECIDE_REAP);
	assert_int_equal(decide_signal(SIGTSTP), DECIDE_NOTHING);
	assert_int_equal(decide_signal(SIGTTIN), DECIDE_NOTHING);
	assert_int_equal(decide_signal(SIGTTOU), DECIDE_NOTHING);
}

static void everything_else_is_the_programs(void **state)
{
	for (int s = 1; s <= SIGRTMAX; s++) {
		if (s == SIGCHLD || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU)
			continue;
		assert_int_equal(decide_signal(s), DECIDE_FORWARD);
	}
}

static void exit_codes_are_the_shells(void **state)
{
	assert_int_equal(decide_exit_code(7 << 8), 7);
	assert_int_equal(decide_exit_code(SIGKILL), 137);
	assert_int_equal(decide_exit_code(SIGSEGV | 0x80), 139); /* with a core */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_childs_end_is_reaped_and_the_terminals_stops_are_dropped),
		cmocka_unit_test(everything_else_is_the_programs),
		cmocka_unit_test(exit_codes_are_the_shells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
