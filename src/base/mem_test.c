/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void memory_comes_zeroed_and_aligned(void **state)
{
	autoarena a = { 0 };

	(void)state;
	for (size_t size = 0; size < 300; size++) {
		char *p = arena_alloc(&a, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void a_large_request_gets_its_own_block(void **state)
{
	autoarena a = { 0 };
	char *small = arena_strdup(&a, "small"), *big = arena_alloc(&a, 1 << 20);

	(void)state;
	memset(big, 1, 1 << 20);
	assert_string_equal(small, "small");
}

static void an_array_grows_and_keeps_its_items(void **state)
{
	autoarena a = { 0 };
	int *items = NULL;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		*(int *)arena_grow(&a, &items, &n, sizeof(*items)) = i;
	assert_int_equal(n, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
}

static void text_is_copied_and_cut(void **state)
{
	autoarena a = { 0 };

	(void)state;
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_strndup(&a, "ab", 3), "ab");
	assert_string_equal(arena_printf(&a, "%s-%d", "web", 7), "web-7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_comes_zeroed_and_aligned),
		cmocka_unit_test(a_large_request_gets_its_own_block),
		cmocka_unit_test(an_array_grows_and_keeps_its_items),
		cmocka_unit_test(text_is_copied_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
