/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec: a further process in a running container. It becomes our own child; with -d a process
 * stays behind that is its parent and does nothing but wait (clade-keep reap).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "birth/birth.h"
#include "life/internal.h"
#include "life/relay.h"
#include "os/clone.h"
#include "os/close_fds.h"
#include "os/file.h"
#include "os/tty.h"

/* What exec's process is: the container's own, changed by the flags. */
static int make_process(const struct life_exec *x, const struct proc_ref *init, uint64_t all_caps,
	struct spec *s, struct arena *a, struct spec_process *ret, struct err *e)
{
	struct spec_process p = s->process;
	const char *home, **item;
	char path[64];
	autofd root = FD_NONE;
	size_t n = 0;

	p.terminal = x->tty;
	p.rlimits = s->process.rlimits;
	p.oom_score_adj.set = false;
	while (x->args[n])
		n++;
	p.args = (struct spec_strings){ (const char **)x->args, n };
	p.env = (struct spec_strings){ 0 };
	for (size_t i = 0; i < s->process.env.n; i++) {
		/* what belongs to the other terminal or user is not inherited */
		if (x->user && str_starts(s->process.env.items[i], "HOME="))
			continue;
		if (str_starts(s->process.env.items[i], "TERM="))
			continue;
		item = arena_grow(a, &p.env.items, &p.env.n, sizeof(*item));
		*item = s->process.env.items[i];
	}
	for (size_t i = 0; x->env && x->env[i]; i++) {
		size_t at, name = strcspn(x->env[i], "="), end = p.env.n;
		const char *value = x->env[i];

		if (name == 0)
			return err_say(e, "-e \"%s\": there is no name before the =", x->env[i]);
		if (!value[name]) {
			if (!getenv(value))
				continue;
			value = arena_printf(a, "%s=%s", value, getenv(value));
		}
		for (at = 0; at < end; at++)
			if (strncmp(p.env.items[at], value, name + 1) == 0)
				break;
		if (at < end) {
			p.env.items[at] = value;
			continue;
		}
		item = arena_grow(a, &p.env.items, &p.env.n, sizeof(*item));
		*item = value;
	}
	if (x->tty) {
		item = arena_grow(a, &p.env.items, &p.env.n, sizeof(*item));
		*item = "TERM=xterm";
	}
	if (x->workdir)
		p.cwd = x->workdir;
	if (x->privileged) {
		p.capabilities.set = true;
		p.capabilities.bounding = p.capabilities.permitted = p.capabilities.effective =
			all_caps;
		s->linux_.seccomp.set = false;
		p.no_new_privileges = false;
	}
	snprintf(path, sizeof(path), "/proc/%d/root", init->pid);
	if (x->user) {
		struct spec_strings no_groups = { 0 };

		root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return err_set(e, errno, "open the container's root");
		if (user_resolve(root, x->user, &no_groups, a, &p.user, &home, e) < 0)
			return -e->code;
		item = arena_grow(a, &p.env.items, &p.env.n, sizeof(*item));
		*item = arena_printf(a, "HOME=%s", home ? home : "/");
	}
	item = arena_grow(a, &p.env.items, &p.env.n, sizeof(*item));
	p.env.n--;
	*ret = p;
	return 0;
}

struct streams {
	int theirs[3]; /* owned where is_ours says so */
	int ours[3];   /* owned */
};

static void streams_done(struct streams *s)
{
	for (int i = 0; i < 3; i++) {
		if (s->theirs[i] > 2)
			fd_close(&s->theirs[i]);
		fd_close(&s->ours[i]);
	}
}

/*
 * A stream of ours that is no terminal is simply the process's own; a terminal is not let into a
 * container (it could be typed into from there): a pipe goes between.
 */
static int streams_make(const struct life_exec *x, struct streams *s, struct err *e)
{
	for (int i = 0; i < 3; i++) {
		int pair[2];

		if (x->tty)
			continue;
		if ((i == 0 && !x->interactive) || (x->detach && i > 0)) {
			s->theirs[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
			if (s->theirs[i] < 0)
				return err_set(e, errno, "open /dev/null");
			continue;
		}
		if (!tty_is(i)) {
			s->theirs[i] = i;
			continue;
		}
		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_set(e, errno, "make a pipe");
		s->theirs[i] = pair[i > 0];
		s->ours[i] = pair[i == 0];
	}
	return 0;
}

static int code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int accompany(const struct life_exec *x, const char *keys, struct streams *s,
	struct birth_result *born, int *ret_code, struct err *e)
{
	struct relay *r = mem_alloc(sizeof(*r));
	int status = 0, end;

	r->tty = born->tty_master;
	r->process = &born->init;
	r->in.from = x->interactive && (x->tty || s->ours[0] >= 0) ? STDIN_FILENO : FD_NONE;
	r->in.to = x->tty ? born->tty_master : s->ours[0];
	r->out.from = x->tty ? born->tty_master : s->ours[1];
	r->out.to = STDOUT_FILENO;
	r->err.from = x->tty ? FD_NONE : s->ours[2];
	r->err.to = STDERR_FILENO;
	r->closes_in = !x->tty && s->ours[0] >= 0;
	end = console_begin(&r->console, x->tty && x->interactive, true, keys, e);
	if (end == 0)
		end = relay_run(r, e);
	console_end(&r->console);
	if (r->closes_in)
		s->ours[0] = r->in.to;
	else if (!x->tty)
		s->ours[0] = FD_NONE;
	free(r);
	if (end == LIFE_DETACHED || end < 0)
		return end;
	end = clone_wait(born->init.pidfd, &status);
	if (end < 0)
		return err_set(e, -end, "wait for the process");
	*ret_code = code_of(status);
	return 0;
}

static int join(const struct held *h, const struct life *l, const struct plan *plan,
	const struct proc_ref *init, const struct streams *s, struct birth_result *ret,
	struct err *e)
{
	autoarena arena = { 0 };
	struct join_request req = {
		.plan = plan,
		.init = init,
		.cgroup_paths = cgroup_folders(&l->host, held_cgroup(h, &arena), &arena),
		.stdio = { s->theirs[0], s->theirs[1], s->theirs[2] },
		/* docker's too: its orphans are then known from children of PID 1 */
		.new_session = true,
	};

	*ret = (struct birth_result){ .init = PROC_REF_NONE, .tty_master = FD_NONE };
	return birth_join(&req, ret, e);
}

/* -d: who joins stays as the parent; we hear from it how it went. */
static int run_detached(const struct held *h, const struct life *l, const struct plan *plan,
	const struct proc_ref *init, const struct streams *s, struct err *e)
{
	struct {
		int r;
		struct err e;
	} said = { 0 };
	struct birth_result born;
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork())
			_exit(0);
		said.r = join(h, l, plan, init, s, &born, &said.e);
		if (write(pair[1], &said, sizeof(said)) != sizeof(said) || said.r)
			_exit(1);
		close_fds_on_exec(3);
		/* a terminal nobody looks at: its other end stays open here as long as the process
		 */
		if (born.tty_master >= 0)
			fcntl(born.tty_master, F_SETFD, 0);
		for (int i = 0; i < 3; i++)
			if (s->theirs[0] > 2)
				dup2(s->theirs[0], i);
		execl(l->keep_exe, "clade-keep", "reap", NULL);
		_exit(1);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_set(e, errno, "fork");
	}
	waitpid(pid, NULL, 0);
	if (read(pair[0], &said, sizeof(said)) != sizeof(said)) {
		said.r = -EPIPE;
		err_set(&said.e, EPIPE, "start the process");
	}
	close(pair[0]);
	*e = said.e;
	return said.r;
}

static int run_exec(const struct life *l, struct held *h, const struct life_exec *x,
	const struct plan *plan, const struct proc_ref *init, int *ret_code, struct err *e)
{
	struct streams s = { { FD_NONE, FD_NONE, FD_NONE }, { FD_NONE, FD_NONE, FD_NONE } };
	struct birth_result born = { .init = PROC_REF_NONE, .tty_master = FD_NONE };
	int r = streams_make(x, &s, e);

	*ret_code = 0;
	if (r == 0 && x->detach) {
		r = run_detached(h, l, plan, init, &s, e);
	} else if (r == 0) {
		r = join(h, l, plan, init, &s, &born, e);
		for (int i = 0; i < 3; i++)
			if (s.theirs[i] > 2)
				fd_close(&s.theirs[i]);
		if (r == 0)
			r = accompany(x, x->detach_keys ? x->detach_keys : h->record.detach_keys,
				&s, &born, ret_code, e);
	}
	streams_done(&s);
	proc_ref_done(&born.init);
	fd_close(&born.tty_master);
	if (r == BIRTH_EXEC_FAILED)
		return LIFE_EXEC_FAILED;
	return r;
}

int life_exec(const struct life *l, const char *ref, const struct life_exec *x, int *ret_code,
	struct err *e)
{
	autoarena arena = { 0 };
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	struct spec spec = { 0 };
	struct spec_process process;
	struct plan plan = { 0 };
	struct plan_request req = { .spec = &spec, .host = &l->host, .has_console = true };
	int r;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.status == LIFE_PAUSED)
		return err_say(e, "container %s is paused; unpause it before exec", h.record.name);
	if (now.init.pidfd < 0)
		return err_say(e, "container %s is not running", h.record.name);
	r = spec_load(held_path(l, &h, "config.json", &arena), &spec, e);
	if (r == 0)
		r = make_process(x, &now.init,
			l->host.caps & (UINT64_C(1) << CAP_SYS_ADMIN) ? l->host.caps
								      : (UINT64_C(1) << 41) - 1,
			&spec, &arena, &process, e);
	if (r == 0) {
		req.id = h.id;
		req.bundle = held_path(l, &h, "", &arena);
		req.joins_v1 = l->host.n_v1;
		r = plan_make_exec(&req, &process, &plan, e);
	}
	if (r == 0)
		r = run_exec(l, &h, x, &plan, &now.init, ret_code, e);
	plan_done(&plan);
	spec_done(&spec);
	return r;
}
