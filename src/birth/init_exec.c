/* SPDX-License-Identifier: Apache-2.0 */
/* INIT's last rows: finds the program, waits to be started, and becomes it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/close_fds.h"
#include "os/file.h"

enum { PASSWD_MAX = 1 << 20 };

static const char *path_of(const char *const *env)
{
	for (size_t i = 0; env && env[i]; i++)
		if (str_starts(env[i], "PATH="))
			return env[i] + strlen("PATH=");
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* 0, or why this file cannot be executed. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOTDIR ? ENOENT : errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (!S_ISREG(st.st_mode) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return EACCES;
	return 0;
}

static int not_executable(struct birth *b, const char *name, int why, struct err *e)
{
	b->exec_code = why == ENOENT ? ENOENT : EACCES;
	if (why == ENOENT)
		return err_set(e, ENOENT, "exec \"%s\"", name);
	/* execve(2) says EACCES of one, and these words are what engines look for */
	if (why == EISDIR)
		return err_set(e, EACCES, "exec \"%s\", a directory", name);
	return err_set(e, why, "exec \"%s\"", name);
}

/* exec(3): a name without "/" is looked for in PATH, as the user it will run as. */
static int search(struct birth *b, const char *name, struct err *e)
{
	const char *dirs = path_of(b->plan->process.env);
	int worst = ENOENT;

	for (const char *d = dirs; d; d = strchr(d, ':') ? strchr(d, ':') + 1 : NULL) {
		size_t n = strcspn(d, ":");
		autotext path = { 0 };
		int why;

		text_add_n(&path, n ? d : ".", n ? n : 1);
		text_addf(&path, "/%s", name);
		why = path.len < PATH_MAX ? check_file(path.p) : ENOENT;
		if (why == 0) {
			b->program = text_take(&path);
			return 0;
		}
		if (why == EACCES)
			worst = EACCES;
	}
	b->exec_code = worst;
	if (worst == ENOENT)
		return err_absent(e, "exec: \"%s\": executable file not found in $PATH", name);
	return err_set(e, worst, "exec \"%s\"", name);
}

static int find_program(struct birth *b, struct err *e)
{
	const char *name = b->plan->process.args ? b->plan->process.args[0] : NULL;
	int why;

	if (!name)
		return err_say(e, "process.args: there is no command to run");
	if (!name[0]) {
		b->exec_code = ENOENT;
		return err_absent(e, "exec: \"\": executable file not found in $PATH");
	}
	if (!strchr(name, '/'))
		return search(b, name, e);
	why = check_file(name);
	if (why)
		return not_executable(b, name, why, e);
	b->program = mem_strdup(name);
	return 0;
}

/* The user's home as the image's passwd(5) has it; a stranger's word, used for HOME alone. */
static char *home_of(uid_t uid)
{
	autofd fd = open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	autofree char *all = NULL;
	struct stat st;
	char *save = NULL;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		file_read_fd(fd, PASSWD_MAX, &all) < 0)
		return mem_strdup("/");
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *field[7] = { 0 };
		uint64_t number;
		size_t n = 0;

		for (char *s = line; s && n < ARRAY_LEN(field); n++)
			field[n] = strsep(&s, ":");
		if (n >= 6 && str_u64(field[2], &number) == 0 && number == uid && field[5][0])
			return mem_strdup(field[5]);
	}
	return mem_strdup("/");
}

/* runc and crun set HOME where the configuration does not. */
static void add_home(struct birth *b)
{
	const char *const *env = b->plan->process.env;
	autofree char *home = NULL;
	autotext t = { 0 };
	size_t n = 0;

	for (; env && env[n]; n++)
		if (str_starts(env[n], "HOME="))
			return;
	home = home_of(b->plan->ids.uid);
	text_addf(&t, "HOME=%s", home);
	b->env = mem_alloc((n + 2) * sizeof(*b->env));
	for (size_t i = 0; i < n; i++)
		b->env[i] = (char *)env[i];
	b->env[n] = text_take(&t);
}

int init_program(struct birth *b, struct err *e)
{
	add_home(b);
	if (find_program(b, e) < 0)
		return -e->code;
	/* late, as a low one would be in our own way */
	return birth_host_sets_limits(b->plan) ? 0 : birth_set_limits(b->plan, 0, e);
}

int init_wait(struct birth *b, struct err *e)
{
	struct pollfd start = { .fd = b->start_fd, .events = POLLIN };
	char byte;

	if (!b->wait_for_start)
		return 0;
	/* HOST goes home now; what fails from here on is told on standard error */
	while (poll(&start, 1, -1) < 0 || !(start.revents & (POLLIN | POLLHUP)))
		if (errno != EINTR)
			return err_set(e, errno, "wait for the start");
	if (read(b->start_fd, &byte, 1) < 0)
		return err_set(e, errno, "wait for the start");
	fd_close(&b->sync);
	return 0;
}

int init_hooks(struct birth *b, struct err *e)
{
	if (!b->state_json)
		return err_say(e, "hooks are asked for, but nobody tells them the state");
	return hooks_run(
		b->plan, HOOK_CREATE_CONTAINER, b->state_json(b->data, "creating", getpid()), e);
}

int init_start_hooks(struct birth *b, struct err *e)
{
	if (!b->state_json)
		return err_say(e, "hooks are asked for, but nobody tells them the state");
	return hooks_run(
		b->plan, HOOK_START_CONTAINER, b->state_json(b->data, "created", getpid()), e);
}

int init_exec(struct birth *b, struct err *e)
{
	const struct plan_process *p = &b->plan->process;
	static const char *const no_env[] = { NULL };
	int r;

	/* CVE-2024-21626: nothing of ours is open in the container but what was asked for */
	r = close_fds_on_exec(3 + p->preserve_fds);
	if (r < 0)
		return err_set(e, -r, "close the descriptors");
	/* here, as a change of ids forgets it (prctl(2)) */
	if (b->die_with_parent)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (p->reap_kernel)
		signal(SIGCHLD, SIG_IGN);
	execve(b->program, (char *const *)p->args,
		b->env	 ? b->env
		: p->env ? (char *const *)p->env
			 : (char *const *)no_env);
	b->exec_code = errno == ENOENT ? ENOENT : EACCES;
	return err_set(e, errno, "exec \"%s\"", b->program);
}
