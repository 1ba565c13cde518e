/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: each function is one controller, its v1 files and its v2 files side by side. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL)
		if (strncmp(s, word, n) == 0 && (s[n] == ',' || !s[n]))
			return true;
	return false;
}

enum cgroup_where cgroup_limits_where(const struct host *h, const char *v1, const char *v2)
{
	for (size_t i = 0; i < h->n_v1; i++)
		if (has_word(h->v1[i].controllers, v1))
			return WHERE_V1;
	for (size_t i = 0; i < h->n_v2_controllers; i++)
		if (str_eq(h->v2_controllers[i], v2))
			return WHERE_V2;
	return WHERE_NOWHERE;
}

void cgroup_limits_write(
	const struct decide *d, const char *controller, const char *file, const char *fmt, ...)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	struct plan_cgroup_write *w = arena_grow(d->arena, &c->writes, &c->n_writes, sizeof(*w));
	char value[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	w->controller = controller;
	w->file = file;
	w->value = arena_strdup(d->arena, value);
}

static struct plan_cgroup_write *last_write(const struct decide *d)
{
	return &d->plan->cgroup.writes[d->plan->cgroup.n_writes - 1];
}

void cgroup_limits_or(const struct decide *d, const char *file, const char *value)
{
	last_write(d)->other = file;
	last_write(d)->other_value = value;
}

void cgroup_limits_optional(const struct decide *d)
{
	last_write(d)->optional = true;
}

static void write_text(
	const struct decide *d, const char *controller, const char *file, const char *value)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	struct plan_cgroup_write *w = arena_grow(d->arena, &c->writes, &c->n_writes, sizeof(*w));

	*w = (struct plan_cgroup_write){ .controller = controller, .file = file, .value = value };
}

static void enable(const struct decide *d, const char *controller)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char **item;

	for (size_t i = 0; i < c->n_enable; i++)
		if (str_eq(c->enable[i], controller))
			return;
	item = arena_grow(d->arena, &c->enable, &c->n_enable, sizeof(*item));
	*item = controller;
}

/* Finds the controller, and says so when what was asked for has none. */
int cgroup_limits_find(const struct decide *d, const char *v1, const char *v2, const char *field,
	enum cgroup_where *ret, struct err *e)
{
	*ret = cgroup_limits_where(d->host, v1, v2);
	if (*ret == WHERE_NOWHERE)
		return err_say(
			e, "linux.resources.%s: this host has no %s controller for it", field, v2);
	if (*ret == WHERE_V2)
		enable(d, v2);
	return 0;
}

uint64_t cgroup_limits_weight(uint64_t shares)
{
	double l;

	if (shares == 0)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

static const char *bytes(const struct decide *d, int64_t v, const char *unlimited)
{
	return v < 0 ? unlimited : arena_printf(d->arena, "%" PRId64, v);
}

/* limit and swap of v1 are each other's bound: birth writes them in the order given here. */
static int memory_v1(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	int64_t limit = r->memory.limit.value, swap = r->memory.swap.value;

	if (r->memory.limit.set && limit)
		write_text(d, "memory", "memory.limit_in_bytes", bytes(d, limit, "-1"));
	if (r->memory.swap.set && swap)
		write_text(d, "memory", "memory.memsw.limit_in_bytes", bytes(d, swap, "-1"));
	else if (r->memory.limit.set && limit < 0)
		write_text(d, "memory", "memory.memsw.limit_in_bytes", "-1");
	if (r->memory.reservation.set && r->memory.reservation.value)
		write_text(d, "memory", "memory.soft_limit_in_bytes",
			bytes(d, r->memory.reservation.value, "-1"));
	if (r->memory.swappiness.set)
		cgroup_limits_write(
			d, "memory", "memory.swappiness", "%" PRIu64, r->memory.swappiness.value);
	if (r->memory.disable_oom_killer.set && r->memory.disable_oom_killer.value)
		write_text(d, "memory", "memory.oom_control", "1");
	return 0;
}

/* The specification's swap is memory and swap together; v2's is swap alone. */
static int memory_v2(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	int64_t limit = r->memory.limit.value, swap = r->memory.swap.value;

	if (r->memory.swap.set && swap) {
		if (swap > 0 && (!r->memory.limit.set || limit == 0))
			return err_say(e, "linux.resources.memory: swap is set without limit");
		if (swap > 0 && limit > swap)
			return err_say(e, "linux.resources.memory: swap is below limit");
		write_text(d, NULL, "memory.swap.max",
			swap < 0 || limit < 0 ? "max" : bytes(d, swap - limit, "max"));
	}
	if (r->memory.limit.set && limit)
		write_text(d, NULL, "memory.max", bytes(d, limit, "max"));
	if (r->memory.reservation.set && r->memory.reservation.value)
		write_text(d, NULL, "memory.low", bytes(d, r->memory.reservation.value, "max"));
	if (r->memory.disable_oom_killer.set && r->memory.disable_oom_killer.value)
		return err_say(
			e, "linux.resources.memory.disableOOMKiller: cgroup v2 has no such thing");
	return 0;
}

static bool asks_memory(const struct spec_resources *r)
{
	return (r->memory.limit.set && r->memory.limit.value) ||
	       (r->memory.swap.set && r->memory.swap.value) ||
	       (r->memory.reservation.set && r->memory.reservation.value) ||
	       r->memory.swappiness.set ||
	       (r->memory.disable_oom_killer.set && r->memory.disable_oom_killer.value);
}

static bool is_size(struct maybe_i64 n)
{
	return !n.set || n.value >= -1;
}

static int memory(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;

	if (!asks_memory(r))
		return 0;
	if (!is_size(r->memory.limit) || !is_size(r->memory.swap) ||
		!is_size(r->memory.reservation))
		return err_say(
			e, "linux.resources.memory: a size is below -1, which is without limit");
	if (r->memory.limit.set && r->memory.swap.set && r->memory.swap.value > 0 &&
		r->memory.limit.value > r->memory.swap.value)
		return err_say(e,
			"linux.resources.memory: swap (memory and swap together) is below "
			"limit");
	if (cgroup_limits_find(d, "memory", "memory", "memory", &where, e) < 0)
		return -e->code;
	return where == WHERE_V1 ? memory_v1(d, r, e) : memory_v2(d, r, e);
}

static void cpu_v1(const struct decide *d, const struct spec_resources *r)
{
	if (r->cpu.shares.set && r->cpu.shares.value)
		cgroup_limits_write(d, "cpu", "cpu.shares", "%" PRIu64, r->cpu.shares.value);
	if (r->cpu.period.set && r->cpu.period.value)
		cgroup_limits_write(d, "cpu", "cpu.cfs_period_us", "%" PRIu64, r->cpu.period.value);
	if (r->cpu.quota.set && r->cpu.quota.value)
		cgroup_limits_write(d, "cpu", "cpu.cfs_quota_us", "%" PRId64, r->cpu.quota.value);
	if (r->cpu.burst.set)
		cgroup_limits_write(d, "cpu", "cpu.cfs_burst_us", "%" PRIu64, r->cpu.burst.value);
	if (r->cpu.realtime_period.set && r->cpu.realtime_period.value)
		cgroup_limits_write(
			d, "cpu", "cpu.rt_period_us", "%" PRIu64, r->cpu.realtime_period.value);
	if (r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.value)
		cgroup_limits_write(
			d, "cpu", "cpu.rt_runtime_us", "%" PRId64, r->cpu.realtime_runtime.value);
	if (r->cpu.idle.set)
		cgroup_limits_write(d, "cpu", "cpu.idle", "%" PRId64, r->cpu.idle.value);
}

static int cpu_v2(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	uint64_t period = r->cpu.period.set && r->cpu.period.value ? r->cpu.period.value : 100000;

	if ((r->cpu.realtime_period.set && r->cpu.realtime_period.value) ||
		(r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.value))
		return err_say(
			e, "linux.resources.cpu.realtimeRuntime: cgroup v2 has no such thing");
	if (r->cpu.idle.set)
		cgroup_limits_write(d, NULL, "cpu.idle", "%" PRId64, r->cpu.idle.value);
	/* The kernel refuses a weight for an idle group. */
	if (r->cpu.shares.set && r->cpu.shares.value &&
		!(r->cpu.idle.set && r->cpu.idle.value == 1))
		cgroup_limits_write(d, NULL, "cpu.weight", "%" PRIu64,
			cgroup_limits_weight(r->cpu.shares.value));
	if (r->cpu.quota.set && r->cpu.quota.value > 0)
		cgroup_limits_write(
			d, NULL, "cpu.max", "%" PRId64 " %" PRIu64, r->cpu.quota.value, period);
	else if ((r->cpu.quota.set && r->cpu.quota.value) ||
		 (r->cpu.period.set && r->cpu.period.value))
		cgroup_limits_write(d, NULL, "cpu.max", "max %" PRIu64, period);
	if (r->cpu.burst.set)
		cgroup_limits_write(d, NULL, "cpu.max.burst", "%" PRIu64, r->cpu.burst.value);
	return 0;
}

static bool asks_cpu(const struct spec_resources *r)
{
	return (r->cpu.shares.set && r->cpu.shares.value) ||
	       (r->cpu.period.set && r->cpu.period.value) ||
	       (r->cpu.quota.set && r->cpu.quota.value) || r->cpu.burst.set || r->cpu.idle.set ||
	       (r->cpu.realtime_period.set && r->cpu.realtime_period.value) ||
	       (r->cpu.realtime_runtime.set && r->cpu.realtime_runtime.value);
}

static int cpu(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;

	if (!asks_cpu(r))
		return 0;
	if (cgroup_limits_find(d, "cpu", "cpu", "cpu", &where, e) < 0)
		return -e->code;
	if (where == WHERE_V2)
		return cpu_v2(d, r, e);
	cpu_v1(d, r);
	return 0;
}

static int cpuset(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	bool cpus = r->cpu.cpus && r->cpu.cpus[0], mems = r->cpu.mems && r->cpu.mems[0];
	enum cgroup_where where;

	if (!cpus && !mems)
		return 0;
	if (cgroup_limits_find(d, "cpuset", "cpuset", "cpu.cpus", &where, e) < 0)
		return -e->code;
	if (cpus)
		write_text(d, where == WHERE_V1 ? "cpuset" : NULL, "cpuset.cpus", r->cpu.cpus);
	if (mems)
		write_text(d, where == WHERE_V1 ? "cpuset" : NULL, "cpuset.mems", r->cpu.mems);
	return 0;
}

static int pids(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;

	if (!r->pids_limit.set)
		return 0;
	/* No limit needs no controller. */
	if (r->pids_limit.value < 0 &&
		cgroup_limits_where(d->host, "pids", "pids") == WHERE_NOWHERE)
		return 0;
	if (cgroup_limits_find(d, "pids", "pids", "pids", &where, e) < 0)
		return -e->code;
	write_text(d, where == WHERE_V1 ? "pids" : NULL, "pids.max",
		bytes(d, r->pids_limit.value, "max"));
	return 0;
}

bool cgroup_limits_asked(const struct spec_resources *r)
{
	return asks_memory(r) || asks_cpu(r) || (r->cpu.cpus && r->cpu.cpus[0]) ||
	       (r->cpu.mems && r->cpu.mems[0]) || (r->pids_limit.set && r->pids_limit.value >= 0) ||
	       r->block_io.weight_device || r->block_io.read_bps.n || r->block_io.write_bps.n ||
	       r->block_io.read_iops.n || r->block_io.write_iops.n ||
	       (r->block_io.weight.set && r->block_io.weight.value) || r->n_hugepage_limits ||
	       r->network.class_id.set || r->network.n_priorities || r->n_rdma || r->unified.n;
}

/* As written: the name is a file of the container's own cgroup, never a path out of it. */
static int unified(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	for (size_t i = 0; i < r->unified.n; i++) {
		const struct spec_pair *u = &r->unified.items[i];
		const char *dot = strchr(u->key, '.');
		const char *controller;

		if (!dot || dot == u->key || strchr(u->key, '/') || strstr(u->key, ".."))
			return err_say(
				e, "linux.resources.unified: \"%s\" is no name of a file", u->key);
		if (!d->host->v2_mount_point)
			return err_say(e, "linux.resources.unified: this host has no cgroup v2");
		controller = arena_strndup(d->arena, u->key, (size_t)(dot - u->key));
		if (!str_eq(controller, "cgroup")) {
			if (cgroup_limits_where(d->host, "", controller) != WHERE_V2)
				return err_say(e,
					"linux.resources.unified: %s: the v2 controller %s "
					"is not available here",
					u->key, controller);
			enable(d, controller);
		}
		write_text(d, NULL, u->key, u->value);
	}
	return 0;
}

int cgroup_limits_decide(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	if (memory(d, r, e) < 0 || cpuset(d, r, e) < 0 || cpu(d, r, e) < 0 || pids(d, r, e) < 0 ||
		cgroup_io_decide(d, r, e) < 0 || unified(d, r, e) < 0)
		return -e->code;
	return device_bpf_decide(d, r, e);
}
