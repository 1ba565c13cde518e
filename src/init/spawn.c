/* SPDX-License-Identifier: Apache-2.0 */
#include "init/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/options.h"
#include "init/tell.h"

extern char **environ;

int spawn_mask(int how, const kernel_set *set, kernel_set *ret_old)
{
	return (int)syscall(SYS_rt_sigprocmask, how, set, ret_old, sizeof(*set));
}

void spawn_close(unsigned first)
{
	if (syscall(SYS_close_range, first, ~0U, 0U) == 0)
		return;
	for (unsigned fd = first; fd < 1024; fd++) /* before Linux 5.9 */
		close((int)fd);
}

/* --- where it stands ------------------------------------------------------------------------- */

static void say_errno(const struct rules *r, const char *tini, const char *dumb, const char *own)
{
	const char *reason = tell_errno(errno);

	if (r->as == AS_TINI)
		print(2, "[FATAL tini (%d)] %s: %s\n", getpid(), tini, reason);
	else if (r->as == AS_DUMB_INIT)
		print(2, "[dumb-init] %s (errno=%d %s).\n", dumb, errno, reason);
	else
		print(2, "clade-init: %s: %s\n", own, reason);
}

static void take_session(const struct rules *r)
{
	bool tells = r->as == AS_DUMB_INIT && r->verbosity;

	setsid();
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0 && tells)
		say_errno(r, "", "Unable to attach to controlling tty", "");
	if (tells)
		print(2, "[dumb-init] setsid complete.\n");
}

/* catatonit's way to the terminal, and what it says on it */
static int terminal_of(const struct rules *r)
{
	int fd;

	if (r->as != AS_CATATONIT)
		return STDIN_FILENO;
	fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (r->verbosity)
		print(2,
			"INFO (catatonit:%d): using stdin as tty fd: could not open /dev/tty: %s\n",
			getpid(), tell_errno(errno));
	return STDIN_FILENO;
}

static void take_group(const struct rules *r, bool foreground)
{
	int fd;

	setpgid(0, 0);
	if (!foreground)
		return;
	fd = terminal_of(r);
	if (tcsetpgrp(fd, getpgrp()) < 0 && r->as == AS_CATATONIT && r->verbosity)
		print(2,
			"DEBUG (catatonit:%d): setting foreground process failed: no tty present: "
			"%s\n",
			getpid(), tell_errno(errno));
	if (fd != STDIN_FILENO)
		close(fd);
}

/* --- its environment ------------------------------------------------------------------------- */

/* Systemd's variables that name whom they are for: us, who hand them on (sd_listen_fds(3)). */
static void name_it(const char *name, char room[32])
{
	size_t n = strlen(name);
	struct line l = { 0 };

	for (char **e = environ; *e; e++) {
		if (strncmp(*e, name, n) != 0 || (*e)[n] != '=' ||
			options_number(*e + n + 1, strlen(*e + n + 1), 1 << 30) != getppid())
			continue;
		l.len = 0;
		line_add(&l, "%s=%d%c", name, getpid(), 0);
		memcpy(room, l.text, l.len);
		*e = room;
	}
}

/* How many descriptors behind the first three are the program's. */
static int passed_on(const struct rules *r)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	long fds = 0;

	if (pid && n && options_number(pid, strlen(pid), 1 << 30) == getppid())
		fds = options_number(n, strlen(n), 1 << 20);
	return fds > r->preserve_fds ? (int)fds : r->preserve_fds;
}

/* --- exec ------------------------------------------------------------------------------------ */

/* What is no program is a script, as for execvp(3). argv[-1] is there: our own name. */
static void try(const char *path, char **argv)
{
	char *name = argv[0], *own = argv[-1];

	execve(path, argv, environ);
	if (errno != ENOEXEC)
		return;
	argv[-1] = (char *)"/bin/sh";
	argv[0] = (char *)path;
	execve("/bin/sh", argv - 1, environ);
	argv[0] = name;
	argv[-1] = own;
	errno = ENOEXEC;
}

/* execvp(3); errno tells. */
static void search(char **argv)
{
	const char *path = getenv("PATH"), *name = argv[0];
	size_t n = strlen(name), dir;
	bool denied = false;
	char room[4096];

	if (!*name || strchr(name, '/')) {
		try(name, argv);
		return;
	}
	if (!path)
		path = "/usr/local/bin:/bin:/usr/bin";
	for (;; path += dir + 1) {
		dir = strcspn(path, ":");
		errno = ENAMETOOLONG;
		if (dir + n + 2 <= sizeof(room)) {
			memcpy(room, path, dir);
			room[dir] = '/';
			memcpy(room + dir + (dir > 0), name, n + 1);
			try(room, argv);
		}
		denied |= errno == EACCES;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES && errno != ENAMETOOLONG)
			return;
		if (!path[dir])
			break;
	}
	errno = denied ? EACCES : ENOENT;
}

/* Says why, and gives the exit code that the personality has for it. */
static int not_executed(const struct rules *r, const char *name)
{
	int error = errno;
	const char *reason = tell_errno(error);

	switch (r->as) {
	case AS_TINI:
		if (r->verbosity >= 3 && tcgetpgrp(STDIN_FILENO) < 0)
			print(1, "[DEBUG tini (%d)] tcsetpgrp failed: no tty (ok to proceed)\n",
				getpid());
		print(2, "[FATAL tini (%d)] exec %s failed: %s\n", getpid(), name, reason);
		return error == ENOENT ? 127 : error == EACCES ? 126 : 1;
	case AS_DUMB_INIT:
		print(2, "[dumb-init] %s: %s\n", name, reason);
		return 2;
	case AS_CATATONIT:
		print(2, "ERROR (catatonit:%d): failed to exec pid1: %s\n", getpid(), reason);
		return 1;
	default:
		print(2, "clade-init: exec %s: %s\n", name, reason);
		return error == ENOENT ? 127 : 126;
	}
}

static _Noreturn void become_program(
	const struct rules *r, const struct received *got, char **argv, bool foreground)
{
	static char listen_pid[32], watchdog_pid[32];
	int keep = passed_on(r);

	if (r->own_session)
		take_session(r);
	else if (r->own_group)
		take_group(r, foreground);
	name_it("LISTEN_PID", listen_pid);
	name_it("WATCHDOG_PID", watchdog_pid);
	if (r->preserve_fds >= 0)
		spawn_close(3 + (unsigned)keep);
	sigaction(SIGTTOU, &got->ttou, NULL);
	sigaction(SIGTTIN, &got->ttin, NULL);
	sigaction(SIGCHLD, &got->chld, NULL);
	spawn_mask(SIG_SETMASK, &got->mask, NULL);
	search(argv);
	_exit(not_executed(r, argv[0]));
}

pid_t spawn_program(const struct rules *r, const struct received *got, char **argv)
{
	/* who is in the background takes the terminal from nobody; tini and catatonit do */
	bool foreground =
		r->as == AS_TINI || r->as == AS_CATATONIT || tcgetpgrp(STDIN_FILENO) == getpgrp();
	pid_t pid;

	/* our memory is lent to it until it is another program: no page is copied */
	pid = vfork();
	if (pid == 0)
		become_program(r, got, argv, foreground);
	return pid;
}
