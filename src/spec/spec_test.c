/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/spec.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

/* One of everything: whatever is read must be written, and read again to the same. */
static const char everything[] =
	"{\"ociVersion\":\"1.3.0\",\"hostname\":\"h\",\"domainname\":\"d\","
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},"
	"\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"
	"\"user\":{\"uid\":0,\"gid\":7,\"umask\":18,\"additionalGids\":[1,4294967295]},"
	"\"args\":[\"sh\",\"-c\",\"\"],\"env\":[\"A=b\"],\"cwd\":\"/\","
	"\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_BPF\"],\"ambient\":[]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":0,\"hard\":18446744073709551615}],"
	"\"noNewPrivileges\":true,\"oomScoreAdj\":-1000,"
	"\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"flags\":[\"SCHED_FLAG_RECLAIM\"],"
	"\"runtime\":1,\"deadline\":2,\"period\":3},"
	"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4},"
	"\"execCPUAffinity\":{\"initial\":\"0-1\",\"final\":\"1\"}},"
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","
	"\"options\":[\"ro\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}],"
	"\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"args\":[\"x\"],\"timeout\":5}]},"
	"\"annotations\":{\"a\":\"b\"},"
	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"time\",\"path\":\"/p\"}],"
	"\"timeOffsets\":{\"boottime\":{\"secs\":-5,\"nanosecs\":1}},"
	"\"netDevices\":{\"eth0\":{\"name\":\"e\"},\"eth1\":{}},"
	"\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
	"\"memory\":{\"limit\":-1,\"disableOOMKiller\":false},\"pids\":{\"limit\":0},"
	"\"cpu\":{\"shares\":2,\"idle\":1,\"cpus\":\"0\"},"
	"\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}]},"
	"\"rdma\":{\"mlx\":{\"hcaHandles\":3}},\"unified\":{\"memory.high\":\"1\"}},"
	"\"rootfsPropagation\":\"rshared\",\"personality\":{\"domain\":\"LINUX32\"},"
	"\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":"
	"[\"MPOL_F_STATIC_NODES\"]},"
	"\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":["
	"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":"
	"18446744073709551615,\"op\":\"SCMP_CMP_EQ\"}]}]},"
	"\"maskedPaths\":[\"/m\"],\"sysctl\":{\"net.x\":\"1\"}}}";

static int parse(const char *text, struct spec *ret, struct err *e)
{
	return spec_parse(text, strlen(text), ret, e);
}

static void what_is_written_is_read_back_the_same(void **state)
{
	autotext first = { 0 }, second = { 0 };
	struct spec a, b;
	struct err e = { 0 };

	if (parse(everything, &a, &e) < 0)
		fail_msg("%s", e.msg);
	spec_dump(&a, &first);
	if (parse(first.p, &b, &e) < 0)
		fail_msg("%s", e.msg);
	spec_dump(&b, &second);
	assert_string_equal(first.p, second.p);
	/* some of what is easily lost */
	assert_non_null(strstr(first.p, "\"soft\": 0"));
	assert_non_null(strstr(first.p, "18446744073709551615"));
	assert_non_null(strstr(first.p, "\"rshared\""));
	assert_non_null(strstr(first.p, "\"disableOOMKiller\": false"));
	assert_non_null(strstr(first.p, "LINUX32"));
	assert_non_null(strstr(first.p, "MPOL_F_STATIC_NODES"));
	assert_non_null(strstr(first.p, "hcaHandles"));
	assert_int_equal(b.linux_.namespaces[0].flag, CLONE_NEWPID);
	assert_int_equal(b.linux_.resources.devices[0].major, -1);
	assert_true(b.linux_.resources.pids_limit.set);
	assert_string_equal(b.process.args.items[2], "");
	assert_null(b.process.args.items[3]);
	spec_done(&a);
	spec_done(&b);
}

/* What is left out is what makes a configuration long; what a process gets is all there. */
static void exec_has_its_part(void **state)
{
	autotext whole = { 0 }, part = { 0 }, again = { 0 }, with_filter = { 0 };
	struct spec a, b;
	struct err e = { 0 };

	if (parse(everything, &a, &e) < 0)
		fail_msg("%s", e.msg);
	spec_dump_exec(&a, true, &part);
	if (parse(part.p, &b, &e) < 0)
		fail_msg("%s", e.msg);
	assert_null(strstr(part.p, "seccomp"));
	assert_null(strstr(part.p, "\"mounts\""));
	assert_null(strstr(part.p, "\"hooks\""));
	assert_null(strstr(part.p, "\"resources\""));
	assert_int_equal(b.process.args.n, 0);
	assert_int_equal(b.process.n_rlimits, a.process.n_rlimits);
	assert_int_equal(b.process.env.n, a.process.env.n);
	assert_int_equal(b.process.capabilities.bounding, a.process.capabilities.bounding);
	assert_int_equal(b.linux_.n_namespaces, a.linux_.n_namespaces);
	assert_int_equal(b.linux_.uid_mappings.n, a.linux_.uid_mappings.n);
	assert_int_equal(b.linux_.memory_policy.flags, a.linux_.memory_policy.flags);
	assert_int_equal(b.linux_.personality.is_linux32, a.linux_.personality.is_linux32);
	spec_dump_exec(&b, true, &again);
	assert_string_equal(part.p, again.p);
	spec_dump_exec(&a, false, &with_filter);
	assert_non_null(strstr(with_filter.p, "seccomp"));
	spec_dump(&a, &whole);
	assert_true(part.len < whole.len);
	spec_done(&a);
	spec_done(&b);
}

static void an_overlay_survives_as_annotations(void **state)
{
	const char *lower[] = { "/a", "/b" };
	struct spec s = { .oci_version = "1.3.0", .overlay = { lower, 2, "/u", true } }, back;
	autotext t = { 0 };
	struct err e = { 0 };

	spec_dump(&s, &t);
	assert_int_equal(parse(t.p, &back, &e), 0);
	assert_int_equal(back.overlay.n_lower, 2);
	assert_string_equal(back.overlay.lower[1], "/b");
	assert_string_equal(back.overlay.upper, "/u");
	assert_true(back.overlay.is_volatile);
	assert_int_equal(back.annotations.n, 0);
	spec_done(&back);
}

static void a_wrong_value_is_named_by_its_path(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{"
		  "\"type\":"
		  "\"pidd\"}]}}",
			"linux.namespaces[1].type: \"pidd\"" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[1]}}", "process.args[0]:" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"user\":{\"uid\":-1}}}",
			"process.user.uid:" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"user\":{\"uid\":4294967296}}}",
			"process.user.uid:" },
		{ "{\"ociVersion\":\"1.0.0\",\"linux\":{\"resources\":{\"memory\":{\"limit\":1.5}}}"
		  "}",
			"linux.resources.memory.limit:" },
		{ "{\"ociVersion\":\"2.0.0\"}", "ociVersion" },
		{ "{}", "ociVersion" },
		{ "[]", "object" },
		{ "{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{}]}}",
			"linux.namespaces[0].type" },
		{ "{\"ociVersion\":\"1.0.0\",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}",
			"hooks.prestart[0].path" },
		{ "{\"ociVersion\":\"1.0.0\",\"linux\":{\"seccomp\":{}}}", "defaultAction" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct spec s;

		if (parse(cases[i].text, &s, &e) == 0)
			fail_msg("taken: %s", cases[i].text);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("%s: not in: %s", cases[i].says, e.msg);
	}
}

static void null_and_unknown_fields_are_ignored(void **state)
{
	struct err e = { 0 };
	struct spec s;

	assert_int_equal(parse("{\"ociVersion\":\"1.0.2-dev\",\"mounts\":null,\"x\":[{}],"
			       "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_NEW\"]}}}",
				 &s, &e),
		0);
	assert_int_equal(s.n_mounts, 0);
	assert_int_equal(s.process.capabilities.unknown.n, 1);
	spec_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back_the_same),
		cmocka_unit_test(exec_has_its_part),
		cmocka_unit_test(an_overlay_survives_as_annotations),
		cmocka_unit_test(a_wrong_value_is_named_by_its_path),
		cmocka_unit_test(null_and_unknown_fields_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
