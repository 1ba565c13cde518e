/* SPDX-License-Identifier: Apache-2.0 */
/* create and run: a bundle's birth, recorded before its init may go on. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "birth/birth.h"
#include "life/bundle_internal.h"
#include "life/internal.h"
#include "life/relay.h"
#include "os/clone.h"
#include "os/file.h"
#include "os/seal.h"
#include "os/tty.h"
#include "store/store.h"

enum { STATE_USUAL = 2000, EXEC_USUAL = 3000 }; /* bytes; longer ones grow */

struct making {
	struct bundles *b;
	const struct bundle_create *c;
	struct spec spec;
	struct plan plan;
	struct arena arena;
	char *config; /* the text of it, as it was read */
	size_t config_n;
	struct spec_strings env; /* as configured */
	char bundle[PATH_MAX];
	int dir, fifo;	       /* owned */
	char *cgroup_path;     /* owned: where systemd put the scope */
	int tty_master;	       /* owned: kept for a run in the foreground */
	int console, pidfd_to; /* owned: sockets where somebody waits for them, or FD_NONE */
	bool foreground, attached, resctrl_made;
	bool waits; /* for its start */
};

static char *state_json(void *data, const char *status, pid_t pid)
{
	const struct making *m = data;

	return kept_state_json(m->c->id, m->bundle, status, pid, &m->spec);
}

static bool has_own_pidns(const struct spec *s)
{
	for (size_t i = 0; i < s->linux_.n_namespaces; i++)
		if (s->linux_.namespaces[i].flag == CLONE_NEWPID && !s->linux_.namespaces[i].path)
			return true;
	return false;
}

static unsigned hook_points(const struct spec *s)
{
	unsigned points = 0;

	for (int i = 0; i < HOOK_POINTS; i++)
		points |= s->hooks[i].n ? 1U << i : 0;
	return points;
}

/* So that nobody has to look for the hierarchies again to find the container in them. */
static void add_cgroup(const struct making *m, struct json_writer *w)
{
	const struct host *h = &m->b->host;
	const char *path = m->cgroup_path ? m->cgroup_path : m->plan.cgroup.path, *freezer;
	autoarena a = { 0 };

	json_string(w, "cgroup", path);
	json_begin(w, "cgroups", '[');
	for (const char **folder = cgroup_folders(h, path, &a); *folder; folder++)
		json_string(w, NULL, *folder);
	json_end(w, ']');
	json_uint(w, "v1", h->n_v1);
	freezer = cgroup_folder_of(h, path, "freezer", &a);
	if (freezer)
		json_string(w, "freezer", freezer);
	if (m->plan.cgroup.manager == CGROUP_SYSTEMD) {
		json_string(w, "unit", m->plan.cgroup.unit);
		json_int(w, "userBus", m->plan.cgroup.user_bus);
	}
}

/* exec takes the filter as it was compiled; one that has somebody listening is made anew. */
static bool keeps_filter(const struct making *m)
{
	return m->plan.process.seccomp.set && !m->plan.process.seccomp.listener_path;
}

/* All that a verb other than exec and update has to know: it reads nothing else. */
static int write_state(const struct making *m, const struct proc_ref *init, struct err *e)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct timespec now;

	text_reserve(&t, STATE_USUAL);
	clock_gettime(CLOCK_REALTIME, &now);
	json_begin(&w, NULL, '{');
	json_string(&w, "ociVersion", m->spec.oci_version ? m->spec.oci_version : "1.0.0");
	json_string(&w, "bundle", m->bundle);
	json_string(&w, "rootfs", m->plan.root.path);
	json_int(&w, "pid", init->pid);
	json_uint(&w, "start", init->start_ticks);
	json_int(&w, "created", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
	json_int(&w, "ownPidns", has_own_pidns(&m->spec));
	json_uint(&w, "hooks", hook_points(&m->spec));
	if (m->plan.cgroup.manager != CGROUP_NONE)
		add_cgroup(m, &w);
	if (m->plan.resctrl.set) {
		json_string(&w, "clos", m->plan.resctrl.clos);
		json_int(&w, "closMade", m->plan.resctrl.ours && m->resctrl_made);
		json_int(&w, "monitored", m->plan.resctrl.monitor != NULL);
	}
	if (keeps_filter(m))
		json_uint(&w, "filterFlags", m->plan.process.seccomp.flags);
	json_begin(&w, "annotations", '{');
	for (size_t i = 0; i < m->spec.annotations.n; i++)
		json_string(
			&w, m->spec.annotations.items[i].key, m->spec.annotations.items[i].value);
	json_end(&w, '}');
	json_end(&w, '}');
	return store_prepare(m->dir, "state", t.p, t.len, e);
}

/* What exec has to know of the configuration: a tenth of it. */
static int write_exec(const struct making *m, struct err *e)
{
	autotext t = { 0 };
	struct spec s = m->spec;

	s.process.env = m->env;
	text_reserve(&t, EXEC_USUAL);
	spec_dump_exec(&s, keeps_filter(m), &t);
	return store_write_once(m->dir, "exec.json", t.p, t.len, e);
}

static int prepare(void *data, const struct proc_ref *init, struct err *e)
{
	const struct making *m = data;
	const struct plan_seccomp *filter = &m->plan.process.seccomp;

	if (write_state(m, init, e) < 0 || write_exec(m, e) < 0)
		return -e->code;
	if (keeps_filter(m) && store_write_once(m->dir, "filter", filter->insns,
				       filter->n_insns * sizeof(*filter->insns), e) < 0)
		return -e->code;
	return m->c->pid_file ? bundle_prepare_pid(m->c->pid_file, init->pid, e) : 0;
}

static int born(void *data, const struct proc_ref *init, int tty_master, struct err *e)
{
	struct making *m = data;

	if (store_publish(m->dir, "state", e) < 0)
		return -e->code;
	if (tty_master >= 0 && m->console >= 0 &&
		bundle_send_fd(m->console, m->c->console_socket, "terminal", tty_master, e) < 0)
		return -e->code;
	if (m->pidfd_to >= 0 &&
		bundle_send_fd(m->pidfd_to, m->c->pidfd_socket, "pidfd", init->pidfd, e) < 0)
		return -e->code;
	return m->c->pid_file ? bundle_publish_pid(m->c->pid_file, e) : 0;
}

/* clade.init=true: clade-init goes before the command of an image that knows nothing of it. */
static int put_init_first(struct making *m, struct err *e)
{
	const char *asked = spec_annotation(&m->spec, "clade.init");
	struct spec *s = &m->spec;
	struct spec_strings *args = &s->process.args;
	struct spec_mount *mounts;
	const char **words;
	static const char *options[] = { "bind", "ro", NULL };
	size_t n = 0;

	if (!asked || str_eq(asked, "false"))
		return 0;
	if (!str_eq(asked, "true"))
		return err_say(e, "annotation clade.init: \"%s\" is neither true nor false", asked);
	words = arena_array(&s->arena, args->n + 5, sizeof(*words));
	words[n++] = "/dev/init";
	/* what the caller passed on is the program's; of its own accord it gets three */
	if (m->c->preserve_fds) {
		words[n++] = "--preserve-fds";
		words[n++] = arena_printf(&s->arena, "%u", m->c->preserve_fds);
	}
	words[n++] = "--";
	memcpy(words + n, args->items, args->n * sizeof(*words));
	*args = (struct spec_strings){ words, args->n + n };
	mounts = arena_array(&s->arena, s->n_mounts + 1, sizeof(*mounts));
	memcpy(mounts, s->mounts, s->n_mounts * sizeof(*mounts));
	mounts[s->n_mounts++] = (struct spec_mount){ .destination = "/dev/init",
		.source = bundle_helper(&s->arena, "clade-init"),
		.type = "bind",
		.options = { options, 2 } };
	s->mounts = mounts;
	return 0;
}

static int load(struct making *m, struct err *e)
{
	const struct bundle_create *c = m->c;
	autotext path = { 0 };

	if (!realpath(c->bundle ? c->bundle : ".", m->bundle))
		return err_set(e, errno, "bundle %s", c->bundle ? c->bundle : ".");
	if (c->config && c->config[0] == '/')
		text_add(&path, c->config);
	else
		text_addf(&path, "%s/%s", m->bundle, c->config ? c->config : "config.json");
	if (spec_read_file(path.p, &m->arena, &m->config, &m->config_n, e) < 0)
		return -e->code;
	if (spec_parse(m->config, m->config_n, &m->spec, e) < 0)
		return err_wrap(e, "%s", path.p);
	m->env = m->spec.process.env;
	if (c->listen.n)
		m->spec.process.env = bundle_env(&m->spec.process.env, &c->listen, &m->spec.arena);
	return put_init_first(m, e);
}

static int decide(struct making *m, struct err *e)
{
	const struct plan_request req = {
		.spec = &m->spec,
		.host = &m->b->host,
		.id = m->c->id,
		.bundle = m->bundle,
		.cgroup_manager = m->b->cgroup_manager,
		.sdbus_exe = m->b->cgroup_manager == CGROUP_SYSTEMD
				     ? bundle_helper(&m->spec.arena, "clade-sdbus")
				     : NULL,
		.no_pivot = m->c->no_pivot,
		.waits_for_start = m->waits,
		.new_keyring = !m->c->no_new_keyring,
		.preserve_fds = m->c->preserve_fds,
		.has_console = m->c->console_socket || m->foreground,
	};

	if (m->spec.process.terminal && !m->c->console_socket && !m->foreground)
		return err_say(e, "cannot allocate tty if clade-oci will detach without setting "
				  "console socket (--console-socket)");
	if (m->c->console_socket && (m->attached || !m->spec.process.terminal))
		return err_say(e, "cannot use console socket if clade-oci will not detach or "
				  "allocate tty");
	if (plan_make(&req, &m->plan, e) < 0)
		return -e->code;
	for (size_t i = 0; i < m->plan.warnings.n; i++)
		log_warn("%s", m->plan.warnings.items[i]);
	return 0;
}

static int make_folder(struct making *m, struct err *e)
{
	struct bundles *b = m->b;

	if (b->root_fd < 0)
		b->root_fd = store_open_folder(b->root, e);
	if (b->root_fd < 0)
		return -e->code;
	if (mkdirat(b->root_fd, m->c->id, 0700) < 0) {
		if (errno == EEXIST)
			return err_say(e, "container with given ID already exists: %s", m->c->id);
		return err_set(e, errno, "make the state folder of container %s", m->c->id);
	}
	/* the lock is held until all is written down: delete waits for that */
	m->dir = openat(b->root_fd, m->c->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (m->dir < 0 || flock(m->dir, LOCK_EX | LOCK_NB) < 0) {
		bool taken = m->dir >= 0 && errno == EWOULDBLOCK;

		err_set(e, errno, "open and lock the state folder of container %s", m->c->id);
		fd_close(&m->dir);
		if (taken)
			return err_say(e, "container %s was deleted while it was made", m->c->id);
		unlinkat(b->root_fd, m->c->id, AT_REMOVEDIR);
		return -e->code;
	}
	/*
	 * As the engine wrote it: exec and update read it once more. Before anything is made, for
	 * delete finds by it what one leaves that was killed while it was made.
	 */
	if (store_write_once(m->dir, "config.json", m->config, m->config_n, e) < 0)
		return -e->code;
	if (!m->waits)
		return 0;
	if (mkfifoat(m->dir, "exec.fifo", 0600) < 0)
		return err_set(e, errno, "make exec.fifo");
	m->fifo = openat(m->dir, "exec.fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return m->fifo < 0 ? err_set(e, errno, "open exec.fifo") : 0;
}

static int birth_of(struct making *m, struct birth_result *ret, struct err *e)
{
	struct birth_request req = {
		.plan = &m->plan,
		.start_fd = m->fifo,
		.stdio = { FD_NONE, FD_NONE, FD_NONE },
		.new_session = true,
		.plain_output = m->foreground,
		.prepare = prepare,
		.born = born,
		.data = m,
		.state_json = state_json,
		.ret_cgroup_path = &m->cgroup_path,
		.ret_resctrl_made = &m->resctrl_made,
	};

	return birth(&req, ret, e);
}

/* runtime.md#lifecycle: after a hook that failed the container is destroyed, and poststop hooks are
 * run. */
static void clear_up(struct making *m)
{
	struct err other = { 0 };

	if (m->spec.hooks[HOOK_POSTSTOP].n &&
		birth_run_hooks(&m->plan, HOOK_POSTSTOP, state_json(m, "stopped", 0), &other) < 0)
		log_err(&other);
}

static int make(struct making *m, struct birth_result *ret, struct err *e)
{
	bool begun;
	int r;

	*ret = (struct birth_result){ .init = PROC_REF_NONE, .tty_master = FD_NONE };
	if (bundle_check_id(m->c->id, e) < 0 || load(m, e) < 0 ||
		bundles_probe(m->b, plan_wants(&m->spec, m->b->cgroup_manager), e) < 0 ||
		decide(m, e) < 0)
		return -e->code;
	r = make_folder(m, e);
	if (r == 0 && (bundle_connect(m->c->console_socket, &m->console, e) < 0 ||
			      bundle_connect(m->c->pidfd_socket, &m->pidfd_to, e) < 0))
		r = -e->code;
	begun = r == 0;
	if (begun)
		r = birth_of(m, ret, e);
	if (r != 0 && m->dir >= 0) {
		if (begun)
			clear_up(m);
		store_remove(m->b->root_fd, m->c->id);
		if (m->c->pid_file)
			bundle_forget_pid(m->c->pid_file);
	}
	/* by name: the init holds our descriptors until it executes its program */
	if (m->dir >= 0)
		flock(m->dir, LOCK_UN);
	return r ? -(e->code ? e->code : EIO) : 0;
}

static void making_done(struct making *m)
{
	fd_close(&m->dir);
	fd_close(&m->fifo);
	fd_close(&m->console);
	fd_close(&m->pidfd_to);
	free(m->cgroup_path);
	plan_done(&m->plan);
	spec_done(&m->spec);
	arena_done(&m->arena);
}

int bundle_create(struct bundles *b, const struct bundle_create *c, struct err *e)
{
	struct making *m = mem_alloc(sizeof(*m));
	struct birth_result born_now;
	int r;

	m->b = b;
	m->c = c;
	m->dir = m->fifo = m->console = m->pidfd_to = FD_NONE;
	m->waits = true;
	r = make(m, &born_now, e);
	proc_ref_done(&born_now.init);
	fd_close(&born_now.tty_master);
	making_done(m);
	free(m);
	return r;
}

/* The process is ours to wait for: its terminal, our signals, its end. */
int bundle_accompany(struct proc_ref *process, int tty, int *ret_code, struct err *e)
{
	struct relay *r = mem_alloc(sizeof(*r));
	int status = 0, end;

	r->tty = tty;
	r->process = process;
	r->in.from = tty >= 0 ? STDIN_FILENO : FD_NONE;
	r->in.to = r->out.from = tty;
	r->out.to = STDOUT_FILENO;
	r->err.from = FD_NONE;
	r->err.to = STDERR_FILENO;
	end = console_begin(&r->console, tty >= 0, true, "", e);
	if (end == 0 && r->console.raw)
		tty_keep_output(STDIN_FILENO, &r->console.old);
	if (end == 0)
		end = relay_run(r, e);
	console_end(&r->console);
	free(r);
	if (end < 0)
		return end;
	end = clone_wait(process->pidfd, &status);
	if (end < 0)
		return err_set(e, -end, "wait for the process");
	*ret_code = (status & 0x7f) ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
	return 0;
}

/* A run in the foreground: what its deletion has to know is read while it runs. */
static int stay(
	struct making *m, struct proc_ref *init, int tty, bool keep, int *ret_code, struct err *e)
{
	autokept k = KEPT_NONE;
	struct err other;
	bool is_known = !keep && kept_open(m->b, m->c->id, &k, &other) == 0 && k.pid == init->pid;
	int r = bundle_accompany(init, m->foreground ? tty : FD_NONE, ret_code, e);

	if (keep)
		return r;
	if (r < 0) {
		bundle_delete(m->b, m->c->id, true, &other);
		return r;
	}
	if (!is_known)
		return bundle_delete(m->b, m->c->id, true, e);
	/* it was ours to wait for, and is no more */
	proc_ref_done(&k.init);
	return kept_delete(m->b, &k, e);
}

int bundle_run(struct bundles *b, const struct bundle_create *c, bool detach, bool keep,
	int *ret_code, struct err *e)
{
	struct making *m = mem_alloc(sizeof(*m));
	struct birth_result born_now;
	struct err other;
	int r;

	m->b = b;
	m->c = c;
	m->dir = m->fifo = m->console = m->pidfd_to = FD_NONE;
	m->foreground = !detach && !c->console_socket;
	m->attached = !detach;
	*ret_code = 0;
	r = make(m, &born_now, e);
	if (r == 0) {
		r = birth_run_hooks(
			&m->plan, HOOK_POSTSTART, state_json(m, "running", born_now.init.pid), e);
		if (r < 0)
			bundle_delete(b, c->id, true, &other);
		else if (!detach)
			r = stay(m, &born_now.init, born_now.tty_master, keep, ret_code, e);
	}
	proc_ref_done(&born_now.init);
	fd_close(&born_now.tty_master);
	making_done(m);
	free(m);
	return r;
}
