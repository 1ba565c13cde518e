/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "procs/seen.h"

static struct proc procs[3];
static struct snapshot snap = { .procs = procs, .n = 3, .ticks_per_second = 100 };

static void three(char a, char b, char c)
{
	procs[0] = (struct proc){ .pid = 5, .start_ticks = 50, .state = a, .n_threads = 1 };
	procs[1] = (struct proc){ .pid = 7, .start_ticks = 70, .state = b, .n_threads = 1 };
	procs[2] = (struct proc){ .pid = 9, .start_ticks = 90, .state = c, .n_threads = 1 };
}

static void a_zombie_is_as_old_as_its_first_sight(void **state)
{
	char path[] = "/tmp/seen.XXXXXX";
	struct seen x = { 0 };

	(void)state;
	close(mkstemp(path));
	three('Z', 'S', 'S');
	snap.now_ticks = 1000;
	assert_true(seen_update(&x, &snap));
	assert_int_equal(seen_age_ms(&x, &snap, &procs[0]), 0);
	assert_int_equal(seen_age_ms(&x, &snap, &procs[1]), -1);
	seen_save(&x, path);
	seen_done(&x);

	seen_load(&x, path);
	snap.now_ticks = 1500;
	assert_false(seen_update(&x, &snap));
	assert_int_equal(seen_age_ms(&x, &snap, &procs[0]), 5000);
	three('Z', 'Z', 'S');
	assert_true(seen_update(&x, &snap));
	assert_int_equal(seen_age_ms(&x, &snap, &procs[1]), 0);
	/* the number belongs to another process now */
	procs[0].start_ticks = 51;
	assert_true(seen_update(&x, &snap));
	assert_int_equal(seen_age_ms(&x, &snap, &procs[0]), 0);
	seen_done(&x);
	unlink(path);
}

static void a_file_of_nonsense_is_none(void **state)
{
	char path[] = "/tmp/seen.XXXXXX";
	struct seen x = { 0 };
	FILE *f = fdopen(mkstemp(path), "w");

	(void)state;
	fputs("7 1 1\n5 1 1\n-3 x\n", f);
	fclose(f);
	seen_load(&x, path);
	assert_int_equal(x.n, 1); /* up to what is out of order */
	seen_done(&x);
	unlink(path);
	seen_load(&x, path);
	assert_int_equal(x.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zombie_is_as_old_as_its_first_sight),
		cmocka_unit_test(a_file_of_nonsense_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
