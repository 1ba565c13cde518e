/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/nspid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"

static void failure_leaves_the_result_alone(void **state)
{
	struct nspid n = { .depth = 7 };

	(void)state;
	assert_int_equal(nspid_parse("NSpid:\tx\n", "NSpid", &n), -EBADMSG);
	assert_int_equal(nspid_parse("NSpid:\n", "NSpid", &n), -EBADMSG);
	assert_int_equal(nspid_parse("NSpid:\t-1\n", "NSpid", &n), -EBADMSG);
	assert_int_equal(nspid_parse("NSpid:\t1x\n", "NSpid", &n), -EBADMSG);
	assert_int_equal(nspid_parse("NSpid:\t99999999999\n", "NSpid", &n), -EBADMSG);
	assert_int_equal(nspid_parse("Name:\tsh\n", "NSpid", &n), NSPID_ABSENT);
	assert_int_equal(nspid_parse("Name:\tNSpid:\t1\n", "NSpid", &n), NSPID_ABSENT);
	assert_int_equal(nspid_parse("", "NSpid", &n), NSPID_ABSENT);
	assert_int_equal(n.depth, 7);
}

static void every_level_has_its_number(void **state)
{
	struct nspid n = { 0 };

	(void)state;
	assert_int_equal(nspid_parse("Pid:\t9\nNSpid:\t900\t17\t1\nNSsid:\t0\n", "NSpid", &n), 0);
	assert_int_equal(n.depth, 3);
	assert_int_equal(n.pid[0], 900);
	assert_int_equal(n.pid[2], 1);
	assert_int_equal(nspid_parse("NSsid:\t0\t4", "NSsid", &n), 0);
	assert_int_equal(n.pid[0], 0);
}

static void the_kernel_nests_33_deep_and_no_deeper(void **state)
{
	autotext t = { 0 };
	struct nspid n = { 0 };

	(void)state;
	text_add(&t, "NSpid:");
	for (int i = 0; i < NSPID_DEPTH_MAX; i++)
		text_add(&t, "\t1");
	assert_int_equal(nspid_parse(t.p, "NSpid", &n), 0);
	assert_int_equal(n.depth, NSPID_DEPTH_MAX);
	text_add(&t, "\t1\n");
	assert_int_equal(nspid_parse(t.p, "NSpid", &n), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failure_leaves_the_result_alone),
		cmocka_unit_test(every_level_has_its_number),
		cmocka_unit_test(the_kernel_nests_33_deep_and_no_deeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
