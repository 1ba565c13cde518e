/* SPDX-License-Identifier: Apache-2.0 */
#include "net/want.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* Every entry as ps shows it, with spaces between. */
static void shows(const char *flag, const char *expected)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	struct want w = { 0 };
	struct err e;

	assert_int_equal(want_port_parse(flag, &a, &w, &e), 0);
	for (size_t i = 0; i < w.n_ports; i++) {
		text_add(&t, i ? " " : "");
		want_port_text(&w.ports[i], &t);
	}
	assert_string_equal(t.p, expected);
}

static void refused(const char *flag, const char *says)
{
	autoarena a = { 0 };
	struct want w = { 0 };
	struct err e = { 0 };

	assert_true(want_port_parse(flag, &a, &w, &e) < 0);
	assert_non_null(strstr(e.msg, says));
	assert_int_equal(w.n_ports, 0);
}

static void what_is_no_port_is_refused(void **state)
{
	(void)state;
	refused("", "no port");
	refused("0", "no port");
	refused("65536", "no port");
	refused("-1:80", "no port");
	refused("80:", "no port");
	refused("x:80", "no port");
	refused("90-80:90-80", "no port");
	refused("80-82:80-81", "not of the same length");
	refused("80/sctp", "tcp or udp");
	refused("[::1:80:80", "]");
	refused("[::1]80:80", "]");
	refused("1.2.3:80:80", "no address");
	refused("1.2.3.4:80:80:80", "no port");
}

static void docker_words_mean_what_they_mean(void **state)
{
	(void)state;
	shows("80", "80/tcp");
	shows("8080:80", "0.0.0.0:8080->80/tcp");
	shows("8080:80/udp", "0.0.0.0:8080->80/udp");
	shows("127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp");
	shows("127.0.0.1::80", "80/tcp");
	shows("[::1]:8080:80", "[::1]:8080->80/tcp");
	shows("8000-8002:80-82", "0.0.0.0:8000-8002->80-82/tcp");
	shows("80-82", "80/tcp 81/tcp 82/tcp");
}

static void a_range_of_the_host_for_one_port_is_a_choice(void **state)
{
	autoarena a = { 0 };
	struct want w = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(want_port_parse("8000-8010:80", &a, &w, &e), 0);
	assert_int_equal(w.n_ports, 1);
	assert_int_equal(w.ports[0].host, 8000);
	assert_int_equal(w.ports[0].host_last, 8010);
	assert_int_equal(w.ports[0].count, 1);
}

static void what_is_published_already_is_not_exposed_again(void **state)
{
	autoarena a = { 0 };
	struct want w = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(want_port_parse("8000-8001:80-81", &a, &w, &e), 0);
	assert_int_equal(want_expose_parse("79-82", &a, &w, &e), 0);
	assert_int_equal(w.n_ports, 3);
	assert_int_equal(w.ports[1].container, 79);
	assert_int_equal(w.ports[2].container, 82);
	assert_int_equal(want_expose_parse("80/udp", &a, &w, &e), 0);
	assert_int_equal(w.n_ports, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_port_is_refused),
		cmocka_unit_test(docker_words_mean_what_they_mean),
		cmocka_unit_test(a_range_of_the_host_for_one_port_is_a_choice),
		cmocka_unit_test(what_is_published_already_is_not_exposed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
