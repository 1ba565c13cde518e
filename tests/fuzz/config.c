/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: what is taken is planned for a host of each kind, and dumped it is read back as the
 * same. */
#include "fuzz.h"

#include "base/str.h"
#include "plan/plan.h"

static struct host_hierarchy v1[] = {
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/" },
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "pids", "/sys/fs/cgroup/pids", "/" },
};
static const char *controllers[] = { "cpu", "cpuset", "io", "memory", "pids", "hugetlb", "rdma" };

static struct host host_of(bool is_v2, bool is_root)
{
	struct host h = {
		.kernel_major = 6,
		.kernel_minor = 1,
		.machine = "x86_64",
		.euid = is_root ? 0 : 1000,
		.in_initial_userns = true,
		.caps = is_root ? (UINT64_C(1) << 41) - 1 : 0,
		.last_cap = 40,
		.cgroup_mode = is_v2 ? CGROUP_MODE_V2 : CGROUP_MODE_V1,
		.v2_mount_point = is_v2 ? "/sys/fs/cgroup" : NULL,
		.v2_own_path = "/",
		.cgroup_writable = is_root,
		.page_size = 4096,
	};

	if (is_v2) {
		h.v2_controllers = controllers;
		h.n_v2_controllers = ARRAY_LEN(controllers);
	} else {
		h.v1 = v1;
		h.n_v1 = ARRAY_LEN(v1);
	}
	return h;
}

static void plan(const struct spec *spec, bool is_v2, bool is_root)
{
	struct host host = host_of(is_v2, is_root);
	struct plan_request req = { .spec = spec,
		.host = &host,
		.id = "0123456789ab",
		.bundle = "/bundle",
		.cgroup_manager = CGROUP_FS,
		.has_console = true };
	struct plan plan = { 0 };
	struct err e = { 0 };
	autotext text = { 0 };

	if (plan_make(&req, &plan, &e) == 0)
		plan_dump(&plan, &text);
	else
		PROMISE(e.code && e.msg[0]);
	plan_done(&plan);
}

static void read_back(const struct spec *spec)
{
	autotext once = { 0 }, twice = { 0 };
	struct spec again;
	struct err e = { 0 };

	spec_dump(spec, &once);
	PROMISE(spec_parse(once.p, once.len, &again, &e) == 0);
	spec_dump(&again, &twice);
	PROMISE(str_eq(once.p, twice.p));
	spec_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct spec spec = { 0 };
	struct err e = { 0 };

	if (spec_parse((const char *)data, n, &spec, &e) < 0) {
		PROMISE(e.code && e.msg[0]);
	} else {
		read_back(&spec);
		for (int i = 0; i < 4; i++)
			plan(&spec, i & 1, i & 2);
	}
	spec_done(&spec);
	return 0;
}
