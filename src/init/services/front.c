/* SPDX-License-Identifier: Apache-2.0 */
/* From a command line (clade-init's own, or supervisord's) to running services. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/engine.h"
#include "init/services/services.h"

enum { MISTAKE = 2 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- supervisord's command line -------------------------------------------------------------- */

static char extra[8192];

static const struct option_row {
	char letter;
	const char *name, *key; /* key NULL: a flag of the front itself */
	bool flag;
} rows[] = { { 'c', "configuration", NULL, false }, { 'n', "nodaemon", "nodaemon", true },
	{ 's', "silent", "silent", true }, { 'h', "help", NULL, true },
	{ 'v', "version", NULL, true }, { 'u', "user", "user", false },
	{ 'm', "umask", "umask", false }, { 'd', "directory", "directory", false },
	{ 'l', "logfile", "logfile", false },
	{ 'y', "logfile_maxbytes", "logfile_maxbytes", false },
	{ 'z', "logfile_backups", "logfile_backups", false },
	{ 'e', "loglevel", "loglevel", false }, { 'j', "pidfile", "pidfile", false },
	{ 'i', "identifier", "identifier", false }, { 'q', "childlogdir", "childlogdir", false },
	{ 'k', "nocleanup", "nocleanup", true }, { 'a', "minfds", "minfds", false },
	{ 't', "strip_ansi", "strip_ansi", true }, { 0, "minprocs", "minprocs", false },
	{ 0, "profile_options", "profile_options", false } };

static const char supervisord_help[] =
	"supervisord -- run a set of applications as daemons (clade-init " CLADE_VERSION ")\n\n"
	"Usage: supervisord [options]\n\n"
	"-c/--configuration FILENAME, -n/--nodaemon, -s/--silent, -h/--help, -v/--version,\n"
	"-u/--user USER, -m/--umask UMASK, -d/--directory DIRECTORY, -l/--logfile FILENAME,\n"
	"-y/--logfile_maxbytes BYTES, -z/--logfile_backups NUM, -e/--loglevel LEVEL,\n"
	"-j/--pidfile FILENAME, -i/--identifier STR, -q/--childlogdir DIRECTORY, -k/--nocleanup,\n"
	"-a/--minfds NUM, -t/--strip_ansi, --minprocs NUM: as supervisord's manual says\n";

static void print(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) < 0)
		return;
}

static const struct option_row *row_of(const char *word, const char **ret_value)
{
	size_t n = word[1] == '-' ? strcspn(word + 2, "=") : 0;

	*ret_value = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (n && strlen(rows[i].name) == n && strncmp(rows[i].name, word + 2, n) == 0) {
			*ret_value = word[2 + n] ? word + 3 + n : NULL;
			return &rows[i];
		}
		if (!n && word[1] == rows[i].letter) {
			*ret_value = word[2] && !rows[i].flag ? word + 2 : NULL;
			return &rows[i];
		}
	}
	return NULL;
}

static void add_extra(const char *key, const char *value)
{
	struct buf b = { extra, strlen(extra), sizeof(extra) };

	if (!b.len)
		buf_add(&b, "[supervisord]\n");
	buf_add(&b, "%s=", key);
	for (; *value; value++)
		buf_add(&b, *value == '%' ? "%%%%" : "%.*s", 1, value);
	buf_add(&b, "\n");
}

static int supervisord_mistake(const char *what, const char *word)
{
	say("Error: ", what, " ", word);
	say("For help, use supervisord -h", NULL, NULL, NULL);
	return MISTAKE;
}

/* -1: go on; else the exit code. */
static int supervisord_options(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *value;
		const struct option_row *row = argv[i][0] == '-' ? row_of(argv[i], &value) : NULL;

		if (!row)
			return supervisord_mistake(
				argv[i][0] == '-' ? "option not recognized:"
						  : "positional arguments are not supported:",
				argv[i]);
		if (row->letter == 'h' || row->letter == 'v') {
			print(row->letter == 'h' ? supervisord_help : "4.2.5\n");
			return 0;
		}
		if (!row->flag && !value && ++i == argc)
			return supervisord_mistake("option requires an argument:", argv[i - 1]);
		if (!row->flag && !value)
			value = argv[i];
		if (row->letter == 'c')
			sv.path = value;
		else
			add_extra(row->key, row->flag ? "true" : value);
		/* -nc FILE: the letters behind a flag */
		if (row->flag && argv[i][1] != '-' && argv[i][2]) {
			argv[i]++;
			argv[i][0] = '-';
			i--;
		}
	}
	sv.extra = extra;
	return -1;
}

const char *services_default_config(void)
{
	static const char *const places[] = { "../etc/supervisord.conf", "../supervisord.conf",
		"supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf",
		"/etc/supervisor/supervisord.conf" };

	/* the first two are beside the program's folder there, for installations under a prefix:
	 * not where this one lies */
	for (size_t i = 2; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			return places[i];
	return NULL;
}

/* --- becoming what was asked ----------------------------------------------------------------- */

static void open_standard_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < 3);
	if (fd >= 0)
		close(fd);
	/* whatever else we were given is neither ours nor the services' */
	syscall(SYS_close_range, 3U, ~0U, 0U);
}

static bool take_signals(void)
{
	static sigset_t received;
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP };
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&all, faults[i]);
	sigprocmask(SIG_BLOCK, &all, &received);
	sv.received = &received;
	/*
	 * What whoever started us had ignored is not the services' business (a shell's background
	 * job has INT ignored, and could never be stopped by it); with SIGCHLD ignored the kernel
	 * would reap for us.
	 */
	for (int i = 1; i < SIGNALS; i++)
		sigaction(i, &plain, NULL);
	sv.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	sv.epoll = epoll_create1(EPOLL_CLOEXEC);
	return sv.signals >= 0 && sv.epoll >= 0 && engine_watch(sv.signals, EPOLLIN, ON_SIGNAL, 0);
}

static void *reserve(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		-1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* What an earlier run left in log files nobody gave a name to. */
static void clear_auto_logs(const struct conf *c)
{
	for (int i = 0; i < c->n && !c->set.nocleanup; i++) {
		if (c->defs[i].out.is_auto)
			unlink(c->defs[i].out.path);
		if (c->defs[i].err.is_auto)
			unlink(c->defs[i].err.path);
	}
}

static void daemonize(void)
{
	pid_t pid;
	int fd;

	pid = fork();
	if (pid != 0)
		_exit(pid < 0);
	setsid();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static int drop_privileges(const struct sv_user *u)
{
	if (!u->set || geteuid() != 0 || u->uid == 0)
		return 0;
	if (setgroups((size_t)u->n_groups, u->groups) < 0 || setgid(u->gid) < 0 ||
		setuid(u->uid) < 0)
		return -errno;
	return 0;
}

static void write_pid_file(const char *path)
{
	char text[24];
	struct buf b = BUF(text);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

	buf_add(&b, "%d\n", (int)getpid());
	if (fd < 0 || write(fd, text, b.len) < 0)
		note(NOTE_CRIT, "could not write pidfile %s", path);
	if (fd >= 0)
		close(fd);
}

static int begin_supervisord(void)
{
	struct sv_settings *set = &sv.now->set;
	int r;

	umask((mode_t)set->umask);
	if (set->dir && chdir(set->dir) < 0)
		note(NOTE_CRIT, "can't chdir into '%s': %s", set->dir, strerror(errno));
	sv.loglevel = set->loglevel;
	sv.log_to_stdout = !set->silent;
	if (!set->nodaemon && getpid() == 1)
		note(NOTE_WARN, "nodaemon is not set, but PID 1 has to stay: it does");
	if (geteuid() == 0 && !set->user.set)
		note(NOTE_CRIT, "Supervisord is running as root.  Privileges were not dropped "
				"because no user is specified in the config file.  "
				"If you intend to run as root, you can set user=root in the config "
				"file to avoid this message.");
	r = drop_privileges(&set->user);
	if (r < 0) {
		note(NOTE_CRIT, "drop privileges to %s: %s", set->user.name, strerror(-r));
		return MISTAKE;
	}
	if (set->user.set)
		note(NOTE_INFO, "Set uid to user %d succeeded", (int)set->user.uid);
	clear_auto_logs(sv.now);
	return 0;
}

static int run(struct conf *c)
{
	int code = 0;

	/* first of all: who waits for signals must be who was told to */
	if (sv.is_supervisor && !c->set.nodaemon && getpid() != 1)
		daemonize();
	sv.all = reserve(SV_MAX * sizeof(*sv.all));
	sv.text = reserve(SV_MAX * sizeof(*sv.text));
	if (!sv.all || !sv.text || !take_signals()) {
		say("clade-init: start the services: ", strerror(errno), NULL, NULL);
		return 125;
	}
	sv.now = c;
	sv.now_ms = engine_clock();
	sv.loglevel = NOTE_INFO;
	sv.log_to_stdout = true;
	out_begin();
	if (getpid() != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (sv.is_supervisor)
		code = begin_supervisord();
	if (code)
		return code;
	if (!ctl_begin())
		return MISTAKE;
	if (sv.is_supervisor) {
		note(NOTE_INFO, "supervisord started with pid %d", (int)getpid());
		write_pid_file(c->set.pidfile);
	}
	change_begin(c);
	code = engine_run();
	ctl_end();
	if (sv.is_supervisor)
		unlink(sv.now->set.pidfile);
	return code;
}

/* --- clade-init --services ------------------------------------------------------------------- */

static int own_options(int argc, char **argv, bool *ret_check)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--services") == 0 && i + 1 < argc)
			sv.path = argv[++i];
		else if (strncmp(argv[i], "--services=", 11) == 0)
			sv.path = argv[i] + 11;
		else if (strcmp(argv[i], "--check") == 0)
			*ret_check = true;
		else {
			say("clade-init: ", argv[i],
				": after --services FILE|DIR there is nothing but --check", NULL);
			return MISTAKE;
		}
	}
	return -1;
}

static int mistake(const struct conf *c)
{
	say(sv.is_supervisor ? "Error: " : "clade-init: ", c->error, NULL, NULL);
	if (sv.is_supervisor)
		say("For help, use supervisord -h", NULL, NULL, NULL);
	return MISTAKE;
}

int services_main(int argc, char **argv)
{
	const char *name = base_name(argv[0]);
	struct conf *c = &sv.gens[0];
	bool check = false;
	int code;

	if (strcmp(name, "supervisorctl") == 0)
		return client_supervisorctl(argc, argv);
	if (strcmp(name, "clade-init") == 0 && strcmp(argv[1], "ctl") == 0)
		return client_main(argc, argv);
	open_standard_streams();
	sv.is_supervisor = strcmp(name, "supervisord") == 0;
	code = sv.is_supervisor ? supervisord_options(argc, argv) : own_options(argc, argv, &check);
	if (code >= 0)
		return code;
	if (!sv.path)
		sv.path = sv.is_supervisor ? services_default_config() : NULL;
	if (!sv.path) {
		say(sv.is_supervisor ? "Error: No config file found at default paths "
				       "(supervisord.conf, etc/supervisord.conf, "
				       "/etc/supervisord.conf, /etc/supervisor/supervisord.conf); "
				       "use the -c option to specify a config file "
				       "at a different path"
				     : "clade-init: --services needs a file or a folder",
			NULL, NULL, NULL);
		return MISTAKE;
	}
	c->warn = note_warn;
	c->extra = sv.extra;
	if (!conf_load(c, sv.path, sv.is_supervisor))
		return mistake(c);
	/* a supervisord.conf is supervisord's business under any name; as clade-init it stays in
	 * the foreground */
	if (c->set.dialect == DIALECT_SUPERVISOR && !sv.is_supervisor) {
		sv.is_supervisor = true;
		c->set.nodaemon = true;
	}
	if (check) {
		char text[32];
		struct buf b = BUF(text);

		buf_add(&b, "%d", c->n);
		say(sv.path, ": ", text,
			c->n == 1 ? " service, no mistakes" : " services, no mistakes");
		return 0;
	}
	return run(c);
}
