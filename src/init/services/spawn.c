/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of a service: itself, its finish program, its check. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/engine.h"

extern char **environ;

enum { ENV_MAX = 4096, PLACES = 5 };

/* --- the newborn's side ---------------------------------------------------------------------- */

static _Noreturn void give_up(const struct service *s, const char *what)
{
	int code = errno == ENOENT ? 127 : 126;
	char text[512];
	struct buf b = BUF(text);

	buf_add(&b, "%s: %s: %s\n", s->def->name, what, strerror(errno));
	if (write(STDERR_FILENO, text, b.len) < 0)
		_exit(code);
	_exit(code);
}

/* Room for a variable that replaces one of the same name. */
static void set_env(const char **env, size_t *n, const char *item)
{
	size_t name = strcspn(item, "=") + 1;

	for (size_t i = 0; i < *n; i++) {
		if (strncmp(env[i], item, name) == 0) {
			env[i] = item;
			return;
		}
	}
	if (*n < ENV_MAX - 1)
		env[(*n)++] = item;
	env[*n] = NULL;
}

static char *pair(char *room, size_t size, const char *name, const char *value)
{
	struct buf b = { room, 0, size };

	buf_add(&b, "%s=%s", name, value);
	return room;
}

static void make_env(
	const struct service *s, const char **env, const char *notify, char rooms[3][512])
{
	const struct sv_def *d = s->def;
	size_t n = 0;

	for (char **e = environ; *e && n < ENV_MAX - 64; e++)
		if (strncmp(*e, "NOTIFY_SOCKET=", 14) != 0 && strncmp(*e, "LISTEN_", 7) != 0 &&
			strncmp(*e, "WATCHDOG_", 9) != 0)
			env[n++] = *e;
	env[n] = NULL;
	if (d->user.set && s->conf->set.dialect != DIALECT_SUPERVISOR) {
		set_env(env, &n, pair(rooms[0], 512, "HOME", d->user.home));
		set_env(env, &n, pair(rooms[1], 512, "USER", d->user.name));
	}
	if (notify)
		set_env(env, &n, pair(rooms[2], 512, "NOTIFY_SOCKET", notify));
	for (const char **e = s->conf->set.env; e && *e; e++)
		set_env(env, &n, *e);
	for (const char **e = d->env; e && *e; e++)
		set_env(env, &n, *e);
}

static void become_user(const struct service *s)
{
	const struct sv_user *u = &s->def->user;

	if (!u->set || (geteuid() != 0 && u->uid == geteuid()))
		return;
	if (setgroups((size_t)u->n_groups, u->groups) < 0 || setgid(u->gid) < 0 ||
		setuid(u->uid) < 0)
		give_up(s, "become its user");
}

static void settle(const struct service *s)
{
	const struct sv_def *d = s->def;
	const char *dir = d->dir ? d->dir : s->conf->set.dir;

	if (d->umask >= 0)
		umask((mode_t)d->umask);
	become_user(s);
	if (dir && chdir(dir) < 0)
		give_up(s, dir);
	sigprocmask(SIG_SETMASK, sv.received, NULL);
}

/* Every descriptor of ours closes at exec; these are placed as standard ones (and two more: the one
 * it says on that it is ready, and s6's lock). */
static void place(const struct service *s, const int fds[PLACES], const int at[PLACES])
{
	int kept[PLACES], above = 64;

	/* above whatever they are to become, so that none is overwritten before it is copied */
	for (int i = 0; i < PLACES; i++)
		if (fds[i] >= 0 && at[i] >= above)
			above = at[i] + 1;
	for (int i = 0; i < PLACES; i++)
		kept[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, above);
	for (int i = 0; i < 3; i++) {
		if (kept[i] < 0)
			kept[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (kept[i] != i && (kept[i] < 0 || dup2(kept[i], i) < 0))
			give_up(s, "set up its streams");
	}
	for (int i = 3; i < PLACES; i++)
		if (fds[i] >= 0 && (kept[i] < 0 || dup2(kept[i], at[i]) < 0))
			give_up(s, "set up its notification or lock descriptor");
}

/*
 * s6's lock-fd: held by the service and whatever it leaves, so that the next does not begin beside
 * it. Taken on its folder, which is there on a read-only root, too.
 */
static int take_lock(const struct service *s)
{
	int fd = s->def->lock_fd < 0 ? -1 : open(s->def->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		char text[300];
		struct buf b = BUF(text);

		buf_add(&b, "%s: an earlier copy of it still lives: waiting until it is gone\n",
			s->def->name);
		if (write(STDERR_FILENO, text, b.len) < 0)
			return fd;
		sigprocmask(SIG_SETMASK, sv.received, NULL);
		flock(fd, LOCK_EX);
	}
	return fd;
}

static _Noreturn void execute(const struct service *s, const char *const *argv, const char **env)
{
	execvpe(argv[0], (char *const *)argv, (char *const *)env);
	give_up(s, argv[0]);
}

/*
 * PID 1 of a service's own PID namespace: passes signals on to the program's group and ends with
 * it; with PID 1 the kernel ends everything else there. A program itself as PID 1 would not hear
 * TERM without a handler.
 */
static void inner_init(int tell)
{
	sigset_t all;
	pid_t child;
	int status;

	mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);
	/* without it, /proc would show the outer namespace's processes; where it may not be mounted
	 * it stays so */
	mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	child = fork();
	if (child == 0) {
		setsid();
		return;
	}
	if (child < 0)
		_exit(126);
	if (tell != 0 && dup2(tell, 0) < 0)
		_exit(126);
	syscall(SYS_close_range, 1U, ~0U, 0U);
	sigfillset(&all);
	for (;;) {
		siginfo_t info;
		pid_t pid;

		if (sigwaitinfo(&all, &info) > 0 && info.si_signo != SIGCHLD)
			kill(-child, info.si_signo);
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
			if (pid == child && write(0, &status, sizeof(status)) >= 0)
				_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
							  : WEXITSTATUS(status));
			else if (pid == child)
				_exit(126);
	}
}

/* --- our side -------------------------------------------------------------------------------- */

/* fork(2), with namespaces. */
static pid_t clone_like_fork(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static pid_t fork_for(struct service *s)
{
	pid_t pid;
	int tell[2];

	s->isolated = false;
	if (!s->def->isolate_pid)
		return fork();
	if (pipe2(tell, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	pid = clone_like_fork(CLONE_NEWPID | CLONE_NEWNS);
	if (pid == 0) {
		inner_init(tell[1]);
		return 0;
	}
	close(tell[1]);
	if (pid > 0) {
		s->isolated = true;
		s->status_fd = tell[0];
		return pid;
	}
	close(tell[0]);
	if (errno == EAGAIN || errno == ENOMEM)
		return -1;
	note(NOTE_WARN,
		"%s: a PID namespace of its own is not allowed here (%s): its process group takes "
		"its place",
		s->def->name, strerror(errno));
	return fork();
}

int spawn_can(const struct service *s)
{
	const char *name = s->def->argv[0], *path = getenv("PATH");
	int why = ENOENT;
	char text[4096];

	if (strchr(name, '/')) {
		struct stat st;
		struct buf b = BUF(text);

		/* s6's ./run stands in its folder */
		if (*name != '/' && s->def->dir)
			buf_add(&b, "%s/", s->def->dir);
		buf_add(&b, "%s", name);
		if (stat(text, &st) < 0)
			return errno == EACCES ? 0 : errno;
		return S_ISDIR(st.st_mode) || !(st.st_mode & 0111) ? EACCES : 0;
	}
	for (const char **e = s->def->env; e && *e; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			path = *e + 5;
	for (const char *p = path ? path : "/usr/local/bin:/bin:/usr/bin"; *p;) {
		size_t n = strcspn(p, ":");
		struct buf b = BUF(text);

		buf_add(&b, "%.*s/%s", (int)n, p, name);
		if (access(text, X_OK) == 0)
			return 0;
		if (errno == EACCES)
			why = EACCES;
		p += n + (p[n] == ':');
	}
	return why;
}

static const char *notify_name(const struct service *s, char room[64])
{
	struct buf b = { room, 0, 64 };

	if (s->notify_fd < 0)
		return NULL;
	buf_add(&b, "@clade-init-%d-%d-%ld", (int)getpid(), engine_of(s), (long)s->started_ms);
	return room;
}

/* Our side of it, when there is a process at the other. */
static void keep_stdin(struct service *s, const int in[2], pid_t pid)
{
	if (in[0] < 0)
		return;
	close(in[0]);
	if (pid <= 0) {
		close(in[1]);
		return;
	}
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	s->in_fd = in[1];
}

bool spawn_feed(const struct service *s, const char *data, size_t n)
{
	return s->in_fd >= 0 && write(s->in_fd, data, n) == (ssize_t)n;
}

pid_t spawn_main(struct service *s)
{
	const struct sv_def *d = s->def;
	int fds[PLACES] = { -1, -1, -1, -1, -1 }, notify[2] = { -1, -1 }, in[2] = { -1, -1 };
	const int at[PLACES] = { 0, 1, 2, d->ready_fd, d->lock_fd };
	char name[64], rooms[3][512];
	/* named before there are two of us: the number in it is ours */
	const char *socket = notify_name(s, name);
	pid_t pid;

	if (s->pipe_in >= 0)
		fds[0] = s->pipe_in;
	else if (d->own_stdin && pipe2(in, O_CLOEXEC) == 0)
		fds[0] = in[0];
	fds[1] = out_stream_open(s, 0);
	fds[2] = d->err.kind == LOG_SAME ? fds[1] : out_stream_open(s, 1);
	if (d->ready == READY_FD && pipe2(notify, O_CLOEXEC) < 0)
		note(NOTE_WARN, "%s: pipe: %s", d->name, strerror(errno));
	pid = fork_for(s);
	if (pid == 0) {
		static const char *env[ENV_MAX];

		if (d->own_session)
			setsid();
		else
			setpgid(0, 0);
		make_env(s, env, socket, rooms);
		fds[3] = notify[1];
		fds[4] = take_lock(s);
		place(s, fds, at);
		settle(s);
		/* the environment's PATH is the one that is searched */
		environ = (char **)env;
		execute(s, d->argv, env);
	}
	if (pid > 0 && !d->own_session)
		setpgid(pid, pid); /* whoever is first: a signal to the group must find it */
	for (int i = 1; i < 3; i++)
		if (fds[i] > 2 && !out_is_lent(s, fds[i]) && !(i == 2 && fds[2] == fds[1]))
			close(fds[i]);
	keep_stdin(s, in, pid);
	if (notify[1] >= 0)
		close(notify[1]);
	if (pid > 0)
		s->ready_fd = notify[0];
	else if (notify[0] >= 0)
		close(notify[0]);
	return pid < 0 ? -errno : pid;
}

static pid_t spawn_other(struct service *s, const char *const *argv)
{
	static const int fds[PLACES] = { -1, STDOUT_FILENO, STDERR_FILENO, -1, -1 },
			 at[PLACES] = { 0, 1, 2, -1, -1 };
	char rooms[3][512];
	pid_t pid = fork();

	if (pid == 0) {
		static const char *env[ENV_MAX];

		setsid();
		make_env(s, env, NULL, rooms);
		place(s, fds, at);
		settle(s);
		environ = (char **)env;
		execute(s, argv, env);
	}
	return pid;
}

pid_t spawn_finish(struct service *s)
{
	const char *argv[16] = { 0 };
	char code[24], signo[24], group[24];
	struct buf a = BUF(code), b = BUF(signo), c = BUF(group);
	int n = 0;

	for (; s->def->finish[n] && n < 10; n++)
		argv[n] = s->def->finish[n];
	/* s6: the exit code or 256, the signal or 0, the service's name, its process group */
	buf_add(&a, "%d", WIFSIGNALED(s->status) ? 256 : WEXITSTATUS(s->status));
	buf_add(&b, "%d", WIFSIGNALED(s->status) ? WTERMSIG(s->status) : 0);
	buf_add(&c, "%d", (int)s->pgid);
	argv[n++] = code;
	argv[n++] = signo;
	argv[n++] = s->def->name;
	argv[n++] = group;
	return spawn_other(s, argv);
}

pid_t spawn_check(struct service *s)
{
	return spawn_other(s, s->def->ready_argv);
}
