/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/mem.h"
#include "procs/doomed.h"
#include "procs/events.h"
#include "procs/events_table.h"
#include "procs/pace.h"

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

static void who_ends_in_the_batch_is_known(void **state)
{
	const struct cn_event events[] = {
		{ .what = CN_EXIT, .pid = 5 },
		{ .what = CN_FORK, .pid = 5 }, /* the number's next owner */
		{ .what = CN_FORK, .pid = 6 }, { .what = CN_EXEC, .pid = 5 },
		{ .what = CN_EXIT, .pid = 5 },
		{ .what = CN_EXEC, .pid = 5 }, /* none of that one's: it has ended */
	};
	const bool wanted[] = { false, true, false, true, false, false };
	autofree struct doomed *d = mem_alloc(sizeof(*d));
	bool ends[ARRAY_LEN(events)];

	(void)state;
	doomed_find(d, events, ARRAY_LEN(events), ends);
	assert_memory_equal(ends, wanted, sizeof(wanted));
	/* an exit in the batch before is none in this one */
	doomed_find(d, events + 1, 1, ends);
	assert_false(ends[0]);
}

static void a_full_batch_has_room(void **state)
{
	autofree struct cn_event *events = mem_alloc(DOOMED_MAX * sizeof(*events));
	autofree struct doomed *d = mem_alloc(sizeof(*d));
	bool ends[DOOMED_MAX];

	(void)state;
	for (int i = 0; i < DOOMED_MAX; i++)
		events[i] = (struct cn_event){ i % 2 ? CN_EXIT : CN_FORK, 1000 + i / 2, 0, 0, 0 };
	doomed_find(d, events, DOOMED_MAX, ends);
	for (int i = 0; i < DOOMED_MAX; i++)
		assert_int_equal(ends[i], i % 2 == 0);
}

static void few_wake_ups_are_had_at_once_and_many_gather(void **state)
{
	struct pace p = { 0 };
	int64_t now = 1000000;
	int at_once = 0;

	(void)state;
	for (int i = 0; i < 3 * PACE_SAVED_MAX; i++)
		at_once += pace_gather_ms(&p, now) == 0;
	assert_int_equal(at_once, PACE_SAVED_MAX);
	assert_int_equal(pace_gather_ms(&p, now), PACE_GATHER_MS);
	/* a busy second: as many as a second has, whatever is asked */
	at_once = 0;
	for (int i = 0; i < 10000; i++)
		at_once += pace_gather_ms(&p, now += 100) == 0;
	assert_int_equal(at_once, PACE_PER_SECOND);
	/* after a quiet time it is as at the beginning, and a clock that goes back is one */
	now += 2000000;
	assert_int_equal(pace_gather_ms(&p, now), 0);
	assert_int_equal(pace_gather_ms(&p, now - 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_read_from_words),
		cmocka_unit_test(children_are_found_and_survive_their_parent),
		cmocka_unit_test(the_unreaped_stay_in_order),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(who_ends_in_the_batch_is_known),
		cmocka_unit_test(a_full_batch_has_room),
		cmocka_unit_test(few_wake_ups_are_had_at_once_and_many_gather),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
