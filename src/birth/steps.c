/* SPDX-License-Identifier: Apache-2.0 */
/*
 * THE PAGE: how a container is born, top to bottom. HOST is the caller outside, INIT the newborn;
 * both walk the same table, and a change of actor is a rendezvous: the other's rows above are
 * done. HOST's row with `beside` is done while INIT still works on the rows above it, and INIT's
 * while HOST is busy with such rows.
 */
#include "birth/internal.h"

#include <sched.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static bool has_v1(const struct plan *p)
{
	return p->cgroup.manager == CGROUP_FS && p->host->n_v1;
}

static bool has_v1_to_join(const struct plan *p)
{
	return p->joins_v1;
}

static bool has_terminal(const struct plan *p)
{
	return p->process.terminal;
}

static bool has_limits(const struct plan *p)
{
	return p->process.oom_score_adj.set || (p->process.n_rlimits && birth_host_sets_limits(p));
}

static bool has_limits_late(const struct plan *p)
{
	return has_limits(p) && birth_limits_are_tight(p);
}

static bool has_limits_early(const struct plan *p)
{
	return has_limits(p) && !birth_limits_are_tight(p);
}

static bool has_filter(const struct plan *p)
{
	return p->cgroup.manager != CGROUP_NONE && p->cgroup.device_prog;
}

/*
 * The kernel takes long to check it: who waits for the network namespace anyway does it, if the
 * memory that takes is not counted against a limit of the container's.
 */
static bool has_filter_of_init(const struct plan *p)
{
	const struct spec_resources *r = &p->spec->linux_.resources;

	return has_filter(p) && p->cgroup.manager == CGROUP_FS && birth_host_makes_network(p) &&
	       !r->memory.limit.set && !r->unified.n;
}

static bool has_filter_of_host(const struct plan *p)
{
	return has_filter(p) && !has_filter_of_init(p);
}

static bool has_network_made(const struct plan *p)
{
	return birth_host_makes_network(p);
}

static bool has_loopback(const struct plan *p)
{
	return birth_host_sets_loopback(p);
}

static bool has_cgroup_ns(const struct plan *p)
{
	return p->namespaces.unshare_flags & CLONE_NEWCGROUP;
}

/* v1's row puts INIT into its cgroup late, as the kernel takes long for it */
static bool has_cgroup_ns_early(const struct plan *p)
{
	return has_cgroup_ns(p) && !has_v1(p);
}

static bool has_cgroup_ns_late(const struct plan *p)
{
	return has_cgroup_ns(p) && has_v1(p);
}

static bool has_cgroup_fs(const struct plan *p)
{
	return p->cgroup.manager == CGROUP_FS;
}

static bool has_scope(const struct plan *p)
{
	return p->cgroup.manager == CGROUP_SYSTEMD;
}

static bool has_resctrl(const struct plan *p)
{
	return p->resctrl.set;
}

static bool has_template(const struct plan *p)
{
	return p->root.from_template;
}

static bool has_joins(const struct plan *p)
{
	return p->namespaces.n_joins;
}

static bool has_idmap(const struct plan *p)
{
	return p->ids.writer != IDMAP_NONE;
}

static bool has_mounts(const struct plan *p)
{
	return p->n_mounts;
}

/* until the network namespace is there */
static bool has_mounts_first(const struct plan *p)
{
	return has_mounts(p) && has_network_made(p);
}

static bool has_devices(const struct plan *p)
{
	return p->n_devices || p->n_links;
}

static bool has_sysctls(const struct plan *p)
{
	return p->n_sysctls;
}

static bool has_net_devices(const struct plan *p)
{
	return p->n_net_devices;
}

static bool has_network(const struct plan *p)
{
	return p->with_network;
}

static bool has_listener(const struct plan *p)
{
	return p->process.seccomp.listener_path;
}

static bool has_hooks(const struct plan *p)
{
	return p->spec->hooks[HOOK_PRESTART].n || p->spec->hooks[HOOK_CREATE_RUNTIME].n;
}

static bool has_container_hooks(const struct plan *p)
{
	return p->spec->hooks[HOOK_CREATE_CONTAINER].n;
}

static bool is_recorded_last(const struct plan *p)
{
	return p->waits_for_start || p->process.terminal || has_hooks(p) || has_container_hooks(p);
}

static bool is_recorded_early(const struct plan *p)
{
	return !is_recorded_last(p);
}

static bool has_start_hooks(const struct plan *p)
{
	return p->spec->hooks[HOOK_START_CONTAINER].n;
}

const struct step birth_steps[] = {
	{ HOST, "cgroup", host_cgroup, host_cgroup_undo, has_cgroup_fs },
	{ HOST, "namespaces", host_namespaces, NULL, has_joins },
	{ HOST, "template", host_template, NULL, has_template },
	{ HOST, "sources", host_sources, NULL, has_mounts },
	{ HOST, "clone", host_clone, host_clone_undo }, /* INIT exists from here on */
	{ HOST, "scope", host_scope, host_scope_undo, has_scope },
	{ HOST, "scope entered", host_cgroup_attach, NULL, has_scope },
	{ HOST, "resctrl", host_resctrl, host_resctrl_undo, has_resctrl },
	{ HOST, "idmap", host_idmap, NULL, has_idmap },
	{ HOST, "net devices", host_net_devices, NULL, has_net_devices },
	{ HOST, "network", host_network, host_network_undo, has_network },
	{ INIT, "identity", init_identity },
	{ INIT, "cgroup namespace", init_cgroup_namespace, NULL, has_cgroup_ns_early },
	{ INIT, "root", init_root },
	{ INIT, "first mounts", init_mounts_first, NULL, has_mounts_first },
	{ INIT, "device filter", birth_device_filter, NULL, has_filter_of_init },
	{ HOST, "network namespace", host_network_namespace, NULL, has_network_made,
		.beside = true },
	{ INIT, "network", init_network },
	{ INIT, "mounts", init_mounts, NULL, has_mounts },
	{ INIT, "devices", init_devices, NULL, has_devices },
	{ HOST, "loopback", host_loopback, NULL, has_loopback, .beside = true },
	{ HOST, "device filter", birth_device_filter, NULL, has_filter_of_host, .beside = true },
	{ HOST, "prepare", host_prepare, .beside = true },
	{ HOST, "limits", host_limits, NULL, has_limits_early, .beside = true },
	{ HOST, "record", host_record, NULL, is_recorded_early, .beside = true },
	{ HOST, "cgroup v1", host_cgroup_attach, NULL, has_v1, .beside = true },
	{ HOST, "hooks", host_hooks, NULL, has_hooks },
	{ INIT, "cgroup namespace", init_cgroup_namespace, NULL, has_cgroup_ns_late },
	{ INIT, "hooks", init_hooks, NULL, has_container_hooks },
	/* before /proc/sys becomes read-only: at need it is the container's that is written to */
	{ INIT, "sysctl", init_sysctl, NULL, has_sysctls, .beside = true },
	{ INIT, "paths", init_paths, .beside = true },
	{ INIT, "pivot", init_pivot, .beside = true },
	{ INIT, "terminal", init_terminal, NULL, has_terminal, .beside = true },
	{ INIT, "settings", init_settings },
	{ INIT, "credentials", init_credentials },
	{ INIT, "program", init_program },
	{ HOST, "listener", host_listener, NULL, has_listener },
	{ HOST, "limits", host_limits, NULL, has_limits_late },
	{ HOST, "record", host_record, NULL, is_recorded_last },
	{ HOST, "network ready", host_network_ready, NULL, has_network, .beside = true },
	{ INIT, "wait", init_wait },
	{ INIT, "start hooks", init_start_hooks, NULL, has_start_hooks },
	{ INIT, "exec", init_exec },
	{ 0 },
};

/* exec: a further process in a container that runs. */
const struct step join_steps[] = {
	{ HOST, "cgroup", host_cgroup_find },
	{ HOST, "clone", host_clone_join, host_clone_undo },
	{ HOST, "resctrl", host_resctrl_join, NULL, has_resctrl },
	{ INIT, "identity", init_identity },
	{ INIT, "enter", init_enter },
	{ INIT, "terminal", init_terminal, NULL, has_terminal },
	{ INIT, "settings", init_settings },
	{ HOST, "limits", host_limits, NULL, has_limits_early, .beside = true },
	{ HOST, "cgroup v1", host_cgroup_attach, NULL, has_v1_to_join, .beside = true },
	{ INIT, "credentials", init_credentials },
	{ INIT, "program", init_program },
	{ HOST, "listener", host_listener, NULL, has_listener },
	{ HOST, "limits", host_limits, NULL, has_limits_late },
	{ HOST, "record", host_record, NULL, has_terminal },
	{ INIT, "exec", init_exec },
	{ 0 },
};
