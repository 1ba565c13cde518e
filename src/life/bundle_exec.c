/* SPDX-License-Identifier: Apache-2.0 */
/* exec: a further process in a bundle's container; our stdio becomes its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "birth/birth.h"
#include "life/bundle_internal.h"
#include "os/file.h"
#include "os/cgroup.h"
#include "spec/docker.h"

/* "1000", "1000:1000": numbers, never names of the image (CVE-2016-3697). */
static int read_user(const char *text, struct spec_user *u, struct err *e)
{
	const char *colon = strchr(text, ':');
	char first[16];
	uint64_t uid, gid = 0;
	size_t n = colon ? (size_t)(colon - text) : strlen(text);

	if (n < sizeof(first)) {
		memcpy(first, text, n);
		first[n] = '\0';
		if (str_u64(first, &uid) == 0 && uid < UINT32_MAX &&
			(!colon || (str_u64(colon + 1, &gid) == 0 && gid < UINT32_MAX))) {
			u->uid = (uint32_t)uid;
			if (colon)
				u->gid = (uint32_t)gid;
			return 0;
		}
	}
	return err_say(e, "--user %s: UID[:GID] as numbers are wanted", text);
}

static void add(struct arena *a, struct spec_strings *list, const char *word)
{
	const char **item = arena_grow(a, &list->items, &list->n, sizeof(*item));

	*item = word;
}

/* As in a configuration: one that this program does not know is a warning. */
static void add_caps(const struct bundle_exec *x, struct spec_caps *c)
{
	static const char *all[] = { "ALL" };
	static const char *const nothing[] = { "true", NULL };
	uint64_t bits = 0;

	for (size_t i = 0; i < x->n_caps; i++) {
		const char *one = x->caps[i];
		struct docker_run run = { .cap_add = { &one, 1 },
			.cap_drop = { all, 1 },
			.args = nothing,
			.n_args = 1,
			.in_userns = true };
		struct docker_rest rest;
		struct spec s;
		struct err e;

		if (docker_spec(&run, &s, &rest, &e) < 0)
			log_warn("%s", e.msg);
		else
			bits |= s.process.capabilities.bounding;
		spec_done(&s);
	}
	c->set |= x->n_caps > 0;
	c->bounding |= bits;
	c->permitted |= bits;
	c->effective |= bits;
}

static int from_flags(const struct bundle_exec *x, const struct spec *spec, struct arena *a,
	struct spec_process *ret, struct err *e)
{
	struct spec_process p = spec->process;
	struct spec_strings env = { 0 };

	p.args = (struct spec_strings){ 0 };
	for (size_t i = 0; x->args && x->args[i]; i++)
		add(a, &p.args, x->args[i]);
	if (!p.args.n)
		return err_say(e, "exec: there is no command to run");
	add(a, &p.args, NULL);
	p.args.n--;
	for (size_t i = 0; i < spec->process.env.n; i++)
		add(a, &env, spec->process.env.items[i]);
	for (size_t i = 0; i < x->n_env; i++) {
		size_t at, name = strcspn(x->env[i], "=") + 1;

		if (name == 1 || !x->env[i][name - 1])
			return err_say(e, "--env %s: NAME=VALUE is wanted", x->env[i]);
		for (at = 0; at < env.n; at++)
			if (strncmp(env.items[at], x->env[i], name) == 0)
				break;
		if (at < env.n)
			env.items[at] = x->env[i];
		else
			add(a, &env, x->env[i]);
	}
	add(a, &env, NULL);
	env.n--;
	p.env = env;
	p.terminal = x->tty;
	p.oom_score_adj.set = false;
	if (x->cwd)
		p.cwd = x->cwd;
	if (x->no_new_privs)
		p.no_new_privileges = true;
	if (x->apparmor)
		p.apparmor_profile = x->apparmor;
	if (x->label)
		p.selinux_label = x->label;
	if (x->user && read_user(x->user, &p.user, e) < 0)
		return -e->code;
	if (x->n_groups) {
		p.user.additional_gids = x->groups;
		p.user.n_additional_gids = x->n_groups;
	}
	add_caps(x, &p.capabilities);
	*ret = p;
	return 0;
}

/* What a process.json does not say is as the container has it. */
static void inherit(const struct spec_process *of, struct spec_process *p)
{
	if (!p->capabilities.set)
		p->capabilities = of->capabilities;
	if (!p->apparmor_profile)
		p->apparmor_profile = of->apparmor_profile;
	if (!p->selinux_label)
		p->selinux_label = of->selinux_label;
	if (!p->n_rlimits) {
		p->rlimits = of->rlimits;
		p->n_rlimits = of->n_rlimits;
	}
	if (!p->scheduler.set)
		p->scheduler = of->scheduler;
	if (!p->io_priority.set)
		p->io_priority = of->io_priority;
	if (!p->exec_cpu_affinity.initial && !p->exec_cpu_affinity.final)
		p->exec_cpu_affinity = of->exec_cpu_affinity;
}

static int make_process(const struct bundle_exec *x, const struct spec *spec, struct arena *a,
	struct spec_process *ret, struct err *e)
{
	char *text;
	size_t n;

	if (!x->process_file)
		return from_flags(x, spec, a, ret, e);
	if (bundle_read(x->process_file, a, &text, &n, e) < 0 ||
		spec_parse_process(text, n, a, ret, e) < 0)
		return -e->code;
	ret->terminal |= x->tty;
	inherit(&spec->process, ret);
	return 0;
}

/* Where somebody waits for the terminal and for the pidfd, or FD_NONE */
struct waiting {
	int console, pidfd;
};

static int tell(const struct bundle_exec *x, const struct waiting *w,
	const struct birth_result *born, struct err *e)
{
	if (born->tty_master >= 0 && w->console >= 0 &&
		bundle_send_fd(w->console, x->console_socket, "terminal", born->tty_master, e) < 0)
		return -e->code;
	if (w->pidfd >= 0 &&
		bundle_send_fd(w->pidfd, x->pidfd_socket, "pidfd", born->init.pidfd, e) < 0)
		return -e->code;
	return x->pid_file ? bundle_write_pid(x->pid_file, born->init.pid, e) : 0;
}

static int own_namespaces(const struct spec *s)
{
	int flags = 0;

	for (size_t i = 0; i < s->linux_.n_namespaces; i++)
		flags |= (int)s->linux_.namespaces[i].flag;
	return flags;
}

/* One --cgroup word applied: to the folder of each hierarchy that it names, without a name to all.
 */
static int enter_below(const struct bundles *b, struct kept *k, const char *word, struct err *e)
{
	const char *colon = strchr(word, ':'), *path = colon ? colon + 1 : word;
	bool found = false;

	if (strstr(path, "..") || strchr(path, ':'))
		return err_say(e, "invalid --cgroup argument: %s", word);
	for (size_t i = 0; k->folders[i]; i++) {
		const char *controllers = i < b->host.n_v1 ? b->host.v1[i].controllers : "";
		const char *one =
			arena_strndup(&k->arena, word, colon ? (size_t)(colon - word) : 0);

		if (colon && !cgroup_names_controller(controllers, one))
			continue;
		k->folders[i] = arena_printf(&k->arena, "%s/%s", k->folders[i], path);
		if (access(k->folders[i], F_OK) < 0)
			return err_set(e, errno, "--cgroup %s: %s", word, k->folders[i]);
		found = true;
	}
	return found ? 0 : err_say(e, "--cgroup %s: the container has no such cgroup", word);
}

static int choose_cgroups(
	const struct bundles *b, const struct bundle_exec *x, struct kept *k, struct err *e)
{
	for (size_t i = 0; i < x->n_cgroups; i++) {
		if (x->n_cgroups > 1 && !strchr(x->cgroups[i], ':'))
			return err_say(e,
				"invalid --cgroup argument: %s (missing <controller>: prefix)",
				x->cgroups[i]);
		if (enter_below(b, k, x->cgroups[i], e) < 0)
			return -e->code;
	}
	return 0;
}

static int check_console(const struct bundle_exec *x, bool terminal, struct err *e)
{
	if (terminal && x->detach && !x->console_socket)
		return err_say(e, "cannot allocate tty if clade-oci will detach without setting "
				  "console socket (--console-socket)");
	if (x->console_socket && !(terminal && x->detach))
		return err_say(e, "cannot use console socket if clade-oci will not detach or "
				  "allocate tty");
	return 0;
}

/* The container's filter as create compiled it; NULL where none is kept. */
static const struct plan_seccomp *kept_filter(
	const struct kept *k, struct arena *a, struct plan_seccomp *ret)
{
	struct stat st;
	ssize_t n;

	if (k->filter_flags < 0 || fstatat(k->dir, "filter", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_size > (off_t)(BPF_MAXINSNS * sizeof(*ret->insns)))
		return NULL;
	ret->insns = arena_alloc(a, (size_t)st.st_size + 1);
	n = file_read(k->dir, "filter", (char *)ret->insns, (size_t)st.st_size + 1);
	if (n <= 0 || (size_t)n % sizeof(*ret->insns))
		return NULL;
	ret->set = true;
	ret->flags = (unsigned)k->filter_flags;
	ret->n_insns = (unsigned short)((size_t)n / sizeof(*ret->insns));
	return ret;
}

/* --cgroup names controllers, which only the machine knows. */
static int probe(struct bundles *b, const struct bundle_exec *x, const struct kept *k,
	const struct spec_process *process, struct err *e)
{
	unsigned wants = plan_wants_exec(process);

	if (x->n_cgroups || k->n_v1 < 0)
		return bundles_probe(b, wants, e);
	bundles_probe_process(b, wants);
	return 0;
}

int bundle_exec(struct bundles *b, const struct bundle_exec *x, int *ret_code, struct err *e)
{
	autoarena arena = { 0 };
	autokept k = KEPT_NONE;
	struct spec spec = { 0 };
	struct spec_process process = { 0 };
	struct plan plan = { 0 };
	struct plan_request req = { .spec = &spec,
		.host = &b->host,
		.id = x->id,
		.has_console = x->console_socket || !x->detach,
		.preserve_fds = x->preserve_fds };
	struct plan_seccomp filter = { 0 };
	struct waiting waiting = { FD_NONE, FD_NONE };
	struct birth_result born = { .init = PROC_REF_NONE, .tty_master = FD_NONE };
	struct join_request join = { .stdio = { FD_NONE, FD_NONE, FD_NONE }, .new_session = true };
	int r;

	*ret_code = 0;
	if (kept_open(b, x->id, &k, e) < 0)
		return -e->code;
	if (k.init.pidfd < 0)
		return err_say(e, "cannot exec in a stopped container");
	if (!x->ignore_paused && kept_status(&k) == BUNDLE_PAUSED)
		return err_say(
			e, "cannot exec in a paused container (use --ignore-paused to override)");
	r = kept_exec_spec(b, &k, &spec, e);
	if (r == 0)
		r = make_process(x, &spec, &arena, &process, e);
	if (r == 0 && x->listen.n)
		process.env = bundle_env(&process.env, &x->listen, &arena);
	if (r == 0)
		r = check_console(x, process.terminal, e);
	if (r == 0)
		r = probe(b, x, &k, &process, e);
	if (r == 0)
		r = choose_cgroups(b, x, &k, e);
	req.bundle = k.bundle;
	req.joins_v1 = k.n_v1 < 0 ? b->host.n_v1 > 0 : k.n_v1 > 0;
	req.filter = kept_filter(&k, &arena, &filter);
	if (r == 0)
		r = plan_make_exec(&req, &process, &plan, e);
	if (r == 0)
		r = bundle_connect(x->console_socket, &waiting.console, e);
	if (r == 0)
		r = bundle_connect(x->pidfd_socket, &waiting.pidfd, e);
	if (r == 0) {
		join.plan = &plan;
		join.plain_output = !x->detach && !x->console_socket;
		join.init = &k.init;
		join.cgroup_paths = k.folders;
		join.namespaces = own_namespaces(&spec);
		/* it was asked above, of the container as a whole */
		join.ignore_paused = x->ignore_paused || !x->n_cgroups;
		r = birth_join(&join, &born, e);
		r = r ? -(e->code ? e->code : EIO) : 0;
	}
	if (r == 0) {
		r = tell(x, &waiting, &born, e);
		/* nobody knows of it */
		if (r < 0)
			proc_ref_signal(&born.init, SIGKILL);
	}
	if (r == 0 && !x->detach)
		r = bundle_accompany(
			&born.init, x->console_socket ? FD_NONE : born.tty_master, ret_code, e);
	proc_ref_done(&born.init);
	fd_close(&born.tty_master);
	fd_close(&waiting.console);
	fd_close(&waiting.pidfd);
	plan_done(&plan);
	spec_done(&spec);
	return r;
}
