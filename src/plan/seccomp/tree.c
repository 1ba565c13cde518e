/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/seccomp/tree.h"

#include <linux/seccomp.h>
#include <string.h>

/* Jumps out of a condition that are not yet known, in jt and jf; no program here is that long. */
enum { TO_FAIL = 254, TO_MATCH = 253, JUMP_MAX = 250 };

static void make_room(struct arena *a, struct code *c, size_t more)
{
	struct sock_filter *bigger;

	if (c->n + more <= c->room)
		return;
	c->room = c->n + more > 2 * c->room ? c->n + more : 2 * c->room;
	bigger = arena_array(a, c->room, sizeof(*bigger));
	if (c->n)
		memcpy(bigger, c->items, c->n * sizeof(*bigger));
	c->items = bigger;
}

void code_add(struct arena *a, struct code *c, struct sock_filter insn)
{
	make_room(a, c, 1);
	c->items[c->n++] = insn;
}

void code_append(struct arena *a, struct code *c, const struct code *more)
{
	if (!more->n)
		return;
	make_room(a, c, more->n);
	memcpy(c->items + c->n, more->items, more->n * sizeof(*more->items));
	c->n += more->n;
}

static struct sock_filter jump(uint16_t op, uint32_t k, uint8_t jt, uint8_t jf)
{
	return (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | op | BPF_K), k, jt, jf);
}

static struct sock_filter stmt(uint16_t code, uint32_t k)
{
	return (struct sock_filter)BPF_STMT(code, k);
}

static void load_arg(struct arena *a, struct code *c, unsigned index, bool high)
{
	/* seccomp(2): args are in the machine's own order; both of ours are little-endian */
	size_t offset = offsetof(struct seccomp_data, args) + index * 8 + (high ? 4 : 0);

	code_add(a, c, stmt(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void equal(struct arena *a, struct code *c, const struct condition *t, uint64_t datum,
	uint64_t mask, bool is_32bit)
{
	for (int high = is_32bit ? 0 : 1; high >= 0; high--) {
		uint32_t m = (uint32_t)(high ? mask >> 32 : mask);

		load_arg(a, c, t->index, high);
		if (m != UINT32_MAX)
			code_add(a, c, stmt(BPF_ALU | BPF_AND | BPF_K, m));
		code_add(a, c, jump(BPF_JEQ, (uint32_t)(high ? datum >> 32 : datum), 0, TO_FAIL));
	}
}

/* yes, no: where to go when the argument is (not) above, or above or equal */
static void above(struct arena *a, struct code *c, const struct condition *t, uint16_t op,
	uint8_t yes, uint8_t no, bool is_32bit)
{
	if (!is_32bit) {
		uint32_t high = (uint32_t)(t->value >> 32);

		load_arg(a, c, t->index, true);
		code_add(a, c, jump(BPF_JGT, high, yes, 0));
		code_add(a, c, jump(BPF_JEQ, high, 0, no));
	}
	load_arg(a, c, t->index, false);
	code_add(a, c, jump(op, (uint32_t)t->value, yes, no));
}

static void differ(struct arena *a, struct code *c, const struct condition *t, bool is_32bit)
{
	if (!is_32bit) {
		load_arg(a, c, t->index, true);
		code_add(a, c, jump(BPF_JEQ, (uint32_t)(t->value >> 32), 0, TO_MATCH));
	}
	load_arg(a, c, t->index, false);
	code_add(a, c, jump(BPF_JEQ, (uint32_t)t->value, TO_FAIL, TO_MATCH));
}

static struct code compile_condition(struct arena *a, const struct condition *t, bool is_32bit)
{
	struct code c = { 0 };

	switch (t->op) {
	case OP_EQ:
		equal(a, &c, t, t->value, UINT64_MAX, is_32bit);
		break;
	case OP_MASKED_EQ:
		equal(a, &c, t, t->datum, t->value, is_32bit);
		break;
	case OP_NE:
		differ(a, &c, t, is_32bit);
		break;
	case OP_GE:
		above(a, &c, t, BPF_JGE, TO_MATCH, TO_FAIL, is_32bit);
		break;
	case OP_GT:
		above(a, &c, t, BPF_JGT, TO_MATCH, TO_FAIL, is_32bit);
		break;
	case OP_LT:
		above(a, &c, t, BPF_JGE, TO_FAIL, TO_MATCH, is_32bit);
		break;
	case OP_LE:
		above(a, &c, t, BPF_JGT, TO_FAIL, TO_MATCH, is_32bit);
		break;
	}
	return c;
}

static uint8_t resolve(uint8_t to, size_t at, size_t fail, size_t match)
{
	if (to == TO_FAIL)
		return (uint8_t)(fail - at - 1);
	return to == TO_MATCH ? (uint8_t)(match - at - 1) : to;
}

/* A rule's conditions, then its action; what does not fit falls through behind it. */
static void compile_rule(
	struct arena *a, struct code *out, const struct verdict_rule *r, bool is_32bit)
{
	struct code c = { 0 };
	size_t ends[8] = { 0 }, fail, n = r->n < 8 ? r->n : 8;

	for (size_t i = 0; i < n; i++) {
		struct code one = compile_condition(a, &r->conditions[i], is_32bit);

		code_append(a, &c, &one);
		ends[i] = c.n;
	}
	fail = c.n + 1; /* behind the action */
	for (size_t i = 0, at = 0; i < n; i++) {
		for (; at < ends[i]; at++) {
			struct sock_filter *f = &c.items[at];

			if (BPF_CLASS(f->code) != BPF_JMP)
				continue;
			f->jt = resolve(f->jt, at, fail, ends[i]);
			f->jf = resolve(f->jf, at, fail, ends[i]);
		}
	}
	code_append(a, out, &c);
	code_add(a, out, stmt(BPF_RET | BPF_K, r->action));
}

static void compile_verdict(
	struct arena *a, struct code *out, const struct verdict *v, bool is_32bit)
{
	for (const struct verdict_rule *r = v->rules; r; r = r->next)
		compile_rule(a, out, r, is_32bit);
	code_add(a, out, stmt(BPF_RET | BPF_K, v->action));
}

void tree_compile(
	struct arena *a, struct code *out, const struct run *runs, size_t n, bool is_32bit)
{
	const struct sock_filter not_yet = { 0 };
	size_t middle = n / 2, at = out->n, left;
	uint32_t from;

	if (n == 1) {
		compile_verdict(a, out, runs[0].verdict, is_32bit);
		return;
	}
	from = runs[middle].from;
	code_add(a, out, not_yet);
	tree_compile(a, out, runs, middle, is_32bit);
	left = out->n - at - 1;
	if (left <= JUMP_MAX) {
		out->items[at] = jump(BPF_JGE, from, (uint8_t)left, 0);
	} else {
		/* further than a condition can jump; what is inside jumps by distances */
		code_add(a, out, not_yet);
		memmove(out->items + at + 2, out->items + at + 1, left * sizeof(*out->items));
		out->items[at] = jump(BPF_JGE, from, 0, 1);
		out->items[at + 1] = stmt(BPF_JMP | BPF_JA, (uint32_t)left);
	}
	tree_compile(a, out, runs + middle, n - middle, is_32bit);
}
