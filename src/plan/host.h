/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this kernel and this user can do. Filled once per command by os/probe.c's host_probe();
 * tests write one by hand. It is all that plan/ knows of the machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/mem.h"

enum cgroup_mode { CGROUP_MODE_NONE, CGROUP_MODE_V1, CGROUP_MODE_HYBRID, CGROUP_MODE_V2 };

struct host_hierarchy {
	const char *controllers; /* "cpu,cpuacct", "name=systemd"; v1 */
	const char *mount_point; /* "/sys/fs/cgroup/cpu" */
	const char *own_path;	 /* where this process is: "/" */
};

struct host_idrange { /* a line of /etc/subuid or subgid for this user */
	uint32_t start, count;
};

/* What has to be looked for, of which a command may need only some: host_probe(). */
enum {
	HOST_OWN_CGROUP = 1,  /* *_own_path, where root does without */
	HOST_CONTROLLERS = 2, /* v2_controllers */
	HOST_LSM = 4,	      /* selinux, apparmor */
	HOST_SYSTEMD = 8,     /* systemd_booted */
	HOST_TIME = 16,	      /* has_time_ns */
	HOST_ALL = 31,
};

enum { HOST_CROWD = 1000 }; /* tasks, from which on a machine is crowded */

struct host {
	struct arena arena;
	unsigned kernel_major, kernel_minor;
	const char *machine; /* uname(2): "x86_64", "aarch64" */
	uid_t euid;
	gid_t egid;
	bool in_initial_userns;
	uint64_t caps;	   /* effective set of this process */
	unsigned last_cap; /* /proc/sys/kernel/cap_last_cap */
	enum cgroup_mode cgroup_mode;
	struct host_hierarchy *v1;
	size_t n_v1;
	const char *v2_mount_point; /* hybrid: /sys/fs/cgroup/unified; NULL: none */
	const char *v2_own_path;
	const char **v2_controllers; /* available at the v2 root we may use */
	size_t n_v2_controllers;
	bool cgroup_writable; /* this user may make folders below its own cgroup */
	bool systemd_booted;  /* /run/systemd/system is there */
	struct host_idrange *subuids, *subgids;
	size_t n_subuids, n_subgids;
	bool has_newuidmap;
	bool has_time_ns, has_mount_idmap, has_overlay_userxattr;
	bool selinux, apparmor;
	unsigned long page_size;
	unsigned n_tasks; /* processes and threads; 0: not known */
};
