/* SPDX-License-Identifier: Apache-2.0 */
/* run and create: docker's flags as a table, then one call of life/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"

struct run_opts {
	struct docker_run run;
	struct life_create create;
	bool detach, dry_run, sig_proxy, quiet;
	unsigned streams; /* --attach; 0: not given */
	const char *restart, *pull, *userns;
	struct opt_list label_files;
};

static int parse_entrypoint(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	(void)e;
	to->run.has_entrypoint = true;
	to->run.entrypoint = value;
	return 0;
}

static int parse_swap(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	if (str_eq(value, "-1"))
		to->run.memory_swap = -1;
	else if (str_bytes(value, &to->run.memory_swap) < 0)
		return err_say(e, "--memory-swap %s: a size or -1 is wanted", value);
	return 0;
}

static int parse_pids(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	if (str_i64(value, &to->run.pids_limit) < 0 || to->run.pids_limit < -1)
		return err_say(e, "--pids-limit %s: a number, or -1 for none, is wanted", value);
	return 0;
}

static int parse_quota(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	if (str_i64(value, &to->run.cpu_quota) < 0)
		return err_say(e, "--cpu-quota %s: microseconds are wanted", value);
	return 0;
}

static int parse_tls(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	return cli_bool("--tls-verify", value, &to->create.tls_verify, e);
}

static int parse_attach(void *opts, const struct opt *o, const char *value, struct err *e)
{
	struct run_opts *to = opts;

	(void)o;
	if (strcasecmp(value, "stdin") == 0)
		to->streams |= LIFE_STDIN;
	else if (strcasecmp(value, "stdout") == 0)
		to->streams |= LIFE_STDOUT;
	else if (strcasecmp(value, "stderr") == 0)
		to->streams |= LIFE_STDERR;
	else
		return err_say(e, "--attach %s: stdin, stdout or stderr is wanted", value);
	return 0;
}

/* Refused by its name, with what does its work. */
static int parse_link(void *opts, const struct opt *o, const char *value, struct err *e)
{
	(void)opts;
	(void)o;
	return err_say(e,
		"--link %s: containers on one network (clade network create) know each other by "
		"name and --network-alias",
		value);
}

static int parse_pull(const char *word, enum pull_policy *ret, struct err *e)
{
	if (str_eq(word, "missing"))
		*ret = PULL_MISSING;
	else if (str_eq(word, "always"))
		*ret = PULL_ALWAYS;
	else if (str_eq(word, "never"))
		*ret = PULL_NEVER;
	else
		return err_say(e, "--pull %s: always, missing or never is wanted", word);
	return 0;
}

/* Beside the program's own output. */
static void tell_pull(void *data, const char *text)
{
	(void)data;
	fprintf(stderr, "%s\n", text);
}

#define RUN(member)	offsetof(struct run_opts, run.member)
#define CREATE(member)	offsetof(struct run_opts, create.member)
#define NETWORK(member) offsetof(struct run_opts, create.network.member)
#define OWN(member)	offsetof(struct run_opts, member)

#define COMMON_OPTS                                                                                \
	{ "name", 0, OPT_STRING, CREATE(name), "NAME", "a name for the container" },               \
		{ "rm", 0, OPT_FLAG, CREATE(auto_remove), NULL,                                    \
			"remove the container when it ends" },                                     \
		{ "interactive", 'i', OPT_FLAG, CREATE(interactive), NULL,                         \
			"keep standard input open" },                                              \
		{ "tty", 't', OPT_FLAG, RUN(tty), NULL, "give it a terminal" },                    \
		{ "env", 'e', OPT_LIST, RUN(env), "NAME=VALUE", "set an environment variable" },   \
		{ "env-file", 0, OPT_LIST, RUN(env_files), "FILE", "set variables from a file" },  \
		{ "workdir", 'w', OPT_STRING, RUN(workdir), "DIR",                                 \
			"working folder in the container" },                                       \
		{ "user", 'u', OPT_STRING, CREATE(user), "USER[:GROUP]", "name or number" },       \
		{ "group-add", 0, OPT_LIST, RUN(groups), "GROUP", "a further group" },             \
		{ "volume", 'v', OPT_LIST, RUN(volumes), "[HOST|NAME:]CONTAINER[:ro]",             \
			"a path of the host, or a volume" },                                       \
		{ "mount", 0, OPT_LIST, RUN(mounts), "type=bind,...",                              \
			"bind, volume or tmpfs, docker's words" },                                 \
		{ "volumes-from", 0, OPT_LIST, CREATE(volumes_from), "CONTAINER[:ro]",             \
			"what another container has mounted" },                                    \
		{ "tmpfs", 0, OPT_LIST, RUN(tmpfs), "DIR[:OPTIONS]", "a fresh tmpfs" },            \
		{ "shm-size", 0, OPT_BYTES, RUN(shm_size), "SIZE", "of /dev/shm (default 64m)" },  \
		{ "read-only", 0, OPT_FLAG, RUN(read_only), NULL, "root filesystem read-only" },   \
		{ "hostname", 'h', OPT_STRING, RUN(hostname), "NAME", "host name inside" },        \
		{ "domainname", 0, OPT_STRING, RUN(domainname), "NAME",                            \
			"NIS domain name inside" },                                                \
		{ "init", 0, OPT_FLAG, RUN(init), NULL,                                            \
			"clade-init as PID 1: reaps, forwards signals" },                          \
		{ "systemd", 0, OPT_STRING, RUN(systemd), "true|always|false",                     \
			"what systemd needs, if it is PID 1 (default true)" },                     \
		{ "reap", 0, OPT_STRING, RUN(reap), "kernel",                                      \
			"PID 1 ignores SIGCHLD: the kernel reaps" },                               \
		{ "pid", 0, OPT_STRING, RUN(pid), "private|host|container:NAME|ns:PATH",           \
			"PID namespace" },                                                         \
		{ "net", 0, OPT_LIST, NETWORK(nets),                                               \
			"private|none|host|container:NAME|ns:PATH|NETWORK", "network" },           \
		{ "network", 0, OPT_LIST, NETWORK(nets), "...", "the same as --net" },             \
		{ "network-alias", 0, OPT_LIST, NETWORK(aliases), "NAME",                          \
			"a further name in its network" },                                         \
		{ "net-alias", 0, OPT_LIST, NETWORK(aliases), "NAME", NULL },                      \
		{ "publish", 'p', OPT_LIST, NETWORK(publish), "[[IP:]HOST:]CONTAINER[/udp]",       \
			"a port, or a range of them, of the host leads into it" },                 \
		{ "publish-all", 'P', OPT_FLAG, NETWORK(publish_all), NULL,                        \
			"every exposed port, on any free port of the host" },                      \
		{ "expose", 0, OPT_LIST, NETWORK(expose), "PORT[/udp]", "a port for -P" },         \
		{ "ip", 0, OPT_STRING, NETWORK(ip), "ADDRESS", "its address" },                    \
		{ "ip6", 0, OPT_STRING, NETWORK(ip6), "ADDRESS", "its IPv6 address" },             \
		{ "mac-address", 0, OPT_STRING, NETWORK(mac), "MAC", "of its interface" },         \
		{ "dns", 0, OPT_LIST, NETWORK(dns), "ADDRESS", "a name server" },                  \
		{ "dns-search", 0, OPT_LIST, NETWORK(dns_search), "DOMAIN",                        \
			"where short names are looked up; . for nowhere" },                        \
		{ "dns-option", 0, OPT_LIST, NETWORK(dns_options), "OPTION", "of resolv.conf" },   \
		{ "dns-opt", 0, OPT_LIST, NETWORK(dns_options), "OPTION", NULL },                  \
		{ "add-host", 0, OPT_LIST, NETWORK(add_hosts), "NAME:IP|NAME:host-gateway",        \
			"a line of /etc/hosts" },                                                  \
		{ "link", 0, OPT_CALL, 0, "CONTAINER", NULL, parse_link },                         \
		{ "ipc", 0, OPT_STRING, RUN(ipc), "private|host|container:NAME|ns:PATH",           \
			"IPC namespace" },                                                         \
		{ "uts", 0, OPT_STRING, RUN(uts), "private|host|container:NAME|ns:PATH",           \
			"UTS namespace" },                                                         \
		{ "cgroupns", 0, OPT_STRING, RUN(cgroupns), "private|host", "cgroup namespace" },  \
		{ "cap-add", 0, OPT_LIST, RUN(cap_add), "CAP", "add a capability, or ALL" },       \
		{ "cap-drop", 0, OPT_LIST, RUN(cap_drop), "CAP", "drop a capability, or ALL" },    \
		{ "security-opt", 0, OPT_LIST, RUN(security_opts), "OPTION",                       \
			"no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE, "           \
			"systempaths=unconfined" },                                                \
		{ "privileged", 0, OPT_FLAG, RUN(privileged), NULL,                                \
			"all capabilities, devices, paths" },                                      \
		{ "memory", 'm', OPT_BYTES, RUN(memory), "SIZE", "memory limit" },                 \
		{ "memory-reservation", 0, OPT_BYTES, RUN(memory_reservation), "SIZE",             \
			"soft memory limit" },                                                     \
		{ "memory-swap", 0, OPT_CALL, 0, "SIZE", "memory and swap together; -1: no limit", \
			parse_swap },                                                              \
		{ "oom-kill-disable", 0, OPT_FLAG, RUN(oom_kill_disable), NULL,                    \
			"cgroup v1: wait, not kill" },                                             \
		{ "oom-score-adj", 0, OPT_INT, RUN(oom_score_adj), "N", "-1000 to 1000" },         \
		{ "cpus", 0, OPT_STRING, RUN(cpus), "N", "how many CPUs at most (1.5)" },          \
		{ "cpu-shares", 'c', OPT_U64, RUN(cpu_shares), "N", "relative weight" },           \
		{ "cpu-period", 0, OPT_U64, RUN(cpu_period), "US", "CFS period" },                 \
		{ "cpu-quota", 0, OPT_CALL, 0, "US", "CFS quota", parse_quota },                   \
		{ "cpuset-cpus", 0, OPT_STRING, RUN(cpuset_cpus), "0-3,7", "which CPUs" },         \
		{ "cpuset-mems", 0, OPT_STRING, RUN(cpuset_mems), "0,1", "which memory nodes" },   \
		{ "pids-limit", 0, OPT_CALL, 0, "N", "how many processes at most", parse_pids },   \
		{ "ulimit", 0, OPT_LIST, RUN(ulimits), "NAME=SOFT[:HARD]", "a resource limit" },   \
		{ "device", 0, OPT_LIST, RUN(devices), "HOST[:CONTAINER[:rwm]]",                   \
			"a device of the host" },                                                  \
		{ "sysctl", 0, OPT_LIST, RUN(sysctls), "NAME=VALUE",                               \
			"a kernel setting of its own" },                                           \
		{ "restart", 0, OPT_STRING, OWN(restart), "POLICY",                                \
			"no, on-failure[:N], always, unless-stopped" },                            \
		{ "stop-signal", 0, OPT_STRING, CREATE(stop_signal), "SIGNAL",                     \
			"what stop sends (SIGTERM)" },                                             \
		{ "stop-timeout", 0, OPT_MS, CREATE(stop_timeout_ms), "SECONDS",                   \
			"until stop kills (10)" },                                                 \
		{ "entrypoint", 0, OPT_CALL, 0, "PROGRAM", "instead of the image's",               \
			parse_entrypoint },                                                        \
		{ "health-cmd", 0, OPT_STRING, CREATE(health.cmd), "COMMAND",                      \
			"run inside now and then; 0: it is healthy" },                             \
		{ "health-interval", 0, OPT_MS, CREATE(health.interval_ms), "DURATION",            \
			"between two checks (30s)" },                                              \
		{ "health-timeout", 0, OPT_MS, CREATE(health.timeout_ms), "DURATION",              \
			"of one check (30s)" },                                                    \
		{ "health-retries", 0, OPT_INT, CREATE(health.retries), "N",                       \
			"failures in a row that make it unhealthy (3)" },                          \
		{ "health-start-period", 0, OPT_MS, CREATE(health.start_period_ms), "DURATION",    \
			"in which failures do not count" },                                        \
		{ "health-start-interval", 0, OPT_MS, CREATE(health.start_interval_ms),            \
			"DURATION", "between two checks of the start period (5s)" },               \
		{ "no-healthcheck", 0, OPT_FLAG, CREATE(health.none), NULL,                        \
			"not the image's check either" },                                          \
		{ "label", 'l', OPT_LIST, CREATE(labels), "KEY=VALUE", "metadata" },               \
		{ "label-file", 0, OPT_LIST, OWN(label_files), "FILE", "labels from a file" },     \
		{ "annotation", 0, OPT_LIST, RUN(annotations), "NAME=VALUE",                       \
			"an annotation of the OCI configuration, for hooks" },                     \
		{ "userns", 0, OPT_STRING, OWN(userns), "host", "root's only: the host's" },       \
		{ "pull", 0, OPT_STRING, OWN(pull), "POLICY",                                      \
			"an image from a registry: missing (default), always, never" },            \
		{ "platform", 0, OPT_STRING, CREATE(platform), "OS/ARCH[/VARIANT]",                \
			"which of an image for several" },                                         \
		{ "authfile", 0, OPT_STRING, CREATE(authfile), "FILE", "logins for registries" },  \
		{ "tls-verify", 0, OPT_CALL, 0, "true|false",                                      \
			"a registry has to prove who it is (default true)", parse_tls, true },     \
		{ "quiet", 'q', OPT_FLAG, OWN(quiet), NULL, "say nothing of a pull" },             \
		{ "cidfile", 0, OPT_STRING, CREATE(cidfile), "FILE",                               \
			"write the ID to a new file" },                                            \
		{ "pidfile", 0, OPT_STRING, CREATE(pidfile), "FILE",                               \
			"write the PID of its init" },                                             \
		{ "cgroup-parent", 0, OPT_STRING, CREATE(cgroup_parent), "PATH",                   \
			"where its cgroup is made" },                                              \
	{                                                                                          \
		"detach-keys", 0, OPT_STRING, CREATE(detach_keys), "KEYS", "default ctrl-p,ctrl-q" \
	}

static const struct opt run_opts[] = {
	{ "detach", 'd', OPT_FLAG, OWN(detach), NULL, "run in the background, print the ID" },
	{ "attach", 'a', OPT_CALL, 0, "stdin|stdout|stderr", "only these streams (default: all)",
		parse_attach },
	{ "sig-proxy", 0, OPT_FLAG, OWN(sig_proxy), NULL, "pass signals on (default true)" },
	{ "dry-run", 0, OPT_FLAG, OWN(dry_run), NULL, "print what would be done, do nothing" },
	COMMON_OPTS,
	{ 0 },
};

static const struct opt create_opts[] = {
	COMMON_OPTS,
	{ 0 },
};

static void run_init(void *opts)
{
	((struct run_opts *)opts)->sig_proxy = true;
}

/* docker: an empty value is as good as none. */
static void drop_empty(const char **value)
{
	if (*value && !**value)
		*value = NULL;
}

/* Labels of files come first, so that --label wins. */
static int take_label_files(const struct cmd_call *call, struct run_opts *o, struct err *e)
{
	struct opt_list all = { 0 };

	for (size_t i = 0; i < o->label_files.n; i++)
		if (docker_lines("--label-file", o->label_files.items[i], call->arena, &all, e) < 0)
			return -e->code;
	for (size_t i = 0; i < o->create.labels.n; i++)
		*(const char **)arena_grow(call->arena, &all.items, &all.n, sizeof(*all.items)) =
			o->create.labels.items[i];
	o->create.labels = all;
	return 0;
}

/* The image and its command; `clade run` alone is a shell in the running system's files. */
static int take_operands(const struct cmd_call *call, struct run_opts *o, struct err *e)
{
	const char *shell = getenv("SHELL");
	const char **args = arena_array(call->arena, 2, sizeof(*args));

	o->create.run = &o->run;
	o->create.image = call->n_args ? call->args[0] : "host";
	o->run.args = call->n_args ? call->args + 1 : NULL;
	o->run.n_args = call->n_args ? call->n_args - 1 : 0;
	args[0] = str_eq(o->create.image, "host") && shell && shell[0] == '/' ? shell : "/bin/sh";
	o->run.image_args = (struct spec_strings){ args, 1 };
	if (!call->n_args && !o->detach && !o->dry_run && life_stdin_is_tty())
		o->run.tty = o->create.interactive = true;
	drop_empty(&o->run.hostname);
	drop_empty(&o->run.workdir);
	drop_empty(&o->create.name);
	drop_empty(&o->create.cidfile);
	drop_empty(&o->create.pidfile);
	drop_empty(&o->create.cgroup_parent);
	drop_empty(&o->create.platform);
	drop_empty(&o->userns);
	if (o->userns && !str_eq(o->userns, "host"))
		return err_say(e,
			"--userns %s: only host is known; a normal user's containers "
			"have a user namespace of their own",
			o->userns);
	if (take_label_files(call, o, e) < 0)
		return -e->code;
	if (o->pull && parse_pull(o->pull, &o->create.pull, e) < 0)
		return -e->code;
	if (!o->quiet)
		o->create.pull_line = tell_pull;
	if (o->restart &&
		life_restart_parse(o->restart, &o->create.restart, &o->create.restart_max, e) < 0)
		return -e->code;
	return 0;
}

static int check_userns(const struct run_opts *o, const struct life *l, struct err *e)
{
	return o->userns && l->host.euid != 0
		       ? err_say(e,
				 "--userns host: a normal user's container needs a user namespace "
				 "of its own")
		       : 0;
}

static int dry_run(const struct cmd_call *call, const struct life *life, const struct run_opts *o,
	struct err *e)
{
	const char *text;

	if (life_dry_run(life, &o->create, call->arena, &text, e) < 0)
		return -e->code;
	fputs(text, stdout);
	return 0;
}

/* What was made for a start that failed is taken back, if nobody wants to look at it. */
static int start_failed(
	const struct life *life, const struct run_opts *o, const char *id, int r, struct err *e)
{
	struct err other;

	if (o->create.auto_remove)
		life_remove(life, id, true, &other);
	if (r != LIFE_EXEC_FAILED)
		return -e->code;
	log_err(e);
	return e->code == ENOENT || e->code == ERR_ABSENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int in_foreground(const struct life *life, const struct run_opts *o, const char *id,
	struct life_attach *at, struct err *e)
{
	unsigned streams = o->streams ? o->streams : LIFE_STREAMS;
	struct err other;
	int code = 0, r;

	if (!o->create.interactive)
		streams &= ~(unsigned)LIFE_STDIN;
	r = life_attach_run(at, o->sig_proxy, o->create.detach_keys, streams, &code, e);
	life_attach_free(at);
	if (r == LIFE_DETACHED)
		return 0;
	if (r < 0) {
		/* nobody reads what it says: it would run on unseen */
		if (o->create.auto_remove)
			life_remove(life, id, true, &other);
		else
			life_stop(life, id, -1, NULL, &other);
		return -e->code;
	}
	if (life_keep_ended(life, id, &other) < 0)
		log_err(&other);
	return code;
}

static int run(const struct cmd_call *call, struct err *e)
{
	struct run_opts *o = call->opts;
	struct life_attach *at = NULL;
	autolife life = LIFE_NONE;
	const char *id;
	int r;

	if (take_operands(call, o, e) < 0 || cli_life(call, &life, e) < 0 ||
		check_userns(o, &life, e) < 0)
		return -e->code;
	if (o->dry_run)
		return dry_run(call, &life, o, e);
	if (o->detach && o->streams)
		return err_say(e, "--detach and --attach cannot be used together");
	if (!o->detach && o->run.tty && o->create.interactive && !life_stdin_is_tty())
		return err_say(e, "-t: the input device is not a terminal");
	if (life_create(&life, &o->create, call->arena, &id, e) < 0)
		return -e->code;
	r = life_start(&life, id, o->detach ? NULL : &at, e);
	if (r != 0)
		return start_failed(&life, o, id, r, e);
	if (at)
		return in_foreground(&life, o, id, at, e);
	puts(id);
	return 0;
}

static int create(const struct cmd_call *call, struct err *e)
{
	struct run_opts *o = call->opts;
	autolife life = LIFE_NONE;
	const char *id;

	if (take_operands(call, o, e) < 0 || cli_life(call, &life, e) < 0 ||
		check_userns(o, &life, e) < 0 ||
		life_create(&life, &o->create, call->arena, &id, e) < 0)
		return -e->code;
	puts(id);
	return 0;
}

const struct cmd cmd_run = {
	.name = "run",
	.group = CMD_RUNNING,
	.args = "IMAGE [COMMAND [ARG...]]",
	.brief = "make a container and run a program in it",
	.more = "IMAGE is the name of an image (nginx:1.16.1, pulled where it is missing), "
		"oci:PATH[:TAG],\n"
		"oci-archive:PATH, docker-archive:PATH, dir:PATH (a root filesystem), or `host` "
		"(the running\n"
		"system's own files below a layer that is thrown away). Without one: a shell in "
		"`host`.\n"
		"The exit code is the program's; 125: clade failed, 126: the program cannot be "
		"executed,\n"
		"127: it was not found, 128+n: it was killed by signal n.",
	.max_args = -1,
	.opts = run_opts,
	.opts_size = sizeof(struct run_opts),
	.init = run_init,
	.stops_at_word = true,
	.enters = true,
	.run = run,
};

const struct cmd cmd_create = {
	.name = "create",
	.group = CMD_RUNNING,
	.args = "IMAGE [COMMAND [ARG...]]",
	.brief = "make a container without starting it",
	.min_args = 1,
	.max_args = -1,
	.opts = create_opts,
	.opts_size = sizeof(struct run_opts),
	.init = run_init,
	.stops_at_word = true,
	.run = create,
};
