/* SPDX-License-Identifier: Apache-2.0 */
#include "net/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static const char host[] =
	"# by somebody\nnameserver 127.0.0.53\n nameserver\t192.0.2.1\nsearch a b\n"
	"nameserver ::1\noptions edns0\n";
static const struct want_words nobody;

static void servers_on_the_hosts_loopback_are_left_out(void **state)
{
	struct want w = { 0 };
	autotext t = { 0 };

	(void)state;
	assert_false(files_resolv(&w, host, false, "10.0.2.3", &nobody, &t));
	assert_string_equal(t.p, "search a b\nnameserver 192.0.2.1\noptions edns0\n");
}

static void who_shares_the_host_network_has_its_servers(void **state)
{
	struct want w = { 0 };
	autotext t = { 0 };

	(void)state;
	files_resolv(&w, host, true, NULL, &nobody, &t);
	assert_string_equal(t.p, "search a b\nnameserver 127.0.0.53\nnameserver 192.0.2.1\n"
				 "nameserver ::1\noptions edns0\n");
}

static void without_any_left_it_is_the_forwarder_or_dockers_choice(void **state)
{
	struct want w = { 0 };
	autotext t = { 0 }, u = { 0 };

	(void)state;
	assert_true(files_resolv(&w, "nameserver 127.0.0.53\n", false, "10.0.2.3", &nobody, &t));
	assert_string_equal(t.p, "nameserver 10.0.2.3\n");
	assert_false(files_resolv(&w, "", false, NULL, &nobody, &u));
	assert_string_equal(u.p, "nameserver 8.8.8.8\n");
}

static void flags_take_the_place_of_the_hosts_lines(void **state)
{
	const char *dns[] = { "192.0.2.9" }, *search[] = { "x", "y" }, *option[] = { "rotate" },
		   *none[] = { "." };
	struct want w = {
		.dns = { dns, 1 }, .dns_search = { search, 2 }, .dns_options = { option, 1 }
	};
	autotext t = { 0 }, u = { 0 };

	(void)state;
	assert_false(files_resolv(&w, host, false, "10.0.2.3", &nobody, &t));
	assert_string_equal(t.p, "search x y\nnameserver 192.0.2.9\noptions rotate\n");
	w.dns_search = (struct want_words){ none, 1 };
	files_resolv(&w, host, false, NULL, &nobody, &u);
	assert_string_equal(u.p, "nameserver 192.0.2.9\noptions rotate\n");
}

static void hosts_has_the_container_under_its_names(void **state)
{
	const char *more[] = { "db 192.0.2.7", "gw host-gateway" };
	struct want w = { .hostname = "web", .domainname = "example", .hosts = { more, 2 } };
	struct files_self self = { "10.0.2.100", NULL };
	autotext t = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(files_hosts(&w, NULL, &self, 1, "192.0.2.1", &t, &e), 0);
	assert_non_null(strstr(t.p, "127.0.0.1\tlocalhost\n"));
	assert_non_null(strstr(t.p, "\n192.0.2.7\tdb\n192.0.2.1\tgw\n"));
	assert_non_null(strstr(t.p, "\n10.0.2.100\tweb.example web\n"));
}

static void a_gateway_that_is_not_there_is_an_error(void **state)
{
	const char *more[] = { "gw host-gateway" };
	struct want w = { .hosts = { more, 1 } };
	autotext t = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_true(files_hosts(&w, NULL, NULL, 0, NULL, &t, &e) < 0);
	assert_non_null(strstr(e.msg, "--add-host gw:host-gateway"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_on_the_hosts_loopback_are_left_out),
		cmocka_unit_test(who_shares_the_host_network_has_its_servers),
		cmocka_unit_test(without_any_left_it_is_the_forwarder_or_dockers_choice),
		cmocka_unit_test(flags_take_the_place_of_the_hosts_lines),
		cmocka_unit_test(hosts_has_the_container_under_its_names),
		cmocka_unit_test(a_gateway_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
