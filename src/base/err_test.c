/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void a_failure_ends_in_one_line(void **state)
{
	struct err e = { 0 };
	char words[1024];

	(void)state;
	assert_int_equal(err_set(&e, EPERM, "mount %s on %s", "proc", "/proc"), -EPERM);
	assert_string_equal(
		err_text(&e, words, sizeof(words)), "mount proc on /proc: Operation not permitted");
}

static void context_is_added_upwards(void **state)
{
	struct err e = { 0 };
	char words[1024];

	(void)state;
	err_set(&e, EPERM, "mount proc");
	assert_int_equal(err_wrap(&e, "mounts[%d]", 3), -EPERM);
	assert_string_equal(err_text(&e, words, sizeof(words)),
		"mounts[3]: mount proc: Operation not permitted");
}

static void a_users_mistake_has_no_errno_text(void **state)
{
	struct err e = { 0 };
	char words[1024];

	(void)state;
	assert_int_equal(err_say(&e, "unknown flag: --x"), -ERR_SAID);
	assert_string_equal(err_text(&e, words, sizeof(words)), "unknown flag: --x");
}

static void a_long_message_is_cut_and_terminated(void **state)
{
	struct err e = { 0 };
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	err_set(&e, ENOENT, "open %s", name);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	err_wrap(&e, "config");
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "config: open x", 14);
}

static void what_a_stranger_sent_is_bounded_and_printable(void **state)
{
	struct err e;

	(void)state;
	memset(&e, 0x1b, sizeof(e));
	err_distrust(&e);
	assert_int_equal(e.code, ERR_SAID);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(e.msg[0], '?');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_ends_in_one_line),
		cmocka_unit_test(context_is_added_upwards),
		cmocka_unit_test(a_users_mistake_has_no_errno_text),
		cmocka_unit_test(a_long_message_is_cut_and_terminated),
		cmocka_unit_test(what_a_stranger_sent_is_bounded_and_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
