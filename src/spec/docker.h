/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `docker run`'s flags as a configuration: what each means is docker's, said once, here. What
 * the configuration cannot hold (names of other containers, folders to make, user names that the
 * container's files resolve) is handed on as it is.
 */
#pragma once

#include "base/opt.h"
#include "spec/spec.h"

/* As typed; a command's option table points into it. All is lent for as long as the spec lives. */
struct docker_run {
	const char *const *args; /* COMMAND ARG..., NULL-terminated */
	int n_args;
	struct opt_list env, env_files, volumes, mounts, tmpfs, cap_add, cap_drop, security_opts;
	struct opt_list ulimits, devices, sysctls, groups, annotations;
	const char *hostname, *domainname, *workdir, *entrypoint, *reap, *systemd;
	const char *pid, *net, *ipc, *uts, *cgroupns;
	const char *cpus, *cpuset_cpus, *cpuset_mems;
	bool has_entrypoint; /* "" is one: it resets the image's */
	bool read_only, privileged, tty, init, oom_kill_disable;
	int64_t memory, memory_reservation, memory_swap, shm_size; /* bytes; 0: not given */
	int64_t pids_limit;					   /* 0: not given, -1: none */
	uint64_t cpu_shares, cpu_period;			   /* 0: not given */
	int64_t cpu_quota;
	int oom_score_adj; /* 0: not given */

	/* Not typed: from where and by whom. */
	const char *cwd;		/* relative paths on the host begin here */
	struct spec_strings image_args; /* what runs when nothing else is asked for */
	struct spec_strings image_entrypoint, image_env, image_volumes;
	const char *image_workdir; /* NULL or "": / */
	uint64_t caps;		   /* what "all capabilities" are here; 0: all there are */
	bool rootless;		   /* a user namespace of its own is needed */
	bool in_userns;		   /* the caller is in one: no device rules, no mknod */
	bool cgroup_v2;		   /* alone, without v1's hierarchies */
};

/* A mount whose source is a volume: what docker_spec() knows, then what life/ finds. */
struct docker_volume {
	const char *name; /* NULL: it gets one */
	const char *destination;
	bool nocopy;
	bool anonymous;
	const char *path;
	const char *device; /* of a volume that is another folder's bind mount */
};

/* What the configuration cannot say. */
struct docker_rest {
	struct spec_strings make_folders; /* -v: missing folders of the host, docker makes them */
	const char *pid_of, *net_of, *ipc_of, *uts_of; /* container:REF, or NULL */
	struct spec_strings groups;		       /* --group-add: names or numbers */
	size_t n_entrypoint; /* of the program's words, those of the entry point */
	bool systemd;	     /* is PID 1: stop signal, container_uuid */
	struct docker_volume *volumes;
	size_t n_volumes;
};

/*
 * Fills ret but for the root filesystem, the user and the hostname that a container without one
 * gets. A flag's mistake is err_say()'d with the flag's name.
 */
int docker_spec(
	const struct docker_run *run, struct spec *ret, struct docker_rest *rest, struct err *e);

/*
 * The lines of a file of NAME=VALUE (--env-file, --label-file) appended to ret, in a; blank ones
 * and those that begin with # are left out.
 */
int docker_lines(
	const char *flag, const char *path, struct arena *a, struct opt_list *ret, struct err *e);

/* --ulimit's words alone: "nofile=1024:2048". */
int docker_ulimit(const char *text, struct spec_rlimit *ret, struct err *e);

/* The capabilities a container has by default, and all there are, as bits. */
uint64_t docker_default_caps(void);

/* docker_seccomp.c: the default profile; caps: what the container has, some calls depend on it. */
void docker_seccomp(struct arena *a, uint64_t caps, struct spec_seccomp *ret);

/* docker_mounts.c: the mounts every container has, then -v, --mount and --tmpfs. */
int docker_mounts(
	const struct docker_run *run, struct spec *ret, struct docker_rest *rest, struct err *e);

/* docker_systemd.c: is PID 1, which begins with this program, to have what systemd needs? And that.
 */
int docker_systemd_wanted(
	const struct docker_run *run, const char *program, bool *ret, struct err *e);
void docker_systemd(const struct docker_run *run, struct spec *s);

/* docker_devices.c: --device, and every device of the host with --privileged. */
int docker_devices(const struct docker_run *run, struct spec *spec, struct err *e);
