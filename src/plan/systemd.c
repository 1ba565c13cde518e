/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What systemd is asked for, as properties of a scope (systemd.resource-control(5)) in the words
 * of sdbus/value.h. All limits are written into the cgroup afterwards too: systemd has to know of
 * them so that it does not set them back, and it does not know all.
 */
#include "plan/systemd.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"

enum { CPU_BITS_MAX = 8192 };

static void add(const struct decide *d, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(const struct decide *d, const char *name, const char *fmt, ...)
{
	struct spec_pairs *all = &d->plan->cgroup.properties;
	struct spec_pair *pair = arena_grow(d->arena, &all->items, &all->n, sizeof(*pair));
	autotext t = { 0 };
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	text_add(&t, value);
	*pair = (struct spec_pair){ name, arena_strdup(d->arena, t.p) };
}

static void add_bytes(const struct decide *d, const char *name, int64_t bytes)
{
	if (bytes < 0)
		add(d, name, "t:max");
	else
		add(d, name, "t:%" PRId64, bytes);
}

static void memory(const struct decide *d, const struct spec_resources *r, bool v2)
{
	int64_t limit = r->memory.limit.value, swap = r->memory.swap.value;

	if (r->memory.limit.set && limit)
		add_bytes(d, v2 ? "MemoryMax" : "MemoryLimit", limit);
	if (!v2)
		return;
	if (r->memory.reservation.set && r->memory.reservation.value)
		add_bytes(d, "MemoryLow", r->memory.reservation.value);
	if (r->memory.swap.set && swap)
		add_bytes(d, "MemorySwapMax", swap < 0 || limit < 0 ? -1 : swap - limit);
}

/* systemd counts microseconds of CPU time for each second, in steps of ten milliseconds. */
static void cpu_quota(const struct decide *d, int64_t quota, uint64_t period)
{
	uint64_t per_second;

	if (quota < 0) {
		add(d, "CPUQuotaPerSecUSec", "t:max");
		return;
	}
	per_second = (uint64_t)quota * 1000000 / period;
	if (per_second % 10000)
		per_second = (per_second / 10000 + 1) * 10000;
	add(d, "CPUQuotaPerSecUSec", "t:%" PRIu64, per_second);
}

static void cpu(const struct decide *d, const struct spec_resources *r, bool v2)
{
	uint64_t period = r->cpu.period.set && r->cpu.period.value ? r->cpu.period.value : 100000;

	if (v2 && r->cpu.idle.set && r->cpu.idle.value == 1)
		add(d, "CPUWeight", "t:0"); /* "idle", since systemd 252 */
	else if (r->cpu.shares.set && r->cpu.shares.value)
		add(d, v2 ? "CPUWeight" : "CPUShares", "t:%" PRIu64,
			v2 ? cgroup_limits_weight(r->cpu.shares.value) : r->cpu.shares.value);
	if (r->cpu.period.set && r->cpu.period.value)
		add(d, "CPUQuotaPeriodUSec", "t:%" PRIu64, r->cpu.period.value);
	if (r->cpu.quota.set && r->cpu.quota.value)
		cpu_quota(d, r->cpu.quota.value, period);
}

/* "0-3,7" as systemd has it: a bit for each, lowest byte first. */
static int bits(const struct decide *d, const char *name, const char *list, const char *field,
	struct err *e)
{
	unsigned char mask[CPU_BITS_MAX / 8] = { 0 };
	autotext t = { 0 };
	size_t top = 0;

	if (!list || !list[0])
		return 0;
	for (const char *s = list; *s;) {
		char *end;
		unsigned long first = strtoul(s, &end, 10), last = first;

		if (end == s || !isdigit((unsigned char)*s))
			return err_say(e, "linux.resources.cpu.%s: \"%s\" is no list", field, list);
		if (*end == '-') {
			s = end + 1;
			last = strtoul(s, &end, 10);
		}
		if (end == s || last < first || last >= CPU_BITS_MAX || (*end && *end != ','))
			return err_say(e, "linux.resources.cpu.%s: \"%s\" is no list", field, list);
		for (unsigned long i = first; i <= last; i++)
			mask[i / 8] |= (unsigned char)(1u << (i % 8));
		top = last / 8 + 1 > top ? last / 8 + 1 : top;
		s = end + (*end == ',');
	}
	for (size_t i = 0; i < top; i++)
		text_addf(&t, "%02x", mask[i]);
	/* CPU lists of the largest machines are longer than what add() prints */
	if (t.len > 400)
		return err_say(
			e, "linux.resources.cpu.%s: \"%s\" is too long for systemd", field, list);
	add(d, name, "ay:%s", t.p);
	return 0;
}

/* What is denied one by one only the device filter itself knows; systemd has a list of what is
 * allowed. */
static void devices(const struct decide *d, const struct spec_resources *r)
{
	autotext t = { 0 };
	struct spec_pairs *all = &d->plan->cgroup.properties;
	struct spec_pair *pair;

	if (!r->n_devices || r->devices[0].allow || r->devices[0].type != 'a')
		return;
	text_add(&t, "a(ss):");
	for (size_t i = 0; i < r->n_devices; i++) {
		const struct spec_device_rule *rule = &r->devices[i];
		const char *kind = rule->type == 'b' ? "block" : "char";

		if (!rule->allow)
			continue;
		if (rule->type == 'a')
			return;
		if (rule->major < 0)
			text_addf(&t, "%s-*", kind);
		else if (rule->minor < 0)
			text_addf(&t, "%s-%" PRId64, kind, rule->major);
		else
			text_addf(
				&t, "/dev/%s/%" PRId64 ":%" PRId64, kind, rule->major, rule->minor);
		text_addf(&t, " %s%s%s;", rule->read ? "r" : "", rule->write ? "w" : "",
			rule->mknod ? "m" : "");
	}
	/* config-linux.md#default-devices */
	text_add(&t, "char-pts rwm;/dev/char/5:2 rwm;/dev/char/5:0 rwm;/dev/char/1:3 rwm;"
		     "/dev/char/1:5 rwm;/dev/char/1:7 rwm;/dev/char/1:8 rwm;/dev/char/1:9 rwm;"
		     "char-* m;block-* m");
	add(d, "DevicePolicy", "s:strict");
	pair = arena_grow(d->arena, &all->items, &all->n, sizeof(*pair));
	*pair = (struct spec_pair){ "DeviceAllow", arena_strdup(d->arena, t.p) };
}

/* What of unified has a property; the rest is written into the cgroup alone. */
static void unified(const struct decide *d, const struct spec_resources *r)
{
	static const struct {
		const char *file, *property;
	} known[] = {
		{ "memory.max", "MemoryMax" },
		{ "memory.high", "MemoryHigh" },
		{ "memory.low", "MemoryLow" },
		{ "memory.min", "MemoryMin" },
		{ "memory.swap.max", "MemorySwapMax" },
		{ "pids.max", "TasksMax" },
		{ "cpu.weight", "CPUWeight" },
	};

	for (size_t i = 0; i < r->unified.n; i++)
		for (size_t j = 0; j < ARRAY_LEN(known); j++) {
			const struct spec_pair *u = &r->unified.items[i];
			uint64_t n;

			if (!str_eq(known[j].file, u->key))
				continue;
			if (str_eq(u->value, "max") || str_u64(u->value, &n) == 0)
				add(d, known[j].property, "t:%s", u->value);
		}
}

int systemd_limits_decide(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	bool v2 = d->host->cgroup_mode == CGROUP_MODE_V2;

	memory(d, r, v2);
	cpu(d, r, v2);
	if (bits(d, "AllowedCPUs", r->cpu.cpus, "cpus", e) < 0 ||
		bits(d, "AllowedMemoryNodes", r->cpu.mems, "mems", e) < 0)
		return -e->code;
	if (r->pids_limit.set)
		add_bytes(d, "TasksMax", r->pids_limit.value);
	if (r->block_io.weight.set && r->block_io.weight.value && !v2)
		add(d, "BlockIOWeight", "t:%" PRIu64, r->block_io.weight.value);
	if (v2)
		unified(d, r);
	devices(d, r);
	return 0;
}

/*
 * The annotation org.systemd.property.NAME: its value is in GVariant's text form. A time in seconds
 * is what people write; systemd's own property is in microseconds.
 */
static int annotation(const struct decide *d, const char *name, const char *value, struct err *e)
{
	size_t n = strlen(name);
	double seconds;
	char *end;

	for (size_t i = 0; i < n || n < 3; i++)
		if (n < 3 || !isalpha((unsigned char)name[i]))
			return err_say(e,
				"annotation org.systemd.property.%s: is no name of a property",
				name);
	if (n > 3 && str_ends(name, "Sec") && !str_ends(name, "USec")) {
		const char *number = strrchr(value, ' ') ? strrchr(value, ' ') + 1 : value;

		seconds = strtod(number, &end);
		if (end == number || *end || seconds < 0 || seconds > 1e12)
			return err_say(e, "annotation org.systemd.property.%s: \"%s\" is no number",
				name, value);
		add(d, arena_printf(d->arena, "%.*sUSec", (int)n - 3, name), "t:%" PRIu64,
			(uint64_t)(seconds * 1e6));
		return 0;
	}
	if (strlen(value) > 500)
		return err_say(e, "annotation org.systemd.property.%s: is too long", name);
	add(d, name, "v:%s", value);
	return 0;
}

/* slice:prefix:name, as every engine gives it. */
static int decide_names(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char *path = d->spec->linux_.cgroups_path;
	const char *usual =
		d->host->euid != 0 || !d->host->in_initial_userns ? "user.slice" : "system.slice";
	const char *first, *second;

	if (!path || !path[0]) {
		c->slice = usual;
		c->unit = arena_printf(d->arena, "clade-%s.scope", d->req->id);
		return 0;
	}
	first = strchr(path, ':');
	second = first ? strchr(first + 1, ':') : NULL;
	if (!second || strchr(second + 1, ':') || !second[1] || strchr(path, '/'))
		return err_say(e,
			"linux.cgroupsPath: expected cgroupsPath to be of format "
			"\"slice:prefix:name\" for systemd cgroups, got \"%s\" instead",
			path);
	c->slice = first > path ? arena_strndup(d->arena, path, (size_t)(first - path)) : usual;
	if (!str_ends(c->slice, ".slice") || strstr(c->slice, "--") ||
		(c->slice[0] == '-' && !str_eq(c->slice, "-.slice")))
		return err_say(e, "linux.cgroupsPath: %s is no slice", c->slice);
	if (str_ends(second + 1, ".slice"))
		return err_say(e, "linux.cgroupsPath: %s: a container is a scope, not a slice",
			second + 1);
	c->unit = second == first + 1 ? arena_printf(d->arena, "%s.scope", second + 1)
				      : arena_printf(d->arena, "%.*s-%s.scope",
						(int)(second - first - 1), first + 1, second + 1);
	return 0;
}

int systemd_decide(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char *prefix = "org.systemd.property.";

	if (decide_names(d, e) < 0)
		return -e->code;
	c->user_bus = d->host->euid != 0 || !d->host->in_initial_userns;
	c->helper = d->req->sdbus_exe;
	add(d, "Description", "s:clade container %.200s", d->req->id);
	add(d, "Slice", "s:%s", c->slice);
	add(d, "Delegate", "b:true");
	add(d, "DefaultDependencies", "b:false");
	add(d, "MemoryAccounting", "b:true");
	add(d, "CPUAccounting", "b:true");
	add(d, d->host->cgroup_mode == CGROUP_MODE_V2 ? "IOAccounting" : "BlockIOAccounting",
		"b:true");
	add(d, "TasksAccounting", "b:true");
	if (systemd_limits_decide(d, &d->spec->linux_.resources, e) < 0)
		return -e->code;
	for (size_t i = 0; i < d->spec->annotations.n; i++) {
		const struct spec_pair *a = &d->spec->annotations.items[i];

		if (str_starts(a->key, prefix) &&
			annotation(d, a->key + strlen(prefix), a->value, e) < 0)
			return -e->code;
	}
	return 0;
}
