/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device rules: lines for v1's devices.allow and devices.deny, a program for v2
 * (BPF_PROG_TYPE_CGROUP_DEVICE). The last rule that fits decides, so the program asks them from
 * the last to the first.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"

/* config-linux.md#default-devices: what every container may use, whatever the rules say. */
static const struct spec_device_rule always[] = {
	{ true, 'c', -1, -1, false, false, true }, /* mknod alone opens nothing */
	{ true, 'b', -1, -1, false, false, true }, { true, 'c', 1, 3, true, true, true }, /* null */
	{ true, 'c', 1, 5, true, true, true },						  /* zero */
	{ true, 'c', 1, 7, true, true, true },						  /* full */
	{ true, 'c', 1, 8, true, true, true },	  /* random */
	{ true, 'c', 1, 9, true, true, true },	  /* urandom */
	{ true, 'c', 5, 0, true, true, true },	  /* tty */
	{ true, 'c', 5, 2, true, true, true },	  /* ptmx */
	{ true, 'c', 136, -1, true, true, true }, /* pts */
};

static const struct spec_device_rule *rule_at(const struct spec_resources *r, size_t i)
{
	return i < r->n_devices ? &r->devices[i] : &always[i - r->n_devices];
}

static bool fits_all(const struct spec_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 && r->read && r->write && r->mknod;
}

/* Everything is allowed by the last rule for all: then there is nothing to filter. */
static bool allows_all(const struct spec_resources *r)
{
	const struct spec_device_rule *last = &r->devices[r->n_devices - 1];

	return last->allow && fits_all(last);
}

static void write_v1(const struct decide *d, const struct spec_device_rule *rule)
{
	char major[24] = "*", minor[24] = "*";
	const char *file = rule->allow ? "devices.allow" : "devices.deny";

	if (rule->type == 'a') {
		cgroup_limits_write(d, "devices", file, "a");
		return;
	}
	if (rule->major >= 0)
		snprintf(major, sizeof(major), "%lld", (long long)rule->major);
	if (rule->minor >= 0)
		snprintf(minor, sizeof(minor), "%lld", (long long)rule->minor);
	cgroup_limits_write(d, "devices", file, "%c %s:%s %s%s%s", rule->type, major, minor,
		rule->read ? "r" : "", rule->write ? "w" : "", rule->mknod ? "m" : "");
}

struct program {
	struct arena *arena;
	struct bpf_insn *insns;
	size_t n;
};

static void emit(struct program *p, struct bpf_insn insn)
{
	struct bpf_insn *item = arena_grow(p->arena, &p->insns, &p->n, sizeof(*item));

	*item = insn;
}

/* if (reg != value) goto the rule's end, filled in by patch() */
static void unless_equal(struct program *p, uint8_t reg, int64_t value)
{
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JNE | BPF_K,
			.dst_reg = reg,
			.off = -1,
			.imm = (int32_t)value });
}

static void patch(struct program *p, size_t from)
{
	for (size_t i = from; i < p->n; i++)
		if (BPF_CLASS(p->insns[i].code) == BPF_JMP && p->insns[i].off == -1)
			p->insns[i].off = (int16_t)(p->n - i - 1);
}

static void leave(struct program *p, bool allow)
{
	emit(p, (struct bpf_insn){
			.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = allow });
	emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
}

/* r2 type, r3 access asked for, r4 major, r5 minor (struct bpf_cgroup_dev_ctx) */
static void add_rule(struct program *p, const struct spec_device_rule *r)
{
	unsigned access = (r->read ? BPF_DEVCG_ACC_READ : 0) |
			  (r->write ? BPF_DEVCG_ACC_WRITE : 0) |
			  (r->mknod ? BPF_DEVCG_ACC_MKNOD : 0);
	const unsigned every = BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE | BPF_DEVCG_ACC_MKNOD;
	size_t start = p->n;

	if (r->type != 'a')
		unless_equal(
			p, BPF_REG_2, r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
	if (access != every && r->allow) {
		/* allowed only if nothing is asked for beyond the rule's */
		emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				.dst_reg = BPF_REG_1,
				.src_reg = BPF_REG_3 });
		emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K,
				.dst_reg = BPF_REG_1,
				.imm = (int32_t)(every & ~access) });
		unless_equal(p, BPF_REG_1, 0);
	} else if (access != every) {
		/* denied as soon as anything of the rule's is asked for */
		emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
				.dst_reg = BPF_REG_1,
				.src_reg = BPF_REG_3 });
		emit(p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K,
				.dst_reg = BPF_REG_1,
				.imm = (int32_t)access });
		emit(p, (struct bpf_insn){ .code = BPF_JMP | BPF_JEQ | BPF_K,
				.dst_reg = BPF_REG_1,
				.off = -1,
				.imm = 0 });
	}
	if (r->major >= 0)
		unless_equal(p, BPF_REG_4, r->major);
	if (r->minor >= 0)
		unless_equal(p, BPF_REG_5, r->minor);
	leave(p, r->allow);
	patch(p, start);
}

static void load(struct program *p, uint8_t reg, int16_t offset)
{
	emit(p, (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
			.dst_reg = reg,
			.src_reg = BPF_REG_1,
			.off = offset });
}

static void write_v2(const struct decide *d, const struct spec_resources *r)
{
	struct program p = { .arena = d->arena };
	bool decided = false;

	/* access_type: the kind of device in the low half, the access in the high one */
	load(&p, BPF_REG_2, 0);
	load(&p, BPF_REG_4, 4);
	load(&p, BPF_REG_5, 8);
	emit(&p, (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X,
			 .dst_reg = BPF_REG_3,
			 .src_reg = BPF_REG_2 });
	emit(&p,
		(struct bpf_insn){
			.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff });
	emit(&p, (struct bpf_insn){
			 .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16 });
	/* what stands before a rule for all is never asked, and the verifier refuses such code */
	for (size_t i = r->n_devices + ARRAY_LEN(always); i-- > 0 && !decided;) {
		add_rule(&p, rule_at(r, i));
		decided = fits_all(rule_at(r, i));
	}
	/* no rule fits: a list without one for all denies nothing it does not name */
	if (!decided)
		leave(&p, true);
	d->plan->cgroup.device_prog = p.insns;
	d->plan->cgroup.device_prog_len = p.n;
}

int device_bpf_decide(const struct decide *d, const struct spec_resources *r, struct err *e)
{
	if (!r->n_devices || allows_all(r))
		return 0;
	for (size_t i = 0; i < r->n_devices; i++)
		if (!strchr("abc", r->devices[i].type))
			return err_say(e, "linux.resources.devices[%zu]: type is not a, b or c", i);
	/* in a user namespace neither list can be changed; there no node can be made either */
	if (namespaces_restricted(d) && !d->host->in_initial_userns)
		return 0;
	if (cgroup_limits_where(d->host, "devices", "devices") == WHERE_V1) {
		for (size_t i = 0; i < r->n_devices + ARRAY_LEN(always); i++)
			write_v1(d, rule_at(r, i));
		return 0;
	}
	if (d->host->v2_mount_point)
		write_v2(d, r);
	return 0;
}
