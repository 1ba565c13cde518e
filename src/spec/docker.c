/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/docker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/str.h"
#include "spec/fields.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

enum { CPU_PERIOD_US = 100000 };

static const int default_caps[] = { 0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31 };

static const char *const masked[] = { "/proc/acpi", "/proc/asound", "/proc/interrupts",
	"/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
	"/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap", NULL };
static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
	"/proc/sysrq-trigger", NULL };

struct build {
	const struct docker_run *run;
	struct spec *spec;
	struct docker_rest *rest;
	struct arena *a;
	/* --security-opt */
	bool no_new_privileges, unconfined_seccomp, unconfined_paths;
	const char *seccomp_file, *apparmor, *label;
};

static void add_string(struct arena *a, struct spec_strings *list, const char *s)
{
	const char **item = arena_grow(a, &list->items, &list->n, sizeof(*item));

	*item = s;
}

/* The list's end for exec(2): one NULL that does not count. */
static void end_strings(struct arena *a, struct spec_strings *list)
{
	add_string(a, list, NULL);
	list->n--;
}

uint64_t docker_default_caps(void)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < ARRAY_LEN(default_caps); i++)
		caps |= UINT64_C(1) << default_caps[i];
	return caps;
}

static uint64_t known_caps(void)
{
	uint64_t caps = 0;

	for (const struct word *w = capability_words; w->word; w++)
		caps |= UINT64_C(1) << w->value;
	return caps;
}

/* Without those that the host has not got itself: nobody could be given them. */
static uint64_t all_caps(const struct docker_run *run)
{
	return run->caps ? run->caps & known_caps() : known_caps();
}

/* "net_admin", "CAP_NET_ADMIN", "ALL" */
static int read_cap(const struct docker_run *run, const char *flag, const char *word, uint64_t *ret,
	struct err *e)
{
	char name[64];
	int64_t value;

	if (strcasecmp(word, "all") == 0) {
		*ret = all_caps(run);
		return 0;
	}
	snprintf(name, sizeof(name), "%s%s", strncasecmp(word, "cap_", 4) == 0 ? "" : "CAP_", word);
	for (char *s = name; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
	value = word_value(capability_words, name);
	if (value < 0)
		return err_say(e, "%s %s: no such capability", flag, word);
	*ret = UINT64_C(1) << value;
	return 0;
}

/* docker's order: ALL first, then what is dropped, then what is added by name. */
static int caps(struct build *b, struct err *e)
{
	const struct docker_run *run = b->run;
	struct spec_caps *c = &b->spec->process.capabilities;
	uint64_t set = run->privileged ? all_caps(run) : docker_default_caps(), added = 0, bits;

	for (size_t i = 0; i < run->cap_add.n; i++) {
		if (read_cap(run, "--cap-add", run->cap_add.items[i], &bits, e) < 0)
			return -e->code;
		if (bits == all_caps(run))
			set = bits;
		else
			added |= bits;
	}
	for (size_t i = 0; i < run->cap_drop.n; i++) {
		if (read_cap(run, "--cap-drop", run->cap_drop.items[i], &bits, e) < 0)
			return -e->code;
		set &= ~bits;
	}
	set |= added;
	*c = (struct spec_caps){ .set = true, .bounding = set, .effective = set, .permitted = set };
	return 0;
}

static const char *env_value(
	const struct spec_strings *env, const char *name, size_t n, size_t *ret_i)
{
	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->items[i], name, n) == 0 && env->items[i][n] == '=') {
			*ret_i = i;
			return env->items[i];
		}
	}
	return NULL;
}

/* NAME=VALUE; NAME alone takes the caller's, if there is one. A later one replaces an earlier. */
static void add_env(struct build *b, const char *text)
{
	struct spec_strings *env = &b->spec->process.env;
	const char *equals = strchr(text, '=');
	size_t n = equals ? (size_t)(equals - text) : strlen(text), at;

	if (!equals) {
		const char *value = getenv(text);

		if (!value)
			return;
		text = arena_printf(b->a, "%s=%s", text, value);
	}
	if (env_value(env, text, n, &at))
		env->items[at] = text;
	else
		add_string(b->a, env, text);
}

int docker_lines(
	const char *flag, const char *path, struct arena *a, struct opt_list *ret, struct err *e)
{
	char *text, *line;
	size_t n, number = 0;

	if (spec_read_file(path, a, &text, &n, e) < 0)
		return err_wrap(e, "%s", flag);
	if (strlen(text) != n)
		return err_say(e, "%s %s: has a NUL byte", flag, path);
	while ((line = strsep(&text, "\n"))) {
		size_t len;

		number++;
		line += strspn(line, " \t");
		len = strlen(line);
		if (len && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (!*line || *line == '#')
			continue;
		if (line[0] == '=' || strcspn(line, " \t") < strcspn(line, "="))
			return err_say(e, "%s %s: line %zu has no usable name", flag, path, number);
		*(const char **)arena_grow(a, &ret->items, &ret->n, sizeof(*ret->items)) = line;
	}
	return 0;
}

static int env_file(struct build *b, const char *path, struct err *e)
{
	struct opt_list lines = { 0 };

	if (docker_lines("--env-file", path, b->a, &lines, e) < 0)
		return -e->code;
	for (size_t i = 0; i < lines.n; i++)
		add_env(b, lines.items[i]);
	return 0;
}

/* --annotation NAME=VALUE, for the runtime's hooks; clade's own are not for the taking. */
static int annotations(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->run->annotations.n; i++) {
		const char *text = b->run->annotations.items[i], *equals = strchr(text, '=');
		struct spec_pairs *all = &b->spec->annotations;
		struct spec_pair *pair = NULL;
		const char *key;

		if (!equals || equals == text)
			return err_say(e, "--annotation \"%s\": NAME=VALUE is wanted", text);
		if (str_starts(text, "clade."))
			return err_say(e,
				"--annotation %s: names that begin with clade. are its own", text);
		key = arena_strndup(b->a, text, (size_t)(equals - text));
		for (size_t j = 0; j < all->n; j++)
			if (str_eq(all->items[j].key, key))
				pair = &all->items[j];
		if (!pair)
			pair = arena_grow(b->a, &all->items, &all->n, sizeof(*pair));
		*pair = (struct spec_pair){ key, equals + 1 };
	}
	return 0;
}

static int environment(struct build *b, struct err *e)
{
	const struct docker_run *run = b->run;

	add_string(b->a, &b->spec->process.env,
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (run->tty)
		add_string(b->a, &b->spec->process.env, "TERM=xterm");
	if (b->rest->systemd)
		add_string(b->a, &b->spec->process.env, "container=oci");
	for (size_t i = 0; i < run->image_env.n; i++)
		if (strchr(run->image_env.items[i], '=') > run->image_env.items[i])
			add_env(b, run->image_env.items[i]);
	for (size_t i = 0; i < run->env_files.n; i++)
		if (env_file(b, run->env_files.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < run->env.n; i++) {
		if (!run->env.items[i][0] || run->env.items[i][0] == '=')
			return err_say(
				e, "-e \"%s\": there is no name before the =", run->env.items[i]);
		add_env(b, run->env.items[i]);
	}
	end_strings(b->a, &b->spec->process.env);
	return 0;
}

static void arguments(struct build *b)
{
	const struct docker_run *run = b->run;
	struct spec_strings *args = &b->spec->process.args;

	if (run->init) {
		add_string(b->a, args, "/dev/init");
		add_string(b->a, args, "--");
	}
	b->rest->n_entrypoint = args->n;
	if (run->has_entrypoint && run->entrypoint[0])
		add_string(b->a, args, run->entrypoint);
	for (size_t i = 0; !run->has_entrypoint && i < run->image_entrypoint.n; i++)
		add_string(b->a, args, run->image_entrypoint.items[i]);
	b->rest->n_entrypoint = args->n - b->rest->n_entrypoint;
	for (int i = 0; i < run->n_args; i++)
		add_string(b->a, args, run->args[i]);
	if (!run->n_args && !run->has_entrypoint)
		for (size_t i = 0; i < run->image_args.n; i++)
			add_string(b->a, args, run->image_args.items[i]);
	end_strings(b->a, args);
}

int docker_ulimit(const char *text, struct spec_rlimit *ret, struct err *e)
{
	const char *equals = strchr(text, '=');
	char name[64] = "", soft[32], *colon;
	int64_t resource, value[2];

	if (equals && equals - text < 40)
		snprintf(name, sizeof(name), "RLIMIT_%.*s", (int)(equals - text), text);
	for (char *s = name; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
	resource = name[0] ? word_value(rlimit_words, name) : -1;
	if (resource < 0)
		return err_say(
			e, "--ulimit %s: name=soft[:hard] is wanted, with a limit's name", text);
	if (strlen(equals + 1) >= sizeof(soft))
		return err_say(e, "--ulimit %s: no number", text);
	strcpy(soft, equals + 1);
	colon = strchr(soft, ':');
	if (colon)
		*colon++ = '\0';
	if (str_i64(soft, &value[0]) < 0 || str_i64(colon ? colon : soft, &value[1]) < 0 ||
		value[0] < -1 || value[1] < -1)
		return err_say(e, "--ulimit %s: no number", text);
	*ret = (struct spec_rlimit){ (int)resource, (uint64_t)value[0], (uint64_t)value[1] };
	if (ret->soft > ret->hard)
		return err_say(e, "--ulimit %s: the soft limit is above the hard one", text);
	return 0;
}

static int ulimits(struct build *b, struct err *e)
{
	struct spec_process *p = &b->spec->process;

	for (size_t i = 0; i < b->run->ulimits.n; i++) {
		struct spec_rlimit limit, *place = NULL;

		if (docker_ulimit(b->run->ulimits.items[i], &limit, e) < 0)
			return -e->code;
		for (size_t j = 0; j < p->n_rlimits; j++)
			if (p->rlimits[j].resource == limit.resource)
				place = &p->rlimits[j];
		if (!place)
			place = arena_grow(b->a, &p->rlimits, &p->n_rlimits, sizeof(*place));
		*place = limit;
	}
	return 0;
}

/* "name=value" and the older "name:value" */
static const char *option_value(const char *text, const char *name)
{
	size_t n = strlen(name);

	return strncmp(text, name, n) == 0 && (text[n] == '=' || text[n] == ':') ? text + n + 1
										 : NULL;
}

static int security_opts(struct build *b, struct err *e)
{
	for (size_t i = 0; i < b->run->security_opts.n; i++) {
		const char *text = b->run->security_opts.items[i], *value;

		if (str_eq(text, "no-new-privileges")) {
			b->no_new_privileges = true;
		} else if ((value = option_value(text, "no-new-privileges"))) {
			b->no_new_privileges = str_eq(value, "true");
			if (!b->no_new_privileges && !str_eq(value, "false"))
				return err_say(
					e, "--security-opt %s: true or false is wanted", text);
		} else if ((value = option_value(text, "seccomp"))) {
			b->unconfined_seccomp = str_eq(value, "unconfined");
			b->seccomp_file =
				b->unconfined_seccomp || str_eq(value, "builtin") ? NULL : value;
		} else if ((value = option_value(text, "apparmor"))) {
			b->apparmor = str_eq(value, "unconfined") ? NULL : value;
		} else if ((value = option_value(text, "systempaths")) &&
			   str_eq(value, "unconfined")) {
			b->unconfined_paths = true;
		} else if ((value = option_value(text, "label"))) {
			b->label = str_eq(value, "disable") ? NULL : value;
		} else {
			return err_say(e, "--security-opt %s is not known", text);
		}
	}
	if (b->label)
		return err_say(e, "--security-opt label=%s: only label=disable is known", b->label);
	b->spec->process.no_new_privileges = b->no_new_privileges;
	b->spec->process.apparmor_profile = b->apparmor;
	return 0;
}

static int seccomp(struct build *b, struct err *e)
{
	char *text;
	size_t n;

	if (b->seccomp_file) {
		if (spec_read_file(b->seccomp_file, b->a, &text, &n, e) < 0 ||
			spec_parse_seccomp(text, n, b->a, &b->spec->linux_.seccomp, e) < 0)
			return err_wrap(e, "--security-opt seccomp");
		return 0;
	}
	if (!b->unconfined_seccomp && !b->run->privileged)
		docker_seccomp(
			b->a, b->spec->process.capabilities.bounding, &b->spec->linux_.seccomp);
	return 0;
}

static void add_namespace(struct build *b, int flag, const char *path)
{
	struct spec_linux *l = &b->spec->linux_;
	struct spec_namespace *ns = arena_grow(b->a, &l->namespaces, &l->n_namespaces, sizeof(*ns));

	*ns = (struct spec_namespace){ .flag = flag, .path = path };
}

/* private, host, container:REF, ns:PATH; other words where the flag has some. */
static int one_namespace(struct build *b, const char *flag, const char *word, int type,
	const char *also_private, const char **ret_of, struct err *e)
{
	if (!word || !word[0] || str_eq(word, "private") ||
		(also_private && str_eq(word, also_private))) {
		add_namespace(b, type, NULL);
	} else if (str_starts(word, "ns:")) {
		if (word[3] != '/')
			return err_say(e, "%s %s: the path is not absolute", flag, word);
		add_namespace(b, type, word + 3);
	} else if (ret_of && str_starts(word, "container:") && word[10]) {
		*ret_of = word + 10; /* life/ adds it once the container is found */
	} else if (!str_eq(word, "host")) {
		return err_say(e, "%s %s: private, host%s or ns:PATH is wanted", flag, word,
			ret_of ? ", container:NAME" : "");
	}
	return 0;
}

static int namespaces(struct build *b, struct err *e)
{
	const struct docker_run *run = b->run;
	const char *net = run->net;

	/* no bridges of our own: "bridge", docker's default, is a private network with loopback up
	 */
	if (net && (str_eq(net, "bridge") || str_eq(net, "default") || str_eq(net, "none")))
		net = "private";
	if (run->rootless)
		add_namespace(b, CLONE_NEWUSER, NULL);
	add_namespace(b, CLONE_NEWNS, NULL);
	if (one_namespace(b, "--pid", run->pid, CLONE_NEWPID, NULL, &b->rest->pid_of, e) < 0 ||
		one_namespace(b, "--net", net, CLONE_NEWNET, NULL, &b->rest->net_of, e) < 0 ||
		one_namespace(
			b, "--ipc", run->ipc, CLONE_NEWIPC, "shareable", &b->rest->ipc_of, e) < 0 ||
		one_namespace(b, "--uts", run->uts, CLONE_NEWUTS, NULL, &b->rest->uts_of, e) < 0 ||
		one_namespace(b, "--cgroupns", run->cgroupns, CLONE_NEWCGROUP, NULL, NULL, e) < 0)
		return -e->code;
	if (run->hostname && (!run->hostname[0] || strlen(run->hostname) > 64))
		return err_say(e, "--hostname: 1 to 64 bytes are wanted");
	b->spec->hostname = run->hostname;
	b->spec->domainname = run->domainname;
	return 0;
}

static int read_cpus(const char *text, int64_t *ret_quota_us, struct err *e)
{
	char *end;
	double cpus = strtod(text, &end);

	if (end == text || *end || !(cpus > 0) || cpus > 65536)
		return err_say(e, "--cpus %s: a number above 0 is wanted", text);
	*ret_quota_us = (int64_t)(cpus * CPU_PERIOD_US + 0.5);
	if (*ret_quota_us < 1000)
		return err_say(e, "--cpus %s: the least is 0.01", text);
	return 0;
}

static int limits(struct build *b, struct err *e)
{
	const struct docker_run *run = b->run;
	struct spec_resources *r = &b->spec->linux_.resources;
	int64_t quota = 0;

	if (run->memory && run->memory < 6 << 20)
		return err_say(e, "--memory: the least is 6m");
	if (run->memory_swap && !run->memory)
		return err_say(e, "--memory-swap: --memory is wanted with it");
	if (run->memory_swap > 0 && run->memory_swap < run->memory)
		return err_say(e, "--memory-swap: is below --memory");
	if (run->cpus && (run->cpu_quota || run->cpu_period))
		return err_say(e, "--cpus: cannot be used with --cpu-quota or --cpu-period");
	if (run->cpus && read_cpus(run->cpus, &quota, e) < 0)
		return -e->code;
	if (run->memory)
		r->memory.limit = (struct maybe_i64)SOME(run->memory);
	if (run->memory_reservation)
		r->memory.reservation = (struct maybe_i64)SOME(run->memory_reservation);
	if (run->memory_swap)
		r->memory.swap = (struct maybe_i64)SOME(run->memory_swap);
	if (run->oom_kill_disable)
		r->memory.disable_oom_killer = (struct maybe_bool)SOME(true);
	if (run->cpu_shares)
		r->cpu.shares = (struct maybe_u64)SOME(run->cpu_shares);
	if (run->cpu_period || quota)
		r->cpu.period = (struct maybe_u64)SOME(quota ? CPU_PERIOD_US : run->cpu_period);
	if (run->cpu_quota || quota)
		r->cpu.quota = (struct maybe_i64)SOME(quota ? quota : run->cpu_quota);
	if (run->pids_limit)
		r->pids_limit = (struct maybe_i64)SOME(run->pids_limit < 0 ? -1 : run->pids_limit);
	r->cpu.cpus = run->cpuset_cpus;
	r->cpu.mems = run->cpuset_mems;
	if (run->oom_score_adj < -1000 || run->oom_score_adj > 1000)
		return err_say(e, "--oom-score-adj: -1000 to 1000 are wanted");
	if (run->oom_score_adj)
		b->spec->process.oom_score_adj = (struct maybe_i64)SOME(run->oom_score_adj);
	return 0;
}

static int sysctls(struct build *b, struct err *e)
{
	struct spec_pairs *pairs = &b->spec->linux_.sysctl;

	for (size_t i = 0; i < b->run->sysctls.n; i++) {
		const char *text = b->run->sysctls.items[i], *equals = strchr(text, '=');
		struct spec_pair *pair;

		if (!equals || equals == text)
			return err_say(e, "--sysctl %s: name=value is wanted", text);
		pair = arena_grow(b->a, &pairs->items, &pairs->n, sizeof(*pair));
		*pair = (struct spec_pair){ arena_strndup(b->a, text, (size_t)(equals - text)),
			equals + 1 };
	}
	return 0;
}

static int process(struct build *b, struct err *e)
{
	const struct docker_run *run = b->run;

	b->spec->has_process = true;
	b->spec->process.terminal = run->tty;
	b->spec->process.cwd = run->workdir ? run->workdir : "/";
	if (!run->workdir && run->image_workdir && run->image_workdir[0])
		b->spec->process.cwd = run->image_workdir[0] == '/'
					       ? run->image_workdir
					       : arena_printf(b->a, "/%s", run->image_workdir);
	if (b->spec->process.cwd[0] != '/')
		return err_say(e, "-w %s: the path is not absolute", run->workdir);
	arguments(b);
	if (!b->spec->process.args.n)
		return err_say(e, "there is no command to run");
	if (docker_systemd_wanted(run, b->spec->process.args.items[0], &b->rest->systemd, e) < 0 ||
		environment(b, e) < 0 || caps(b, e) < 0 || ulimits(b, e) < 0)
		return -e->code;
	if (run->reap && !str_eq(run->reap, "kernel"))
		return err_say(e, "--reap %s: only kernel is known", run->reap);
	if (run->reap) {
		struct spec_pair *pair = arena_grow(
			b->a, &b->spec->annotations.items, &b->spec->annotations.n, sizeof(*pair));

		*pair = (struct spec_pair){ "clade.reap", run->reap };
	}
	b->rest->groups = (struct spec_strings){ run->groups.items, run->groups.n };
	return 0;
}

static void paths(struct build *b)
{
	struct spec_linux *l = &b->spec->linux_;

	if (b->run->privileged || b->unconfined_paths)
		return;
	l->masked_paths = (struct spec_strings){ (const char **)masked, ARRAY_LEN(masked) - 1 };
	l->readonly_paths =
		(struct spec_strings){ (const char **)readonly, ARRAY_LEN(readonly) - 1 };
}

int docker_spec(
	const struct docker_run *run, struct spec *ret, struct docker_rest *rest, struct err *e)
{
	struct build b = { .run = run, .spec = ret, .rest = rest, .a = &ret->arena };

	*ret = (struct spec){ .oci_version = "1.2.0", .root_readonly = run->read_only };
	*rest = (struct docker_rest){ 0 };
	if (namespaces(&b, e) < 0 || process(&b, e) < 0 || security_opts(&b, e) < 0 ||
		annotations(&b, e) < 0 || seccomp(&b, e) < 0 ||
		docker_mounts(run, ret, rest, e) < 0 || docker_devices(run, ret, e) < 0 ||
		limits(&b, e) < 0 || sysctls(&b, e) < 0)
		return -e->code;
	paths(&b);
	return 0;
}
