/* SPDX-License-Identifier: Apache-2.0 */
/* events --stats: what the kernel counts for a container, from whichever cgroup files it has. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "life/bundle_internal.h"
#include "os/cgroup.h"

enum { TEXT_MAX = 1 << 16 };

struct reading {
	const struct host *h;
	struct kept *k;
	struct arena *a;
	bool v2;
};

static const char *folder(const struct reading *r, const char *controller)
{
	return cgroup_folder_of(r->h, r->k->cgroup_path, controller, r->a);
}

static int64_t number(
	const struct reading *r, const char *controller, const char *v1_file, const char *v2_file)
{
	const char *dir = folder(r, controller), *file = r->v2 ? v2_file : v1_file;
	int64_t n;

	return dir && file && cgroup_read_i64(dir, file, &n) == 0 ? n : -1;
}

static int64_t key(const struct reading *r, const char *controller, const char *file,
	const char *name, int64_t unit)
{
	const char *dir = folder(r, controller);
	int64_t n;

	return dir && cgroup_read_key(dir, file, name, &n) == 0 ? n * unit : -1;
}

static const char *text(
	const struct reading *r, const char *controller, const char *v1_file, const char *v2_file)
{
	const char *dir = folder(r, controller), *file = r->v2 ? v2_file : v1_file;
	char *buf;

	if (!dir || !file)
		return NULL;
	buf = arena_alloc(r->a, TEXT_MAX);
	return cgroup_read(dir, file, buf, TEXT_MAX) > 0 ? buf : NULL;
}

static void read_cpu(const struct reading *r, struct bundle_stats *s)
{
	s->cpu_ns = r->v2 ? key(r, "cpuacct", "cpu.stat", "usage_usec", 1000)
			  : number(r, "cpuacct", "cpuacct.usage", NULL);
	s->cpu_user_ns = r->v2 ? key(r, "cpuacct", "cpu.stat", "user_usec", 1000)
			       : number(r, "cpuacct", "cpuacct.usage_user", NULL);
	s->cpu_system_ns = r->v2 ? key(r, "cpuacct", "cpu.stat", "system_usec", 1000)
				 : number(r, "cpuacct", "cpuacct.usage_sys", NULL);
	s->periods = key(r, "cpu", "cpu.stat", "nr_periods", 1);
	s->throttled_periods = key(r, "cpu", "cpu.stat", "nr_throttled", 1);
	s->throttled_ns = key(r, "cpu", "cpu.stat", r->v2 ? "throttled_usec" : "throttled_time",
		r->v2 ? 1000 : 1);
	s->cpu_each = text(r, "cpuacct", "cpuacct.usage_percpu", NULL);
	s->cpus = text(r, "cpuset", "cpuset.effective_cpus", "cpuset.cpus.effective");
	s->mems = text(r, "cpuset", "cpuset.effective_mems", "cpuset.mems.effective");
}

/* v1's files of one kind all look alike. */
static struct bundle_usage usage_v1(const struct reading *r, const char *prefix)
{
	struct bundle_usage u;
	char file[64];

	snprintf(file, sizeof(file), "%s.limit_in_bytes", prefix);
	u.limit = number(r, "memory", file, NULL);
	snprintf(file, sizeof(file), "%s.usage_in_bytes", prefix);
	u.usage = number(r, "memory", file, NULL);
	snprintf(file, sizeof(file), "%s.max_usage_in_bytes", prefix);
	u.max = number(r, "memory", file, NULL);
	snprintf(file, sizeof(file), "%s.failcnt", prefix);
	u.failures = number(r, "memory", file, NULL);
	return u;
}

static void read_memory(const struct reading *r, struct bundle_stats *s)
{
	const struct bundle_usage none = { -1, -1, -1, -1 };

	s->memory_stat = text(r, "memory", "memory.stat", "memory.stat");
	if (r->v2) {
		s->memory = (struct bundle_usage){ number(r, "memory", NULL, "memory.max"),
			number(r, "memory", NULL, "memory.current"),
			number(r, "memory", NULL, "memory.peak"),
			key(r, "memory", "memory.events", "max", 1) };
		s->swap = (struct bundle_usage){ number(r, "memory", NULL, "memory.swap.max"),
			number(r, "memory", NULL, "memory.swap.current"),
			number(r, "memory", NULL, "memory.swap.peak"),
			key(r, "memory", "memory.swap.events", "fail", 1) };
		s->kernel = s->kernel_tcp = none;
		s->memory_cache = key(r, "memory", "memory.stat", "file", 1);
		s->oom_kills = key(r, "memory", "memory.events", "oom_kill", 1);
		return;
	}
	s->memory = usage_v1(r, "memory");
	s->swap = usage_v1(r, "memory.memsw");
	s->kernel = usage_v1(r, "memory.kmem");
	s->kernel_tcp = usage_v1(r, "memory.kmem.tcp");
	s->memory_cache = key(r, "memory", "memory.stat", "cache", 1);
	s->oom_kills = key(r, "memory", "memory.oom_control", "oom_kill", 1);
}

/* One size of page a file: "hugetlb.2MB.usage_in_bytes", "hugetlb.2MB.current" */
static void read_huge(const struct reading *r, struct bundle_stats *s)
{
	const char *dir = folder(r, "hugetlb");
	const char *end = r->v2 ? ".current" : ".usage_in_bytes";
	DIR *d = dir ? opendir(dir) : NULL;
	struct dirent *entry;

	while (d && (entry = readdir(d)) && s->n_huge < ARRAY_LEN(s->huge)) {
		const char *name = entry->d_name, *size = name + strlen("hugetlb.");
		struct bundle_usage *u = &s->huge[s->n_huge].usage;
		char *page_size = s->huge[s->n_huge].page_size;
		int n;

		if (!str_starts(name, "hugetlb.") || !str_ends(name, end) || strstr(name, ".rsvd."))
			continue;
		n = (int)(strlen(size) - strlen(end));
		snprintf(page_size, sizeof(s->huge[0].page_size), "%.*s", n, size);
		u->usage = number(r, "hugetlb", name, name);
		u->limit = -1;
		u->max = r->v2 ? -1
			       : number(r, "hugetlb",
					 arena_printf(
						 r->a, "hugetlb.%s.max_usage_in_bytes", page_size),
					 NULL);
		u->failures =
			r->v2 ? key(r, "hugetlb",
					arena_printf(r->a, "hugetlb.%s.events", page_size), "max",
					1)
			      : number(r, "hugetlb",
					arena_printf(r->a, "hugetlb.%s.failcnt", page_size), NULL);
		s->n_huge++;
	}
	if (d)
		closedir(d);
}

int bundle_stats(
	struct bundles *b, const char *id, struct arena *a, struct bundle_stats *ret, struct err *e)
{
	autokept k = KEPT_NONE;
	struct reading r = { .h = &b->host, .k = &k, .a = a };

	if (kept_open(b, id, &k, e) < 0 || bundles_probe(b, HOST_ALL, e) < 0)
		return -e->code;
	if (k.init.pidfd < 0)
		return err_say(e, "container not running");
	*ret = (struct bundle_stats){ 0 };
	r.v2 = b->host.cgroup_mode == CGROUP_MODE_V2;
	read_cpu(&r, ret);
	read_memory(&r, ret);
	ret->pids = number(&r, "pids", "pids.current", "pids.current");
	ret->pids_limit = number(&r, "pids", "pids.max", "pids.max");
	ret->io_bytes = text(&r, "blkio", "blkio.throttle.io_service_bytes_recursive", NULL);
	ret->io_operations = text(&r, "blkio", "blkio.throttle.io_serviced_recursive", NULL);
	ret->io_stat = text(&r, "io", NULL, "io.stat");
	read_huge(&r, ret);
	return 0;
}
