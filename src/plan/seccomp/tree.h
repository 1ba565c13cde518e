/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts by number, and the instructions that find them. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum compare_op { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

struct condition {
	unsigned index;
	enum compare_op op;
	uint64_t value, datum; /* OP_MASKED_EQ: (argument & value) == datum */
};

/* One rule of a system call: all conditions hold, then action. n 0: always. */
struct verdict_rule {
	const struct condition *conditions;
	size_t n;
	uint32_t action; /* SECCOMP_RET_* with its data */
	struct verdict_rule *next;
};

/* What happens to one number: the rules in order, then the default. */
struct verdict {
	struct verdict_rule *rules; /* NULL: action alone */
	uint32_t action;	    /* when no rule fits */
	bool decided;		    /* the profile has said so: nothing can be added */
};

/* Consecutive numbers [from, next run's from) with one verdict. */
struct run {
	uint32_t from;
	const struct verdict *verdict;
};

struct code {
	struct sock_filter *items;
	size_t n, room;
};

/*
 * Appends the tree of runs to out. The accumulator holds the number. is_32bit: arguments are
 * compared in their low half.
 */
void tree_compile(
	struct arena *a, struct code *out, const struct run *runs, size_t n, bool is_32bit);

void code_add(struct arena *a, struct code *c, struct sock_filter insn);
void code_append(struct arena *a, struct code *c, const struct code *more);
