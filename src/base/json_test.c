/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static int parse(struct arena *a, const char *text, const struct json **ret)
{
	struct err e = { 0 };

	return json_parse(text, strlen(text), a, ret, &e);
}

static void refused(const char *text)
{
	const struct json *v = NULL;
	autoarena a = { 0 };

	if (parse(&a, text, &v) == 0)
		fail_msg("taken: %s", text);
	assert_null(v);
}

static void what_rfc_8259_does_not_allow_is_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "[", "]", "{]", "[1,]", "{\"a\":1,}",
		"{\"a\"}", "{a:1}", "{'a':1}", "[1 2]", "01", "-", "+1", "1.", ".5", "1e", "1e+",
		"NaN", "Infinity", "tru", "True", "nul", "\"", "\"a", "\"\\\"", "\"\\x\"",
		"\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
		"\"\\u0000\"", "\"\t\"", "\"\n\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"",
		"1 1", "{} {}", "[1],", "/* c */ 1", "{\"a\":1,\"a\":2}", "\"\xf4\x90\x80\x80\"" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(bad[i]);
}

static void deep_nesting_is_refused_not_followed(void **state)
{
	autotext t = { 0 };

	for (int i = 0; i < 100000; i++)
		text_add(&t, "[");
	refused(t.p);
}

static void a_name_twice_in_a_large_object_is_found(void **state)
{
	autotext t = { 0 };

	text_add(&t, "{");
	for (int i = 0; i < 100; i++)
		text_addf(&t, "\"k%d\":%d,", i, i);
	text_add(&t, "\"k7\":0}");
	refused(t.p);
}

static void integers_are_exact_to_64_bits(void **state)
{
	const struct json *v;
	autoarena a = { 0 };
	uint64_t u;
	int64_t i;

	assert_int_equal(parse(&a, "18446744073709551615", &v), 0);
	assert_int_equal(json_u64(v, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_true(json_i64(v, &i) < 0);
	assert_int_equal(parse(&a, "-9223372036854775808", &v), 0);
	assert_int_equal(json_i64(v, &i), 0);
	assert_true(i == INT64_MIN);
	assert_true(json_u64(v, &u) < 0);
	assert_int_equal(parse(&a, "18446744073709551616", &v), 0);
	assert_true(json_u64(v, &u) < 0);
	assert_int_equal(parse(&a, "1.0", &v), 0);
	assert_true(json_u64(v, &u) < 0);
}

static void strings_are_decoded(void **state)
{
	const struct json *v;
	autoarena a = { 0 };

	assert_int_equal(parse(&a, "\"a\\n\\u00e4\\ud83d\\ude00\\\\\\/\"", &v), 0);
	assert_string_equal(v->text, "a\n\xc3\xa4\xf0\x9f\x98\x80\\/");
	assert_int_equal(v->n, strlen(v->text));
}

static void members_are_found_and_walked(void **state)
{
	const struct json *v, *list;
	autoarena a = { 0 };
	int n = 0;

	assert_int_equal(parse(&a, " { \"a\" : [1, [2, {\"x\": []}], 3], \"b\":null } ", &v), 0);
	list = json_get(v, "a");
	assert_non_null(list);
	for (const struct json *i = json_first(list); i; i = json_next(list, i))
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(json_get(v, "b")->kind, JSON_NULL);
	assert_null(json_get(v, "c"));
}

static void an_error_names_line_and_column(void **state)
{
	const struct json *v;
	autoarena a = { 0 };
	struct err e = { 0 };

	assert_true(json_parse("{\n \"a\": x}", 10, &a, &v, &e) < 0);
	assert_non_null(strstr(e.msg, "line 2, column 7"));
}

static void what_is_written_can_be_read(void **state)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };
	const struct json *v;
	autoarena a = { 0 };

	json_begin(&w, NULL, '{');
	json_string(&w, "s", "a\"\\\n\x01\xff");
	json_begin(&w, "list", '[');
	json_int(&w, NULL, -5);
	json_uint(&w, NULL, UINT64_MAX);
	json_bool(&w, NULL, true);
	json_null(&w, NULL);
	json_end(&w, ']');
	json_begin(&w, "empty", '{');
	json_end(&w, '}');
	json_end(&w, '}');
	assert_int_equal(parse(&a, t.p, &v), 0);
	assert_string_equal(json_get(v, "s")->text, "a\"\\\n\x01\xef\xbf\xbd");
	assert_int_equal(json_get(v, "list")->n, 4);
	assert_int_equal(json_get(v, "empty")->n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_rfc_8259_does_not_allow_is_refused),
		cmocka_unit_test(deep_nesting_is_refused_not_followed),
		cmocka_unit_test(a_name_twice_in_a_large_object_is_found),
		cmocka_unit_test(integers_are_exact_to_64_bits),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test(members_are_found_and_walked),
		cmocka_unit_test(an_error_names_line_and_column),
		cmocka_unit_test(what_is_written_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
