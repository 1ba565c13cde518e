/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a bundle, as the OCI runtime specification has it: somebody else (conmon, a
 * containerd shim) minds the container; we make it, start it, signal it and clear it away. What
 * is remembered lies in ROOT/ID: state, config.json, exec.fifo while it waits for its start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "spec/spec.h"

struct bundles {
	struct arena arena;
	const char *root;
	int root_fd; /* owned; FD_NONE until something is made */
	bool is_probed;
	unsigned probed;  /* HOST_* bits */
	struct host host; /* of bundles_probe() */
	enum cgroup_manager cgroup_manager;
};

/* root NULL: /run/clade-oci, or below XDG_RUNTIME_DIR. Makes nothing. */
int bundles_init(struct bundles *b, const char *root, struct err *e);
/*
 * Looks at the machine, for what decides by it: create, run, exec, update; wants: HOST_* bits. The
 * others find what they need in the container's state.
 */
int bundles_probe(struct bundles *b, unsigned wants, struct err *e);
/* Of it what a further process depends on, where the container's cgroups are known. */
void bundles_probe_process(struct bundles *b, unsigned wants);
void bundles_done(struct bundles *b);

enum bundle_status {
	BUNDLE_CREATING,
	BUNDLE_CREATED,
	BUNDLE_RUNNING,
	BUNDLE_PAUSED,
	BUNDLE_STOPPED
};
const char *bundle_status_word(enum bundle_status s);

struct bundle_info {
	const char *id, *bundle, *rootfs, *oci_version, *cgroup_path, *owner;
	enum bundle_status status;
	pid_t pid; /* 0 when stopped */
	int64_t created_ns;
	struct spec_pairs annotations;
};

/* "container "x" does not exist": ERR_ABSENT. */
int bundle_state(const struct bundles *b, const char *id, struct arena *a, struct bundle_info *ret,
	struct err *e);
int bundle_list(const struct bundles *b, struct arena *a, struct bundle_info **ret, size_t *ret_n,
	struct err *e);

/* systemd's socket activation (sd_listen_fds(3)): descriptors from 3 on, before --preserve-fds's.
 */
struct bundle_listen {
	unsigned n;
	const char *names; /* LISTEN_FDNAMES; NULL: not given */
};
/* Are n descriptors from 3 on there to be passed on? */
int bundle_check_fds(unsigned n, struct err *e);

struct bundle_create {
	const char *id, *bundle; /* bundle NULL: the working folder */
	const char *config;	 /* NULL: config.json of the bundle */
	const char *console_socket, *pid_file, *pidfd_socket;
	bool no_pivot, no_new_keyring;
	unsigned preserve_fds;
	struct bundle_listen listen;
};
/* The container is "created": its init waits for the start. Our stdio becomes its own. */
int bundle_create(struct bundles *b, const struct bundle_create *c, struct err *e);
/* Creates and starts; not detached: waits for its end, forwards signals, deletes it unless keep. */
int bundle_run(struct bundles *b, const struct bundle_create *c, bool detach, bool keep,
	int *ret_code, struct err *e);

int bundle_start(struct bundles *b, const char *id, struct err *e);
/* all: every process of its cgroup; one that is stopped is then no failure. */
int bundle_kill(struct bundles *b, const char *id, int signo, bool all, struct err *e);
int bundle_delete(struct bundles *b, const char *id, bool force, struct err *e);
int bundle_pause(struct bundles *b, const char *id, bool pause, struct err *e);
struct bundle_update {
	struct spec_resources resources;
	const char *l3_cache_schema, *mem_bw_schema; /* NULL: as they are */
};
int bundle_update(struct bundles *b, const char *id, const struct bundle_update *u, struct err *e);
/* PIDs of the host, in the arena. */
int bundle_pids(const struct bundles *b, const char *id, struct arena *a, pid_t **ret,
	size_t *ret_n, struct err *e);

struct bundle_exec {
	const char *id, *process_file; /* process.json, or the words below */
	const char *const *args, *const *env, *const *caps;
	size_t n_env, n_caps;
	const char *cwd, *user; /* "uid[:gid]" */
	const char *console_socket, *pid_file, *pidfd_socket, *apparmor, *label;
	const uint32_t *groups;
	size_t n_groups;
	const char *const *cgroups; /* "[CONTROLLER,...:]PATH" below the container's own */
	size_t n_cgroups;
	bool tty, detach, no_new_privs, ignore_paused;
	unsigned preserve_fds;
	struct bundle_listen listen;
};
int bundle_exec(struct bundles *b, const struct bundle_exec *x, int *ret_code, struct err *e);

/* Counters of its cgroup, of either version: -1 and NULL where there is none. */
struct bundle_usage {
	int64_t limit, usage, max, failures;
};
struct bundle_stats {
	int64_t cpu_ns, cpu_user_ns, cpu_system_ns, periods, throttled_periods, throttled_ns;
	const char *cpu_each; /* nanoseconds of each CPU */
	const char *cpus, *mems;
	struct bundle_usage memory, swap, kernel, kernel_tcp;
	int64_t memory_cache, oom_kills, pids, pids_limit;
	const char *memory_stat;	      /* "name number" a line */
	const char *io_bytes, *io_operations; /* v1: "8:0 Read 4096" a line */
	const char *io_stat;		      /* v2: "8:0 rbytes=4096 ..." a line */
	struct {
		char page_size[16]; /* "2MB" */
		struct bundle_usage usage;
	} huge[8];
	size_t n_huge;
};
int bundle_stats(struct bundles *b, const char *id, struct arena *a, struct bundle_stats *ret,
	struct err *e);

/* Opens the --log file for appending; the descriptor or e. */
int bundle_log_open(const char *path, struct err *e);
/* A whole file, "-": standard input; in the arena. */
int bundle_read(const char *path, struct arena *a, char **ret, size_t *ret_n, struct err *e);
/* Writes a new file, for `spec`; one that is there is an error. */
int bundle_write_new(const char *folder, const char *name, const char *text, struct err *e);
/* ps(1) with these words, only its heading and the lines of these PIDs; in the arena. */
int bundle_ps(const char *const *words, const pid_t *pids, size_t n, struct arena *a,
	const char **ret, struct err *e);
