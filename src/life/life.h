/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of a container, one a file, for both command lines. They decide nothing about how a
 * container looks (plan/) and print nothing (cli/, oci/): they tie a record in the state
 * directory to a birth, a minder (clade-keep) and an end.
 *
 * A container is named by its name, its ID or an unambiguous prefix of the ID; ref below is any.
 * Unknown: -ERR_ABSENT and "no such container: x". All paths are absolute; all times CLOCK_REALTIME
 * nanoseconds; all memory of results lies in the arena given.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "image/image.h"
#include "plan/host.h"
#include "plan/plan.h"
#include "spec/docker.h"
#include "spec/spec.h"

/* Where the state is and what the machine can do; filled once by main. */
struct life {
	const char *root;      /* state directory: /run/clade or $XDG_RUNTIME_DIR/clade */
	const char *keep_exe;  /* path of clade-keep */
	const char *init_exe;  /* path of clade-init */
	const char *self_exe;  /* this program, which clade-keep runs again */
	const char *cwd;       /* where relative paths of the user begin */
	const char *data_root; /* where images are kept; NULL: this user's usual place */
	int root_fd;	       /* owned */
	struct host host;
	enum cgroup_manager cgroup_manager;
};

/* /var/lib/clade, $XDG_DATA_HOME/clade, or what --data-root and CLADE_DATA say. */
const char *life_data_path(const struct life *l, struct arena *a);

/* Finds the helper programs and probes the host. root NULL: the default for this user. */
int life_init(struct life *l, const char *root, struct err *e);
void life_done(struct life *l);

/*
 * Whoever is called without a standard stream gets /dev/null as that: what is opened next would
 * take its number, and messages or a container would get it. First of all.
 */
void life_stdio(void);

/*
 * First of all in a command whose process enters a container as root: this program's own file is
 * made unreachable from inside (os/seal.h). Does not return when it runs itself again.
 */
int life_seal(char **argv, struct err *e);

enum life_status {
	LIFE_CREATED,
	LIFE_RUNNING,
	LIFE_PAUSED,
	LIFE_RESTARTING,
	LIFE_EXITED,
};

/* Writes a file whole, beside its place first. What is there and no regular file stays. */
int life_write_file(const char *path, const char *text, size_t n, struct err *e);

/* How wide standard output is; 0: no terminal, nothing is cut. */
unsigned life_stdout_width(void);

/* Is standard input, output a terminal? */
bool life_stdin_is_tty(void);
bool life_stdout_is_tty(void);
bool life_stderr_is_tty(void);

const char *life_status_word(enum life_status s); /* docker's words */

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

/* The flags of a network; words and addresses as typed. */
struct life_network {
	struct opt_list nets, aliases, publish, expose, dns, dns_search, dns_options, add_hosts;
	const char *ip, *ip6, *mac;
	bool publish_all;
};

/* --health-*: 0 and NULL for what is not given. */
struct life_health {
	const char *cmd;
	int64_t interval_ms, timeout_ms, start_period_ms, start_interval_ms;
	int retries;
	bool none; /* --no-healthcheck */
};

/* What `create` is asked; lent, copied into the record. */
struct life_create {
	const struct docker_run *run; /* the flags that end in the configuration */
	const char *image;	      /* as the user wrote it: shown and kept */
	const char *name;	      /* NULL: an adjective_noun of our own */
	const char *user; /* -u: name or number [:group], resolved in the container's files */
	bool auto_remove, interactive;
	enum restart_policy restart;
	int restart_max;	 /* on-failure:N; 0: no bound */
	const char *stop_signal; /* NULL: SIGTERM */
	int64_t stop_timeout_ms;
	struct life_network network;
	struct opt_list labels;	      /* "key=value" or "key" */
	struct opt_list volumes_from; /* CONTAINER[:ro] */
	struct life_health health;
	const char *cidfile, *pidfile, *cgroup_parent, *detach_keys;
	enum pull_policy pull; /* of an image from a registry */
	const char *platform, *authfile, *tls_verify;
	void (*pull_line)(void *data, const char *text); /* progress; NULL: be quiet */
};

/* "no", "always", "unless-stopped", "on-failure[:N]" */
int life_restart_parse(const char *word, enum restart_policy *ret, int *ret_max, struct err *e);

/*
 * Does the filter that the container was made with let this system call pass, whatever its
 * arguments? False also where that is not known.
 */
bool life_filter_lets(const struct life *l, const char *ref, const char *call);

/* "TERM", "SIGTERM", "15": a signal's number, or a sentence. */
int life_signal_parse(const char *word, int *ret, struct err *e);

/* Makes the record and the bundle; the container is "created", no process exists yet. */
int life_create(const struct life *l, const struct life_create *c, struct arena *a,
	const char **ret_id, struct err *e);

/* The plan as text, nothing made (--dry-run). */
int life_dry_run(const struct life *l, const struct life_create *c, struct arena *a,
	const char **ret_text, struct err *e);

struct life_attach; /* a connection to a container's minder: see life_attach_*() */

/*
 * Starts a created or exited container under a new clade-keep. ret_attach (may be NULL): the
 * stdio, connected before the first byte could be lost. Exec failures: e->code ENOENT or EACCES
 * and LIFE_EXEC_FAILED (exit codes 127 and 126).
 */
#define LIFE_EXEC_FAILED 1
int life_start(
	const struct life *l, const char *ref, struct life_attach **ret_attach, struct err *e);

int life_attach(
	const struct life *l, const char *ref, struct life_attach **ret_attach, struct err *e);

/*
 * Copies between our stdio and the container until it ends, the detach keys are typed or stdin
 * and the container are done. Raw mode, window size and signal forwarding (sig_proxy) are in
 * here and always undone. streams: which of ours are connected; the others' output is dropped.
 * ret_code: exit code; LIFE_DETACHED when detached.
 */
#define LIFE_DETACHED 2
enum { LIFE_STDIN = 1, LIFE_STDOUT = 2, LIFE_STDERR = 4, LIFE_STREAMS = 7 };
int life_attach_run(struct life_attach *at, bool sig_proxy, const char *detach_keys,
	unsigned streams, int *ret_code, struct err *e);
void life_attach_free(struct life_attach *at);

struct life_exec {
	const char *const *args; /* NULL-terminated */
	const char *const *env;	 /* added to the container's; may be NULL */
	const char *user, *workdir;
	bool interactive, tty, detach, privileged;
	const char *detach_keys; /* NULL: the container's */
};
int life_exec(const struct life *l, const char *ref, const struct life_exec *x, int *ret_code,
	struct err *e);

struct life_port {
	const char *host_ip;
	unsigned host, container;
	const char *protocol;
};

/* A container's end of a network, or of a network what a container has there. */
struct life_link {
	const char *id, *name, *interface, *ip, *ip6, *mac, *gateway; /* NULL: none */
	unsigned bits;						      /* of ip's subnet */
	struct spec_strings aliases;
};

/*
 * Asks the clade-init that is the container's PID 1 (words: NULL-terminated, as of `clade-init
 * ctl`). What it answers is shown as it comes, stream 1 or 2; ret_code: its exit code.
 */
int life_services(const struct life *l, const char *ref, const char *const *words,
	void (*show)(int stream, const char *text, size_t n), int *ret_code, struct err *e);

/* What is known of one container; strings in the arena of the call. */
struct life_info {
	const char *id, *name, *image, *command; /* command: joined with spaces */
	const char *image_id;			 /* sha256:...; NULL: not from the store */
	enum life_status status;
	int64_t created_ns, started_ns, finished_ns; /* 0: not yet */
	pid_t pid;				     /* host PID of the init; 0 when not running */
	pid_t keep_pid;
	int exit_code;
	int exit_signal;       /* 0: none */
	bool oom_killed, lost; /* lost: its minder was killed; how it ended is not known */
	const char *error;     /* why it could not be started; NULL */
	int restart_count;
	enum restart_policy restart;
	int restart_max;
	int64_t n_entrypoint; /* of the program's words (behind those of --init) */
	bool auto_remove, tty, interactive, use_init;
	const char *stop_signal;
	int64_t stop_timeout_ms;
	struct spec_pairs labels;
	const char *network_mode, *ports_text; /* "0.0.0.0:8080->80/tcp, ..." */
	struct life_port *ports;	       /* published; while it runs */
	size_t n_ports;
	struct life_link *links; /* the networks it is on; while it runs */
	size_t n_links;
	const char *bundle, *log_path, *cgroup_path, *rootfs;
	/* "starting", "healthy", "unhealthy"; NULL: no check. docker's JSON of both, or NULL */
	const char *health_status, *health, *healthcheck;
	const char *config;  /* life_inspect() only: the configuration's text */
	const char *volumes; /* names, with a space between; NULL: none */
	/* life_add_sizes() only: what it has changed; that and its image; how many volumes it has
	 */
	int64_t own_bytes, all_bytes;
	size_t n_volumes;
};

int life_inspect(const struct life *l, const char *ref, struct arena *a, struct life_info *ret,
	struct err *e);

/* All containers, newest first. One that cannot be read is listed with its error. */
int life_list(const struct life *l, bool all, struct arena *a, struct life_info **ret,
	size_t *ret_n, struct err *e);

/* Blocks until the container is not running. */
int life_wait(const struct life *l, const char *ref, int *ret_code, struct err *e);

/* timeout_ms < 0: the container's own. Already stopped is success. */
int life_stop(const struct life *l, const char *ref, int64_t timeout_ms, const char *signal_name,
	struct err *e);
int life_kill(const struct life *l, const char *ref, int signo, struct err *e);
int life_restart(const struct life *l, const char *ref, int64_t timeout_ms, struct err *e);
int life_pause(const struct life *l, const char *ref, struct err *e);
int life_unpause(const struct life *l, const char *ref, struct err *e);

/* force: a running one is killed first. Two at once: one removes, the other says no such container.
 */
int life_remove(const struct life *l, const char *ref, bool force, struct err *e);
/* volumes: the anonymous ones go with it. */
int life_remove_volumes(
	const struct life *l, const char *ref, bool force, bool volumes, struct err *e);
int life_rename(const struct life *l, const char *ref, const char *name, struct err *e);

/* Networks with a bridge, which are root's. name is a name or the beginning of an ID. */
struct life_subnet {
	const char *subnet, *gateway, *first, *last; /* first and last: NULL, all of it */
};
struct life_net {
	const char *name, *id, *driver, *interface, *created;
	struct life_subnet *subnets;
	size_t n_subnets;
	bool internal, ipv6, dns;
	struct spec_pairs labels;
	struct life_link *containers; /* life_network_inspect() only: those that run */
	size_t n_containers;
};
struct life_network_create {
	const char *name, *driver;
	struct opt_list subnets, gateways, ranges, labels;
	bool internal, ipv6, disable_dns;
};
struct life_connect {
	const char *ip, *ip6, *mac;
	struct opt_list aliases;
};
int life_network_create(const struct life *l, const struct life_network_create *c, struct arena *a,
	const char **ret_id, struct err *e);
int life_network_list(
	const struct life *l, struct arena *a, struct life_net **ret, size_t *ret_n, struct err *e);
int life_network_inspect(const struct life *l, const char *name, struct arena *a,
	struct life_net *ret, struct err *e);
int life_network_remove(const struct life *l, const char *name, struct err *e);
/* Those that no container has; ret: their names. */
int life_network_prune(
	const struct life *l, struct arena *a, const char ***ret, size_t *ret_n, struct err *e);
int life_network_connect(const struct life *l, const char *network, const char *ref,
	const struct life_connect *how, struct err *e);
int life_network_disconnect(
	const struct life *l, const char *network, const char *ref, bool force, struct err *e);

struct life_logs {
	bool follow, timestamps;
	int64_t tail;		    /* -1: all */
	int64_t since_ns, until_ns; /* 0: none */
	/* Called for each line; stream 1 or 2; the text is lent, not terminated, with its newline.
	 */
	void (*line)(void *data, int stream, const char *time, const char *text, size_t n);
	void *data;
};
int life_logs(const struct life *l, const char *ref, const struct life_logs *how, struct err *e);

struct life_update {
	const struct spec_resources *resources;
	bool set_restart;
	enum restart_policy restart;
	int restart_max;
};
int life_update(const struct life *l, const char *ref, const struct life_update *u, struct err *e);

/* One reading of a container's cgroup; a counter the cgroup does not have is -1. */
struct life_stats {
	int64_t cpu_ns, memory_bytes, memory_limit, pids, pids_limit, read_bytes, write_bytes;
	int64_t received_bytes, sent_bytes; /* on all interfaces but the loopback */
	int64_t memory_total;		    /* the machine's */
	int64_t when_ns;		    /* of the reading, on a clock that only goes on */
};
/* Waits; for what is shown again and again. */
void life_pause_ms(int ms);

int life_stats(const struct life *l, const char *ref, struct life_stats *ret, struct err *e);

/*
 * For clade-keep, which runs this program again: births the container as a child of the caller's
 * parent; clears away what an ended one left, which whoever ran it in the foreground does itself.
 */
int life_keep_start(const struct life *l, const char *id, struct err *e);
int life_keep_ended(const struct life *l, const char *id, struct err *e);
/* Checks its health until it ends. */
int life_keep_health(const struct life *l, const char *id, struct err *e);
