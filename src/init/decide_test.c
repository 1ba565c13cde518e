/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "init/options.h"

static void a_childs_end_is_reaped_and_the_terminals_stops_are_dropped(void **state)
{
	struct rules r = { 0 };

	assert_int_equal(decide_signal(&r, SIGCHLD).what, DECIDE_REAP);
	assert_int_equal(decide_signal(&r, SIGTSTP).what, DECIDE_NOTHING);
	assert_int_equal(decide_signal(&r, SIGTTIN).what, DECIDE_NOTHING);
	assert_int_equal(decide_signal(&r, SIGTTOU).what, DECIDE_NOTHING);
	r.stops_with_it = true;
	assert_int_equal(decide_signal(&r, SIGTSTP).what, DECIDE_STOP_OURSELVES);
	assert_int_equal(decide_signal(&r, SIGTSTP).signo, SIGSTOP);
}

static void everything_else_is_the_programs(void **state)
{
	struct rules r = { 0 };

	for (int s = 1; s <= SIGRTMAX; s++) {
		if (s == SIGCHLD || s == SIGTSTP || s == SIGTTIN || s == SIGTTOU)
			continue;
		assert_int_equal(decide_signal(&r, s).what, DECIDE_FORWARD);
		assert_int_equal(decide_signal(&r, s).signo, s);
	}
}

static void a_rewritten_signal_goes_as_the_other_or_not_at_all(void **state)
{
	struct rules r = { 0 };

	r.rewrite[SIGTERM] = SIGQUIT;
	r.rewrite[SIGHUP] = DROP;
	r.rewrite[SIGTSTP] = SIGTERM;
	assert_int_equal(decide_signal(&r, SIGTERM).signo, SIGQUIT);
	assert_int_equal(decide_signal(&r, SIGHUP).what, DECIDE_NOTHING);
	assert_int_equal(decide_signal(&r, SIGTSTP).what, DECIDE_FORWARD);
	assert_int_equal(decide_signal(&r, SIGTSTP).signo, SIGTERM);
}

static void a_stop_sequence_begins_with_term_or_int_and_stays_at_its_last(void **state)
{
	struct rules r = { .n_stop = 2 };

	assert_int_equal(decide_signal(&r, SIGTERM).what, DECIDE_STOP);
	assert_int_equal(decide_signal(&r, SIGINT).what, DECIDE_STOP);
	assert_int_equal(decide_signal(&r, SIGHUP).what, DECIDE_FORWARD);
	assert_int_equal(decide_next_stop(&r, -1), 0);
	assert_int_equal(decide_next_stop(&r, 0), 1);
	assert_int_equal(decide_next_stop(&r, 1), 1);
}

static void exit_codes_are_the_shells_then_mapped(void **state)
{
	struct rules r = { 0 };

	assert_int_equal(decide_exit_code(&r, 7 << 8), 7);
	assert_int_equal(decide_exit_code(&r, SIGKILL), 137);
	assert_int_equal(decide_exit_code(&r, SIGSEGV | 0x80), 139); /* with a core */
	r.exit_map[143] = 1;
	r.exit_map[7] = 10;
	assert_int_equal(decide_exit_code(&r, SIGTERM), 0);
	assert_int_equal(decide_exit_code(&r, 7 << 8), 9);
}

/* argv in words, NULL at the end */
static enum option_result parse(struct rules *r, int *at, const char *const *argv)
{
	int n = 0, code;

	while (argv[n])
		n++;
	return options_parse(n, (char **)argv, r, at, &code);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void options_end_at_the_first_word(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-g", "sleep", "-s")), OPTIONS_RUN);
	assert_int_equal(at, 2);
	assert_int_equal(r.target, TO_GROUP);
	assert_false(r.subreaper);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "--", "-x")), OPTIONS_RUN);
	assert_int_equal(at, 2);
	assert_int_equal(parse(&r, &at, WORDS("clade-init")), OPTIONS_MISTAKE);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-Z", "x")), OPTIONS_MISTAKE);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-P")), OPTIONS_RUN);
}

static void options_say_what_they_mean(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at,
				 WORDS("clade-init", "--stop=TERM:10s,INT:250ms,KILL", "-rHUP:0",
					 "--rewrite", "15:SIGQUIT", "-e", "143", "--map", "7=9",
					 "--drain", "2m", "x")),
		OPTIONS_RUN);
	assert_int_equal(r.n_stop, 3);
	assert_int_equal(r.stop[0].wait_ms, 10000);
	assert_int_equal(r.stop[1].wait_ms, 250);
	assert_int_equal(r.stop[2].signo, SIGKILL);
	assert_int_equal(r.stop[2].wait_ms, -1);
	assert_int_equal(r.rewrite[SIGHUP], DROP);
	assert_int_equal(r.rewrite[SIGTERM], SIGQUIT);
	assert_int_equal(decide_exit_code(&r, 7 << 8), 9);
	assert_int_equal(decide_exit_code(&r, SIGTERM), 0);
	assert_int_equal(r.drain_ms, 120000);
	static const char *const bad[][4] = { { "clade-init", "--stop", "NOPE", "x" },
		{ "clade-init", "-r", "TERM", "x" }, { "clade-init", "-e", "256", "x" },
		{ "clade-init", "--drain", "soon", "x" }, { "clade-init", "--map", "1", "x" },
		{ "clade-init", "-p", "0", "x" } };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&r, &at, WORDS(bad[i][0], bad[i][1], bad[i][2], bad[i][3])),
			OPTIONS_MISTAKE);
}

static void personalities_come_by_name(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at, WORDS("/sbin/dumb-init", "x")), OPTIONS_RUN);
	assert_true(r.own_session && r.target == TO_GROUP && r.stops_with_it);
	assert_int_equal(parse(&r, &at, WORDS("dumb-init", "-c", "x")), OPTIONS_RUN);
	assert_true(!r.own_session && r.target == TO_CHILD);
	assert_int_equal(parse(&r, &at, WORDS("/dev/init", "--", "x")), OPTIONS_RUN);
	assert_int_equal(
		parse(&r, &at, WORDS("clade-init", "--compat", "dumb-init", "x")), OPTIONS_RUN);
	assert_int_equal(at, 3);
	assert_true(r.own_session);
	setenv("TINI_SUBREAPER", "", 1);
	setenv("TINI_KILL_PROCESS_GROUP", "1", 1);
	assert_int_equal(parse(&r, &at, WORDS("tini", "-ws", "--", "x")), OPTIONS_RUN);
	assert_true(r.subreaper && r.target == TO_GROUP && r.warns);
	unsetenv("TINI_SUBREAPER");
	unsetenv("TINI_KILL_PROCESS_GROUP");
	assert_int_equal(parse(&r, &at, WORDS("tini", "x")), OPTIONS_RUN);
	assert_true(!r.subreaper && r.target == TO_CHILD);
}

static void signals_have_names_and_numbers(void **state)
{
	assert_int_equal(options_signal("TERM"), SIGTERM);
	assert_int_equal(options_signal("sigusr1"), SIGUSR1);
	assert_int_equal(options_signal("9"), 9);
	assert_int_equal(options_signal("RTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(options_signal("RTMIN+99"), -1);
	assert_int_equal(options_signal("65"), -1);
	assert_int_equal(options_signal(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_childs_end_is_reaped_and_the_terminals_stops_are_dropped),
		cmocka_unit_test(everything_else_is_the_programs),
		cmocka_unit_test(a_rewritten_signal_goes_as_the_other_or_not_at_all),
		cmocka_unit_test(a_stop_sequence_begins_with_term_or_int_and_stays_at_its_last),
		cmocka_unit_test(exit_codes_are_the_shells_then_mapped),
		cmocka_unit_test(options_end_at_the_first_word),
		cmocka_unit_test(options_say_what_they_mean),
		cmocka_unit_test(personalities_come_by_name),
		cmocka_unit_test(signals_have_names_and_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
