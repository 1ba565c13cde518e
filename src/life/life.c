/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state is, where the helper programs are, what the machine can do. */
#include "life/life.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/signals.h"
#include "base/str.h"
#include "life/internal.h"
#include "os/file.h"
#include "os/probe.h"
#include "os/seal.h"
#include "os/tty.h"

static const char *default_root(struct arena *a, uid_t euid)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *run_user = arena_printf(a, "/run/user/%u", euid);

	if (euid == 0)
		return "/run/clade";
	if (runtime && runtime[0] == '/')
		return arena_printf(a, "%s/clade", runtime);
	if (access(run_user, W_OK) == 0)
		return arena_printf(a, "%s/clade", run_user);
	return arena_printf(a, "/tmp/clade-run-%u", euid);
}

/* Beside this program (a build folder), or where it is installed. */
const char *life_helper(struct arena *a, const char *self, const char *name)
{
	const char *slash = strrchr(self, '/');
	const char *beside = arena_printf(a, "%.*s/%s", (int)(slash - self), self, name);
	const char *libexec =
		arena_printf(a, "%.*s/../libexec/clade/%s", (int)(slash - self), self, name);
	char real[PATH_MAX];

	if (access(beside, X_OK) == 0)
		return realpath(beside, real) ? arena_strdup(a, real) : beside;
	if (access(libexec, X_OK) == 0)
		return realpath(libexec, real) ? arena_strdup(a, real) : libexec;
	/* a build tree: what was linked into build/bin lies in two build folders */
	beside = arena_printf(a, "%.*s/../../../bin/%s", (int)(slash - self), self, name);
	if (access(beside, X_OK) == 0)
		return realpath(beside, real) ? arena_strdup(a, real) : beside;
	return arena_printf(a, "%s/%s", CLADE_LIBEXECDIR, name);
}

int life_init(struct life *l, const char *root, struct err *e)
{
	struct arena *a = &l->host.arena;
	char self[PATH_MAX];
	const char *data;
	int r;

	*l = (struct life){ .root_fd = FD_NONE, .cgroup_manager = CGROUP_FS };
	r = host_probe(&l->host, HOST_ALL);
	if (r < 0)
		return err_set(e, -r, "look at this machine through /proc");
	r = seal_exe_path(self, sizeof(self));
	if (r < 0)
		return err_set(e, -r, "find this program's own file");
	l->self_exe = arena_strdup(a, self);
	l->keep_exe = life_helper(a, self, "clade-keep");
	l->init_exe = life_helper(a, self, "clade-init");
	if (getcwd(self, sizeof(self)))
		l->cwd = arena_strdup(a, self);
	data = getenv("CLADE_DATA");
	if (data && data[0])
		l->data_root = data[0] == '/'
				       ? arena_strdup(a, data)
				       : arena_printf(a, "%s/%s", l->cwd ? l->cwd : "", data);
	if (!root)
		root = getenv("CLADE_ROOT");
	if (!root || !root[0])
		root = default_root(a, l->host.euid);
	if (root[0] != '/')
		root = arena_printf(a, "%s/%s", l->cwd ? l->cwd : "", root);
	l->root = arena_strdup(a, root);
	l->root_fd = store_open(l->root, e);
	return l->root_fd < 0 ? -e->code : 0;
}

void life_done(struct life *l)
{
	fd_close(&l->root_fd);
	arena_done(&l->host.arena);
}

int life_seal(char **argv, struct err *e)
{
	int r = geteuid() == 0 ? seal_self(argv) : 0;

	return r < 0 ? err_set(e, -r, "protect this program's own file from the container") : 0;
}

void life_stdio(void)
{
	/* open(2) takes the lowest number that is free */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

int life_write_file(const char *path, const char *text, size_t n, struct err *e)
{
	autotext beside = { 0 };
	autofd fd = FD_NONE;
	struct stat st;
	int r;

	/* a device, a pipe or a link that is named by mistake is not replaced */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_say(e, "write %s: it is there and not a regular file", path);
	text_addf(&beside, "%s.%d", path, (int)getpid());
	fd = open(beside.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "write %s", path);
	r = file_write_all(fd, text, n);
	if (r == 0 && rename(beside.p, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(beside.p);
	return r < 0 ? err_set(e, -r, "write %s", path) : 0;
}

unsigned life_stdout_width(void)
{
	uint16_t rows, cols;

	return isatty(STDOUT_FILENO) && tty_get_size(STDOUT_FILENO, &rows, &cols) == 0 ? cols : 0;
}

bool life_stderr_is_tty(void)
{
	return isatty(STDERR_FILENO);
}

bool life_stdout_is_tty(void)
{
	return isatty(STDOUT_FILENO);
}

bool life_stdin_is_tty(void)
{
	return isatty(STDIN_FILENO);
}

const char *life_status_word(enum life_status s)
{
	static const char *const words[] = {
		[LIFE_CREATED] = "created",
		[LIFE_RUNNING] = "running",
		[LIFE_PAUSED] = "paused",
		[LIFE_RESTARTING] = "restarting",
		[LIFE_EXITED] = "exited",
	};

	return words[s];
}

int life_restart_parse(const char *word, enum restart_policy *ret, int *ret_max, struct err *e)
{
	int max = 0;

	if (str_eq(word, "no") || !word[0])
		*ret = RESTART_NO;
	else if (str_eq(word, "always"))
		*ret = RESTART_ALWAYS;
	else if (str_eq(word, "unless-stopped"))
		*ret = RESTART_UNLESS_STOPPED;
	else if (str_eq(word, "on-failure") ||
		 (str_starts(word, "on-failure:") && str_int(word + 11, &max) == 0 && max >= 0))
		*ret = RESTART_ON_FAILURE;
	else
		return err_say(e,
			"--restart %s: no, on-failure[:N], always or unless-stopped is wanted",
			word);
	*ret_max = max;
	return 0;
}

int life_signal_parse(const char *word, int *ret, struct err *e)
{
	int n = signal_parse(word);

	if (n < 0)
		return err_say(e, "signal %s is not known", word);
	*ret = n;
	return 0;
}
