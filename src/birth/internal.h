/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the birth table share. Nobody outside birth/ includes this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "birth/birth.h"
#include "os/proc_ref.h"

enum actor {
	HOST, /* the caller, outside */
	INIT, /* the newborn */
};

enum {
	HAND_OVER_MAX = 4, /* descriptors that go with one message */
	STEPS_MAX = 48,
};

struct birth_cgroup {		 /* one folder, in one hierarchy */
	char *dir;		 /* owned */
	int fd;			 /* owned */
	const char *controllers; /* v1: lent from struct host; NULL: v2 */
	bool v2, made;
};

/* What changes while a container is born. Each process has its own copy from "clone" on. */
struct birth {
	const struct plan *plan;
	enum actor actor;
	bool clone_parent, wait_for_start, new_session, plain_output, is_exec, die_with_parent;
	bool in_place; /* INIT was born where it belongs: HOST's clone row owes it nothing */
	int start_fd;  /* lent */
	int stdio[3];  /* lent */
	int sync;      /* owned: the socket to the other actor */
	int sync_peer; /* owned: the other end, until the clone */
	int (*born)(void *data, const struct proc_ref *init, int tty_master, struct err *e);
	int (*prepare)(void *data, const struct proc_ref *init, struct err *e);
	char *(*state_json)(void *data, const char *status, pid_t pid);
	const struct birth_network *network;
	void *data;
	char **ret_cgroup_path;
	bool *ret_resctrl_made;

	/* HOST */
	struct proc_ref init;	   /* owned: the newborn */
	const struct proc_ref *of; /* exec: the container's init; lent */
	int of_namespaces;	   /* exec: CLONE_NEW* of it that are not ours; 0: not known */
	const char *const *cgroup_paths;
	bool ignore_paused;
	struct birth_cgroup *cgroups; /* owned */
	size_t n_cgroups;
	bool netns_sent, scope_started, resctrl_made, resctrl_mon_made;
	char *cgroup_path; /* owned: where systemd put it; also known to INIT */
	int tty_master;	   /* owned */

	/* opened by HOST, used by INIT */
	int template; /* owned: the namespace that INIT will enter instead of one of its own */
	int *joins;   /* owned: plan->namespaces.joins[i] */
	int *sources; /* owned: mount i's tree, or FD_NONE */
	int netns;    /* owned: the network namespace that HOST makes for INIT while it goes on */

	/* INIT */
	int root;			 /* owned: the container's root */
	size_t next_mount;		 /* plan->mounts[i] that comes next */
	int procfs;			 /* owned: a procfs nobody has mounted over */
	int mounted_procfs;		 /* owned: the one made for the container's /proc */
	int tty_slave;			 /* owned */
	bool cwd_is_set;		 /* before the user changed */
	char *program;			 /* owned: what is executed */
	char **env;			 /* owned: the environment with a HOME; NULL: the plan's */
	int exec_code;			 /* != 0: the program itself could not be executed */
	int give[HAND_OVER_MAX], n_give; /* go to HOST with the next message; owned */
	uint32_t row_us[STEPS_MAX];	 /* how long INIT's rows took, for HOST's debug log */
};

struct step {
	enum actor who;
	const char *name;
	int (*run)(struct birth *b, struct err *e);
	void (*undo)(struct birth *b);	     /* HOST's only */
	bool (*needs)(const struct plan *p); /* NULL: always; alike on both sides */
	/*
	 * Does not wait for the other's rows before it. HOST's: for none of INIT's. INIT's: not for
	 * HOST's that are done beside; what has to be done before INIT goes on is no such row.
	 */
	bool beside;
};

extern const struct step birth_steps[], join_steps[];

/* birth.c: in the clone row, the newborn goes on as INIT from the row after it. */
void birth_become_init(struct birth *b);
/* HOST waits for one message of INIT (or its midwife) and takes the descriptors that came. */
int birth_receive(struct birth *b, int *ret_fds, int *ret_n, struct err *e);
int birth_send_error(int sync, const struct err *e, bool exec_failed);
int birth_send_fd(int sync, int fd);

/* host_*.c */
int host_cgroup(struct birth *b, struct err *e);
void host_cgroup_undo(struct birth *b);
/* The folders at path in every hierarchy, with all that the plan writes into them. */
int birth_fill_cgroups(struct birth *b, const char *path, struct err *e);
int host_scope(struct birth *b, struct err *e);
void host_scope_undo(struct birth *b);
int host_resctrl(struct birth *b, struct err *e);
int host_resctrl_join(struct birth *b, struct err *e);
void host_resctrl_undo(struct birth *b);
int host_cgroup_attach(struct birth *b, struct err *e);
/* Done by either: HOST, or INIT where HOST is busy with the network. */
int birth_device_filter(struct birth *b, struct err *e);
int host_cgroup_find(struct birth *b, struct err *e);
int host_namespaces(struct birth *b, struct err *e);
int host_template(struct birth *b, struct err *e);
int host_sources(struct birth *b, struct err *e);
int host_clone(struct birth *b, struct err *e);
int host_clone_join(struct birth *b, struct err *e);
void host_clone_undo(struct birth *b);
int host_idmap(struct birth *b, struct err *e);
int host_network_namespace(struct birth *b, struct err *e);
int host_loopback(struct birth *b, struct err *e);
int host_net_devices(struct birth *b, struct err *e);
int host_network(struct birth *b, struct err *e);
void host_network_undo(struct birth *b);
int host_network_ready(struct birth *b, struct err *e);
int host_hooks(struct birth *b, struct err *e);
int host_limits(struct birth *b, struct err *e);
int host_listener(struct birth *b, struct err *e);
int host_prepare(struct birth *b, struct err *e);
int host_record(struct birth *b, struct err *e);

/* init_*.c */
int init_identity(struct birth *b, struct err *e);
int init_cgroup_namespace(struct birth *b, struct err *e);
int init_network(struct birth *b, struct err *e);
int init_root(struct birth *b, struct err *e);
int init_mounts_first(struct birth *b, struct err *e);
int init_mounts(struct birth *b, struct err *e);
int init_devices(struct birth *b, struct err *e);
int init_hooks(struct birth *b, struct err *e);
int init_paths(struct birth *b, struct err *e);
int init_pivot(struct birth *b, struct err *e);
int init_enter(struct birth *b, struct err *e);
int init_sysctl(struct birth *b, struct err *e);
int init_terminal(struct birth *b, struct err *e);
int init_settings(struct birth *b, struct err *e);
int init_credentials(struct birth *b, struct err *e);
int init_program(struct birth *b, struct err *e);
int init_wait(struct birth *b, struct err *e);
int init_start_hooks(struct birth *b, struct err *e);
int init_exec(struct birth *b, struct err *e);

/*
 * init_root.c: a copy of something of the host's for the container, or -errno. What is mounted on
 * the copy does not reach the host.
 */
int init_copy_of_host(struct birth *b, const char *path, bool recursive, bool nofollow);

/* init_devices.c: the mounts that become read-only last. */
int init_mounts_readonly(struct birth *b, struct err *e);

/* mount_cgroup.c: plan->mounts[i] of kind MOUNT_CGROUP. */
int init_mount_cgroup(struct birth *b, const struct plan_mount *m, struct err *e);

/*
 * init_compose.c: fills the attached tmpfs root with overlays over the folders of lower; upper is
 * a tmpfs for what is written.
 */
int init_compose(int upper, const char *lower, int root, struct err *e);

/* init_mounts.c: opens where m is to be mounted, making what is missing. */
int init_mount_target(struct birth *b, const char *path, bool is_file, bool nolinks, struct err *e);

/*
 * Limits are set by HOST where it may set anybody's; else INIT, which by now is somebody else,
 * sets its own, as far as that goes without the right.
 */
bool birth_host_sets_limits(const struct plan *p);
/* Would one be in INIT's own way, before it is the program? */
bool birth_limits_are_tight(const struct plan *p);
int birth_set_limits(const struct plan *p, pid_t pid, struct err *e);

/*
 * A network namespace takes the kernel as long as all others together: does HOST make it, and set
 * its loopback interface up, while INIT goes on? Else clone3 makes it, and INIT sets lo up, who
 * has the rights in its user namespace.
 */
bool birth_host_makes_network(const struct plan *p);
bool birth_host_sets_loopback(const struct plan *p);

/* Does INIT have to be made by a process that has joined or unshared something first? */
bool host_needs_midwife(const struct plan *p);

/* hooks.c: runs the hooks of a point one after the other; state is malloc'ed text, freed here. */
int hooks_run(const struct plan *p, enum hook_point point, char *state, struct err *e);
