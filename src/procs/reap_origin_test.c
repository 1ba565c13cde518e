/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "procs/reap_origin.h"

static const struct reap_kin_parent init = { 1, 0, 100, true };
static const struct reap_kin_parent member = { 50, 40, 100, true };
static const struct reap_kin_parent leader = { 50, 50, 100, true };

/* A child that proves nothing: young, SIGCHLD, on the first thread's list, in session sid. */
static struct reap_kin_child child_in(pid_t sid)
{
	return (struct reap_kin_child){ .pid = 60,
		.sid = sid,
		.start_ticks = 200,
		.exit_signal = SIGCHLD,
		.on_leader_list = true };
}

static void check(
	struct reap_kin_parent p, struct reap_kin_child c, enum reap_origin origin, bool proved)
{
	const char *proof = "untouched";

	assert_int_equal(reap_origin(&p, &c, &proof), origin);
	assert_int_equal(proof != NULL, proved);
}

static void nothing_is_claimed_without_a_proof(void **state)
{
	(void)state;
	check(init, child_in(0), REAP_ORIGIN_UNKNOWN, false);
	check(init, child_in(1), REAP_ORIGIN_UNKNOWN, false);
	check(init, child_in(60), REAP_ORIGIN_UNKNOWN, false); /* made its own session */
	check(member, child_in(40), REAP_ORIGIN_UNKNOWN, false);
	check(leader, child_in(40), REAP_ORIGIN_UNKNOWN, false); /* born before the setsid */
}

static void a_third_session_proves_adoption(void **state)
{
	(void)state;
	check(init, child_in(33), REAP_ORIGIN_ADOPTED, true);
	check(member, child_in(33), REAP_ORIGIN_ADOPTED, true);
}

static void a_child_older_than_its_parent_was_adopted(void **state)
{
	struct reap_kin_child c = child_in(0);

	(void)state;
	c.start_ticks = 99;
	check(init, c, REAP_ORIGIN_ADOPTED, true);
	c.start_ticks = 100; /* the same tick proves nothing */
	check(init, c, REAP_ORIGIN_UNKNOWN, false);
}

static void a_thread_or_an_odd_exit_signal_proves_own(void **state)
{
	struct reap_kin_child c = child_in(33);
	struct reap_kin_parent dead_leader = init;

	(void)state;
	c.on_leader_list = false;
	check(init, c, REAP_ORIGIN_OWN, true);
	dead_leader.leader_alive = false; /* then adoption goes to another thread */
	check(dead_leader, c, REAP_ORIGIN_ADOPTED, true);
	c = child_in(33);
	c.exit_signal = SIGUSR1;
	check(init, c, REAP_ORIGIN_OWN, true);
}

static void execs_prove_adoption_only_where_they_are_known(void **state)
{
	struct reap_kin_child c = child_in(1);
	struct reap_kin_parent p = init;

	(void)state;
	c.born_exec = 5;
	p.self_exec = 4;
	check(p, c, REAP_ORIGIN_UNKNOWN, false);
	p.execs_known = true;
	check(p, c, REAP_ORIGIN_ADOPTED, true);
	/* as many, or fewer: an own child of before its parent's last exec */
	p.self_exec = 5;
	check(p, c, REAP_ORIGIN_UNKNOWN, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_claimed_without_a_proof),
		cmocka_unit_test(a_third_session_proves_adoption),
		cmocka_unit_test(a_child_older_than_its_parent_was_adopted),
		cmocka_unit_test(a_thread_or_an_odd_exit_signal_proves_own),
		cmocka_unit_test(execs_prove_adoption_only_where_they_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
