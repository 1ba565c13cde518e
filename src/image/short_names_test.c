/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "image/short_names.h"

static const char text[] =
	"# first\nunqualified-search-registries = [ 'a.example', # one\n"
	"\t\"b.example:5000\",\n]\n[[registry]]\nlocation = \"c.example\"\n"
	"unqualified-search-registries = [\"no.example\"]\n"
	"[aliases]\nweb = \"q.example/web\"\n \"x/y\" = 'q.example/y' # why\n"
	"gone = \"q.example/gone\"\nbroken = \"no end\n[ aliases ]\ngone = \"\"\n";

static void test_read(void **state)
{
	autoarena a = { 0 };
	struct short_rules r = { 0 };

	(void)state;
	short_rules_read(text, &a, &r);
	assert_int_equal(r.n_search, 2);
	assert_string_equal(r.search[0], "a.example");
	assert_string_equal(r.search[1], "b.example:5000");
	assert_int_equal(r.n_aliases, 3);
	assert_string_equal(r.aliases[0].value, "q.example/web");
	assert_string_equal(r.aliases[1].name, "x/y");
	assert_string_equal(r.aliases[2].value, "");
	/* a later file's list takes the place of an earlier one's, aliases are added */
	short_rules_read(
		"unqualified-search-registries=[\"z.example\"]\n[aliases]\nn=\"o.p/q\"", &a, &r);
	assert_int_equal(r.n_search, 1);
	assert_int_equal(r.n_aliases, 4);
}

static void names_are(const char *name, const char *wanted)
{
	autoarena a = { 0 };
	autotext t = { 0 };
	struct image_ref r, *all;
	struct err e = { 0 };
	size_t n;

	assert_int_equal(ref_parse_name(name, &a, &r, &e), 0);
	if (short_names(&r, &a, &all, &n, &e) < 0)
		text_addf(&t, "%s", "refused");
	else
		for (size_t i = 0; i < n; i++)
			text_addf(&t, "%s%s", i ? " " : "", ref_canonical(&all[i], &a));
	assert_string_equal(t.p, wanted);
}

static void test_names(void **state)
{
	char path[] = "/tmp/clade-short-names.XXXXXX";
	int fd = mkstemp(path);
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	fputs(text, f);
	fputs("self = \"nothing\"\n", f);
	fclose(f);
	setenv("CONTAINERS_REGISTRIES_CONF", path, 1);
	names_are("web", "q.example/web:latest");
	names_are("web:2", "q.example/web:2");
	names_are("x/y:1", "q.example/y:1");
	names_are("gone", "a.example/gone:latest b.example:5000/gone:latest");
	names_are("docker.io/library/web", "docker.io/library/web:latest");
	names_are("q.example/web", "q.example/web:latest");
	names_are("self", "refused");
	setenv("CONTAINERS_REGISTRIES_CONF", "/dev/null", 1);
	names_are("web", "docker.io/library/web:latest");
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
