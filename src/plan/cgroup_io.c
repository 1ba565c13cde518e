/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on block devices, huge pages, RDMA devices and network classes. */
#include <inttypes.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"

/* cgroup v1's blkio.weight (10..1000) as v2's io.weight (1..10000), as runc converts it. */
static uint64_t io_weight(uint64_t blkio)
{
	return blkio ? 1 + (blkio - 10) * 9999 / 990 : 0;
}

static int check_weight(const char *field, const struct maybe_u64 *w, struct err *e)
{
	if (w->set && w->value && (w->value < 10 || w->value > 1000))
		return err_say(e, "linux.resources.blockIO.%s: %" PRIu64 " is not in 10..1000",
			field, w->value);
	return 0;
}

static void throttle(const struct decide *d, enum cgroup_where where, const char *v1_file,
	const char *v2_key, const struct spec_throttles *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct spec_throttle *one = &t->items[i];

		if (where == WHERE_V1)
			cgroup_limits_write(d, "blkio", v1_file, "%" PRId64 ":%" PRId64 " %" PRIu64,
				one->major, one->minor, one->rate);
		else
			cgroup_limits_write(d, NULL, "io.max",
				"%" PRId64 ":%" PRId64 " %s=%" PRIu64, one->major, one->minor,
				v2_key, one->rate);
	}
}

/* BFQ has files of its own, with the weight as it is (Documentation/block/bfq-iosched.rst). */
static void write_weight(const struct decide *d, enum cgroup_where where, const char *device,
	uint64_t weight, const char *v1_file, const char *v1_bfq)
{
	const char *plain = arena_printf(d->arena, "%s%" PRIu64, device, weight);

	if (where == WHERE_V1) {
		cgroup_limits_write(d, "blkio", v1_file, "%s", plain);
		if (v1_bfq)
			cgroup_limits_or(d, v1_bfq, plain);
	} else {
		cgroup_limits_write(d, NULL, "io.weight", "%s%" PRIu64, device, io_weight(weight));
		cgroup_limits_or(d, "io.bfq.weight", plain);
	}
}

/* CFQ alone knew the weight of a group's own processes against its children: v1, if at all. */
static void write_leaf(const struct decide *d, enum cgroup_where where, const char *file,
	const char *device, const struct maybe_u64 *leaf)
{
	if (!leaf->set || !leaf->value || where != WHERE_V1)
		return;
	cgroup_limits_write(d, "blkio", file, "%s%" PRIu64, device, leaf->value);
	cgroup_limits_optional(d);
}

static int weights(const struct decide *d, enum cgroup_where where, const struct spec_resources *r,
	struct err *e)
{
	const struct maybe_u64 *w = &r->block_io.weight;

	if (check_weight("weight", w, e) < 0 ||
		check_weight("leafWeight", &r->block_io.leaf_weight, e) < 0)
		return -e->code;
	if (w->set && w->value)
		write_weight(d, where, "", w->value, "blkio.weight", "blkio.bfq.weight");
	write_leaf(d, where, "blkio.leaf_weight", "", &r->block_io.leaf_weight);
	for (size_t i = 0; i < r->block_io.n_weight_device; i++) {
		const struct spec_block_weight *one = &r->block_io.weight_device[i];
		const char *device =
			arena_printf(d->arena, "%" PRId64 ":%" PRId64 " ", one->major, one->minor);

		if (check_weight("weightDevice", &one->weight, e) < 0 ||
			check_weight("weightDevice", &one->leaf_weight, e) < 0)
			return -e->code;
		/* config-linux.md#block-io: "You MUST specify at least one of weight or leafWeight"
		 */
		if (!one->weight.set && !one->leaf_weight.set)
			return err_say(e,
				"linux.resources.blockIO.weightDevice[%zu]: neither weight nor "
				"leafWeight is given",
				i);
		if (one->weight.set)
			write_weight(d, where, device, one->weight.value, "blkio.weight_device",
				"blkio.bfq.weight_device");
		write_leaf(d, where, "blkio.leaf_weight_device", device, &one->leaf_weight);
	}
	return 0;
}

static int block_io(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;
	bool asked = (r->block_io.weight.set && r->block_io.weight.value) ||
		     (r->block_io.leaf_weight.set && r->block_io.leaf_weight.value) ||
		     r->block_io.n_weight_device || r->block_io.read_bps.n ||
		     r->block_io.write_bps.n || r->block_io.read_iops.n || r->block_io.write_iops.n;

	if (!asked)
		return 0;
	if (cgroup_limits_find(d, "blkio", "io", "blockIO", &where, e) < 0 ||
		weights(d, where, r, e) < 0)
		return -e->code;
	throttle(d, where, "blkio.throttle.read_bps_device", "rbps", &r->block_io.read_bps);
	throttle(d, where, "blkio.throttle.write_bps_device", "wbps", &r->block_io.write_bps);
	throttle(d, where, "blkio.throttle.read_iops_device", "riops", &r->block_io.read_iops);
	throttle(d, where, "blkio.throttle.write_iops_device", "wiops", &r->block_io.write_iops);
	return 0;
}

static int hugepages(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;

	for (size_t i = 0; i < r->n_hugepage_limits; i++) {
		const struct spec_hugepage *h = &r->hugepage_limits[i];

		if (!h->page_size || strchr(h->page_size, '/'))
			return err_say(e, "linux.resources.hugepageLimits: \"%s\" is no page size",
				h->page_size ? h->page_size : "");
		if (cgroup_limits_find(d, "hugetlb", "hugetlb", "hugepageLimits", &where, e) < 0)
			return -e->code;
		cgroup_limits_write(d, where == WHERE_V1 ? "hugetlb" : NULL,
			arena_printf(d->arena,
				where == WHERE_V1 ? "hugetlb.%s.limit_in_bytes" : "hugetlb.%s.max",
				h->page_size),
			"%" PRIu64, h->limit);
		/* reservations, where the kernel counts them (Linux 5.7) */
		cgroup_limits_write(d, where == WHERE_V1 ? "hugetlb" : NULL,
			arena_printf(d->arena,
				where == WHERE_V1 ? "hugetlb.%s.rsvd.limit_in_bytes"
						  : "hugetlb.%s.rsvd.max",
				h->page_size),
			"%" PRIu64, h->limit);
		cgroup_limits_optional(d);
	}
	return 0;
}

static const char *handles(const struct decide *d, const struct maybe_u64 *v)
{
	return v->set ? arena_printf(d->arena, "%" PRIu64, v->value) : "max";
}

static int rdma(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	enum cgroup_where where;

	for (size_t i = 0; i < r->n_rdma; i++) {
		const struct spec_rdma *one = &r->rdma[i];

		/* config-linux.md#rdma: "You MUST specify at least one" */
		if (!one->hca_handles.set && !one->hca_objects.set)
			return err_say(e,
				"linux.resources.rdma.%s: neither hcaHandles nor hcaObjects is "
				"given",
				one->device);
		if (cgroup_limits_find(d, "rdma", "rdma", "rdma", &where, e) < 0)
			return -e->code;
		cgroup_limits_write(d, where == WHERE_V1 ? "rdma" : NULL, "rdma.max",
			"%s hca_handle=%s hca_object=%s", one->device,
			handles(d, &one->hca_handles), handles(d, &one->hca_objects));
	}
	return 0;
}

/* Network classes and priorities are cgroup v1's alone. */
static int network(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	if (r->network.class_id.set) {
		if (cgroup_limits_where(d->host, "net_cls", "") != WHERE_V1)
			return err_say(e, "linux.resources.network.classID: this host has no "
					  "net_cls controller for it");
		cgroup_limits_write(
			d, "net_cls", "net_cls.classid", "%" PRIu64, r->network.class_id.value);
	}
	for (size_t i = 0; i < r->network.n_priorities; i++) {
		const struct spec_net_priority *p = &r->network.priorities[i];

		if (cgroup_limits_where(d->host, "net_prio", "") != WHERE_V1)
			return err_say(e, "linux.resources.network.priorities: this host has no "
					  "net_prio controller for it");
		cgroup_limits_write(
			d, "net_prio", "net_prio.ifpriomap", "%s %" PRIu32, p->name, p->priority);
	}
	return 0;
}

int cgroup_io_decide(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	if (block_io(d, r, e) < 0 || hugepages(d, r, e) < 0 || rdma(d, r, e) < 0)
		return -e->code;
	return network(d, r, e);
}
