/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/seccomp/compile.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "plan/decide.h"
#include "plan/seccomp/names.h"
#include "plan/seccomp/tree.h"

#ifndef SECCOMP_RET_USER_NOTIF
#define SECCOMP_RET_USER_NOTIF 0x7fc00000U
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum {
	NUMBERS = 1024,	   /* more system calls than any architecture has */
	CODE_USUAL = 1024, /* instructions, and runs of an architecture, without having to grow */
	RUNS_USUAL = 256,
};

static const struct {
	const char *word;
	uint32_t action;
	bool has_data;
} actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF, false },
};

static const struct {
	const char *word;
	enum compare_op op;
} ops[] = {
	{ "SCMP_CMP_NE", OP_NE },
	{ "SCMP_CMP_LT", OP_LT },
	{ "SCMP_CMP_LE", OP_LE },
	{ "SCMP_CMP_EQ", OP_EQ },
	{ "SCMP_CMP_GE", OP_GE },
	{ "SCMP_CMP_GT", OP_GT },
	{ "SCMP_CMP_MASKED_EQ", OP_MASKED_EQ },
};

static const struct {
	const char *word;
	unsigned flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};

/* A rule of the profile with its words understood; it stands for all of its names. */
struct rule {
	const struct spec_seccomp_rule *spec;
	struct condition *conditions;
	const int **numbers; /* of each name, per architecture; NULL: not known */
	uint32_t action;
};

struct compiler {
	const struct spec_seccomp *s;
	struct arena *arena;
	struct rule *rules;
	uint32_t default_action;
	bool notifies;
};

static int read_action(struct compiler *c, const char *word, const struct maybe_u64 *data,
	uint32_t *ret, const char *field, struct err *e)
{
	for (size_t i = 0; word && i < ARRAY_LEN(actions); i++) {
		if (!str_eq(actions[i].word, word))
			continue;
		*ret = actions[i].action;
		if (actions[i].has_data)
			*ret |= (uint32_t)(data->set ? data->value : EPERM) & SECCOMP_RET_DATA;
		else if (data->set && data->value)
			return err_say(e, "%s: %s has no errnoRet", field, word);
		c->notifies |= actions[i].action == SECCOMP_RET_USER_NOTIF;
		return 0;
	}
	return err_say(e, "%s: \"%s\" is no action", field, word ? word : "");
}

static int read_conditions(
	struct compiler *c, const struct spec_seccomp_rule *s, struct rule *r, struct err *e)
{
	r->conditions = arena_array(c->arena, s->n_args, sizeof(*r->conditions));
	for (size_t i = 0; i < s->n_args; i++) {
		const struct spec_seccomp_arg *arg = &s->args[i];
		bool found = false;

		if (arg->index > 5)
			return err_say(
				e, "args[%zu].index: there are 6 arguments, not %u", i, arg->index);
		for (size_t j = 0; arg->op && j < ARRAY_LEN(ops); j++) {
			if (!str_eq(ops[j].word, arg->op))
				continue;
			r->conditions[i] = (struct condition){ arg->index, ops[j].op, arg->value,
				arg->value_two };
			found = true;
		}
		if (!found)
			return err_say(e, "args[%zu].op: \"%s\" is no comparison", i,
				arg->op ? arg->op : "");
	}
	return 0;
}

static void find_numbers(struct compiler *c, struct rule *r)
{
	const struct spec_strings *names = &r->spec->names;
	size_t hint = 0;

	r->numbers = arena_array(c->arena, names->n, sizeof(*r->numbers));
	for (size_t i = 0; i < names->n; i++)
		r->numbers[i] = seccomp_numbers(names->items[i], &hint);
}

static int read_rules(struct compiler *c, struct err *e)
{
	const struct spec_seccomp *s = c->s;

	if (read_action(c, s->default_action, &s->default_errno_ret, &c->default_action,
		    "defaultAction", e) < 0)
		return -e->code;
	c->rules = arena_array(c->arena, s->n_rules, sizeof(*c->rules));
	for (size_t i = 0; i < s->n_rules; i++) {
		struct rule *r = &c->rules[i];

		r->spec = &s->rules[i];
		if (read_action(c, s->rules[i].action, &s->rules[i].errno_ret, &r->action, "action",
			    e) < 0 ||
			read_conditions(c, r->spec, r, e) < 0)
			return err_wrap(e, "syscalls[%zu]", i);
		find_numbers(c, r);
		for (size_t j = 0; j < r->spec->names.n && r->action == SECCOMP_RET_USER_NOTIF; j++)
			if (str_eq(r->spec->names.items[j], "write"))
				return err_say(e, "syscalls[%zu]: write cannot be notified", i);
	}
	return 0;
}

/*
 * Two conditions on one argument are tried one after the other, as OCI runtimes have always
 * read it (libseccomp takes an argument but once in a rule): each is a rule of its own.
 */
static bool repeats_argument(const struct rule *r)
{
	unsigned seen = 0;

	for (size_t i = 0; i < r->spec->n_args; i++) {
		if (seen & (1u << r->conditions[i].index))
			return true;
		seen |= 1u << r->conditions[i].index;
	}
	return false;
}

/* The newest first, until put_in_order(). */
static void append(struct compiler *c, struct verdict *v, const struct condition *conditions,
	size_t n, uint32_t action)
{
	struct verdict_rule *r = arena_alloc(c->arena, sizeof(*r));

	*r = (struct verdict_rule){
		.conditions = conditions, .n = n, .action = action, .next = v->rules
	};
	v->rules = r;
}

static void put_in_order(struct verdict *v)
{
	struct verdict_rule *newest = v->rules, *older;

	for (v->rules = NULL; newest; newest = older) {
		older = newest->next;
		newest->next = v->rules;
		v->rules = newest;
	}
}

static void add_rule(struct compiler *c, struct verdict *v, const struct rule *r)
{
	/* what only says the default again needs no instruction */
	if (v->decided || r->action == c->default_action)
		return;
	if (!r->spec->n_args) {
		/* the first unconditional rule wins */
		*v = (struct verdict){ .action = r->action, .decided = true };
	} else if (repeats_argument(r)) {
		for (size_t i = 0; i < r->spec->n_args; i++)
			append(c, v, &r->conditions[i], 1, r->action);
	} else {
		append(c, v, r->conditions, r->spec->n_args, r->action);
	}
}

static int number_of(const struct rule *r, size_t i, enum seccomp_arch_column column)
{
	int number = r->numbers[i] ? r->numbers[i][column] : -1;

	return number < NUMBERS ? number : -1;
}

/* The highest number the profile names. */
static unsigned find_top(const struct compiler *c, enum seccomp_arch_column column)
{
	int top = 0;

	for (size_t i = 0; i < c->s->n_rules; i++)
		for (size_t j = 0; j < c->rules[i].spec->names.n; j++) {
			int number = number_of(&c->rules[i], j, column);

			top = number > top ? number : top;
		}
	return (unsigned)top;
}

/* The verdicts of an architecture, up to the highest number. */
static struct verdict *fill(struct compiler *c, enum seccomp_arch_column column, unsigned top)
{
	struct verdict *verdicts = arena_array(c->arena, top + 1, sizeof(*verdicts));

	for (size_t i = 0; i <= top; i++)
		verdicts[i].action = c->default_action;
	for (size_t i = 0; i < c->s->n_rules; i++)
		for (size_t j = 0; j < c->rules[i].spec->names.n; j++) {
			int number = number_of(&c->rules[i], j, column);

			if (number >= 0)
				add_rule(c, &verdicts[number], &c->rules[i]);
		}
	for (size_t i = 0; i <= top; i++)
		put_in_order(&verdicts[i]);
	return verdicts;
}

/*
 * A system call younger than the profile: programs look for ENOSYS to do without it, which EPERM
 * would hide from them (runc does the same).
 */
static uint32_t beyond(const struct compiler *c)
{
	switch (c->default_action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_TRAP:
		return SECCOMP_RET_ERRNO | ENOSYS;
	default:
		return c->default_action;
	}
}

static bool same(const struct verdict *a, const struct verdict *b)
{
	return !a->rules && !b->rules && a->action == b->action;
}

struct runs {
	struct run *items;
	size_t n, room;
};

static void add_run(struct compiler *c, struct runs *runs, uint32_t from, const struct verdict *v)
{
	if (runs->n && same(runs->items[runs->n - 1].verdict, v))
		return;
	if (runs->n == runs->room) {
		struct run *more;

		runs->room = runs->room ? 2 * runs->room : RUNS_USUAL;
		more = arena_array(c->arena, runs->room, sizeof(*more));
		if (runs->n)
			memcpy(more, runs->items, runs->n * sizeof(*more));
		runs->items = more;
	}
	runs->items[runs->n++] = (struct run){ from, v };
}

static void add_arch(
	struct compiler *c, enum seccomp_arch_column column, uint32_t base, struct runs *runs)
{
	unsigned top = find_top(c, column);
	struct verdict *verdicts = fill(c, column, top);
	struct verdict *after = arena_alloc(c->arena, sizeof(*after));

	for (unsigned i = 0; i <= top; i++)
		add_run(c, runs, base + i, &verdicts[i]);
	after->action = beyond(c);
	add_run(c, runs, base + top + 1, after);
}

static bool has_column(
	const struct seccomp_arch *const *list, size_t n, enum seccomp_arch_column column)
{
	for (size_t i = 0; i < n; i++)
		if (list[i]->column == column)
			return true;
	return false;
}

/* The numbers of one AUDIT_ARCH; x86_64's are followed by x32's, or by death. */
static void compile_arch(struct compiler *c, struct code *out, const struct seccomp_arch *arch,
	bool with_x32, struct runs *runs)
{
	struct verdict *kill = arena_alloc(c->arena, sizeof(*kill));

	runs->n = 0;
	kill->action = SECCOMP_RET_KILL_THREAD;
	if (arch->column != COLUMN_X32)
		add_arch(c, arch->column, 0, runs);
	else
		add_run(c, runs, 0, kill);
	if (arch->audit == seccomp_arch_by_name("SCMP_ARCH_X86_64")->audit) {
		if (with_x32)
			add_arch(c, COLUMN_X32, SECCOMP_X32_BIT, runs);
		else
			add_run(c, runs, SECCOMP_X32_BIT, kill);
	}
	tree_compile(c->arena, out, runs->items, runs->n, arch->is_32bit);
}

static struct code compile_all(struct compiler *c, const struct seccomp_arch *const *list, size_t n)
{
	const struct sock_filter load_number =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	struct code out = { .items = arena_array(c->arena, CODE_USUAL, sizeof(*out.items)),
		.room = CODE_USUAL };
	bool with_x32 = has_column(list, n, COLUMN_X32);
	struct runs runs = { 0 };

	code_add(c->arena, &out,
		(struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	for (size_t i = 0; i < n; i++) {
		size_t over;

		/* x32 lies in x86_64's tree */
		if (list[i]->column == COLUMN_X32 && has_column(list, n, COLUMN_X86_64))
			continue;
		/* not this one: over the load and the tree */
		code_add(c->arena, &out,
			(struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JEQ | BPF_K, list[i]->audit, 1, 0));
		over = out.n;
		code_add(c->arena, &out, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
		code_add(c->arena, &out, load_number);
		compile_arch(c, &out, list[i], with_x32, &runs);
		out.items[over].k = (uint32_t)(out.n - over - 1);
	}
	code_add(c->arena, &out,
		(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD));
	return out;
}

/* The profile's architectures that are known here, the native one always first. */
static int list_archs(struct compiler *c, const char *machine, const struct seccomp_arch **ret,
	size_t *ret_n, struct err *e)
{
	const struct seccomp_arch *native = seccomp_arch_of_machine(machine);

	*ret_n = 0;
	if (!native)
		return err_say(e, "seccomp filters are not made for machine %s", machine);
	ret[(*ret_n)++] = native;
	for (size_t i = 0; i < c->s->architectures.n; i++) {
		const struct seccomp_arch *arch =
			seccomp_arch_by_name(c->s->architectures.items[i]);

		if (!arch && !str_starts(c->s->architectures.items[i], "SCMP_ARCH_"))
			return err_say(e, "architectures[%zu]: \"%s\" is no architecture", i,
				c->s->architectures.items[i]);
		/* others (MIPS, PowerPC ...) cannot run here */
		if (arch && !has_column(ret, *ret_n, arch->column) && *ret_n < COLUMNS)
			ret[(*ret_n)++] = arch;
	}
	return 0;
}

static int read_flags(const struct compiler *c, struct plan_seccomp *ret, struct err *e)
{
	for (size_t i = 0; i < c->s->flags.n; i++) {
		bool found = false;

		for (size_t j = 0; j < ARRAY_LEN(flags); j++) {
			if (!str_eq(flags[j].word, c->s->flags.items[i]))
				continue;
			ret->flags |= flags[j].flag;
			found = true;
		}
		if (!found)
			return err_say(e, "flags[%zu]: \"%s\" is no flag", i, c->s->flags.items[i]);
	}
	if (!c->notifies)
		return 0;
	if (!c->s->listener_path)
		return err_say(e, "SCMP_ACT_NOTIFY is used without a listenerPath");
	/* with TSYNC the kernel gives a listener only so (Linux 5.7) */
	ret->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (ret->flags & SECCOMP_FILTER_FLAG_TSYNC)
		ret->flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	ret->listener_path = c->s->listener_path;
	ret->listener_metadata = c->s->listener_metadata;
	return 0;
}

int seccomp_compile(const struct spec_seccomp *s, const char *machine, struct arena *a,
	struct plan_seccomp *ret, struct err *e)
{
	struct compiler c = { .s = s, .arena = a };
	const struct seccomp_arch *list[COLUMNS];
	struct code code;
	size_t n;

	*ret = (struct plan_seccomp){ 0 };
	if (read_rules(&c, e) < 0 || list_archs(&c, machine, list, &n, e) < 0 ||
		read_flags(&c, ret, e) < 0)
		return -e->code;
	if (!s->n_rules && c.default_action == SECCOMP_RET_ALLOW)
		return 0;
	/* most of it is below this, and comes in one block */
	arena_reserve(a, n * (NUMBERS / 2) * sizeof(struct verdict) +
				 CODE_USUAL * sizeof(struct sock_filter) +
				 RUNS_USUAL * sizeof(struct run));
	code = compile_all(&c, list, n);
	if (code.n > BPF_MAXINSNS)
		return err_say(e, "the profile makes %zu instructions; the kernel takes %d", code.n,
			BPF_MAXINSNS);
	ret->set = true;
	ret->insns = code.items;
	ret->n_insns = (unsigned short)code.n;
	return 0;
}

int seccomp_decide(const struct decide *d, struct err *e)
{
	const struct spec_seccomp *s = &d->spec->linux_.seccomp;

	if (!s->set)
		return 0;
	if (seccomp_compile(s, d->host->machine, d->arena, &d->plan->process.seccomp, e) < 0)
		return err_wrap(e, "linux.seccomp");
	return 0;
}
