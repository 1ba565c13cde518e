/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as people read it: one decision a line, "what: words". */
#include <linux/bpf.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/str.h"
#include "plan/decide.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

struct bit {
	uint64_t bit;
	const char *word;
};

static const struct bit namespace_bits[] = { { CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mount" },
	{ CLONE_NEWUTS, "uts" }, { CLONE_NEWIPC, "ipc" }, { CLONE_NEWNET, "network" },
	{ CLONE_NEWPID, "pid" }, { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" } };

static const struct bit attr_bits[] = { { MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" }, { MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" }, { MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" }, { MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" } };

static const struct bit propagation_bits[] = { { MS_SHARED, "shared" }, { MS_SLAVE, "slave" },
	{ MS_PRIVATE, "private" }, { MS_UNBINDABLE, "unbindable" } };

static void add_bits(
	struct text *t, const char *prefix, uint64_t bits, const struct bit *table, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bits & table[i].bit)
			text_addf(t, " %s%s", prefix, table[i].word);
}

static void quoted(struct text *t, const char *s)
{
	text_add(t, " \"");
	text_add_escaped(t, s, strlen(s));
	text_add(t, "\"");
}

static void dump_namespaces(const struct plan *p, struct text *t)
{
	const struct plan_namespaces *n = &p->namespaces;

	text_add(t, "namespaces: new");
	add_bits(t, "", n->clone_flags | n->unshare_flags | (n->new_time ? CLONE_NEWTIME : 0),
		namespace_bits, ARRAY_LEN(namespace_bits));
	text_add(t, "\n");
	for (size_t i = 0; i < n->n_joins; i++) {
		text_add(t, "namespace: join");
		add_bits(t, "", (unsigned)n->joins[i].flag, namespace_bits,
			ARRAY_LEN(namespace_bits));
		text_addf(t, " %s\n", n->joins[i].path);
	}
	if (n->monotonic.set)
		text_addf(t, "time offset: monotonic %" PRId64 ".%09u\n", n->monotonic.secs,
			n->monotonic.nanosecs);
	if (n->boottime.set)
		text_addf(t, "time offset: boottime %" PRId64 ".%09u\n", n->boottime.secs,
			n->boottime.nanosecs);
	if (p->hostname)
		text_addf(t, "hostname: %s\n", p->hostname);
	if (p->domainname)
		text_addf(t, "domainname: %s\n", p->domainname);
	if (p->loopback_up)
		text_add(t, "network: loopback up\n");
	for (size_t i = 0; i < p->n_net_devices; i++)
		text_addf(t, "network device: %s as %s\n", p->net_devices[i].host_name,
			p->net_devices[i].name ? p->net_devices[i].name
					       : p->net_devices[i].host_name);
}

static void dump_map(struct text *t, const char *name, const char *map)
{
	for (const char *s = map; s && *s; s += strcspn(s, "\n"), s += *s == '\n')
		text_addf(t, "%s: %.*s\n", name, (int)strcspn(s, "\n"), s);
}

static void dump_ids(const struct plan *p, struct text *t)
{
	static const char *const writers[] = { "none", "written", "by newuidmap" };
	const struct plan_ids *ids = &p->ids;

	if (ids->writer != IDMAP_NONE)
		text_addf(t, "id maps: %s%s\n", writers[ids->writer],
			ids->deny_setgroups ? ", setgroups denied" : "");
	dump_map(t, "uid map", ids->uid_map);
	dump_map(t, "gid map", ids->gid_map);
	text_addf(t, "user: %u:%u", ids->uid, ids->gid);
	for (size_t i = 0; i < ids->n_groups; i++)
		text_addf(t, "%s%u", i ? "," : " groups ", ids->groups[i]);
	if (!ids->set_groups)
		text_add(t, " groups kept");
	if (ids->set_umask)
		text_addf(t, " umask %04o", ids->umask);
	text_add(t, "\n");
}

static void dump_root(const struct plan *p, struct text *t)
{
	const struct plan_root *r = &p->root;

	text_addf(t, "root: %s%s%s\n", r->path, r->readonly ? " ro" : "",
		!r->has_mount_ns   ? " chroot"
		: r->no_pivot	   ? " move"
		: r->from_template ? " template"
				   : "");
	for (size_t i = 0; i < r->overlay.n_lower; i++)
		text_addf(t, "root overlay: lower %s\n", r->overlay.lower[i]);
	if (r->overlay.n_lower)
		text_addf(t, "root overlay: upper %s%s%s%s\n",
			r->overlay.upper ? r->overlay.upper : "tmpfs",
			r->overlay_userxattr ? " userxattr" : "",
			r->overlay.is_volatile ? " volatile" : "",
			r->bind_fallback ? " else read-only bind" : "");
	if (!r->has_mount_ns)
		return;
	text_addf(t, "root propagation:%s", r->propagation_recursive ? " recursive" : "");
	add_bits(t, "", r->propagation, propagation_bits, ARRAY_LEN(propagation_bits));
	if (r->final_propagation) {
		text_add(t, r->final_recursive ? " then recursive" : " then");
		add_bits(
			t, "", r->final_propagation, propagation_bits, ARRAY_LEN(propagation_bits));
	}
	text_add(t, "\n");
}

static void dump_mount(const struct plan_mount *m, struct text *t)
{
	static const char *const kinds[] = { "new", "bind", "cgroup", "remount" };

	text_addf(t, "mount: %s %s %s", m->target, kinds[m->kind], m->fstype ? m->fstype : "");
	text_addf(t, "%sfrom %s%s", m->fstype ? " " : "", m->source,
		m->recursive ? " recursive" : "");
	add_bits(t, "", m->attr_set, attr_bits, ARRAY_LEN(attr_bits));
	add_bits(t, "no-", m->attr_clear & ~(uint64_t)MOUNT_ATTR__ATIME, attr_bits,
		ARRAY_LEN(attr_bits));
	add_bits(t, "r", m->attr_set_recursive, attr_bits, ARRAY_LEN(attr_bits));
	add_bits(t, "no-r", m->attr_clear_recursive & ~(uint64_t)MOUNT_ATTR__ATIME, attr_bits,
		ARRAY_LEN(attr_bits));
	add_bits(t, m->propagation_recursive ? "r" : "", m->propagation, propagation_bits,
		ARRAY_LEN(propagation_bits));
	for (size_t i = 0; i < m->data.n; i++)
		text_addf(t, " %s%s%s", m->data.items[i].key, m->data.items[i].value ? "=" : "",
			m->data.items[i].value ? m->data.items[i].value : "");
	text_addf(t, "%s%s%s%s%s%s%s%s\n", m->ro_after ? " ro-after" : "",
		m->tmpcopyup ? " tmpcopyup" : "", m->copy_symlink ? " copy-symlink" : "",
		m->nofollow_source ? " src-nofollow" : "",
		m->nofollow_target ? " dest-nofollow" : "",
		m->idmap ? (m->idmap_recursive ? " ridmap" : " idmap") : "",
		m->idmap_of_container ? " of-container" : "", m->optional ? " optional" : "");
}

static void dump_files(const struct plan *p, struct text *t)
{
	for (size_t i = 0; i < p->n_mounts; i++)
		dump_mount(&p->mounts[i], t);
	for (size_t i = 0; i < p->n_devices; i++) {
		const struct plan_device *d = &p->devices[i];

		text_addf(t, "device: %s %c %u:%u %04o %u:%u%s\n", d->path,
			S_ISBLK(d->mode)    ? 'b'
			: S_ISFIFO(d->mode) ? 'p'
					    : 'c',
			d->major, d->minor, d->mode & 07777, d->uid, d->gid,
			d->bind ? " by bind" : "");
	}
	for (size_t i = 0; i < p->n_links; i++)
		text_addf(t, "link: %s -> %s\n", p->links[i].path, p->links[i].target);
	for (size_t i = 0; i < p->n_masked_paths; i++)
		text_addf(t, "masked: %s\n", p->masked_paths[i]);
	for (size_t i = 0; i < p->n_readonly_paths; i++)
		text_addf(t, "read-only: %s\n", p->readonly_paths[i]);
	for (size_t i = 0; i < p->n_sysctls; i++)
		text_addf(t, "sysctl: %s = %s\n", p->sysctls[i].path, p->sysctls[i].value);
}

static void dump_cgroup(const struct plan *p, struct text *t)
{
	static const char *const managers[] = { "none", "cgroupfs", "systemd" };
	const struct plan_cgroup *c = &p->cgroup;

	text_addf(t, "cgroup: %s", managers[c->manager]);
	if (c->manager == CGROUP_SYSTEMD)
		text_addf(t, " slice %s unit %s%s%s%s", c->slice, c->unit,
			c->user_bus ? " of the user" : "", c->subgroup ? " subgroup " : "",
			c->subgroup ? c->subgroup : "");
	else if (c->manager == CGROUP_FS)
		text_addf(t, " %s", c->path);
	if (c->delegate)
		text_addf(t, " delegated to %u", c->owner);
	text_addf(t, "%s\n", c->optional ? " optional" : "");
	for (size_t i = 0; i < c->properties.n; i++)
		text_addf(t, "cgroup property: %s = %s\n", c->properties.items[i].key,
			c->properties.items[i].value);
	for (size_t i = 0; i < c->n_enable; i++)
		text_addf(t, "cgroup controller: %s\n", c->enable[i]);
	for (size_t i = 0; i < c->n_writes; i++)
		text_addf(t, "cgroup write: %s%s%s = %s%s%s%s%s%s\n",
			c->writes[i].controller ? c->writes[i].controller : "",
			c->writes[i].controller ? "/" : "", c->writes[i].file, c->writes[i].value,
			c->writes[i].other ? " or " : "",
			c->writes[i].other ? c->writes[i].other : "",
			c->writes[i].other ? " = " : "",
			c->writes[i].other ? c->writes[i].other_value : "",
			c->writes[i].optional ? " optional" : "");
	if (c->device_prog)
		text_addf(t, "cgroup device filter: %zu instructions\n", c->device_prog_len);
	for (size_t i = 0; c->device_prog && i < c->device_prog_len; i++) {
		const struct bpf_insn *b = &c->device_prog[i];

		text_addf(t, "  %zu: code %02x r%u r%u %+d %d\n", i, b->code, b->dst_reg,
			b->src_reg, b->off, b->imm);
	}
}

static void dump_resctrl(const struct plan *p, struct text *t)
{
	const struct plan_resctrl *r = &p->resctrl;

	if (!r->set)
		return;
	text_addf(t, "resctrl: %s%s%s%s%s\n", r->clos, r->ours ? " its own" : "",
		r->create ? " made" : "", r->monitor ? " monitored as " : "",
		r->monitor ? r->monitor : "");
	for (size_t i = 0; i < r->n_lines; i++)
		text_addf(t, "resctrl schemata: %s\n", r->lines[i]);
}

static void dump_process(const struct plan *p, struct text *t)
{
	const struct plan_process *r = &p->process;

	text_add(t, "args:");
	for (size_t i = 0; r->args && r->args[i]; i++)
		quoted(t, r->args[i]);
	text_add(t, "\n");
	for (size_t i = 0; r->env && r->env[i]; i++) {
		text_add(t, "env:");
		quoted(t, r->env[i]);
		text_add(t, "\n");
	}
	text_addf(t, "cwd: %s\n", r->cwd);
	if (r->terminal)
		text_addf(t, "terminal: %ux%u\n", r->cols, r->rows);
	for (size_t i = 0; i < r->n_rlimits; i++)
		text_addf(t, "rlimit: %d %" PRIu64 ":%" PRIu64 "\n", r->rlimits[i].resource,
			r->rlimits[i].soft, r->rlimits[i].hard);
	if (r->caps.set)
		text_addf(t,
			"capabilities: bounding %" PRIx64 " effective %" PRIx64
			" permitted %" PRIx64 " inheritable %" PRIx64 " ambient %" PRIx64 "\n",
			r->caps.bounding, r->caps.effective, r->caps.permitted, r->caps.inheritable,
			r->caps.ambient);
	if (r->no_new_privileges)
		text_add(t, "no new privileges\n");
	if (r->seccomp.set)
		text_addf(t, "seccomp: %u instructions flags %x\n", r->seccomp.n_insns,
			r->seccomp.flags);
	if (r->oom_score_adj.set)
		text_addf(t, "oom_score_adj: %" PRId64 "\n", r->oom_score_adj.value);
	if (r->scheduler.set)
		text_addf(t, "scheduler: policy %u nice %d priority %d flags %" PRIx64 "\n",
			r->scheduler.policy, r->scheduler.nice, r->scheduler.priority,
			r->scheduler.flags);
	if (r->io_priority.set)
		text_addf(t, "io priority: class %d level %d\n", r->io_priority.class,
			r->io_priority.priority);
	if (r->apparmor_profile)
		text_addf(t, "apparmor: %s\n", r->apparmor_profile);
	if (r->selinux_label)
		text_addf(t, "selinux: %s\n", r->selinux_label);
	if (r->set_personality)
		text_addf(t, "personality: %lx\n", r->personality);
	if (r->set_memory_policy)
		text_addf(t, "memory policy: %x, %zu nodes\n", (unsigned)r->memory_policy_mode,
			r->n_memory_nodes);
	if (r->reap_kernel)
		text_add(t, "orphans: reaped by the kernel\n");
	if (r->preserve_fds)
		text_addf(t, "descriptors kept: 3 to %u\n", 2 + r->preserve_fds);
}

void plan_dump(const struct plan *p, struct text *t)
{
	text_addf(t, "id: %s\n", p->id);
	dump_namespaces(p, t);
	dump_ids(p, t);
	dump_root(p, t);
	dump_files(p, t);
	dump_cgroup(p, t);
	dump_resctrl(p, t);
	dump_process(p, t);
	for (size_t i = 0; i < p->warnings.n; i++)
		text_addf(t, "warning: %s\n", p->warnings.items[i]);
}
