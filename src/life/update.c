/* SPDX-License-Identifier: Apache-2.0 */
/* update and stats: a container's limits and counters while it runs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/cgroup.h"
#include "os/file.h"

enum { COUNTERS_MAX = 1 << 20 };

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

void life_pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* /proc/PID/net/dev: "eth0: RECEIVED 7 more SENT ..." */
static void read_net(pid_t pid, struct life_stats *ret)
{
	autofree char *text = NULL;
	char path[64], *rest, *line;

	snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
	if (file_read_all(AT_FDCWD, path, COUNTERS_MAX, &text) < 0)
		return;
	ret->received_bytes = ret->sent_bytes = 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');
		unsigned long long in, out;

		line += strspn(line, " ");
		if (!colon || str_starts(line, "lo:") ||
			sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &in, &out) != 2)
			continue;
		ret->received_bytes += (int64_t)in;
		ret->sent_bytes += (int64_t)out;
	}
}

/* v1: "8:0 Read N" of every device; v2: "8:0 rbytes=N wbytes=N ..." */
static void read_io(const char *folder, bool is_v2, struct life_stats *ret)
{
	autofree char *text = NULL;
	char path[4096], *rest, *line;

	if (!folder ||
		snprintf(path, sizeof(path), "%s/%s", folder,
			is_v2 ? "io.stat" : "blkio.throttle.io_service_bytes") >=
			(int)sizeof(path) ||
		file_read_all(AT_FDCWD, path, COUNTERS_MAX, &text) < 0)
		return;
	ret->read_bytes = ret->write_bytes = 0;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		static const char *const words[][2] = { { " Read ", " Write " },
			{ " rbytes=", " wbytes=" } };
		const char *in = strstr(line, words[is_v2 ? 1 : 0][0]),
			   *out = strstr(line, words[is_v2 ? 1 : 0][1]);

		if (in)
			ret->read_bytes += strtoll(in + strlen(words[is_v2 ? 1 : 0][0]), NULL, 10);
		if (out)
			ret->write_bytes +=
				strtoll(out + strlen(words[is_v2 ? 1 : 0][1]), NULL, 10);
	}
}

int life_stats(const struct life *l, const char *ref, struct life_stats *ret, struct err *e)
{
	bool v2 = l->host.cgroup_mode == CGROUP_MODE_V2;
	autoarena a = { 0 };
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	const char *path, *cpu, *memory, *pids;
	struct timespec when;
	int64_t us;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	*ret = (struct life_stats){ -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0 };
	ret->memory_total = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	clock_gettime(CLOCK_MONOTONIC, &when);
	ret->when_ns = (int64_t)when.tv_sec * 1000000000 + when.tv_nsec;
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
	read_io(cgroup_folder_of(&l->host, path, "blkio", &a), v2, ret);
	read_net(now.init.pid, ret);
	return 0;
}
