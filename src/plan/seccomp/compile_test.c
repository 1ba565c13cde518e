/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler's verdicts against libseccomp's, for every system call number of every
 * architecture and a set of arguments, on clade's default profile and on some that ask for more.
 */
#include "plan/seccomp/compile.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "spec/docker.h"

/* Classic BPF as the kernel runs it for seccomp (linux/filter.h): what compilers use of it. */
static uint32_t run_filter(const struct sock_filter *f, size_t n, const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0, mem[16] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &f[pc];
		uint32_t k = i->k;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(k + 4 <= sizeof(*d));
			memcpy(&a, (const char *)d + k, 4);
			break;
		case BPF_LD | BPF_MEM:
			a = mem[k & 15];
			break;
		case BPF_ST:
			mem[k & 15] = a;
			break;
		case BPF_LD | BPF_IMM:
			a = k;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_MISC | BPF_TXA:
			a = x;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= k;
			break;
		case BPF_JMP | BPF_JA:
			pc += k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return k;
		case BPF_RET | BPF_A:
			return a;
		default:
			fail_msg("instruction %#x", i->code);
		}
	}
	fail_msg("the filter has no end");
	return 0;
}

static uint32_t action_of(const char *word, unsigned errno_ret)
{
	if (str_eq(word, "SCMP_ACT_ALLOW"))
		return SCMP_ACT_ALLOW;
	if (str_eq(word, "SCMP_ACT_LOG"))
		return SCMP_ACT_LOG;
	if (str_eq(word, "SCMP_ACT_KILL_PROCESS"))
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_ERRNO(errno_ret);
}

static enum scmp_compare compare_of(const char *op)
{
	static const struct {
		const char *word;
		enum scmp_compare op;
	} all[] = { { "SCMP_CMP_NE", SCMP_CMP_NE }, { "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eq(all[i].word, op))
			return all[i].op;
	fail_msg("%s", op);
	return SCMP_CMP_EQ;
}

/* libseccomp's filter for the same rules. */
static struct sock_filter *oracle(const struct spec_seccomp *s, size_t *ret_n)
{
	uint32_t by_default = action_of(s->default_action,
		s->default_errno_ret.set ? (unsigned)s->default_errno_ret.value : 1);
	scmp_filter_ctx ctx = seccomp_init(by_default);
	struct sock_filter *insns;
	off_t size;
	int fd;

	assert_non_null(ctx);
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	assert_int_equal(seccomp_arch_add(ctx, SCMP_ARCH_X86), 0);
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct spec_seccomp_rule *r = &s->rules[i];
		uint32_t action =
			action_of(r->action, r->errno_ret.set ? (unsigned)r->errno_ret.value : 1);

		if (action == by_default)
			continue;
		for (size_t j = 0; j < r->names.n; j++) {
			struct scmp_arg_cmp args[6];
			int nr = seccomp_syscall_resolve_name(r->names.items[j]);

			if (nr == __NR_SCMP_ERROR)
				continue;
			for (size_t a = 0; a < r->n_args; a++)
				args[a] = (struct scmp_arg_cmp){ r->args[a].index,
					compare_of(r->args[a].op), r->args[a].value,
					r->args[a].value_two };
			seccomp_rule_add_array(ctx, action, nr, (unsigned)r->n_args, args);
		}
	}
	fd = memfd_create("bpf", 0);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	size = lseek(fd, 0, SEEK_END);
	insns = malloc((size_t)size);
	assert_int_equal(pread(fd, insns, (size_t)size, 0), size);
	close(fd);
	seccomp_release(ctx);
	*ret_n = (size_t)size / sizeof(*insns);
	return insns;
}

static const uint64_t values[] = { 0, 1, 8, 40, 41, 0x20000, 0x20008, 0x7e020000, 0x10000000, 0x11,
	0xffffffff, 0x100000000, 0x100000028 };

static void same_verdicts(const struct spec_seccomp *s)
{
	static const uint32_t archs[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386 };
	autoarena arena = { 0 };
	struct plan_seccomp made = { 0 };
	struct err e = { 0 };
	size_t n, checked = 0;
	struct sock_filter *theirs = oracle(s, &n);

	if (seccomp_compile(s, "x86_64", &arena, &made, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(made.n_insns);
	for (size_t a = 0; a < ARRAY_LEN(archs); a++) {
		for (int nr = 0; nr < 520; nr++) {
			for (size_t v = 0; v < ARRAY_LEN(values); v++) {
				struct seccomp_data data = { .nr = nr, .arch = archs[a] };
				uint32_t ours, other;

				/* the i386 socketcall family has more than one way in, which the
				 * two libraries fill differently (docs/decisions/seccomp.md) */
				if (archs[a] == AUDIT_ARCH_I386 && nr >= 337)
					continue;
				for (int i = 0; i < 6; i++)
					data.args[i] = archs[a] == AUDIT_ARCH_I386
							       ? (uint32_t)values[v]
							       : values[v];
				ours = run_filter(made.insns, made.n_insns, &data);
				other = run_filter(theirs, n, &data);
				/* newer than anything the profile names: ENOSYS, so that libraries
				 * fall back, where libseccomp gives the default (as runc does) */
				if (nr > 450 && ours == (SECCOMP_RET_ERRNO | ENOSYS) &&
					other == (SECCOMP_RET_ERRNO | EPERM))
					continue;
				if (ours != other)
					fail_msg("arch %#x call %d argument %#llx: %#x, libseccomp "
						 "%#x",
						archs[a], nr, (unsigned long long)values[v], ours,
						other);
				checked++;
			}
		}
	}
	assert_true(checked > 10000);
	free(theirs);
}

static void the_default_profile_means_what_libseccomp_makes_of_it(void **state)
{
	static const uint64_t caps[] = { 0, 0xa80425fb, UINT64_C(0x1ffffffffff) };

	for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
		autoarena arena = { 0 };
		struct spec_seccomp s;
		const char *archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", NULL };

		docker_seccomp(&arena, caps[i], &s);
		s.architectures = (struct spec_strings){ archs, 2 };
		same_verdicts(&s);
	}
}

static void every_comparison_means_what_libseccomp_makes_of_it(void **state)
{
	static const char *const ops[] = { "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",
		"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ" };
	static const char *names[] = { "write", "getpid", NULL };
	const char *archs[] = { "SCMP_ARCH_X86_64", "SCMP_ARCH_X86", NULL };

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			/* libseccomp compares i386's arguments with the low half of the value alone
			 */
			struct spec_seccomp_arg arg = { .index = (uint32_t)(v % 6),
				.op = ops[i],
				.value = (uint32_t)values[v],
				.value_two = (uint32_t)values[(v + 3) % ARRAY_LEN(values)] &
					     (uint32_t)values[v] };
			struct spec_seccomp_rule rule = { .names = { names, 2 },
				.action = "SCMP_ACT_ERRNO",
				.errno_ret = SOME(38),
				.args = &arg,
				.n_args = 1 };
			struct spec_seccomp s = { .set = true,
				.default_action = "SCMP_ACT_ALLOW",
				.architectures = { archs, 2 },
				.rules = &rule,
				.n_rules = 1 };

			same_verdicts(&s);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_profile_means_what_libseccomp_makes_of_it),
		cmocka_unit_test(every_comparison_means_what_libseccomp_makes_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
