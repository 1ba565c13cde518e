/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "procs/events.h"
#include "procs/events_table.h"

static void kinds_are_read_from_words(void **state)
{
	struct err e = { 0 };
	unsigned kinds = 7;

	(void)state;
	assert_true(event_kinds_parse("fork,zombi", &kinds, &e) < 0);
	assert_int_equal(kinds, 7);
	assert_true(event_kinds_parse("for", &kinds, &e) < 0);
	assert_int_equal(event_kinds_parse("fork,reap", &kinds, &e), 0);
	assert_int_equal(kinds, 1u << EVENT_FORK | 1u << EVENT_REAP);
}

static void children_are_found_and_survive_their_parent(void **state)
{
	struct node_table t;
	struct node *parent, *a, *b;

	(void)state;
	node_table_init(&t);
	parent = node_add(&t, 10);
	a = node_add(&t, 11);
	b = node_add(&t, 10 + (1 << 14)); /* the same bucket as its parent */
	node_set_parent(&t, a, 10);
	node_set_parent(&t, b, 10);
	assert_ptr_equal(parent->children, b);
	assert_ptr_equal(b->next_sibling, a);
	node_remove(&t, parent);
	assert_null(node_find(&t, 10));
	assert_ptr_equal(node_find(&t, 11), a);
	assert_null(a->sibling_link);
	node_set_parent(&t, a, 99); /* a parent nobody knows */
	assert_int_equal(a->ppid, 99);
	node_table_done(&t);
}

static void the_unreaped_stay_in_order(void **state)
{
	struct node_table t;

	(void)state;
	node_table_init(&t);
	for (pid_t pid = 1; pid <= 3; pid++)
		node_set_dead(&t, node_add(&t, pid), FD_NONE, pid);
	node_remove(&t, node_find(&t, 2));
	assert_int_equal(t.dead->pid, 1);
	assert_int_equal(t.dead->next_dead->pid, 3);
	node_remove(&t, node_find(&t, 3));
	node_set_dead(&t, node_add(&t, 4), FD_NONE, 4);
	assert_int_equal(t.dead->next_dead->pid, 4);
	node_remove(&t, t.dead);
	node_remove(&t, t.dead);
	assert_null(t.dead);
	node_table_done(&t);
}

static void a_reused_pid_is_another_process(void **state)
{
	struct node_table t;

	(void)state;
	node_table_init(&t);
	node_set_dead(&t, node_add(&t, 5), FD_NONE, 1);
	assert_int_equal(node_add(&t, 5)->died_ms, 0);
	assert_null(t.dead);
	assert_int_equal(t.n, 1);
	node_table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_read_from_words),
		cmocka_unit_test(children_are_found_and_survive_their_parent),
		cmocka_unit_test(the_unreaped_stay_in_order),
		cmocka_unit_test(a_reused_pid_is_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
