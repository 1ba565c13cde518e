/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * One record for each process (task_record.h). Of the kernel's structures only the members that
 * are read are declared: where they lie is found out when it is loaded (CO-RE).
 */
typedef unsigned char __u8, uint8_t;
typedef unsigned short __u16;
typedef unsigned int __u32, uint32_t;
typedef unsigned long long __u64, uint64_t;
typedef signed int __s32, int32_t;
typedef signed long long __s64;
typedef __u16 __be16;
typedef __u32 __be32, __wsum;
enum { false, true };
typedef _Bool bool;

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "task_record.h"

#define CORE __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} CORE;

struct pid_namespace {
	struct ns_common ns;
} CORE;

struct upid {
	int nr;
	struct pid_namespace *ns;
} CORE;

struct pid {
	unsigned int level;
	struct upid numbers[];
} CORE;

struct kernfs_node {
	__u64 id;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
} CORE;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} CORE;

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
} CORE;

enum cgroup_subsys_id { pids_cgrp_id = 11 }; /* the number is the running kernel's */
enum { PIDTYPE_PGID = 2, PIDTYPE_SID = 3 };

struct signal_struct {
	int nr_threads;
	struct pid *pids[4];
	unsigned int is_child_subreaper : 1;
} CORE;

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t euid;
} CORE;

struct task_struct {
	unsigned int __state;
	int exit_state, exit_code, exit_signal;
	unsigned int flags;
	int pid, tgid;
	__u64 parent_exec_id, self_exec_id;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	__u64 start_boottime;
	const struct cred *real_cred;
	char comm[TASK_RECORD_COMM];
	struct css_set *cgroups;
	struct signal_struct *signal;
} CORE;

/* Before Linux 5.14 */
struct task_struct___old {
	long state;
} CORE;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

char LICENSE[] SEC("license") = "GPL";

static void read_cgroups(struct task_struct *t, struct task_record *r)
{
	struct css_set *set = t->cgroups;
	struct cgroup_subsys_state **css = &set->subsys[0];

	r->cgroup_v2 = set->dfl_cgrp->kn->id;
	if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return;
	css += bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
	r->cgroup_v1 = (*css)->cgroup->kn->id;
}

/* The usual few levels by loads that the verifier knows to be good, which cost least. */
#define LEVEL(i)                                                                                   \
	if (level >= (i)) {                                                                        \
		r->levels[i].pid = (__u32)p->numbers[i].nr;                                        \
		r->levels[i].ns = p->numbers[i].ns->ns.inum;                                       \
	}
enum { FEW = 4 };

static void read_levels(struct pid *p, struct task_record *r)
{
	__u64 step = bpf_core_type_size(struct upid);
	__u32 level = p->level;

	LEVEL(0)
	LEVEL(1)
	LEVEL(2)
	LEVEL(3)
	for (__u32 i = FEW; i < TASK_RECORD_LEVELS; i++) {
		const struct upid *u = (void *)&p->numbers[0] + i * step;

		if (i > level)
			break;
		r->levels[i].pid = (__u32)BPF_CORE_READ(u, nr);
		r->levels[i].ns = BPF_CORE_READ(u, ns, ns.inum);
	}
	r->n_levels = (__u8)(level < TASK_RECORD_LEVELS ? level + 1 : TASK_RECORD_LEVELS);
}

SEC("iter/task")
int clade_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct signal_struct *s;
	struct task_record r;
	struct pid *p;
	__u32 size;

	if (!t || t->pid != t->tgid)
		return 0;
	__builtin_memset(&r, 0, sizeof(r));
	s = t->signal;
	r.magic = TASK_RECORD_MAGIC;
	r.pid = (__u32)t->pid;
	r.ppid = (__u32)t->real_parent->tgid;
	r.euid = t->real_cred->euid.val;
	if (bpf_core_field_exists(t->__state))
		r.state = t->__state;
	else
		r.state = (__u32)BPF_CORE_READ((struct task_struct___old *)t, state);
	r.state |= (__u32)t->exit_state;
	r.flags = t->flags;
	r.exit_code = t->exit_code;
	r.exit_signal = t->exit_signal;
	r.n_threads = (__u32)s->nr_threads;
	r.start_ns = t->start_boottime;
	r.born_exec = (__u32)t->parent_exec_id;
	r.self_exec = (__u32)t->self_exec_id;
	r.is_subreaper = BPF_CORE_READ_BITFIELD(s, is_child_subreaper);
	read_cgroups(t, &r);
	p = s->pids[PIDTYPE_SID];
	r.sid = (__u32)p->numbers[0].nr;
	p = s->pids[PIDTYPE_PGID];
	r.pgid = (__u32)p->numbers[0].nr;
	__builtin_memcpy(r.comm, t->comm, sizeof(r.comm));
	p = t->thread_pid;
	if (!p)
		return 0; /* it is just being released */
	read_levels(p, &r);
	size = sizeof(r) - (TASK_RECORD_LEVELS - r.n_levels) * sizeof(r.levels[0]);
	if (size > sizeof(r))
		return 0;
	r.size = size;
	bpf_seq_write(ctx->meta->seq, &r, size);
	return 0;
}
