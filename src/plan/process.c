/* SPDX-License-Identifier: Apache-2.0 */
/* What the program is started with, apart from ids, capabilities and the system call filter. */
#include <linux/mempolicy.h>
#include <sys/personality.h>

#include "base/str.h"
#include "plan/decide.h"

#define LIST_BITS_MAX 8192 /* more CPUs than any kernel is built for (CONFIG_NR_CPUS) */

static bool read_number(const char **s, unsigned *ret)
{
	unsigned n = 0;

	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++) {
		n = n * 10 + (unsigned)(**s - '0');
		if (n >= LIST_BITS_MAX)
			return false;
	}
	*ret = n;
	return true;
}

/* "0-3,7" to a bit mask; ret_bits: the highest number and one. cpuset(7), "List format". */
static int read_list(const struct decide *d, const char *list, const char *field,
	const uint64_t **ret_mask, size_t *ret_bits, struct err *e)
{
	uint64_t *mask = arena_array(d->arena, LIST_BITS_MAX / 64, sizeof(*mask));
	const char *s = list;
	unsigned first, last, top = 0;

	do {
		if (!read_number(&s, &first))
			return err_say(
				e, "%s: \"%s\" is no list of numbers like 0-3,7", field, list);
		last = first;
		if (*s == '-' && (s++, !read_number(&s, &last) || last < first))
			return err_say(
				e, "%s: \"%s\" is no list of numbers like 0-3,7", field, list);
		for (unsigned i = first; i <= last; i++)
			mask[i / 64] |= UINT64_C(1) << (i % 64);
		top = last + 1 > top ? last + 1 : top;
	} while (*s == ',' && s++);
	if (*s)
		return err_say(e, "%s: \"%s\" is no list of numbers like 0-3,7", field, list);
	*ret_mask = mask;
	*ret_bits = top;
	return 0;
}

static int decide_memory_policy(const struct decide *d, struct err *e)
{
	struct plan_process *p = &d->plan->process;
	const char *nodes = d->spec->linux_.memory_policy.nodes;

	if (!d->spec->linux_.memory_policy.set)
		return 0;
	p->set_memory_policy = true;
	p->memory_policy_mode =
		d->spec->linux_.memory_policy.mode | (int)d->spec->linux_.memory_policy.flags;
	if (!nodes || !nodes[0])
		return 0;
	return read_list(
		d, nodes, "linux.memoryPolicy.nodes", &p->memory_nodes, &p->n_memory_nodes, e);
}

static int check_rlimits(const struct spec_process *process, struct err *e)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *r = &process->rlimits[i];

		if (r->soft > r->hard)
			return err_say(e, "process.rlimits[%zu]: soft is above hard", i);
		for (size_t j = 0; j < i; j++)
			if (process->rlimits[j].resource == r->resource)
				return err_say(e,
					"process.rlimits[%zu]: the same limit stands at [%zu]", i,
					j);
	}
	return 0;
}

static int decide_lsm(const struct decide *d, const struct spec_process *process, struct err *e)
{
	const char *profile = process->apparmor_profile, *label = process->selinux_label;

	if (profile && profile[0]) {
		if (!d->host->apparmor)
			return err_say(e, "process.apparmorProfile: AppArmor is not enabled here");
		d->plan->process.apparmor_profile = profile;
	}
	if (label && label[0]) {
		if (!d->host->selinux)
			return err_say(e, "process.selinuxLabel: SELinux is not enabled here");
		d->plan->process.selinux_label = label;
	}
	return 0;
}

static int decide_affinity(
	const struct decide *d, const struct spec_process *process, struct err *e)
{
	struct plan_process *p = &d->plan->process;
	const char *initial = process->exec_cpu_affinity.initial;
	const char *final = process->exec_cpu_affinity.final;

	if (initial && initial[0] &&
		read_list(d, initial, "process.execCPUAffinity.initial", &p->affinity_initial,
			&p->n_affinity_initial, e) < 0)
		return -e->code;
	if (final && final[0] &&
		read_list(d, final, "process.execCPUAffinity.final", &p->affinity_final,
			&p->n_affinity_final, e) < 0)
		return -e->code;
	return 0;
}

/* crun and runc know the same: LINUX32 makes uname(2) show the 32-bit machine. */
static void decide_personality(const struct decide *d)
{
	d->plan->process.set_personality = d->spec->linux_.personality.set;
	d->plan->process.personality =
		d->spec->linux_.personality.is_linux32 ? PER_LINUX32 : PER_LINUX;
}

static int decide_terminal(
	const struct decide *d, const struct spec_process *process, struct err *e)
{
	struct plan_process *p = &d->plan->process;

	p->terminal = process->terminal;
	p->rows = process->console_size.height;
	p->cols = process->console_size.width;
	if (p->terminal && !d->req->has_console)
		return err_say(e,
			"process.terminal is set, but there is nobody to take the terminal "
			"(--console-socket)");
	return 0;
}

int process_decide(const struct decide *d, const struct spec_process *process, struct err *e)
{
	struct plan_process *p = &d->plan->process;
	const char *reap = spec_annotation(d->spec, "clade.reap");

	if (!process->cwd || process->cwd[0] != '/')
		return err_say(e, "process.cwd: %s is not absolute",
			process->cwd && process->cwd[0] ? process->cwd : "(nothing)");
	if (reap && !str_eq(reap, "kernel"))
		return err_say(e, "annotation clade.reap: \"%s\" is not known (kernel)", reap);
	if (check_rlimits(process, e) < 0 || decide_lsm(d, process, e) < 0 ||
		decide_affinity(d, process, e) < 0 || decide_memory_policy(d, e) < 0 ||
		decide_terminal(d, process, e) < 0)
		return -e->code;
	decide_personality(d);
	p->args = process->args.items;
	p->env = process->env.items;
	p->cwd = process->cwd;
	p->rlimits = process->rlimits;
	p->n_rlimits = process->n_rlimits;
	p->no_new_privileges = process->no_new_privileges;
	p->oom_score_adj = process->oom_score_adj;
	p->scheduler = process->scheduler;
	p->io_priority = process->io_priority;
	p->reap_kernel = reap;
	p->preserve_fds = d->req->preserve_fds;
	p->new_keyring = d->req->new_keyring;
	return 0;
}
