/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cols.h"
#include "base/width.h"

struct row {
	int pid;
	double age;
	const char *name;
};

static const struct row rows[] = {
	{ 30, 5, "b" }, { 4, 90.5, "a b\x1b[2J" }, { 200, 0, "" },
	{ 5, 7200, "\xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab" }, /* three cats, six columns */
};

static void cell_pid(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%d", ((const struct row *)data)[row].pid);
}

static void cell_age(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.1f", ((const struct row *)data)[row].age);
}

static void cell_name(const void *data, size_t row, struct text *t)
{
	text_add(t, ((const struct row *)data)[row].name);
}

static void cell_nothing(const void *data, size_t row, struct text *t)
{
	(void)data;
	(void)row;
	(void)t;
}

static const struct col all[] = {
	{ "name", COL_TEXT, "", cell_name },
	{ "nothing", COL_TEXT, "", cell_nothing },
	{ "pid", COL_NUMBER, "", cell_pid },
	{ "age", COL_AGE, "", cell_age },
	{ 0 },
};

static char *table(struct cols_style style, const char *columns, struct text *t)
{
	autoarena a = { 0 };
	const struct col **picked;
	struct err e = { 0 };

	width_setup();
	assert_int_equal(cols_pick(all, "pid,name,age", columns, &a, &picked, &e), 0);
	cols_table(picked, rows, 4, &style, t);
	return t->p;
}

static void wide_characters_and_hostile_bytes_keep_the_columns(void **state)
{
	autotext t = { 0 };

	(void)state;
	assert_string_equal(table((struct cols_style){ 0 }, NULL, &t),
		"PID  NAME          AGE\n"
		" 30  b              5s\n"
		"  4  a b\\x1b[2J  1m30s\n"
		"200  -              0s\n"
		"  5  \xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab      2h00m\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	autotext t = { 0 };

	(void)state;
	assert_string_equal(
		table((struct cols_style){ .width = 21, .no_headings = true }, NULL, &t),
		" 30  b             5s\n"
		"  4  a b\\x1b[…  1m30s\n"
		"200  -             0s\n"
		"  5  \xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab     2h00m\n");
	for (unsigned width = 1; width < 40; width++) {
		autotext narrow = { 0 };

		table((struct cols_style){ .width = width }, NULL, &narrow);
		for (char *line = narrow.p, *end; (end = strchr(line, '\n')); line = end + 1)
			assert_true(width_of(line, (size_t)(end - line)) <= width);
	}
}

static void where_it_is_narrow_columns_with_nothing_in_them_go_first(void **state)
{
	const struct cols_style narrow = { .width = 24, .drop_empty = true };
	autotext t = { 0 }, wide = { 0 }, asked = { 0 };

	(void)state;
	assert_string_equal(table(narrow, "pid,nothing,name,age", &t),
		"PID  NAME          AGE\n"
		" 30  b              5s\n"
		"  4  a b\\x1b[2J  1m30s\n"
		"200  -              0s\n"
		"  5  \xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab      2h00m\n");
	/* neither where there is room, nor where one asked for it */
	assert_non_null(strstr(table((struct cols_style){ .width = 80, .drop_empty = true },
				       "pid,nothing,name", &wide),
		"NOTHING"));
	assert_non_null(strstr(
		table((struct cols_style){ .width = 24 }, "pid,nothing,name", &asked), "NOTHING"));
}

static void raw_is_one_word_a_cell(void **state)
{
	autotext t = { 0 };

	(void)state;
	assert_string_equal(table((struct cols_style){ .raw = true }, NULL, &t),
		"PID NAME AGE\n"
		"30 b 5.0\n"
		"4 a\\x20b\\x1b[2J 90.5\n"
		"200 - 0.0\n"
		"5 \xe7\x8c\xab\xe7\x8c\xab\xe7\x8c\xab 7200.0\n");
}

static size_t select_first(const char *filter, const char *sort, size_t *ret_n)
{
	autoarena a = { 0 };
	struct err e = { 0 };
	size_t *chosen;

	if (cols_select(all, rows, 4, &filter, filter ? 1 : 0, sort, &a, &chosen, ret_n, &e) < 0)
		return (size_t)-1;
	return *ret_n ? chosen[0] : 99;
}

static void rows_are_chosen_and_sorted_by_value(void **state)
{
	size_t n;

	(void)state;
	assert_int_equal(select_first(NULL, "pid", &n), 1);
	assert_int_equal(select_first(NULL, "-pid", &n), 2);
	assert_int_equal(select_first(NULL, "-age,pid", &n), 3);
	assert_int_equal(select_first(NULL, "name", &n), 2);
	assert_int_equal(select_first("pid>29", NULL, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(select_first("age<1", NULL, &n), 2);
	assert_int_equal(select_first("name~ b", NULL, &n), 1);
	assert_int_equal(n, 1);
	assert_int_equal(select_first("name!=b", NULL, &n), 1);
	assert_int_equal(select_first("name=x", NULL, &n), 99);
	assert_int_equal(select_first("pid", NULL, &n), (size_t)-1);
	assert_int_equal(select_first("pid>x", NULL, &n), (size_t)-1);
	assert_int_equal(select_first("unknown=1", NULL, &n), (size_t)-1);
	assert_int_equal(select_first(NULL, "unknown", &n), (size_t)-1);
}

static void json_has_numbers_where_they_are(void **state)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	const struct col **picked;
	struct err e = { 0 };
	size_t order[] = { 2, 1 };

	(void)state;
	assert_int_equal(cols_pick(all, "pid,age,name", NULL, &a, &picked, &e), 0);
	cols_json_rows(picked, rows, order, 2, &t);
	assert_string_equal(t.p, "[\n{\"pid\":200,\"age\":0.0,\"name\":null},\n"
				 "{\"pid\":4,\"age\":90.5,\"name\":\"a b\\u001b[2J\"}\n]\n");
}

static void json_strings_hold_nothing_that_a_terminal_obeys(void **state)
{
	static const char hostile[] = "\"\\\x7f\xc2\x9b\xe2\x80\xae\xff\xd8\x9c"
				      "\xc3\xa9";
	autotext t = { 0 };

	(void)state;
	cols_json_string(&t, hostile, sizeof(hostile) - 1);
	assert_string_equal(t.p, "\"\\u0022\\u005c\\u007f\\u009b\\u202e\\ufffd\\u061c\xc3\xa9\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_characters_and_hostile_bytes_keep_the_columns),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(where_it_is_narrow_columns_with_nothing_in_them_go_first),
		cmocka_unit_test(raw_is_one_word_a_cell),
		cmocka_unit_test(rows_are_chosen_and_sorted_by_value),
		cmocka_unit_test(json_has_numbers_where_they_are),
		cmocka_unit_test(json_strings_hold_nothing_that_a_terminal_obeys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
