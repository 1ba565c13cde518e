/* SPDX-License-Identifier: Apache-2.0 */
/* The three formats from text to services; mistakes first. */
#include "init/services/conf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct conf conf;
static char warnings[4096], folder[] = "/tmp/clade-conf-test-XXXXXX";

static void warn(const char *text)
{
	strncat(warnings, text, sizeof(warnings) - strlen(warnings) - 2);
	strcat(warnings, "\n");
}

static void put(const char *name, const char *text, mode_t mode)
{
	char path[256] = "";
	struct buf b = BUF(path);
	int fd;

	buf_add(&b, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static bool load(const char *name)
{
	static char path[256];
	struct buf b = BUF(path);

	path[0] = warnings[0] = '\0';
	buf_add(&b, "%s/%s", folder, name);
	conf_close(&conf);
	conf = (struct conf){ .warn = warn };
	return conf_load(&conf, path, false);
}

static bool load_text(const char *text)
{
	put("c", text, 0600);
	return load("c");
}

/* name: what the error must contain besides FILE:LINE */
static void refuses(const char *text, int line, const char *what)
{
	char place[300] = "";
	struct buf b = BUF(place);

	buf_add(&b, "%s/c:%d: ", folder, line);
	assert_false(load_text(text));
	if (line && !strstr(conf.error, place))
		fail_msg("\"%s\" does not name %s", conf.error, place);
	if (!strstr(conf.error, what))
		fail_msg("\"%s\" does not say %s", conf.error, what);
}

static const struct sv_def *def(const char *name)
{
	for (int i = 0; i < conf.n; i++)
		if (strcmp(conf.defs[i].name, name) == 0)
			return &conf.defs[i];
	fail_msg("there is no service %s", name);
	return NULL;
}

static void mistakes_name_file_line_and_key(void **state)
{
	refuses("run = x\n", 1, "before the first");
	refuses("[service a]\nrun\n", 2, "key = value");
	refuses("[service a]\nrun = x\nrum = y\n", 3, "[service a] rum: there is no such key");
	refuses("[service a]\n", 1, "run: is missing");
	refuses("[service a]\nrun = 'x\n", 2, "quote");
	refuses("[service a]\nrun = x\nready = maybe\n", 3, "ready:");
	refuses("[service a]\nrun = x\nready = fd:2\n", 3, "3 to 1023");
	refuses("[service a]\nrun = x\nready = alive:soon\n", 3, "a time");
	refuses("[service a]\nrun = x\nrestart = often\n", 3, "restart:");
	refuses("[service a]\nrun = x\nbackoff = 1s\n", 3, "1s..30s");
	refuses("[service a]\nrun = x\nstop = NOPE:1s\n", 3, "stop:");
	refuses("[service a]\nrun = x\nuser = no-such-user\n", 3, "no user");
	refuses("[service a]\nrun = x\numask = 9\n", 3, "octal");
	refuses("[service a]\nrun = x\nenv = A\n", 3, "NAME=value");
	refuses("[service a]\nrun = x\nlog = file:relative\n", 3, "log:");
	refuses("[service a]\nrun = x\nexpect = 256\n", 3, "exit codes");
	refuses("[service a]\nrun = x\nessential = perhaps\n", 3, "essential:");
	refuses("[service a]\nrun = x\nlog = service:nobody\n", 1, "no service nobody");
	refuses("[service a]\nrun = x\nneeds = b\n", 1, "needs: there is no service b");
	refuses("[service a]\nrun = x\nneeds = a\n", 1, "wait for itself");
	refuses("[service a]\nrun = x\ntype = oneshot\nrestart = always\n", 1,
		"never let a oneshot end");
	refuses("[service a b]\nrun = x\n", 1, "name");
	refuses("[init]\nidle = never\n[service a]\nrun = x\n", 2, "exit or stay");
	refuses("[init]\n", 0, "no service");
	refuses("", 0, "no service");
	assert_false(load("absent"));
	assert_non_null(strstr(conf.error, "absent: No such file"));
}

static void a_circle_is_named_from_end_to_end(void **state)
{
	refuses("[service a]\nrun = x\nneeds = b\n[service b]\nrun = x\nafter = c\n[service "
		"c]\nrun = x\nneeds = a\n",
		7, "a -> b -> c -> a");
}

static void a_huge_configuration_is_refused_not_read(void **state)
{
	char path[256] = "";
	struct buf b = BUF(path);

	put("c", "", 0600);
	buf_add(&b, "%s/c", folder);
	assert_int_equal(truncate(path, 100 << 20), 0);
	assert_false(load("c"));
	assert_non_null(strstr(conf.error, "larger than 1 MiB"));
}

static void ours_says_what_it_means(void **state)
{
	const struct sv_def *d;

	assert_true(load_text("[service a]\nrun = x\nready = tcp:10.0.0.1:80\n"
			      "[service b]\nrun = x\nready = tcp:[::1]:81\n"));
	assert_string_equal(def("a")->ready_host, "10.0.0.1");
	assert_int_equal(def("a")->ready_port, 80);
	assert_string_equal(def("b")->ready_host, "::1");
	assert_int_equal(def("b")->ready_port, 81);
	assert_false(load_text("[service a]\nrun = x\nready = tcp:db.example:80\n"));
	assert_false(load_text("[service a]\nrun = x\nready = tcp:10.0.0.1:\n"));
	assert_true(
		load_text("# a comment\n[init]\nsocket = /run/x\nsocket-mode = 660\nidle = stay\n"
			  "[service web]\nrun = sh -c \"echo # ; 'a b'\"\n  more words\nneeds = "
			  "db, cache\nrestart = always\n"
			  "backoff = 50ms..2m\ngive-up = never\nexpect = 0 3\nstop = "
			  "INT:1s,TERM:2s,KILL\nready = tcp:80\n"
			  "ready-timeout = 9s\nessential = yes\nisolate = pid\ndir = /srv\numask = "
			  "027\nenv = A=1 \"B=2 3\"\n"
			  "log = file:/l\nlog-size = 1M\nlog-keep = 2\nlog-err = none\n"
			  "[service db]\nrun = x\nlog = service:logger\n[service cache]\nrun = "
			  "x\n[service logger]\nrun = x\n"));
	assert_string_equal(conf.set.socket, "/run/x");
	assert_int_equal(conf.set.socket_mode, 0660);
	assert_false(conf.set.idle_exits);
	d = def("web");
	assert_string_equal(d->argv[2], "echo # ; 'a b'");
	assert_string_equal(d->argv[4], "words");
	assert_int_equal(d->n_needs, 2);
	assert_int_equal(d->rule.restart, RESTART_ALWAYS);
	assert_int_equal(d->rule.backoff_ms, 50);
	assert_int_equal(d->rule.cap_ms, 120000);
	assert_int_equal(d->rule.retries, -1);
	assert_true(d->rule.expected[3] && !d->rule.expected[1]);
	assert_int_equal(d->n_stop, 3);
	assert_int_equal(d->stop[1].signo, SIGTERM);
	assert_int_equal(d->ready, READY_TCP);
	assert_int_equal(d->ready_timeout_ms, 9000);
	assert_true(d->essential && d->isolate_pid && d->sweeps);
	assert_int_equal(d->umask, 027);
	assert_string_equal(d->env[1], "B=2 3");
	assert_int_equal(d->out.kind, LOG_FILE);
	assert_int_equal(d->out.max_bytes, 1 << 20);
	assert_int_equal(d->err.kind, LOG_NULL);
	assert_true(def("logger")->is_logger);
	assert_int_equal(def("db")->logger_at, 3);
}

static void a_change_changes_the_hash_and_only_that(void **state)
{
	uint64_t a, b;

	assert_true(load_text("[service a]\nrun = x\n[service b]\nrun = y\n"));
	a = def("a")->hash;
	b = def("b")->hash;
	assert_true(load_text("# new\n[service b]\nrun = y\n[service a]\nrun = x -v\n"));
	assert_true(def("a")->hash != a);
	assert_true(def("b")->hash == b);
}

static void supervisords_configuration_is_read(void **state)
{
	const struct sv_def *d;

	setenv("COLOUR", "blue", 1);
	put("inc.conf", "[program:late]\ncommand=/bin/late ; a comment\n", 0600);
	assert_true(load_text("[supervisord]\nnodaemon=true\nlogfile=/dev/"
			      "null\n[unix_http_server]\nfile=/run/s.sock\nchmod=0770\n"
			      "[include]\nfiles = inc*.conf\n"
			      "[program:w]\ncommand=/bin/w --name \"%(program_name)s "
			      "%(process_num)02d\" %(ENV_COLOUR)s 100%%\nnumprocs=2\n"
			      "process_name=%(program_name)s_%(process_num)02d\nautorestart="
			      "unexpected\nexitcodes=0,2\nstartsecs=5\nstartretries=7\n"
			      "stopsignal=QUIT\nstopwaitsecs=3\nkillasgroup=true\nredirect_stderr="
			      "true\nstdout_logfile=/l/%(program_name)s.log\n"
			      "stdout_logfile_maxbytes=10MB\nstdout_logfile_backups=4\nenvironment="
			      "A=\"b c\",D='e,f',G=h\numask=022\n"
			      "directory=/tmp\n"
			      "[program:x]\ncommand: "
			      "x\nautostart=no\n[program:y]\ncommand=y\nstdout_logfile=/dev/"
			      "stdout\nstdout_logfile_maxbytes=0\n"
			      "[group:g]\nprograms=x,y\npriority=5\n"));
	assert_int_equal(conf.n, 5);
	assert_string_equal(conf.set.socket, "/run/s.sock");
	assert_int_equal(conf.set.socket_mode, 0770);
	assert_string_equal(conf.defs[0].group, "g"); /* the lower priority starts first */
	d = def("w_01");
	assert_string_equal(d->group, "w");
	assert_string_equal(d->argv[2], "w 01");
	assert_string_equal(d->argv[3], "blue");
	assert_string_equal(d->argv[4], "100%");
	assert_int_equal(d->ready_ms, 5000);
	assert_int_equal(d->rule.retries, 7);
	assert_true(d->rule.expected[2] && d->rule.counts_starts);
	assert_int_equal(d->stop[0].signo, SIGQUIT);
	assert_int_equal(d->stop[0].wait_ms, 3000);
	assert_true(d->kill_group && !d->stop_group);
	assert_int_equal(d->err.kind, LOG_SAME);
	assert_string_equal(d->out.path, "/l/w.log");
	assert_int_equal(d->out.max_bytes, 10 << 20);
	assert_string_equal(d->env[0], "A=b c");
	assert_string_equal(d->env[1], "D=e,f");
	assert_string_equal(d->env[2], "G=h");
	assert_false(def("x")->autostart);
	assert_int_equal(def("y")->out.kind, LOG_RAW);
	assert_string_equal(def("late")->argv[0], "/bin/late");
	assert_null(def("late")->argv[1]);
	assert_string_equal(warnings, "");
}

static void what_is_not_carried_out_is_named(void **state)
{
	assert_true(load_text("[supervisord]\nnodaemon=true\n[rpcinterface:x]\nport=9001\n["
			      "program:a]\ncommand=x\nstdout_capture_maxbytes=1MB\n"
			      "stdout_logfile=syslog\n[eventlistener:e]\ncommand=y\nevents=TICK_"
			      "5\n[fcgi-program:f]\ncommand=z\n"));
	assert_int_equal(conf.n, 1);
	assert_non_null(strstr(warnings, "/c:3: [rpcinterface:x] "));
	assert_non_null(
		strstr(warnings, "/c:7: [program:a] stdout_capture_maxbytes: is not carried out"));
	assert_non_null(strstr(warnings, "/c:8: [program:a] stdout_logfile: syslog"));
	assert_non_null(strstr(warnings, "/c:9: [eventlistener:e] "));
	assert_non_null(strstr(warnings, "/c:12: [fcgi-program:f] "));
}

static void supervisords_mistakes_are_named(void **state)
{
	refuses("[program:a]\n", 1, "command: is missing");
	refuses("[program:a]\ncommand=x\nstartsecs=soon\n", 3, "startsecs");
	refuses("[program:a]\ncommand=x %(no_such)s\n", 2, "no_such");
	refuses("[program:a]\ncommand=x %\n", 2, "%");
	refuses("[program:a]\ncommand=x\nautorestart=maybe\n", 3, "autorestart");
	refuses("[program:a]\ncommand=x\nnumprocs=2\n", 1, "process_num");
	refuses("[program:a]\ncommand=x\nstopsignal=NO\n", 3, "stopsignal");
	refuses("[program:a]\ncommand=x\nenvironment=A\n", 3, "environment");
	refuses("[program:a]\ncommand=x\nstopasgroup=true\nkillasgroup=false\n", 1, "killasgroup");
	refuses("[inet_http_server]\nport=elsewhere:9001\n", 2, "port");
	refuses("[inet_http_server]\nport=0\n", 2, "port");
	refuses("[group:g]\nprograms=nobody\n", 1, "no [program:nobody]");
	refuses("[include]\n", 1, "files: is missing");
	refuses("[supervisord]\nloglevel=loud\n", 2, "loglevel");
}

static void s6_folders_are_read(void **state)
{
	char path[300];

	for (const char *const *d =
			(const char *const[]){ "s6", "s6/web", "s6/web/log", "s6/off", NULL };
		*d; d++) {
		struct buf b = BUF(path);

		path[0] = '\0';
		buf_add(&b, "%s/%s", folder, *d);
		mkdir(path, 0700);
	}
	put("s6/web/run", "#!/bin/sh\n", 0755);
	put("s6/web/finish", "#!/bin/sh\n", 0755);
	put("s6/web/notification-fd", "5\n", 0600);
	put("s6/web/down-signal", "SIGINT\n", 0600);
	put("s6/web/timeout-kill", "2500\n", 0600);
	put("s6/web/timeout-finish", "0\n", 0600);
	put("s6/web/log/run", "#!/bin/sh\n", 0755);
	put("s6/off/run", "#!/bin/sh\n", 0755);
	put("s6/off/down", "", 0600);
	put("s6/off/lock-fd", "9\n", 0600);
	put("s6/off/max-death-tally", "7\n", 0600);
	put("s6/off/reload-signal", "SIGUSR1\n", 0600);
	assert_true(load("s6"));
	assert_int_equal(conf.n, 3);
	assert_string_equal(def("web")->argv[0], "./run");
	assert_int_equal(def("web")->ready, READY_FD);
	assert_int_equal(def("web")->ready_fd, 5);
	assert_int_equal(def("web")->stop[0].signo, SIGINT);
	assert_int_equal(def("web")->stop[0].wait_ms, 2500);
	assert_int_equal(def("web")->finish_ms, -1);
	assert_non_null(def("web")->finish);
	assert_true(def("web-log")->is_logger);
	assert_false(def("off")->autostart);
	assert_int_equal(def("off")->lock_fd, 9);
	assert_int_equal(def("off")->death_tally, 7);
	assert_int_equal(def("off")->reload_signal, SIGUSR1);
	assert_int_equal(def("web")->lock_fd, -1);
	assert_int_equal(def("web")->death_tally, 100);
	put("s6/off/lock-fd", "2\n", 0600);
	assert_false(load("s6"));
	assert_non_null(strstr(conf.error, "off/lock-fd:1: 3 or more, not 2"));
	put("s6/off/lock-fd", "9\n", 0600);
	put("s6/web/notification-fd", "two\n", 0600);
	assert_false(load("s6"));
	assert_non_null(strstr(conf.error, "web/notification-fd:1: "));
	put("s6/web/notification-fd", "5\n", 0600);
	put("s6/web/run", "#!/bin/sh\n", 0600);
	if (geteuid() != 0) {
		assert_false(load("s6"));
		assert_non_null(strstr(conf.error, "web/run: Permission denied"));
	}
}

static int begin(void **state)
{
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	char command[64] = "";
	struct buf b = BUF(command);

	conf_close(&conf);
	buf_add(&b, "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_name_file_line_and_key),
		cmocka_unit_test(a_circle_is_named_from_end_to_end),
		cmocka_unit_test(a_huge_configuration_is_refused_not_read),
		cmocka_unit_test(ours_says_what_it_means),
		cmocka_unit_test(a_change_changes_the_hash_and_only_that),
		cmocka_unit_test(supervisords_configuration_is_read),
		cmocka_unit_test(what_is_not_carried_out_is_named),
		cmocka_unit_test(supervisords_mistakes_are_named),
		cmocka_unit_test(s6_folders_are_read),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
