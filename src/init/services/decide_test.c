/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/decide.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every cell: what is not written here must stay and do nothing. */
static const struct {
	enum sv_state at;
	enum sv_event on;
	enum sv_state next;
	enum sv_act act;
} wanted[] = {
	{ SV_STOPPED, EV_START, SV_WAITING, ACT_LOOK },
	{ SV_WAITING, EV_MAY_START, SV_STARTING, ACT_SPAWN },
	{ SV_WAITING, EV_NEVER, SV_FATAL, ACT_FATAL },
	{ SV_WAITING, EV_STOP, SV_STOPPED, ACT_STOPPED },
	{ SV_STARTING, EV_READY, SV_RUNNING, ACT_READY },
	{ SV_STARTING, EV_DUE, SV_CLEARING, ACT_STOP_FIRST },
	{ SV_STARTING, EV_STOP, SV_STOPPING, ACT_STOP_FIRST },
	{ SV_STARTING, EV_ENDED, SV_CLEARING, ACT_CLEAR },
	{ SV_STARTING, EV_AGAIN, SV_WAITING, ACT_LOOK },
	{ SV_STARTING, EV_LATER, SV_BACKOFF, ACT_WAIT },
	{ SV_STARTING, EV_DONE, SV_EXITED, ACT_EXITED },
	{ SV_STARTING, EV_LOST, SV_FATAL, ACT_FATAL },
	{ SV_RUNNING, EV_STOP, SV_STOPPING, ACT_STOP_FIRST },
	{ SV_RUNNING, EV_ENDED, SV_CLEARING, ACT_CLEAR },
	{ SV_RUNNING, EV_AGAIN, SV_WAITING, ACT_LOOK },
	{ SV_RUNNING, EV_LATER, SV_BACKOFF, ACT_WAIT },
	{ SV_RUNNING, EV_DONE, SV_EXITED, ACT_EXITED },
	{ SV_RUNNING, EV_LOST, SV_FATAL, ACT_FATAL },
	{ SV_BACKOFF, EV_START, SV_WAITING, ACT_LOOK },
	{ SV_BACKOFF, EV_DUE, SV_WAITING, ACT_LOOK },
	{ SV_BACKOFF, EV_STOP, SV_STOPPED, ACT_STOPPED },
	{ SV_STOPPING, EV_START, SV_STOPPING, ACT_REMEMBER },
	{ SV_STOPPING, EV_DUE, SV_STOPPING, ACT_STOP_NEXT },
	{ SV_STOPPING, EV_ENDED, SV_STOPPING, ACT_CLEAR },
	{ SV_STOPPING, EV_AGAIN, SV_STOPPED, ACT_STOPPED },
	{ SV_STOPPING, EV_LATER, SV_STOPPED, ACT_STOPPED },
	{ SV_STOPPING, EV_DONE, SV_STOPPED, ACT_STOPPED },
	{ SV_STOPPING, EV_LOST, SV_STOPPED, ACT_STOPPED },
	{ SV_CLEARING, EV_STOP, SV_STOPPING, ACT_STOP_NEXT },
	{ SV_CLEARING, EV_DUE, SV_CLEARING, ACT_STOP_NEXT },
	{ SV_CLEARING, EV_ENDED, SV_CLEARING, ACT_CLEAR },
	{ SV_CLEARING, EV_AGAIN, SV_WAITING, ACT_LOOK },
	{ SV_CLEARING, EV_LATER, SV_BACKOFF, ACT_WAIT },
	{ SV_CLEARING, EV_DONE, SV_EXITED, ACT_EXITED },
	{ SV_CLEARING, EV_LOST, SV_FATAL, ACT_FATAL },
	{ SV_EXITED, EV_START, SV_WAITING, ACT_LOOK },
	{ SV_FATAL, EV_START, SV_WAITING, ACT_LOOK },
};

static void every_cell_is_as_it_is_meant(void **state)
{
	for (int s = 0; s < SV_STATES; s++) {
		for (int e = 0; e < SV_EVENTS; e++) {
			struct sv_cell c = services_decide((enum sv_state)s, (enum sv_event)e),
				       w = { (enum sv_state)s, ACT_NONE };

			for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
				if ((int)wanted[i].at == s && (int)wanted[i].on == e)
					w = (struct sv_cell){ wanted[i].next, wanted[i].act };
			assert_int_equal(c.next, w.next);
			assert_int_equal(c.act, w.act);
		}
	}
}

static struct sv_rule rule(enum sv_restart restart)
{
	struct sv_rule r = { .restart = restart,
		.retries = 3,
		.backoff_ms = 100,
		.cap_ms = 300,
		.steady_ms = 1000 };

	r.expected[0] = true;
	return r;
}

static void a_failure_waits_longer_each_time_up_to_a_cap_then_is_given_up(void **state)
{
	struct sv_rule r = rule(RESTART_ON_FAILURE);
	static const int64_t waits[] = { 100, 200, 300 };
	int tries = 0;

	for (int i = 0; i < 3; i++) {
		struct sv_verdict v = services_after(&r, 1 << 8, 10, true, tries);

		assert_int_equal(v.event, EV_LATER);
		assert_int_equal(v.wait_ms, waits[i]);
		tries = v.tries;
	}
	assert_int_equal(services_after(&r, 1 << 8, 10, true, tries).event, EV_LOST);
	r.retries = -1;
	assert_int_equal(services_after(&r, 1 << 8, 10, true, 1000000).event, EV_LATER);
	assert_int_equal(services_after(&r, 1 << 8, 10, true, 1000000).wait_ms, 300);
}

static void one_that_was_steady_is_started_again_at_once(void **state)
{
	struct sv_rule r = rule(RESTART_ON_FAILURE);
	struct sv_verdict v = services_after(&r, SIGKILL, 1000, true, 3);

	assert_int_equal(v.event, EV_AGAIN);
	assert_int_equal(v.tries, 0);
}

static void who_may_end_ends(void **state)
{
	struct sv_rule r = rule(RESTART_ON_FAILURE);

	assert_int_equal(services_after(&r, 0, 10, true, 0).event, EV_DONE);
	r.restart = RESTART_NEVER;
	assert_int_equal(services_after(&r, 0, 10, true, 0).event, EV_DONE);
	assert_int_equal(services_after(&r, 1 << 8, 10, true, 0).event, EV_LOST);
	r.restart = RESTART_ALWAYS;
	assert_int_equal(services_after(&r, 0, 10, true, 0).event, EV_LATER);
	assert_int_equal(services_after(&r, 0, 5000, true, 0).event, EV_AGAIN);
	r = rule(RESTART_ON_FAILURE);
	r.oneshot = true;
	assert_int_equal(services_after(&r, 0, 10, false, 0).event, EV_DONE);
	assert_int_equal(services_after(&r, 1 << 8, 5000, false, 0).event, EV_LATER);
}

/* supervisor's manual: startsecs, startretries, autorestart, exitcodes */
static void supervisords_rules_count_starts(void **state)
{
	struct sv_rule r = { .restart = RESTART_NEVER,
		.counts_starts = true,
		.retries = 3,
		.backoff_ms = 1000,
		.cap_ms = 3600000,
		.linear = true };
	struct sv_verdict v;

	r.expected[0] = r.expected[2] = true;
	for (int i = 0; i < 3; i++) {
		v = services_after(&r, 0, 10, false, i);
		assert_int_equal(v.event, EV_LATER);
		assert_int_equal(v.wait_ms, 1000 * (i + 1));
	}
	assert_int_equal(services_after(&r, 0, 10, false, 3).event, EV_LOST);
	assert_int_equal(services_after(&r, 1 << 8, 2000, true, 0).event, EV_DONE);
	r.restart = RESTART_ALWAYS;
	v = services_after(&r, 0, 10, true, 2);
	assert_int_equal(v.event, EV_LATER);
	assert_int_equal(v.wait_ms, 990);
	assert_int_equal(v.tries, 0);
	r.restart = RESTART_ON_FAILURE;
	assert_int_equal(services_after(&r, 2 << 8, 2000, true, 0).event, EV_DONE);
	assert_int_equal(services_after(&r, 1 << 8, 2000, true, 0).event, EV_AGAIN);
	assert_int_equal(services_after(&r, SIGTERM, 2000, true, 0).event, EV_AGAIN);
	r.restart = RESTART_ALWAYS;
	assert_int_equal(services_after(&r, 0, 2000, true, 0).event, EV_AGAIN);
}

static void words_are_supervisords(void **state)
{
	assert_string_equal(services_word(SV_STOPPED), "STOPPED");
	assert_string_equal(services_word(SV_RUNNING), "RUNNING");
	assert_string_equal(services_word(SV_FATAL), "FATAL");
	assert_true(services_is_live(SV_STOPPING) && !services_is_live(SV_BACKOFF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_as_it_is_meant),
		cmocka_unit_test(a_failure_waits_longer_each_time_up_to_a_cap_then_is_given_up),
		cmocka_unit_test(one_that_was_steady_is_started_again_at_once),
		cmocka_unit_test(who_may_end_ends),
		cmocka_unit_test(supervisords_rules_count_starts),
		cmocka_unit_test(words_are_supervisords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
