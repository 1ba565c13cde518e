/* SPDX-License-Identifier: Apache-2.0 */
/* On a folder that looks like a resctrl filesystem: few machines have the real one. */
#include "os/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "os/file.h"

static void put(const char *root, const char *name, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int make_root(void **state)
{
	static char root[] = "/tmp/clade-resctrl.XXXXXX";
	char path[300];

	strcpy(root, "/tmp/clade-resctrl.XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", root,
			(const char *[]){ "info", "gold", "gold/mon_groups" }[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	put(root, "info/last_cmd_status", "mask f1 has non-consecutive 1-bits\n");
	put(root, "schemata", "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n");
	put(root, "tasks", "");
	put(root, "gold/schemata", "    L3:0=07f0;1=1F\n    MB:0= 20;1= 70\n");
	put(root, "gold/tasks", "");
	*state = root;
	return 0;
}

static int remove_root(void **state)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	return system(command);
}

static void text_of(int dir, const char *file, char *buf, size_t size)
{
	assert_true(file_read(dir, file, buf, size) >= 0);
}

static void a_class_that_is_missing_is_made_only_on_demand(void **state)
{
	autofd none = FD_NONE, made = FD_NONE, again = FD_NONE;
	bool is_new;

	none = resctrl_open(*state, "web", false, &is_new);
	assert_int_equal(none, -ENOENT);
	made = resctrl_open(*state, "web", true, &is_new);
	assert_true(made >= 0 && is_new);
	again = resctrl_open(*state, "web", true, &is_new);
	assert_true(again >= 0 && !is_new);
}

static void a_slash_is_the_default_class(void **state)
{
	autofd root = FD_NONE;
	bool is_new;
	char text[64];

	root = resctrl_open(*state, "/", false, &is_new);
	assert_true(root >= 0 && !is_new);
	assert_int_equal(resctrl_join(root, 77), 0);
	text_of(root, "tasks", text, sizeof(text));
	assert_string_equal(text, "77");
}

static void lines_are_compared_by_their_values(void **state)
{
	autofd gold = FD_NONE;
	bool is_new;

	gold = resctrl_open(*state, "gold", false, &is_new);
	assert_int_equal(resctrl_has(gold, "L3:0=7f0;1=1f"), 1);
	assert_int_equal(resctrl_has(gold, "L3:1=1f"), 1);
	assert_int_equal(resctrl_has(gold, "L3:0=7f1"), 0);
	assert_int_equal(resctrl_has(gold, "L3:2=7f0"), 0);
	assert_int_equal(resctrl_has(gold, "L2:0=7f0"), 0);
	assert_int_equal(resctrl_has(gold, "L3"), -EINVAL);
	assert_int_equal(resctrl_has(gold, "L3:nonsense"), -EINVAL);
}

static void a_line_is_written_whole(void **state)
{
	autofd gold = FD_NONE;
	bool is_new;
	char text[128];

	gold = resctrl_open(*state, "gold", false, &is_new);
	put(*state, "gold/schemata", "");
	assert_int_equal(resctrl_write(gold, "MB:0=20;1=70"), 0);
	text_of(gold, "schemata", text, sizeof(text));
	assert_string_equal(text, "MB:0=20;1=70\n");
}

static void monitoring_is_a_group_below(void **state)
{
	autofd gold = FD_NONE, mon = FD_NONE, no_groups = FD_NONE, none = FD_NONE;
	bool is_new;

	gold = resctrl_open(*state, "gold", false, &is_new);
	mon = resctrl_monitor(gold, "box", &is_new);
	assert_true(mon >= 0 && is_new);
	no_groups = resctrl_open(*state, "info", false, &is_new);
	none = resctrl_monitor(no_groups, "box", &is_new);
	assert_int_equal(none, -ENOENT);
	assert_false(is_new);
}

static void the_kernel_is_asked_why(void **state)
{
	char why[128];

	assert_string_equal(
		resctrl_why(*state, why, sizeof(why)), "mask f1 has non-consecutive 1-bits");
	assert_string_equal(resctrl_why("/nowhere", why, sizeof(why)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_class_that_is_missing_is_made_only_on_demand, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			a_slash_is_the_default_class, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			lines_are_compared_by_their_values, make_root, remove_root),
		cmocka_unit_test_setup_teardown(a_line_is_written_whole, make_root, remove_root),
		cmocka_unit_test_setup_teardown(
			monitoring_is_a_group_below, make_root, remove_root),
		cmocka_unit_test_setup_teardown(the_kernel_is_asked_why, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
