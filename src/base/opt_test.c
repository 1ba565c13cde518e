/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/opt.h"
#include "base/str.h"

struct opts {
	bool detach, init;
	const char *name;
	struct opt_list env;
	int64_t grace_ms, memory;
};

static const struct opt table[] = {
	{ "detach", 'd', OPT_FLAG, offsetof(struct opts, detach), NULL, "in the background" },
	{ "init", 'i', OPT_FLAG, offsetof(struct opts, init), NULL, "an init as PID 1" },
	{ "name", 0, OPT_STRING, offsetof(struct opts, name), "NAME", "the name" },
	{ "env", 'e', OPT_LIST, offsetof(struct opts, env), "NAME=VALUE", "environment" },
	{ "time", 't', OPT_MS, offsetof(struct opts, grace_ms), "SECONDS", "until SIGKILL" },
	{ "memory", 'm', OPT_BYTES, offsetof(struct opts, memory), "BYTES", "limit" },
	{ 0 },
};

static struct arena arena;
static const char **args;
static int n_args;

static int parse(const char *const *argv, struct opt_style style, struct opts *o, struct err *e)
{
	int n = 0;

	while (argv[n])
		n++;
	return opt_parse(table, argv, n, style, o, &arena, &args, &n_args, e);
}

#define PARSE(style, o, e, ...) parse((const char *const[]){ __VA_ARGS__, NULL }, style, o, e)
#define ANYWHERE		((struct opt_style){ 0 })
#define FIRST_WORD		((struct opt_style){ .stops_at_word = true })

static void every_spelling_of_a_value_is_taken(void **state)
{
	struct opts o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PARSE(ANYWHERE, &o, &e, "-e", "A=1", "-eB=2", "--env", "C=3", "--env=D=4",
				 "-dt5", "--memory=1m", "x", "--name", "web", "y"),
		0);
	assert_int_equal(o.env.n, 4);
	assert_string_equal(o.env.items[3], "D=4");
	assert_true(o.detach);
	assert_int_equal(o.grace_ms, 5000);
	assert_int_equal(o.memory, 1 << 20);
	assert_string_equal(o.name, "web");
	assert_int_equal(n_args, 2);
	assert_string_equal(args[1], "y");
	assert_null(args[2]);
}

static void options_end_at_the_first_word_where_asked(void **state)
{
	struct opts o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PARSE(FIRST_WORD, &o, &e, "-d", "host", "ls", "-i", "--", "--nope"), 0);
	assert_true(o.detach);
	assert_false(o.init);
	assert_int_equal(n_args, 5);
	assert_string_equal(args[2], "-i");
}

static void an_unknown_flag_is_refused_by_name(void **state)
{
	struct opts o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(PARSE(ANYWHERE, &o, &e, "--nmae=x") < 0);
	assert_string_equal(e.msg, "unknown flag: --nmae");
	assert_true(PARSE(ANYWHERE, &o, &e, "-dz") < 0);
	assert_string_equal(e.msg, "unknown shorthand flag: 'z' in -dz");
	assert_true(PARSE(ANYWHERE, &o, &e, "-name=x") < 0);
}

static void a_missing_or_wrong_value_is_named(void **state)
{
	struct opts o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(PARSE(ANYWHERE, &o, &e, "--name") < 0);
	assert_string_equal(e.msg, "--name needs a value (NAME)");
	assert_true(PARSE(ANYWHERE, &o, &e, "--memory", "lots") < 0);
	assert_string_equal(e.msg, "--memory lots: not a valid size (like 64m)");
	assert_true(PARSE(ANYWHERE, &o, &e, "--detach=maybe") < 0);
}

static void a_flag_can_be_turned_off(void **state)
{
	struct opts o = { .detach = true };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PARSE(ANYWHERE, &o, &e, "--detach=false"), 0);
	assert_false(o.detach);
}

static void one_dash_is_enough_where_runc_has_it(void **state)
{
	struct opts o = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(PARSE(((struct opt_style){ .single_dash = true }), &o, &e, "-name", "web",
				 "-detach", "-i"),
		0);
	assert_string_equal(o.name, "web");
	assert_true(o.detach);
	assert_true(o.init);
}

static void an_empty_string_is_none_where_that_is_asked_for(void **state)
{
	struct opts o = { .name = "before" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(
		PARSE(((struct opt_style){ .empty_is_none = true }), &o, &e, "--name", ""), 0);
	assert_null(o.name);
	assert_int_equal(PARSE(ANYWHERE, &o, &e, "--name="), 0);
	assert_string_equal(o.name, "");
}

static int free_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_a_value_is_taken),
		cmocka_unit_test(options_end_at_the_first_word_where_asked),
		cmocka_unit_test(an_unknown_flag_is_refused_by_name),
		cmocka_unit_test(a_missing_or_wrong_value_is_named),
		cmocka_unit_test(a_flag_can_be_turned_off),
		cmocka_unit_test(one_dash_is_enough_where_runc_has_it),
		cmocka_unit_test(an_empty_string_is_none_where_that_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, free_arena);
}
