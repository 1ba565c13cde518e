/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "image/ref.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_short_name_gets_docker_defaults(void **state)
{
	static const struct {
		const char *text, *canonical, *familiar;
	} rows[] = {
		{ "busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "nginx:1.16.1", "docker.io/library/nginx:1.16.1", "nginx:1.16.1" },
		{ "a/b", "docker.io/a/b:latest", "a/b:latest" },
		{ "a/b/c:T_1.-x", "docker.io/a/b/c:T_1.-x", "a/b/c:T_1.-x" },
		{ "docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest" },
		{ "index.docker.io/x/y", "docker.io/x/y:latest", "x/y:latest" },
		{ "localhost/x", "localhost/x:latest", "localhost/x:latest" },
		{ "localhost:5000/x:1", "localhost:5000/x:1", "localhost:5000/x:1" },
		{ "Host/x", "Host/x:latest", "Host/x:latest" },
		{ "[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest" },
		{ "quay.io/a/b@sha256:" HEX64, "quay.io/a/b@sha256:" HEX64,
			"quay.io/a/b@sha256:" HEX64 },
		{ "quay.io/a/b:t@sha256:" HEX64, "quay.io/a/b:t", "quay.io/a/b:t" },
		{ "a__b/c--d.e_f", "docker.io/a__b/c--d.e_f:latest", "a__b/c--d.e_f:latest" },
		{ "docker.io/docker.io/x", "docker.io/docker.io/x:latest",
			"docker.io/docker.io/x:latest" },
		{ "docker://busybox", "docker.io/library/busybox:latest", "busybox:latest" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoarena a = { 0 };
		struct image_ref r;
		struct err e = { 0 };

		if (ref_parse(rows[i].text, &a, &r, &e) < 0)
			fail_msg("%s: %s", rows[i].text, e.msg);
		assert_string_equal(ref_canonical(&r, &a), rows[i].canonical);
		assert_string_equal(ref_familiar(ref_canonical(&r, &a)), rows[i].familiar);
	}
}

static void what_is_no_reference_is_refused(void **state)
{
	static const char *const rows[] = { "", ":", ":tag", "a:", "a@", "a@sha256:12", "/a", "a/",
		"a//b", "Busybox", "a/B", "a..b", "a___b", "-a", "a-", "_a", "a b", "a:t/g/",
		"a:-t", "a:t@sha256:xyz", "host_name.x/a", "-h.x/a", "h.x:port/a", "h.x:/a",
		"[::1/a", "[]/a", HEX64, "a@sha256:" HEX64 "0", "a@1x:" HEX64, "a@:" HEX64, "a\n",
		"a:t\x1b", "docker://", "oci:", "oci::x",
		"dir:", "docker-archive:", "oci-archive:", "../a", "a/../b", "a@b@sha256:" HEX64 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		autoarena a = { 0 };
		struct image_ref r = { .path = "untouched" };
		struct err e = { 0 };

		if (ref_parse(rows[i], &a, &r, &e) == 0)
			fail_msg("\"%s\" was taken", rows[i]);
		assert_true(e.msg[0]);
		assert_string_equal(r.path, "untouched");
	}
}

static void bounds_are_the_grammars(void **state)
{
	char long_tag[131], long_path[300];
	struct image_ref r;
	autoarena a = { 0 };
	struct err e;

	(void)state;
	memset(long_tag, 't', 130);
	memcpy(long_tag, "a:", 2);
	long_tag[130] = '\0';
	assert_int_equal(ref_parse(long_tag, &a, &r, &e), 0);
	assert_int_equal(ref_parse(arena_printf(&a, "%st", long_tag), &a, &r, &e), -ERR_SAID);
	memset(long_path, 'p', 299);
	long_path[299] = '\0';
	assert_int_equal(ref_parse(arena_printf(&a, "q.io/%s", long_path), &a, &r, &e), -ERR_SAID);
	long_path[255] = '\0';
	assert_int_equal(ref_parse(arena_printf(&a, "q.io/%s", long_path), &a, &r, &e), 0);
}

static void files_and_the_host_have_their_words(void **state)
{
	autoarena a = { 0 };
	struct image_ref r;
	struct err e;

	(void)state;
	assert_int_equal(ref_parse("host", &a, &r, &e), 0);
	assert_int_equal(r.kind, REF_HOST);
	assert_int_equal(ref_parse("oci:/a/b:latest", &a, &r, &e), 0);
	assert_int_equal(r.kind, REF_OCI);
	assert_string_equal(r.file, "/a/b");
	assert_string_equal(r.member, "latest");
	assert_int_equal(ref_parse("oci-archive:x.tar", &a, &r, &e), 0);
	assert_int_equal(r.kind, REF_OCI_ARCHIVE);
	assert_null(r.member);
	assert_int_equal(ref_parse("docker-archive:x.tar:busybox:1", &a, &r, &e), 0);
	assert_string_equal(r.member, "busybox:1");
	assert_int_equal(ref_parse("dir:/x:y", &a, &r, &e), 0);
	assert_string_equal(r.file, "/x:y");
	assert_int_equal(ref_parse("host/x", &a, &r, &e), 0);
	assert_int_equal(r.kind, REF_NAME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_name_gets_docker_defaults),
		cmocka_unit_test(what_is_no_reference_is_refused),
		cmocka_unit_test(bounds_are_the_grammars),
		cmocka_unit_test(files_and_the_host_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
