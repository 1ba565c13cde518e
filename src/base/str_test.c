/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

static void numbers_are_whole_strings(void **state)
{
	static const char *const bad[] = { "", "-", "+1", " 1", "1 ", "0x1", "1e3", "--1" };
	uint64_t u = 7;
	int64_t i = 7;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		assert_int_equal(str_u64(bad[k], &u), -EINVAL);
		assert_int_equal(str_i64(bad[k], &i), -EINVAL);
	}
	assert_int_equal(str_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(str_i64("9223372036854775808", &i), -ERANGE);
	assert_int_equal(u, 7);
	assert_int_equal(i, 7);
	assert_int_equal(str_i64("-9223372036854775808", &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(str_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
}

static void sizes_are_dockers(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = { { "0", 0 }, { "512", 512 }, { "64k", 65536 }, { "64K", 65536 },
		{ "10m", 10485760 }, { "2gb", 2147483648 }, { "1.5GiB", 1610612736 }, { "3b", 3 } };
	static const char *const bad[] = { "", "m", "-1", "1x", "1mm", "1.m", "1 m" };
	int64_t n;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(good); k++) {
		assert_int_equal(str_bytes(good[k].text, &n), 0);
		assert_int_equal(n, good[k].bytes);
	}
	for (size_t k = 0; k < ARRAY_LEN(bad); k++)
		assert_int_equal(str_bytes(bad[k], &n), -EINVAL);
	assert_int_equal(str_bytes("99999999999p", &n), -ERANGE);
}

static void durations_are_seconds_or_gos(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "0", 0 }, { "10", 10000 }, { "0.5", 500 }, { "250ms", 250 },
		{ "1m30s", 90000 }, { "1.5h", 5400000 } };
	static const char *const bad[] = { "", "s", "1m30", "1d", "-1", "10 s" };
	int64_t ms;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(good); k++) {
		assert_int_equal(str_duration_ms(good[k].text, &ms), 0);
		assert_int_equal(ms, good[k].ms);
	}
	for (size_t k = 0; k < ARRAY_LEN(bad); k++)
		assert_int_equal(str_duration_ms(bad[k], &ms), -EINVAL);
}

static void hostile_bytes_are_made_printable(void **state)
{
	static const char hostile[] = "a\x1b[31m\n\t\\\xff\xc3\xa9\xc2\x9b\xe2\x80\xae.";
	autotext t = { 0 };

	(void)state;
	text_add_escaped(&t, hostile, sizeof(hostile) - 1);
	assert_string_equal(t.p, "a\\x1b[31m\\n\\t\\\\\\xff\xc3\xa9\\xc2\\x9b\\xe2\\x80\\xae.");
}

static void utf8_is_strict(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_len("a", 1), 1);
	assert_int_equal(str_utf8_len("\xf0\x9f\x90\xb3", 4), 4);
	assert_int_equal(str_utf8_len("\xf0\x9f\x90\xb3", 3), 0); /* cut */
	assert_int_equal(str_utf8_len("\xc0\x80", 2), 0);	  /* overlong */
	assert_int_equal(str_utf8_len("\xed\xa0\x80", 3), 0);	  /* surrogate */
	assert_int_equal(str_utf8_len("", 0), 0);
}

static void a_text_grows(void **state)
{
	autotext t = { 0 };
	char *p;

	(void)state;
	for (int i = 0; i < 1000; i++)
		text_addf(&t, "%03d", i);
	assert_int_equal(t.len, 3000);
	assert_memory_equal(t.p + 2997, "999", 4);
	p = text_take(&t);
	assert_null(t.p);
	mem_freep(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_strings),
		cmocka_unit_test(sizes_are_dockers),
		cmocka_unit_test(durations_are_seconds_or_gos),
		cmocka_unit_test(hostile_bytes_are_made_printable),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(a_text_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
