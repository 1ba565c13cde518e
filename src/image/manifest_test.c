/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "image/change.h"
#include "image/index.h"

#define HEX    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX

static const struct descriptor *choose(const char *list, const char *platform, struct arena *a)
{
	const char *text = arena_printf(a, "{\"schemaVersion\": 2, \"manifests\": [%s]}", list);
	struct manifest *m = arena_alloc(a, sizeof(*m));
	struct platform p;
	struct err e;

	assert_int_equal(manifest_parse(text, strlen(text), a, m, &e), 0);
	assert_int_equal(platform_parse(platform, a, &p, &e), 0);
	return manifest_choose(m, &p);
}

#define ENTRY(size, arch, variant)                                                                 \
	"{\"digest\": \"" DIGEST "\", \"size\": " size ", \"platform\": {\"os\": \"linux\", "      \
	"\"architecture\": \"" arch "\", \"variant\": \"" variant "\"}}"

static void the_platform_decides_which_of_an_index(void **state)
{
	static const char list[] = ENTRY("1", "arm", "v6") "," ENTRY("2", "arm", "v7") "," ENTRY(
		"3", "amd64", "") "," ENTRY("4", "arm64", "v8");
	autoarena a = { 0 };

	(void)state;
	assert_int_equal(choose(list, "linux/arm/v7", &a)->size, 2);
	assert_int_equal(choose(list, "linux/arm/v6", &a)->size, 1);
	assert_int_equal(choose(list, "linux/amd64", &a)->size, 3);
	assert_int_equal(choose(list, "linux/x86_64", &a)->size, 3);
	assert_int_equal(choose(list, "arm64", &a)->size, 4);
	assert_null(choose(list, "linux/riscv64", &a));
	assert_null(choose(list, "windows/amd64", &a));
	/* one that says nothing is for all */
	assert_non_null(choose("{\"digest\": \"" DIGEST "\", \"size\": 9}", NULL, &a));
}

static void what_is_no_manifest_is_refused(void **state)
{
	static const char *const rows[] = { "", "[]", "{}",
		"{\"schemaVersion\": 1, \"layers\": []}", "{\"schemaVersion\": 2, \"layers\": []}",
		"{\"schemaVersion\": 2, \"config\": {\"digest\": \"sha512:00\"}, \"layers\": []}",
		"{\"config\": {\"digest\": \"" DIGEST "\", \"size\": -1}, \"layers\": []}",
		"{\"config\": {\"digest\": \"" DIGEST "\"}, \"layers\": [{}]}",
		"{\"config\": {\"digest\": \"" DIGEST "\"}, \"layers\": {}}",
		"{\"manifests\": [{\"digest\": \"../../etc/passwd\"}]}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct manifest m = { .n = 77 };
		autoarena a = { 0 };
		struct err e = { 0 };

		if (manifest_parse(rows[i], strlen(rows[i]), &a, &m, &e) == 0)
			fail_msg("%s was taken", rows[i]);
		assert_true(e.msg[0]);
		assert_int_equal(m.n, 77);
	}
}

/* image-spec config.md#layer-chainid: ChainID(L0) = DiffID(L0), then of "parent diff". */
static void chain_ids_are_the_specifications(void **state)
{
	autoarena a = { 0 };
	const char *one = chain_id(NULL, DIGEST, &a), *two = chain_id(one, DIGEST, &a);
	struct digest expected;
	static const char text[] = DIGEST " " DIGEST;

	(void)state;
	assert_string_equal(one, HEX);
	digest_of(text, sizeof(text) - 1, &expected);
	assert_string_equal(two, digest_hex(expected.text));
	digest_of("abc", 3, &expected);
	assert_string_equal(expected.text,
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static const char *changed(const char *const *instructions, struct arena *a)
{
	struct image_change c = { 0 };
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct err e = { 0 };

	for (; *instructions; instructions++)
		if (change_apply(&c, *instructions, a, &e) < 0)
			return arena_strdup(a, e.msg);
	json_begin(&w, NULL, '{');
	change_write(&c, &w);
	json_end(&w, '}');
	return arena_strdup(a, t.p);
}

static void changes_are_a_dockerfiles(void **state)
{
	static const char *const good[] = { "CMD [\"a\", \"b c\"]", "env A=1 B=\"two words\"",
		"ENV A=2", "EXPOSE 80 53/udp", "LABEL k old", "LABEL k=new", "USER web",
		"WORKDIR /w", "VOLUME /d", "STOPSIGNAL SIGINT",
		"HEALTHCHECK --interval=5s --retries=2 CMD curl -f x", NULL };
	static const char *const bad[][2] = { { "FROM x", NULL }, { "CMD", NULL },
		{ "EXPOSE http", NULL }, { "ENV =x", NULL }, { "CMD [1]", NULL },
		{ "HEALTHCHECK sometimes", NULL } };
	autoarena a = { 0 };
	struct image_config c;
	const char *text = changed(good, &a), *whole;
	struct err e = { 0 };

	(void)state;
	whole = arena_printf(&a, "{\"rootfs\": {\"diff_ids\": []}, %s", text + 1);
	assert_int_equal(config_parse(whole, strlen(whole), &a, &c, &e), 0);
	assert_string_equal(c.cmd.items[1], "b c");
	assert_int_equal(c.env.n, 2);
	assert_string_equal(c.env.items[0], "A=2");
	assert_string_equal(c.env.items[1], "B=two words");
	assert_string_equal(c.ports.items[0], "80/tcp");
	assert_string_equal(c.ports.items[1], "53/udp");
	assert_int_equal(c.n_labels, 1);
	assert_string_equal(c.labels[0].value, "new");
	assert_string_equal(c.user, "web");
	assert_string_equal(c.stop_signal, "SIGINT");
	assert_non_null(c.healthcheck);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(strncmp(changed(bad[i], &a), "--change", 8) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_platform_decides_which_of_an_index),
		cmocka_unit_test(what_is_no_manifest_is_refused),
		cmocka_unit_test(chain_ids_are_the_specifications),
		cmocka_unit_test(changes_are_a_dockerfiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
