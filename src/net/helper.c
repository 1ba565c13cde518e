/* SPDX-License-Identifier: Apache-2.0 */
#include "net/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/clone.h"
#include "os/file.h"

enum { SAID_MAX = 1 << 20 };

int helper_find(const char *name, const char *package, const char *what, struct arena *a,
	const char **ret, struct err *e)
{
	const char *path = getenv("PATH");
	char *all =
		arena_printf(a, "%s:/usr/bin:/usr/sbin:/sbin:/usr/lib/podman:/usr/libexec/podman",
			path ? path : "");
	const char *folder;

	while ((folder = strsep(&all, ":"))) {
		const char *file = arena_printf(a, "%s/%s", folder, name);

		if (folder[0] == '/' && access(file, X_OK) == 0) {
			*ret = file;
			return 0;
		}
	}
	return err_absent(e, "%s needs the program %s, which is not installed (Debian package: %s)",
		what, name, package);
}

static int memory_file(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int input_file(const char *text)
{
	autofd fd = text ? memory_file("input") : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return text ? fd : -errno;
	r = text ? file_write_all(fd, text, strlen(text)) : 0;
	if (r == 0 && text && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? r : take_fd(&fd);
}

static _Noreturn void become(const struct helper_request *r, int in, int out, int said)
{
	int high[HELPER_FDS_MAX];
	sigset_t none;
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (r->userns > 0 && clone_join(r->userns, CLONE_NEWUSER) < 0)
		_exit(126);
	if (r->netns > 0 && clone_join(r->netns, CLONE_NEWNET) < 0)
		_exit(126);
	dup2(in, 0);
	dup2(out >= 0 ? out : null, 1);
	dup2(said, 2);
	/* out of the way of the places they go to */
	for (size_t i = 0; i < r->n_fds; i++)
		high[i] = fcntl(r->fds[i], F_DUPFD_CLOEXEC, HELPER_FD + HELPER_FDS_MAX);
	for (size_t i = 0; i < r->n_fds; i++)
		dup2(high[i], HELPER_FD + (int)i);
	execv(r->argv[0], (char *const *)r->argv);
	dprintf(2, "%s: %s\n", r->argv[0], strerror(errno));
	_exit(127);
}

/*
 * Between us and the program: has all that we have open, locks too, until the program has ended.
 * Only when the guard itself is killed (helper_done()), the program goes with it.
 */
static _Noreturn void guard(const struct helper_request *r, int in, int out, int said)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become(r, in, out, said);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		dprintf(said, "fork: %s\n", strerror(errno));
	_exit(pid < 0 ? 126 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

int helper_start(const struct helper_request *r, struct helper *ret, struct err *e)
{
	autofd in = input_file(r->input), said = memory_file("said"), out = FD_NONE;
	pid_t pid;

	if (r->want_output)
		out = memory_file("output");
	if (in < 0 || said < 0 || (r->want_output && out < 0))
		return err_set(e, ENOMEM, "make files for %s", r->argv[0]);
	pid = fork();
	if (pid < 0)
		return err_set(e, errno, "fork");
	if (pid == 0 && r->is_guarded)
		guard(r, in, out, said);
	if (pid == 0)
		become(r, in, out, said);
	*ret = (struct helper){ .pid = pid, .said = take_fd(&said), .out = take_fd(&out) };
	return 0;
}

int helper_wait(struct helper *h, struct err *e)
{
	int status;

	while (waitpid(h->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "wait for a helper program");
	h->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static char *content(int fd, struct arena *a)
{
	autofree char *text = NULL;

	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 || file_read_fd(fd, SAID_MAX, &text) < 0)
		return arena_strdup(a, "");
	return arena_strdup(a, text);
}

/* A machine without a system log makes pasta speak of that with every line. */
static bool is_noise(const char *line)
{
	return !line[0] || strstr(line, " to syslog") || str_starts(line, "Don't run as root") ||
	       strstr(line, "nameserver address") || strstr(line, "connect to syslog");
}

const char *helper_said(const struct helper *h, struct arena *a)
{
	char *text = content(h->said, a), *line;
	autotext all = { 0 };

	while ((line = strsep(&text, "\n"))) {
		size_t n = strlen(line);

		if (is_noise(line))
			continue;
		if (all.len)
			text_add(&all, "; ");
		text_add_escaped(&all, line, n > 200 ? 200 : n);
	}
	return arena_strdup(a, all.p ? all.p : "");
}

const char *helper_output(const struct helper *h, struct arena *a)
{
	return content(h->out, a);
}

void helper_done(struct helper *h)
{
	if (h->pid > 0) {
		kill(h->pid, SIGKILL);
		waitpid(h->pid, NULL, 0);
	}
	h->pid = 0;
	fd_close(&h->said);
	fd_close(&h->out);
}
