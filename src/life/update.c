/* SPDX-License-Identifier: Apache-2.0 */
/* update and stats: a container's limits and counters while it runs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/cgroup.h"
#include "os/file.h"

static int update_limits(
	const struct life *l, struct held *h, const struct spec_resources *resources, struct err *e)
{
	autoarena arena = { 0 };
	autoloaded ld = { 0 };
	autonow now = NOW_NONE;
	struct plan plan = { 0 };
	struct plan_request req = { .host = &l->host, .cgroup_manager = l->cgroup_manager };
	int r = spec_load(held_path(l, h, "config.json", &arena), &ld.spec, e);

	req.spec = &ld.spec;
	req.id = h->id;
	req.bundle = held_path(l, h, "", &arena);
	if (r == 0)
		r = plan_make_update(&req, resources, &plan, e);
	if (r == 0)
		r = now_look(l, h, &now, e);
	if (r == 0 && now.init.pidfd >= 0)
		r = cgroups_write(&l->host, held_cgroup(h, &arena), &plan.cgroup, &arena, e);
	plan_done(&plan);
	return r;
}

int life_update(const struct life *l, const char *ref, const struct life_update *u, struct err *e)
{
	static const char *const words[] = { "no", "on-failure", "always", "unless-stopped" };
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	lock = held_lock(&h, e);
	if (lock < 0)
		return -e->code;
	if (u->resources && update_limits(l, &h, u->resources, e) < 0)
		return -e->code;
	if (!u->set_restart)
		return 0;
	h.record.restart = words[u->restart];
	h.record.restart_max = u->restart_max;
	return record_write(h.dir, &h.record, e);
}

static int64_t read_one(const char *folder, const char *v1, const char *v2, bool is_v2)
{
	int64_t n;

	return folder && cgroup_read_i64(folder, is_v2 ? v2 : v1, &n) == 0 ? n : -1;
}

int life_stats(const struct life *l, const char *ref, struct life_stats *ret, struct err *e)
{
	bool v2 = l->host.cgroup_mode == CGROUP_MODE_V2;
	autoarena a = { 0 };
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	const char *path, *cpu, *memory, *pids;
	int64_t us;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	*ret = (struct life_stats){ -1, -1, -1, -1, -1, -1, -1 };
	if (now.init.pidfd < 0)
		return 0;
	path = held_cgroup(&h, &a);
	cpu = cgroup_folder_of(&l->host, path, "cpuacct", &a);
	memory = cgroup_folder_of(&l->host, path, "memory", &a);
	pids = cgroup_folder_of(&l->host, path, "pids", &a);
	if (!v2)
		ret->cpu_ns = read_one(cpu, "cpuacct.usage", NULL, false);
	else if (cpu && cgroup_read_key(cpu, "cpu.stat", "usage_usec", &us) == 0)
		ret->cpu_ns = us * 1000;
	ret->memory_bytes = read_one(memory, "memory.usage_in_bytes", "memory.current", v2);
	ret->memory_limit = read_one(memory, "memory.limit_in_bytes", "memory.max", v2);
	ret->pids = read_one(pids, "pids.current", "pids.current", v2);
	ret->pids_limit = read_one(pids, "pids.max", "pids.max", v2);
	return 0;
}
