/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/str.h"
#include "store/record.h"

struct place {
	char parent[64], path[80];
	int root;
};

static int make_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct err e = { 0 };

	strcpy(p->parent, "/tmp/clade-store-XXXXXX");
	assert_non_null(mkdtemp(p->parent));
	snprintf(p->path, sizeof(p->path), "%s/a/b", p->parent);
	p->root = store_open(p->path, &e);
	assert_true(p->root >= 0);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	int above = open("/tmp", O_RDONLY | O_DIRECTORY);

	close(p->root);
	assert_int_equal(store_remove(above, strrchr(p->parent, '/') + 1), 0);
	close(above);
	free(p);
	return 0;
}

static void a_name_has_one_owner_and_goes_with_it(void **state)
{
	struct place *p = *state;
	char id[65], other[65], found[65];
	struct err e = { 0 };

	assert_int_equal(store_new_id(id, &e), 0);
	assert_int_equal(store_new_id(other, &e), 0);
	close(store_make(p->root, id, &e));
	close(store_make(p->root, other, &e));
	assert_int_equal(store_take_name(p->root, "web", id, &e), 0);
	assert_int_equal(store_take_name(p->root, "web", other, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "already in use"));
	assert_int_equal(store_find(p->root, "web", found, &e), 0);
	assert_string_equal(found, id);
	store_drop_name(p->root, "web", other); /* not the owner */
	assert_int_equal(store_find(p->root, "web", found, &e), 0);
	assert_int_equal(store_remove(p->root, id), 0);
	assert_int_equal(store_find(p->root, "web", found, &e), -ERR_ABSENT);
	/* the link of one that is gone is nobody's */
	assert_int_equal(store_take_name(p->root, "web", other, &e), 0);
}

static void fifty_at_once_get_one_name_once(void **state)
{
	struct place *p = *state;
	int won = 0;

	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			char id[65];
			struct err e = { 0 };

			store_new_id(id, &e);
			store_make(p->root, id, &e);
			_exit(store_take_name(p->root, "one", id, &e) == 0 ? 1 : 0);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < 50; i++) {
		int status;

		wait(&status);
		won += WEXITSTATUS(status);
	}
	assert_int_equal(won, 1);
}

static void an_id_is_found_by_its_beginning_if_it_is_the_only_one(void **state)
{
	struct place *p = *state;
	char a[65], b[65], found[65];
	struct err e = { 0 };

	memset(a, 'a', 64);
	memset(b, 'a', 64);
	a[64] = b[64] = '\0';
	b[3] = 'b';
	close(store_make(p->root, a, &e));
	close(store_make(p->root, b, &e));
	assert_int_equal(store_find(p->root, "aaab", found, &e), 0);
	assert_string_equal(found, b);
	assert_true(store_find(p->root, "aa", found, &e) < 0);
	assert_non_null(strstr(e.msg, "beginning of 2"));
	/* a name that is another's ID, or the beginning of it */
	assert_int_equal(store_take_name(p->root, a, b, &e), 0);
	assert_int_equal(store_find(p->root, a, found, &e), 0);
	assert_string_equal(found, a);
	assert_int_equal(store_take_name(p->root, "aaaa", b, &e), 0);
	assert_int_equal(store_find(p->root, "aaaa", found, &e), 0);
	assert_string_equal(found, b);
	assert_int_equal(store_find(p->root, "c", found, &e), -ERR_ABSENT);
	assert_int_equal(store_find(p->root, "", found, &e), -ERR_ABSENT);
	assert_int_equal(store_find(p->root, "../a", found, &e), -ERR_ABSENT);
}

static void hostile_names_are_refused_and_shown_harmless(void **state)
{
	static const char *const bad[] = { "", "a", "-x", ".x", "a/b", "../x", "a\nb", "a b",
		"\x1b[2J" };
	char longest[4097];
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(store_check_name(bad[i], &e) < 0);
		assert_null(strchr(e.msg, '\x1b'));
		assert_null(strchr(e.msg, '\n'));
	}
	memset(longest, 'a', 4096);
	longest[4096] = '\0';
	assert_true(store_check_name(longest, &e) < 0);
	longest[128] = '\0';
	assert_int_equal(store_check_name(longest, &e), 0);
}

static void removing_follows_no_link(void **state)
{
	struct place *p = *state;
	char id[65], outside[100];
	struct err e = { 0 };
	struct stat st;
	int dir;

	store_new_id(id, &e);
	dir = store_make(p->root, id, &e);
	snprintf(outside, sizeof(outside), "%s/outside", p->parent);
	assert_int_equal(mkdir(outside, 0700), 0);
	assert_int_equal(symlinkat(outside, dir, "link"), 0);
	assert_int_equal(mkdirat(dir, "deep", 0700), 0);
	assert_int_equal(symlinkat(outside, dir, "deep/link"), 0);
	close(dir);
	assert_int_equal(store_remove(p->root, id), 0);
	assert_int_equal(stat(outside, &st), 0);
	assert_int_equal(store_remove(p->root, id), -ENOENT);
}

static void a_record_is_read_as_it_was_written(void **state)
{
	struct place *p = *state;
	struct record_label labels[] = { { "a", "\"b\"\n" }, { "c", "" } };
	struct record r = { .id = "1",
		.name = "n\xc3\xa4",
		.created_ns = INT64_MAX,
		.tty = true,
		.labels = labels,
		.n_labels = 2,
		.restart_max = 3 };
	autoarena arena = { 0 };
	struct record back;
	struct err e = { 0 };

	assert_int_equal(record_write(p->root, &r, &e), 0);
	assert_int_equal(record_read(p->root, &arena, &back, &e), 0);
	assert_string_equal(back.name, r.name);
	assert_true(back.created_ns == INT64_MAX && back.tty && !back.auto_remove);
	assert_int_equal(back.n_labels, 2);
	assert_string_equal(back.labels[0].value, "\"b\"\n");
	assert_int_equal(store_write(p->root, "record", "{\"id\":7}", 8, &e), 0);
	assert_true(record_read(p->root, &arena, &back, &e) < 0);
	assert_int_equal(store_write(p->root, "record", "{\"id\":", 6, &e), 0);
	assert_true(record_read(p->root, &arena, &back, &e) < 0);
}

static void values_are_found_line_by_line(void **state)
{
	char buf[8];

	assert_true(store_value("pid 12\nstart 7\n", "start", buf, sizeof(buf)));
	assert_string_equal(buf, "7");
	assert_false(store_value("pid 12\n", "pi", buf, sizeof(buf)));
	assert_false(store_value("pid 123456789\n", "pid", buf, sizeof(buf)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_name_has_one_owner_and_goes_with_it, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			fifty_at_once_get_one_name_once, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			an_id_is_found_by_its_beginning_if_it_is_the_only_one, make_place,
			remove_place),
		cmocka_unit_test(hostile_names_are_refused_and_shown_harmless),
		cmocka_unit_test_setup_teardown(removing_follows_no_link, make_place, remove_place),
		cmocka_unit_test_setup_teardown(
			a_record_is_read_as_it_was_written, make_place, remove_place),
		cmocka_unit_test(values_are_found_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
