/* SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct addr_net network(const char *text)
{
	struct addr_net n;

	assert_int_equal(addr_net_parse(text, &n), 0);
	return n;
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4 ", ":",
		"::g", "1::2::3", "host" };
	struct addr a = { .family = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(addr_parse(bad[i], &a) < 0);
	assert_int_equal(a.family, 7);
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = { "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/8x", "::/129", "/8" };
	struct addr_net n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(addr_net_parse(bad[i], &n) < 0);
}

static void host_bits_of_a_network_are_cleared(void **state)
{
	char text[ADDR_TEXT];
	struct addr_net n = network("10.255.77.3/12");

	(void)state;
	assert_string_equal(addr_net_text(&n, text), "10.240.0.0/12");
	n = network("fd00::1:2:3:4/60");
	assert_string_equal(addr_net_text(&n, text), "fd00::/60");
	n = network("1.2.3.4/0");
	assert_string_equal(addr_net_text(&n, text), "0.0.0.0/0");
}

static void networks_overlap_in_either_order(void **state)
{
	struct addr_net wide = network("10.0.0.0/8"), narrow = network("10.1.2.0/24"),
			other = network("11.0.0.0/8"), v6 = network("::/0");

	(void)state;
	assert_true(addr_net_overlap(&wide, &narrow));
	assert_true(addr_net_overlap(&narrow, &wide));
	assert_false(addr_net_overlap(&wide, &other));
	assert_false(addr_net_overlap(&wide, &v6));
}

static void counting_ends_where_the_network_ends(void **state)
{
	struct addr_net n = network("10.0.255.0/23");
	char text[ADDR_TEXT];
	struct addr a;

	(void)state;
	assert_true(addr_nth(&n, 0x1ff, &a));
	assert_string_equal(addr_text(&a, text), "10.0.255.255");
	assert_true(addr_is_broadcast(&n, &a));
	assert_false(addr_nth(&n, 0x200, &a));
	n = network("255.255.255.0/24");
	assert_false(addr_nth(&n, 256, &a));
	a = address("10.0.254.255");
	n = network("10.0.254.0/23");
	assert_false(addr_is_broadcast(&n, &a));
}

static void a_mac_is_six_bytes_of_one_station(void **state)
{
	(void)state;
	assert_int_equal(addr_mac_check("02:42:ac:11:00:02"), 0);
	assert_true(addr_mac_check("02:42:ac:11:00") < 0);
	assert_true(addr_mac_check("02-42-ac-11-00-02") < 0);
	assert_true(addr_mac_check("0g:42:ac:11:00:02") < 0);
	assert_true(addr_mac_check("01:42:ac:11:00:02") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(host_bits_of_a_network_are_cleared),
		cmocka_unit_test(networks_overlap_in_either_order),
		cmocka_unit_test(counting_ends_where_the_network_ends),
		cmocka_unit_test(a_mac_is_six_bytes_of_one_station),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
