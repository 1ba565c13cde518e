/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "init/command.h"
#include "init/options.h"

static bool in(const int *set, int signo)
{
	while (*set && *set != signo)
		set++;
	return *set == signo;
}

/* Each personality and each signal: passed on as itself, or not. */
static void a_signal_is_passed_on_unless_it_is_ours(void **state)
{
	static const int tini[] = { SIGCHLD, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS, SIGILL, SIGFPE,
		SIGSYS, SIGABRT, SIGTRAP, 0 };
	static const int catatonit[] = { SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, SIGSEGV, SIGBUS,
		SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP, 0 };
	static const int dumb_init[] = { SIGCHLD, 0 };
	static const int *const ours[] = { [AS_CLADE] = tini,
		[AS_TINI] = tini,
		[AS_DUMB_INIT] = dumb_init,
		[AS_CATATONIT] = catatonit };

	for (int as = AS_CLADE; as <= AS_CATATONIT; as++) {
		struct rules r = { .as = (enum personality)as };

		for (int s = 1; s < SIGNALS; s++) {
			struct decided d = decide_signal(&r, s);
			bool job = s == SIGTSTP || s == SIGTTIN || s == SIGTTOU;

			assert_int_equal(d.what == DECIDE_FORWARD, !in(ours[as], s));
			assert_int_equal(d.what == DECIDE_REAP, s == SIGCHLD);
			if (d.what == DECIDE_FORWARD)
				assert_int_equal(d.signo, s);
			assert_int_equal(d.stop_ourselves, as == AS_DUMB_INIT && job);
		}
	}
}

static void in_its_own_session_dumb_init_turns_the_terminals_stops_into_stop(void **state)
{
	struct rules r = { .as = AS_DUMB_INIT, .own_session = true };

	assert_int_equal(decide_signal(&r, SIGTSTP).signo, SIGSTOP);
	assert_int_equal(decide_signal(&r, SIGTTIN).signo, SIGSTOP);
	assert_int_equal(decide_signal(&r, SIGTTOU).signo, SIGSTOP);
	r.rewrite[SIGTSTP] = SIGTERM;
	assert_int_equal(decide_signal(&r, SIGTSTP).signo, SIGTERM);
	assert_true(decide_signal(&r, SIGTSTP).stop_ourselves);
	r.rewrite[SIGTSTP] = DROP;
	assert_int_equal(decide_signal(&r, SIGTSTP).what, DECIDE_DROP);
	assert_true(decide_signal(&r, SIGTSTP).stop_ourselves);
}

/* state, event: action, next state */
static void every_cell_of_the_table(void **state)
{
	static const struct move wanted[STATES][EVENTS] = {
		/*           ON_SIGNAL              ON_STOP                  ON_END ON_ALONE ON_TIME
		 */
		[RUNNING] = { { FORWARD, RUNNING }, { NEXT_STOP, STOPPING }, { LEAVE, DRAINING },
			{ IGNORE, RUNNING }, { IGNORE, RUNNING } },
		[STOPPING] = { { FORWARD, STOPPING }, { NEXT_STOP, STOPPING }, { LEAVE, DRAINING },
			{ IGNORE, STOPPING }, { NEXT_STOP, STOPPING } },
		[DRAINING] = { { IGNORE, DRAINING }, { KILL_REST, KILLING }, { IGNORE, DRAINING },
			{ EXIT, DRAINING }, { KILL_REST, KILLING } },
		[KILLING] = { { IGNORE, KILLING }, { IGNORE, KILLING }, { IGNORE, KILLING },
			{ EXIT, KILLING }, { EXIT, KILLING } },
		[PAUSED] = { { IGNORE, PAUSED }, { EXIT_WELL, PAUSED }, { IGNORE, PAUSED },
			{ IGNORE, PAUSED }, { IGNORE, PAUSED } },
	};

	for (int s = 0; s < STATES; s++) {
		for (int e = 0; e < EVENTS; e++) {
			struct move m = decide_event((enum state)s, (enum event)e);

			assert_int_equal(m.action, wanted[s][e].action);
			assert_int_equal(m.next, wanted[s][e].next);
		}
	}
}

static void only_ctrl_z_is_taken_back_and_only_where_nobody_else_would(void **state)
{
	/* signo, we passed one on, it has the terminal, a shell is above us */
	assert_int_equal(decide_stopped(SIGTSTP, false, true, false), RESUME);
	assert_int_equal(decide_stopped(SIGTSTP, true, true, false), STAYS_STOPPED);
	assert_int_equal(decide_stopped(SIGTSTP, false, false, false), STAYS_STOPPED);
	assert_int_equal(decide_stopped(SIGTTIN, false, true, false), STAYS_STOPPED);
	assert_int_equal(decide_stopped(SIGSTOP, false, true, false), STAYS_STOPPED);
	assert_int_equal(decide_stopped(SIGSTOP, false, true, true), STAYS_STOPPED);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(decide_stopped(SIGTSTP, i & 1, i & 2, true), STOP_TOO);
		assert_int_equal(decide_stopped(SIGTTOU, i & 1, i & 2, true), STOP_TOO);
	}
}

static void what_is_delayed_and_for_how_long(void **state)
{
	struct rules r = { .delay = { { SIGTERM, 5000 }, { SIGHUP, 1 } } };

	assert_int_equal(decide_delay(&r, SIGTERM), 5000);
	assert_int_equal(decide_delay(&r, SIGHUP), 1);
	assert_int_equal(decide_delay(&r, SIGINT), 0);
}

static void a_rewritten_signal_goes_as_the_other_or_not_at_all(void **state)
{
	struct rules r = { 0 };

	r.rewrite[SIGTERM] = SIGQUIT;
	r.rewrite[SIGHUP] = DROP;
	r.rewrite[SIGTSTP] = SIGTERM;
	assert_int_equal(decide_signal(&r, SIGTERM).signo, SIGQUIT);
	assert_int_equal(decide_signal(&r, SIGHUP).what, DECIDE_DROP);
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
static enum command_result parse(struct rules *r, int *at, const char *const *argv)
{
	char *copy[32];
	int n = 0, code;

	while (argv[n])
		n++;
	/* it may be put in another order */
	for (int i = 0; i <= n; i++)
		copy[i] = (char *)argv[i];
	return command_parse(n, copy, r, at, &code);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void options_end_at_the_first_word(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-g", "sleep", "-s")), COMMAND_RUN);
	assert_int_equal(at, 2);
	assert_int_equal(r.target, TO_GROUP);
	assert_false(r.subreaper);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "--", "-x")), COMMAND_RUN);
	assert_int_equal(at, 2);
	assert_int_equal(parse(&r, &at, WORDS("clade-init")), COMMAND_MISTAKE);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-Z", "x")), COMMAND_MISTAKE);
	assert_int_equal(parse(&r, &at, WORDS("clade-init", "-P")), COMMAND_RUN);
}

static void options_say_what_they_mean(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at,
				 WORDS("clade-init", "--stop=TERM:10s,INT:250ms,KILL", "-rHUP:0",
					 "--rewrite", "15:SIGQUIT", "-e", "143", "--map", "7=9",
					 "--drain", "2m", "x")),
		COMMAND_RUN);
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
			COMMAND_MISTAKE);
}

static void personalities_come_by_name(void **state)
{
	struct rules r;
	int at;

	assert_int_equal(parse(&r, &at, WORDS("/sbin/dumb-init", "x")), COMMAND_RUN);
	assert_true(r.own_session && r.target == TO_GROUP && r.term_group_at_end);
	assert_int_equal(parse(&r, &at, WORDS("dumb-init", "-c", "x")), COMMAND_RUN);
	assert_true(!r.own_session && r.target == TO_CHILD);
	assert_int_equal(parse(&r, &at, WORDS("/dev/init", "--", "x")), COMMAND_RUN);
	assert_int_equal(
		parse(&r, &at, WORDS("clade-init", "--compat", "dumb-init", "x")), COMMAND_RUN);
	assert_int_equal(at, 3);
	assert_int_equal(
		parse(&r, &at, WORDS("clade-init", "--compat=tini", "x", "-g")), COMMAND_RUN);
	assert_int_equal(at, 3);
	assert_int_equal(r.target, TO_GROUP);
	assert_int_equal(
		parse(&r, &at, WORDS("clade-init", "--compat", "dumb-init", "x")), COMMAND_RUN);
	assert_true(r.own_session);
	setenv("TINI_SUBREAPER", "", 1);
	setenv("TINI_KILL_PROCESS_GROUP", "1", 1);
	assert_int_equal(parse(&r, &at, WORDS("tini", "-ws", "--", "x")), COMMAND_RUN);
	assert_true(r.subreaper && r.target == TO_GROUP && r.warns);
	unsetenv("TINI_SUBREAPER");
	unsetenv("TINI_KILL_PROCESS_GROUP");
	assert_int_equal(parse(&r, &at, WORDS("tini", "x")), COMMAND_RUN);
	assert_true(!r.subreaper && r.target == TO_CHILD);
}

static void signals_have_names_and_numbers(void **state)
{
	assert_int_equal(options_signal("TERM"), SIGTERM);
	assert_int_equal(options_signal("sigusr1"), SIGUSR1);
	assert_int_equal(options_signal("9"), 9);
	assert_int_equal(options_signal("RTMIN+3"), 37);
	assert_int_equal(options_signal("SIGRTMAX-1"), 63);
	assert_int_equal(options_signal("rtmax"), 64);
	assert_int_equal(options_signal("RTMIN+99"), -1);
	assert_int_equal(options_signal("65"), -1);
	assert_int_equal(options_signal(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signal_is_passed_on_unless_it_is_ours),
		cmocka_unit_test(in_its_own_session_dumb_init_turns_the_terminals_stops_into_stop),
		cmocka_unit_test(every_cell_of_the_table),
		cmocka_unit_test(only_ctrl_z_is_taken_back_and_only_where_nobody_else_would),
		cmocka_unit_test(what_is_delayed_and_for_how_long),
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
