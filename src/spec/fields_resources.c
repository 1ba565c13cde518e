/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md#control-groups: resources */
#include "base/str.h"
#include "spec/fields.h"

#define AT(member)	 offsetof(struct spec_resources, member)
#define IN(type, member) offsetof(struct type, member)

static void rule_init(void *item)
{
	struct spec_device_rule *r = item;

	/* "type ... unset is a, all; major, minor: unset means all" */
	r->type = 'a';
	r->major = -1;
	r->minor = -1;
}

static int read_access(struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_device_rule *r = object;

	if (v->kind != JSON_STRING || strspn(v->text, "rwm") != v->n)
		return load_say(l, "of the letters r, w and m");
	r->read = strchr(v->text, 'r');
	r->write = strchr(v->text, 'w');
	r->mknod = strchr(v->text, 'm');
	return 0;
}

static void write_access(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_device_rule *r = object;
	char text[4] = { 0 };
	int n = 0;

	if (r->read)
		text[n++] = 'r';
	if (r->write)
		text[n++] = 'w';
	if (r->mknod)
		text[n++] = 'm';
	if (n)
		json_string(w, f->name, text);
}

static const struct field rule_fields[] = {
	{ "allow", F_BOOL, IN(spec_device_rule, allow), .always = true },
	{ "type", F_CHAR, IN(spec_device_rule, type) },
	{ "major", F_I64, IN(spec_device_rule, major), .always = true },
	{ "minor", F_I64, IN(spec_device_rule, minor), .always = true },
	{ "access", F_OWN, 0, .read = read_access, .write = write_access },
	{ 0 },
};

static const struct field memory_fields[] = {
	{ "limit", F_MAYBE_I64, AT(memory.limit) },
	{ "reservation", F_MAYBE_I64, AT(memory.reservation) },
	{ "swap", F_MAYBE_I64, AT(memory.swap) },
	{ "kernel", F_MAYBE_I64, AT(memory.kernel) },
	{ "kernelTCP", F_MAYBE_I64, AT(memory.kernel_tcp) },
	{ "swappiness", F_MAYBE_U64, AT(memory.swappiness) },
	{ "disableOOMKiller", F_MAYBE_BOOL, AT(memory.disable_oom_killer) },
	{ "useHierarchy", F_MAYBE_BOOL, AT(memory.use_hierarchy) },
	{ "checkBeforeUpdate", F_MAYBE_BOOL, AT(memory.check_before_update) },
	{ 0 },
};

static const struct field cpu_fields[] = {
	{ "shares", F_MAYBE_U64, AT(cpu.shares) },
	{ "quota", F_MAYBE_I64, AT(cpu.quota) },
	{ "burst", F_MAYBE_U64, AT(cpu.burst) },
	{ "period", F_MAYBE_U64, AT(cpu.period) },
	{ "realtimeRuntime", F_MAYBE_I64, AT(cpu.realtime_runtime) },
	{ "realtimePeriod", F_MAYBE_U64, AT(cpu.realtime_period) },
	{ "cpus", F_STRING, AT(cpu.cpus) },
	{ "mems", F_STRING, AT(cpu.mems) },
	{ "idle", F_MAYBE_I64, AT(cpu.idle) },
	{ 0 },
};

static const struct field pids_fields[] = {
	{ "limit", F_MAYBE_I64, AT(pids_limit) },
	{ 0 },
};

static const struct field weight_fields[] = {
	{ "major", F_I64, IN(spec_block_weight, major), .always = true },
	{ "minor", F_I64, IN(spec_block_weight, minor), .always = true },
	{ "weight", F_MAYBE_U64, IN(spec_block_weight, weight) },
	{ "leafWeight", F_MAYBE_U64, IN(spec_block_weight, leaf_weight) },
	{ 0 },
};

static const struct field throttle_fields[] = {
	{ "major", F_I64, IN(spec_throttle, major), .always = true },
	{ "minor", F_I64, IN(spec_throttle, minor), .always = true },
	{ "rate", F_U64, IN(spec_throttle, rate), .always = true },
	{ 0 },
};

#define THROTTLE(name, member)                                                                     \
	{                                                                                          \
		name, F_ARRAY, AT(block_io.member.items), AT(block_io.member.n), throttle_fields,  \
			sizeof(struct spec_throttle)                                               \
	}

static const struct field block_fields[] = {
	{ "weight", F_MAYBE_U64, AT(block_io.weight) },
	{ "leafWeight", F_MAYBE_U64, AT(block_io.leaf_weight) },
	{ "weightDevice", F_ARRAY, AT(block_io.weight_device), AT(block_io.n_weight_device),
		weight_fields, sizeof(struct spec_block_weight) },
	THROTTLE("throttleReadBpsDevice", read_bps),
	THROTTLE("throttleWriteBpsDevice", write_bps),
	THROTTLE("throttleReadIOPSDevice", read_iops),
	THROTTLE("throttleWriteIOPSDevice", write_iops),
	{ 0 },
};

static const struct field hugepage_fields[] = {
	{ "pageSize", F_STRING, IN(spec_hugepage, page_size) },
	{ "limit", F_U64, IN(spec_hugepage, limit), .always = true },
	{ 0 },
};

static const struct field priority_fields[] = {
	{ "name", F_STRING, IN(spec_net_priority, name) },
	{ "priority", F_U32, IN(spec_net_priority, priority), .always = true },
	{ 0 },
};

static const struct field network_fields[] = {
	{ "classID", F_MAYBE_U64, AT(network.class_id) },
	{ "priorities", F_ARRAY, AT(network.priorities), AT(network.n_priorities), priority_fields,
		sizeof(struct spec_net_priority) },
	{ 0 },
};

static const struct field rdma_fields[] = {
	{ "hcaHandles", F_MAYBE_U64, IN(spec_rdma, hca_handles) },
	{ "hcaObjects", F_MAYBE_U64, IN(spec_rdma, hca_objects) },
	{ 0 },
};

/* An object by the device's name. */
static int read_rdma(struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_resources *r = object;

	if (v->kind != JSON_OBJECT)
		return load_say(l, "an object is wanted here");
	r->rdma = arena_array(l->arena, v->n, sizeof(*r->rdma));
	for (const struct json *m = json_first(v); m; m = json_next(v, m)) {
		struct spec_rdma *one = &r->rdma[r->n_rdma++];
		size_t before = load_enter(l, m->name, 0);

		one->device = m->name;
		if (fields_load(l, m, rdma_fields, one) < 0)
			return -l->e->code;
		load_leave(l, before);
	}
	return 0;
}

static void write_rdma(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_resources *r = object;

	if (!r->n_rdma)
		return;
	json_begin(w, f->name, '{');
	for (size_t i = 0; i < r->n_rdma; i++) {
		json_begin(w, r->rdma[i].device, '{');
		fields_dump(w, rdma_fields, &r->rdma[i]);
		json_end(w, '}');
	}
	json_end(w, '}');
}

const struct field resources_fields[] = {
	{ "devices", F_ARRAY, AT(devices), AT(n_devices), rule_fields,
		sizeof(struct spec_device_rule), .init = rule_init },
	{ "memory", F_OBJECT, 0, NO_FLAG, memory_fields },
	{ "cpu", F_OBJECT, 0, NO_FLAG, cpu_fields },
	{ "pids", F_OBJECT, 0, NO_FLAG, pids_fields },
	{ "blockIO", F_OBJECT, 0, NO_FLAG, block_fields },
	{ "hugepageLimits", F_ARRAY, AT(hugepage_limits), AT(n_hugepage_limits), hugepage_fields,
		sizeof(struct spec_hugepage) },
	{ "network", F_OBJECT, 0, NO_FLAG, network_fields },
	{ "rdma", F_OWN, 0, .read = read_rdma, .write = write_rdma },
	{ "unified", F_PAIRS, AT(unified) },
	{ 0 },
};
