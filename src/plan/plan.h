/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every decision about a container, taken once from what was asked (struct spec) and what this
 * kernel and user can do (struct host). Making it needs no system call, so it is tested by golden
 * files; carrying it out needs no decision, so birth/ only does what stands here.
 *
 * All memory lies in plan->arena or is lent by the spec, which lives longer.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "plan/host.h"
#include "spec/spec.h"

/* plan/namespaces.c */
struct plan_join {
	int flag;	  /* CLONE_NEW* */
	const char *path; /* opened by HOST before the clone, type checked by NS_GET_NSTYPE */
};

struct plan_namespaces {
	uint64_t clone_flags;	/* for clone3(): the new ones that clone makes */
	uint64_t unshare_flags; /* new ones INIT unshares: the cgroup namespace, after it sits in
				   its cgroup */
	struct plan_join *joins;
	size_t n_joins;
	bool new_time; /* unshared by HOST before the clone, offsets written */
	struct spec_time_offset monotonic, boottime;
	bool joins_user; /* user namespace joined first, the rest with its rights */
};

/* plan/ids.c: what HOST writes for a new user namespace. */
enum idmap_writer {
	IDMAP_NONE,   /* no new user namespace */
	IDMAP_WRITE,  /* /proc/PID/uid_map directly */
	IDMAP_HELPER, /* newuidmap(1), newgidmap(1) */
};

struct plan_ids {
	enum idmap_writer writer;
	const char *uid_map,
		*gid_map; /* text for the file or the helper's words, "0 1000 1\n..." */
	bool deny_setgroups;
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t n_groups;
	bool set_groups; /* false: leave what there is (single-id user namespace,
			    keep_original_groups) */
	mode_t umask;
	bool set_umask;
	uid_t root_uid; /* the host's uid of the container's 0: owner of what HOST makes for it */
	gid_t root_gid;
};

/* plan/mounts.c: one row is one mount, in order. */
enum mount_kind {
	MOUNT_NEW,     /* a new filesystem: fsopen(fstype), options by fsconfig */
	MOUNT_BIND,    /* open_tree(source) before the pivot, from the host */
	MOUNT_CGROUP,  /* the container's view of the cgroups, v1, hybrid or v2 */
	MOUNT_REMOUNT, /* changes attributes of what is mounted at target */
};

struct plan_mount {
	enum mount_kind kind;
	const char *name;   /* for errors: "mounts[3]" */
	const char *target; /* in the root filesystem, absolute, cleaned; resolved by openat2 */
	const char *source; /* bind: absolute host path; else the word shown in mountinfo */
	const char *fstype;
	struct spec_pairs data;				   /* fsconfig key, value (NULL: a flag) */
	bool recursive;					   /* rbind */
	uint64_t attr_set, attr_clear;			   /* MOUNT_ATTR_*, this mount */
	uint64_t attr_set_recursive, attr_clear_recursive; /* rro ...: AT_RECURSIVE */
	uint64_t propagation;				   /* MS_SHARED ... (one bit), 0: private */
	bool propagation_recursive;
	struct spec_idmaps uid_mappings, gid_mappings; /* idmapped mount */
	bool idmap, idmap_recursive;
	bool idmap_of_container; /* use the container's own user namespace */
	bool tmpcopyup;		 /* the target's content is copied into the new tmpfs */
	bool target_is_file;	 /* not known here for binds: birth looks at the source */
	bool optional; /* missing source or kernel support: skipped, said in the debug log */
	bool nofollow_target, nofollow_source;
	bool copy_symlink; /* a source that is a symbolic link is made again, not followed */
	bool ro_after;	   /* made writable, set read-only when everything beneath was made */
	const char *label;
};

struct plan_device {
	const char *path;
	mode_t mode; /* type and permission bits */
	unsigned major, minor;
	uid_t uid;
	gid_t gid;
	bool bind; /* user namespace: bind of the host's node instead of mknod */
};

struct plan_link {
	const char *target, *path; /* symlink(2): content, place */
};

struct plan_root {
	const char *path; /* absolute; of the overlay: where it is mounted (any empty folder) */
	bool readonly;
	struct spec_overlay overlay;
	bool overlay_userxattr;
	bool bind_fallback;   /* overlay refused (stacking depth): read-only bind of lower[0] */
	uint64_t propagation; /* of / in the new namespace before anything is mounted */
	bool propagation_recursive;
	uint64_t final_propagation; /* of the container's own /; 0: as made */
	bool final_recursive;	    /* and of all that lies on it */
	bool no_pivot;		    /* MS_MOVE and chroot instead of pivot_root */
	bool has_mount_ns;
	bool from_template; /* a ready, empty mount namespace instead, where there can be one */
};

/* plan/cgroup.c: which folders are made, what is written into them, in order. */
struct plan_cgroup_write {
	const char *controller; /* v1: hierarchy's name; v2: NULL */
	const char *file, *value;
	const char *other, *other_value; /* written where there is no such file; NULL: none */
	bool optional;			 /* ENOENT is no failure */
};

enum cgroup_manager { CGROUP_NONE, CGROUP_FS, CGROUP_SYSTEMD };

struct plan_cgroup {
	enum cgroup_manager manager;
	const char *path;	  /* below each hierarchy's root, "/clade/ID" */
	const char *slice, *unit; /* CGROUP_SYSTEMD: where it lies systemd tells, path is NULL */
	struct spec_pairs properties; /* CGROUP_SYSTEMD: of the scope, in sdbus/value.h's words */
	const char *helper;	      /* CGROUP_SYSTEMD: the program that talks to systemd */
	bool user_bus;		      /* CGROUP_SYSTEMD: the user's systemd, not the system's */
	struct plan_cgroup_write *writes;
	size_t n_writes;
	const char **enable; /* v2 controllers to enable in subtree_control on the way down */
	size_t n_enable;
	const struct bpf_insn *device_prog; /* v2 BPF_PROG_TYPE_CGROUP_DEVICE; NULL: no filter */
	size_t device_prog_len;
	bool delegate;	       /* given to owner: cgroup v2, own cgroup namespace, writable mount */
	uid_t owner;	       /* the host's id of the process's user */
	const char *subgroup;  /* run.oci.systemd.subgroup: below the scope */
	const char *delegated; /* run.oci.delegate-cgroup: entered below the cgroup namespace */
	bool must_be_new;      /* refuse a folder that has processes or is frozen */
	bool optional;	       /* rootless without delegation: go on without a cgroup */
};

/* plan/resctrl.c */
struct plan_resctrl {
	bool set;
	const char *clos; /* the group's name; "/": the default one */
	bool ours;	  /* named after the container: it goes with it */
	bool create;	  /* made where it is missing; else it must be there */
	const char **lines;
	size_t n_lines;
	const char *monitor; /* a monitoring group of this name; NULL: none */
};

struct plan_seccomp {
	bool set;
	struct sock_filter *insns;
	unsigned short n_insns;
	unsigned flags; /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata;
};

struct plan_caps {
	bool set;
	uint64_t bounding, effective, inheritable, permitted, ambient;
};

struct plan_sysctl {
	const char *path; /* below /proc/sys: "net/ipv4/ip_forward" */
	const char *value;
};

/* What the program is started with; exec of a further process fills one of these alone. */
struct plan_process {
	const char *const *args; /* NULL-terminated */
	const char *const *env;
	const char *cwd;
	bool terminal;
	uint16_t rows, cols;
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	struct plan_caps caps;
	struct plan_seccomp seccomp;
	bool no_new_privileges;
	struct maybe_i64 oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	const char *apparmor_profile, *selinux_label;
	bool set_personality;
	unsigned long personality;
	bool set_memory_policy;
	int memory_policy_mode; /* with flags or'ed in */
	const uint64_t *memory_nodes;
	size_t n_memory_nodes;				   /* in bits */
	const uint64_t *affinity_initial, *affinity_final; /* exec only */
	size_t n_affinity_initial, n_affinity_final;	   /* in bits */
	bool reap_kernel;      /* SIGCHLD ignored at exec: clade.reap=kernel */
	const char *init_path; /* host path of clade-init, bound at init_target; NULL: none */
	unsigned preserve_fds; /* 3 .. 3 + n - 1 stay open */
	bool new_keyring;
};

struct plan {
	struct arena arena;
	const struct spec *spec; /* lent */
	const struct host *host; /* lent: where the cgroup hierarchies are */
	const char *id;
	const char *bundle;   /* absolute */
	bool waits_for_start; /* made, but not run until somebody says so (OCI create) */
	struct plan_namespaces namespaces;
	struct plan_ids ids;
	struct plan_root root;
	struct plan_mount *mounts;
	size_t n_mounts;
	struct plan_device *devices;
	size_t n_devices;
	struct plan_link *links; /* /dev/fd, /dev/stdin, ... */
	size_t n_links;
	struct plan_cgroup cgroup;
	struct plan_resctrl resctrl;
	struct plan_sysctl *sysctls;
	size_t n_sysctls;
	const char **masked_paths, **readonly_paths;
	size_t n_masked_paths, n_readonly_paths;
	const char *hostname, *domainname;
	struct spec_net_device *net_devices;
	size_t n_net_devices;
	bool loopback_up;  /* a new network namespace gets lo up (docker's and podman's way; runc's
			      too) */
	bool with_network; /* birth_request.network is to be called */
	bool joins_v1;	   /* exec: into folders of v1 hierarchies, too */
	struct plan_process process;
	struct spec_strings warnings; /* said once, by life */
};

struct plan_request {
	const struct spec *spec;
	const struct host *host;
	const char *id, *bundle; /* bundle absolute */
	enum cgroup_manager cgroup_manager;
	const char *sdbus_exe;			     /* CGROUP_SYSTEMD: clade-sdbus */
	const char *l3_cache_schema, *mem_bw_schema; /* update: lines for its class of service */
	bool no_pivot, new_keyring, waits_for_start;
	unsigned preserve_fds;
	bool joins_v1;			   /* exec: the container has cgroups of v1 */
	const struct plan_seccomp *filter; /* exec: the container's, if it was kept; lent */
	bool has_console;		   /* a console socket or terminal minder is there */
};

/* The HOST_* bits of host_probe() that plan_make() depends on for this spec. */
unsigned plan_wants(const struct spec *s, enum cgroup_manager manager);
unsigned plan_wants_exec(const struct spec_process *p);

/* Fills ret. What the spec cannot mean on this host is err_say()'d, naming the field. */
int plan_make(const struct plan_request *req, struct plan *ret, struct err *e);

/*
 * The plan of a further process in a running container (exec): process is what was asked for it,
 * spec the container's own configuration, whose seccomp, personality etc. hold. Only ids,
 * namespaces.joins_user, and process are filled.
 */
int plan_make_exec(const struct plan_request *req, const struct spec_process *process,
	struct plan *ret, struct err *e);

/* Resources alone, for update: fills ret->cgroup.writes (and device_prog where given). */
int plan_make_update(const struct plan_request *req, const struct spec_resources *resources,
	struct plan *ret, struct err *e);

struct text;

/* The plan as people read it: --dry-run and the golden files. One decision a line. */
void plan_dump(const struct plan *p, struct text *t);

/* Frees everything but the spec. */
void plan_done(struct plan *p);

/*
 * The maps of the user namespace that a user without privileges gets: oneself as root, behind it
 * /etc/subuid's and subgid's ranges. true: newuidmap has to write them.
 */
bool ids_of_user(
	const struct host *h, struct arena *a, const char **ret_uid_map, const char **ret_gid_map);
