/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden decisions: tests/plan/NAME.json is a configuration, NAME.plan what is decided about it, or
 * the sentence that refuses it. Names that begin with "user-" are planned for a normal user, with
 * "v1-" on cgroup v1; "systemd" in a name is the systemd cgroup manager, "-all" all controllers
 * there are. UPDATE=1 writes what is decided now.
 */
#include "plan/plan.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static struct host_hierarchy v1[] = {
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/" },
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "freezer", "/sys/fs/cgroup/freezer", "/" },
	{ "pids", "/sys/fs/cgroup/pids", "/" },
};
static struct host_hierarchy v1_all[] = {
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/" },
	{ "cpuset", "/sys/fs/cgroup/cpuset", "/" },
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "freezer", "/sys/fs/cgroup/freezer", "/" },
	{ "pids", "/sys/fs/cgroup/pids", "/" },
	{ "blkio", "/sys/fs/cgroup/blkio", "/" },
	{ "hugetlb", "/sys/fs/cgroup/hugetlb", "/" },
	{ "net_cls,net_prio", "/sys/fs/cgroup/net_cls,net_prio", "/" },
	{ "rdma", "/sys/fs/cgroup/rdma", "/" },
	{ "name=systemd", "/sys/fs/cgroup/systemd", "/" },
};
/* the last three only where a name says "-all" */
static const char *v2_controllers[] = { "cpu", "io", "memory", "pids", "cpuset", "hugetlb",
	"rdma" };
static struct host_idrange subuids[] = { { 100000, 65536 } };

static struct host host_for(const char *name)
{
	struct host h = {
		.kernel_major = 6,
		.kernel_minor = 1,
		.machine = "x86_64",
		.in_initial_userns = true,
		.caps = (UINT64_C(1) << 41) - 1,
		.last_cap = 40,
		.cgroup_mode = CGROUP_MODE_V2,
		.v2_mount_point = "/sys/fs/cgroup",
		.v2_own_path = "/",
		.v2_controllers = v2_controllers,
		.n_v2_controllers = 4,
		.cgroup_writable = true,
		.has_time_ns = true,
		.has_mount_idmap = true,
		.has_overlay_userxattr = true,
		.page_size = 4096,
	};

	if (str_starts(name, "v1-")) {
		h.cgroup_mode = CGROUP_MODE_V1;
		h.v1 = v1;
		h.n_v1 = ARRAY_LEN(v1);
		h.v2_mount_point = NULL;
	}
	if (strstr(name, "-all")) {
		h.v1 = h.n_v1 ? v1_all : NULL;
		h.n_v1 = h.n_v1 ? ARRAY_LEN(v1_all) : 0;
		h.n_v2_controllers = ARRAY_LEN(v2_controllers);
	}
	h.systemd_booted = strstr(name, "systemd");
	if (str_starts(name, "crowd-")) {
		h.kernel_minor = 18;
		h.n_tasks = 5000;
	}
	if (str_starts(name, "user-")) {
		h.euid = h.egid = 1000;
		h.caps = 0;
		h.cgroup_writable = false;
		h.has_newuidmap = true;
		h.subuids = h.subgids = subuids;
		h.n_subuids = h.n_subgids = 1;
	}
	return h;
}

/* What the plan did not ask for, it must be able to do without. */
static void forget_unwanted(struct host *h, unsigned wants)
{
	if (!(wants & HOST_CONTROLLERS))
		h->n_v2_controllers = 0;
	if (!(wants & HOST_OWN_CGROUP) && h->cgroup_writable)
		h->v2_own_path = NULL;
	if (!(wants & HOST_LSM))
		h->selinux = h->apparmor = false;
	if (!(wants & HOST_SYSTEMD))
		h->systemd_booted = false;
	if (!(wants & HOST_TIME))
		h->has_time_ns = false;
}

static void decide(const char *path, const char *name, struct text *out)
{
	struct host host = host_for(name);
	struct plan_request req = {
		.host = &host,
		.id = "0123456789ab",
		.bundle = "/bundle",
		.cgroup_manager = host.systemd_booted ? CGROUP_SYSTEMD : CGROUP_FS,
		.sdbus_exe = "/usr/libexec/clade/clade-sdbus",
		.has_console = true,
	};
	struct spec spec = { 0 };
	struct plan plan = { 0 };
	struct err e = { 0 };

	if (spec_load(path, &spec, &e) < 0) {
		/* the path is where the test lies: not part of the decision */
		text_addf(out, "refused: %s\n",
			strstr(e.msg, ".json: ") ? strstr(e.msg, ".json: ") + 7 : e.msg);
	} else {
		req.spec = &spec;
		forget_unwanted(&host, plan_wants(&spec, req.cgroup_manager));
		if (plan_make(&req, &plan, &e) < 0)
			text_addf(out, "refused: %s\n", e.msg);
		else
			plan_dump(&plan, out);
		for (size_t i = 0; i < plan.warnings.n; i++)
			text_addf(out, "warning: %s\n", plan.warnings.items[i]);
		plan_done(&plan);
	}
	spec_done(&spec);
}

static void compare(const char *golden, const char *now)
{
	char *text = NULL;
	size_t room = 0;
	FILE *file;

	if (getenv("UPDATE")) {
		file = fopen(golden, "w");
		assert_non_null(file);
		fputs(now, file);
		fclose(file);
		return;
	}
	file = fopen(golden, "r");
	if (!file)
		fail_msg("%s is missing: UPDATE=1 writes it", golden);
	if (getdelim(&text, &room, '\0', file) < 0)
		text = strdup("");
	fclose(file);
	if (!str_eq(text, now))
		fail_msg("%s differs (UPDATE=1 rewrites it); now:\n%s", golden, now);
	free(text);
}

static void decisions_are_as_they_were(void **state)
{
	const char *folder = getenv("PLAN_TESTS");
	DIR *dir = opendir(folder ? folder : "tests/plan");
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		autotext path = { 0 }, golden = { 0 }, now = { 0 };
		size_t len = strlen(entry->d_name);

		if (!str_ends(entry->d_name, ".json"))
			continue;
		text_addf(&path, "%s/%s", folder ? folder : "tests/plan", entry->d_name);
		text_addf(&golden, "%.*s.plan", (int)(path.len - 5), path.p);
		(void)len;
		decide(path.p, entry->d_name, &now);
		compare(golden.p, now.p);
		n++;
	}
	closedir(dir);
	assert_true(n >= 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_are_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
