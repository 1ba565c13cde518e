/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was asked: the OCI runtime configuration (runtime-spec 1.3, config.md and config-linux.md)
 * as one struct. config.json and `clade run`'s flags both end in it; nothing is decided here.
 *
 * Once made it is not changed. Every pointer lies in spec->arena or is lent by whoever built it
 * for as long as the spec lives. A NULL string or pointer and a count of 0 mean "not given"
 * unless a field says otherwise; where 0 is a value of its own, the field is a struct maybe_*.
 * Field names are the specification's, in snake case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct text;

struct maybe_i64 {
	bool set;
	int64_t value;
};

struct maybe_u64 {
	bool set;
	uint64_t value;
};

struct maybe_bool {
	bool set;
	bool value;
};

#define SOME(v)                                                                                    \
	{                                                                                          \
		.set = true, .value = (v)                                                          \
	}

struct spec_strings {
	const char **items; /* items[n] is NULL where the list goes to exec or a hook */
	size_t n;
};

struct spec_pair {
	const char *key, *value;
};

struct spec_pairs {
	struct spec_pair *items;
	size_t n;
};

/* config.md#user: numbers only; names are resolved by whoever reads the image (CVE-2016-3697). */
struct spec_user {
	uint32_t uid, gid;
	struct maybe_u64 umask; /* octal permission bits */
	const uint32_t *additional_gids;
	size_t n_additional_gids;
};

/* Capability sets as bit masks, bit n = capability n of capabilities(7). */
struct spec_caps {
	bool set; /* false: the field was absent: none, in exec the container's own */
	uint64_t bounding, effective, inheritable, permitted, ambient;
	struct spec_strings unknown; /* names no kernel headers of ours know: a warning each */
};

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
};

/* config.md#scheduler: sched_setattr(2) */
struct spec_scheduler {
	bool set;
	uint32_t policy; /* SCHED_* */
	int32_t nice, priority;
	uint64_t flags;			    /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period; /* nanoseconds */
};

struct spec_io_priority {
	bool set;
	int class; /* IOPRIO_CLASS_*: 1 real time, 2 best effort, 3 idle */
	int priority;
};

/* config.md#process */
struct spec_process {
	bool terminal;
	struct {
		uint16_t height, width;
	} console_size; /* 0 x 0: not given */
	struct spec_user user;
	struct spec_strings args; /* may be empty until start */
	struct spec_strings env;  /* NAME=VALUE */
	const char *cwd;	  /* absolute */
	struct spec_caps capabilities;
	struct spec_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	const char *apparmor_profile, *selinux_label;
	struct maybe_i64 oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	struct {
		const char *initial, *final; /* cpu lists: "0-3,7" */
	} exec_cpu_affinity;
};

/* config.md#mounts; options are kept as written, plan/mounts.c gives them their meaning. */
struct spec_idmap {
	uint32_t container_id, host_id, size;
};

struct spec_idmaps {
	struct spec_idmap *items;
	size_t n;
};

struct spec_mount {
	const char *destination; /* as written; relative is allowed and deprecated */
	const char *source;	 /* NULL: not given; a bind's may be relative to the bundle */
	const char *type;	 /* NULL: not given ("none") */
	struct spec_strings options;
	struct spec_idmaps uid_mappings, gid_mappings;
};

struct spec_hook {
	const char *path;	  /* absolute */
	struct spec_strings args; /* args[0] is argv[0]; empty: path is */
	struct spec_strings env;
	struct maybe_i64 timeout_s; /* above 0 */
};

struct spec_hooks {
	struct spec_hook *items;
	size_t n;
};

enum hook_point {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_POINTS
};

struct spec_namespace {
	int flag;	  /* CLONE_NEW* (os/ns.h has the table) */
	const char *path; /* NULL: a new one */
};

struct spec_device {
	const char *path; /* absolute, in the container */
	char type;	  /* 'c' 'b' 'u' 'p' */
	int64_t major, minor;
	struct maybe_u64 file_mode;
	uint32_t uid, gid;
};

/* config-linux.md#allowed-device-list: in order, the last that fits decides. */
struct spec_device_rule {
	bool allow;
	char type;	      /* 'a' 'b' 'c' */
	int64_t major, minor; /* -1: any */
	bool read, write, mknod;
};

struct spec_block_weight {
	int64_t major, minor;
	struct maybe_u64 weight, leaf_weight;
};

struct spec_throttle {
	int64_t major, minor;
	uint64_t rate;
};

struct spec_throttles {
	struct spec_throttle *items;
	size_t n;
};

struct spec_hugepage {
	const char *page_size; /* "2MB" */
	uint64_t limit;
};

struct spec_rdma {
	const char *device;
	struct maybe_u64 hca_handles, hca_objects;
};

struct spec_net_priority {
	const char *name;
	uint32_t priority;
};

struct spec_resources {
	struct spec_device_rule *devices;
	size_t n_devices;
	struct {
		struct maybe_i64 limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1: none */
		struct maybe_u64 swappiness;
		struct maybe_bool disable_oom_killer, use_hierarchy, check_before_update;
	} memory;
	struct {
		struct maybe_u64 shares, period, realtime_period, burst; /* microseconds */
		struct maybe_i64 quota, realtime_runtime, idle;
		const char *cpus, *mems;
	} cpu;
	struct maybe_i64 pids_limit; /* -1: unlimited; 0 means 0 */
	struct {
		struct maybe_u64 weight, leaf_weight;
		struct spec_block_weight *weight_device;
		size_t n_weight_device;
		struct spec_throttles read_bps, write_bps, read_iops, write_iops;
	} block_io;
	struct spec_hugepage *hugepage_limits;
	size_t n_hugepage_limits;
	struct {
		struct maybe_u64 class_id;
		struct spec_net_priority *priorities;
		size_t n_priorities;
	} network;
	struct spec_rdma *rdma;
	size_t n_rdma;
	struct spec_pairs unified; /* cgroup v2 file -> content */
};

/* config-linux.md#seccomp: names and words kept; plan/seccomp gives them numbers. */
struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	const char *op; /* SCMP_CMP_* */
};

struct spec_seccomp_rule {
	struct spec_strings names;
	const char *action; /* SCMP_ACT_* */
	struct maybe_u64 errno_ret;
	struct spec_seccomp_arg *args;
	size_t n_args;
};

struct spec_seccomp {
	bool set;
	const char *default_action;
	struct maybe_u64 default_errno_ret;
	struct spec_strings architectures; /* SCMP_ARCH_* */
	struct spec_strings flags;	   /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata;
	struct spec_seccomp_rule *rules;
	size_t n_rules;
};

struct spec_time_offset {
	bool set;
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_net_device {
	const char *host_name, *name; /* name NULL: keeps its own */
};

enum rootfs_propagation {
	PROPAGATION_DEFAULT,
	PROPAGATION_SHARED,
	PROPAGATION_SLAVE,
	PROPAGATION_PRIVATE,
	PROPAGATION_UNBINDABLE
};

/* config-linux.md */
struct spec_linux {
	struct spec_namespace *namespaces;
	size_t n_namespaces;
	struct spec_idmaps uid_mappings, gid_mappings;
	struct spec_time_offset monotonic, boottime;
	struct spec_device *devices;
	size_t n_devices;
	struct spec_net_device *net_devices;
	size_t n_net_devices;
	const char *cgroups_path;
	struct spec_resources resources;
	struct spec_pairs sysctl;
	struct spec_seccomp seccomp;
	enum rootfs_propagation rootfs_propagation;
	bool rootfs_propagation_recursive;
	struct spec_strings masked_paths, readonly_paths;
	const char *mount_label;
	struct {
		bool set;
		const char *clos_id, *l3_cache_schema, *mem_bw_schema;
		struct spec_strings schemata;
		bool enable_monitoring;
	} intel_rdt;
	struct {
		bool set;
		bool is_linux32; /* LINUX32, else LINUX */
	} personality;
	struct {
		bool set;
		int mode;	   /* MPOL_* */
		const char *nodes; /* "0-1,3" */
		unsigned flags;	   /* MPOL_F_*_NODES, MPOL_F_NUMA_BALANCING */
	} memory_policy;
};

/*
 * An overlay that the rootfs is mounted from. Not in the OCI configuration (there an engine
 * mounts it beforehand): clade's own images ask for it, and it lives and dies in the
 * container's mount namespace. It is kept in config.json as the annotations clade.overlay.*
 */
struct spec_overlay {
	const char **lower; /* absolute host folders, topmost first */
	size_t n_lower;	    /* 0: no overlay */
	const char *upper;  /* host folder for upper and work; NULL: a private tmpfs, thrown away */
	bool is_volatile;   /* upper is thrown away too: its end need not wait for a disk */
};

struct spec {
	struct arena arena;
	const char *oci_version;
	const char *root_path; /* absolute, or relative to the bundle; NULL: no root object */
	bool root_readonly;
	struct spec_overlay overlay;
	const char *hostname, *domainname;
	struct spec_process process;
	bool has_process;
	struct spec_mount *mounts; /* in the order they are made */
	size_t n_mounts;
	struct spec_hooks hooks[HOOK_POINTS];
	struct spec_pairs annotations;
	struct spec_linux linux_;
};

/* The value of an annotation, or NULL. */
const char *spec_annotation(const struct spec *s, const char *key);

/*
 * Reads a configuration (config.json). What is wrong is said with the field's path:
 * "config.json: linux.namespaces[2].type: "pidd" is not known". Unknown fields are ignored, a
 * null is as if it were not there. ret is freed by spec_done().
 */
int spec_load(const char *path, struct spec *ret, struct err *e);
int spec_parse(const char *text, size_t n, struct spec *ret, struct err *e);

/* What the specification demands of it beyond types; spec_load() has done it. */
int spec_check(const struct spec *s, struct err *e);

/* Parts of a configuration that come alone: exec's process, update's resources, a profile; ret
 * comes in zeroed. */
int spec_parse_process(
	const char *text, size_t n, struct arena *a, struct spec_process *ret, struct err *e);
int spec_parse_resources(
	const char *text, size_t n, struct arena *a, struct spec_resources *ret, struct err *e);
int spec_parse_seccomp(
	const char *text, size_t n, struct arena *a, struct spec_seccomp *ret, struct err *e);

/* A whole file that a user named; terminated, in the arena. */
int spec_read_file(const char *path, struct arena *a, char **ret, size_t *ret_n, struct err *e);

/* The configuration as JSON, which spec_parse() reads back as it was. */
void spec_dump(const struct spec *s, struct text *t);

/*
 * Of it only what exec of a further process asks for, in one line. has_filter: the compiled filter
 * is kept elsewhere.
 */
void spec_dump_exec(const struct spec *s, bool has_filter, struct text *t);

/* Frees everything, also a half-built one; NULL is allowed. */
void spec_done(struct spec *s);
