/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: programs of the engine's that run at points of a container's life
 * (config.md#posix-platform-hooks). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "birth/internal.h"
#include "os/clone.h"

static const char *const point_names[HOOK_POINTS] = {
	[HOOK_PRESTART] = "prestart",
	[HOOK_CREATE_RUNTIME] = "createRuntime",
	[HOOK_CREATE_CONTAINER] = "createContainer",
	[HOOK_START_CONTAINER] = "startContainer",
	[HOOK_POSTSTART] = "poststart",
	[HOOK_POSTSTOP] = "poststop",
};

static void redirect(const char *path, int to)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		dup2(fd, to);
}

static _Noreturn void be_hook(const struct spec *spec, const struct spec_hook *h, int input)
{
	static const char *const no_env[] = { NULL };
	const char *argv[] = { h->path, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (h->timeout_s.set)
		setpgid(0, 0);
	dup2(input, STDIN_FILENO);
	redirect(spec_annotation(spec, "run.oci.hooks.stdout"), STDOUT_FILENO);
	redirect(spec_annotation(spec, "run.oci.hooks.stderr"), STDERR_FILENO);
	execve(h->path, (char *const *)(h->args.n ? h->args.items : argv),
		(char *const *)(h->env.n ? h->env.items : (const char **)no_env));
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is left until end_ms as poll(2) takes it; -1: no end. */
static int left_ms(int64_t end_ms)
{
	int64_t left = end_ms - now_ms();

	return end_ms < 0 ? -1 : left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/*
 * The state on its standard input: a hook need not read it, but one that ends or whose time is up
 * must not keep us with a state that is longer than a pipe holds. 0, or -ETIMEDOUT.
 */
static int feed(int fd, int pidfd, const char *state, int64_t end_ms)
{
	size_t n = strlen(state);

	while (n) {
		struct pollfd what[] = { { .fd = fd, .events = POLLOUT },
			{ .fd = pidfd, .events = POLLIN } };
		ssize_t w = write(fd, state, n);

		if (w > 0) {
			state += w;
			n -= (size_t)w;
			continue;
		}
		if (w < 0 && errno != EAGAIN && errno != EINTR)
			return 0;
		if (poll(what, 2, left_ms(end_ms)) == 0)
			return -ETIMEDOUT;
		if (what[1].revents)
			return 0;
	}
	return 0;
}

/* Its time is up: with what it has started, for it leads a process group of its own then. */
static void end_hook(const struct proc_ref *hook)
{
	kill(-hook->pid, SIGKILL);
	proc_ref_signal(hook, SIGKILL);
}

static int run_one(const struct spec *spec, const struct spec_hook *h, const char *state,
	const char *name, struct err *e)
{
	int pipe_fds[2], pidfd = FD_NONE, status = 0, r;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	int64_t end_ms = h->timeout_s.set ? now_ms() + h->timeout_s.value * 1000 : -1;
	struct proc_ref hook;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(e, errno, "%s: make a pipe", name);
	pid = clone_process(&args);
	if (pid == 0)
		be_hook(spec, h, pipe_fds[0]);
	close(pipe_fds[0]);
	if (pid < 0) {
		close(pipe_fds[1]);
		return err_set(e, -pid, "%s: start %s", name, h->path);
	}
	/* here, too: before it could be missed */
	if (h->timeout_s.set)
		setpgid(pid, pid);
	fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK);
	hook = (struct proc_ref){ .pid = pid, .pidfd = pidfd };
	r = feed(pipe_fds[1], pidfd, state, end_ms);
	close(pipe_fds[1]);
	if (r == 0)
		r = proc_ref_wait(&hook, left_ms(end_ms));
	if (r < 0)
		end_hook(&hook);
	clone_wait(pidfd, &status);
	fd_close(&pidfd);
	if (r < 0)
		return err_say(e, "%s: %s did not end within %lld s", name, h->path,
			(long long)h->timeout_s.value);
	if (status == 0)
		return 0;
	if (status & 0x7f)
		return err_say(e, "%s: %s was killed by signal %d", name, h->path, status & 0x7f);
	return err_say(e, "%s: %s: exit status %d%s", name, h->path, status >> 8,
		status >> 8 == 127 ? " (not found or not executable?)" : "");
}

int hooks_run(const struct plan *p, enum hook_point point, char *state, struct err *e)
{
	const struct spec_hooks *hooks = &p->spec->hooks[point];
	struct sigaction ignore = { .sa_handler = SIG_IGN }, old;
	int r = 0;

	sigaction(SIGPIPE, &ignore, &old);
	for (size_t i = 0; i < hooks->n && r == 0; i++) {
		char name[64];

		snprintf(name, sizeof(name), "hooks.%s[%zu]", point_names[point], i);
		r = run_one(p->spec, &hooks->items[i], state, name, e);
		/* runtime.md#lifecycle: "the remaining hooks and lifecycle continue" */
		if (r < 0 && point == HOOK_POSTSTOP) {
			log_warn("%s", e->msg);
			e->code = 0;
			r = 0;
		}
	}
	sigaction(SIGPIPE, &old, NULL);
	free(state);
	return r;
}

int birth_run_hooks(const struct plan *p, enum hook_point point, char *state, struct err *e)
{
	return hooks_run(p, point, state, e);
}
