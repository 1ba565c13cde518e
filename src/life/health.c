/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks. A container that has one gets a small process beside its minder: a child of
 * clade-keep, which reaps it, and which it dies with. It sleeps until the next check or the end of
 * the container's init, whichever comes first; what it finds it writes to the state folder.
 */
#include "life/health.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "life/internal.h"
#include "os/clone.h"
#include "os/close_fds.h"
#include "os/file.h"

enum {
	OUTPUT_MAX = 4096, /* of one check, docker's */
	LOG_MAX = 5,	   /* checks that are remembered */
	HEALTH_MAX = 1 << 20,
	TURN_MS = 100,
	SETTLE_MS = 20,	     /* until what was killed is dead */
	REAP_GRACE_MS = 300, /* for a parent inside to wait for what was killed */
	MS_PER_S = 1000,
	DEFAULT_MS = 30000,
	DEFAULT_START_INTERVAL_MS = 5000,
	DEFAULT_RETRIES = 3,
};

/* --- what is asked for -------------------------------------------------------------------------
 */

static int64_t ns_of(const struct json *all, const char *name)
{
	const struct json *v = json_get(all, name);
	int64_t n;

	return v && json_i64(v, &n) == 0 && n > 0 ? n : 0;
}

static bool read_check(const char *text, struct arena *a, struct health_check *ret)
{
	const struct json *all, *test;
	struct err ignored;

	*ret = (struct health_check){ 0 };
	if (!text || json_parse(text, strlen(text), a, &all, &ignored) < 0 ||
		all->kind != JSON_OBJECT)
		return false;
	test = json_get(all, "Test");
	if (test && test->kind == JSON_ARRAY)
		for (const struct json *v = json_first(test); v; v = json_next(test, v))
			if (v->kind == JSON_STRING)
				*(const char **)arena_grow(a, &ret->test.items, &ret->test.n,
					sizeof(char *)) = v->text;
	ret->interval_ms = ns_of(all, "Interval") / 1000000;
	ret->timeout_ms = ns_of(all, "Timeout") / 1000000;
	ret->start_period_ms = ns_of(all, "StartPeriod") / 1000000;
	ret->start_interval_ms = ns_of(all, "StartInterval") / 1000000;
	ret->retries = (int)ns_of(all, "Retries");
	return ret->test.n > 0;
}

static bool is_check(const struct health_check *c)
{
	return c->test.n > 1 &&
	       (str_eq(c->test.items[0], "CMD") || str_eq(c->test.items[0], "CMD-SHELL"));
}

static void write_ns(struct json_writer *w, const char *name, int64_t ms)
{
	if (ms)
		json_int(w, name, ms * 1000000);
}

int health_wanted(const struct life_health *h, const char *image, struct arena *a, const char **ret,
	struct err *e)
{
	bool any = h->cmd || h->interval_ms || h->timeout_ms || h->start_period_ms ||
		   h->start_interval_ms || h->retries;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct health_check c;

	*ret = image;
	if (h->none && any)
		return err_say(e, "--no-healthcheck conflicts with --health-* options");
	if (h->retries < 0)
		return err_say(e, "--health-retries: a number of 1 or more is wanted");
	if (h->none)
		*ret = NULL;
	if (!any)
		return 0;
	read_check(image, a, &c);
	json_begin(&w, NULL, '{');
	json_begin(&w, "Test", '[');
	if (h->cmd) {
		json_string(&w, NULL, str_eq(h->cmd, "none") ? "NONE" : "CMD-SHELL");
		if (!str_eq(h->cmd, "none"))
			json_string(&w, NULL, h->cmd);
	}
	for (size_t i = 0; !h->cmd && i < c.test.n; i++)
		json_string(&w, NULL, c.test.items[i]);
	json_end(&w, ']');
	write_ns(&w, "Interval", h->interval_ms ? h->interval_ms : c.interval_ms);
	write_ns(&w, "Timeout", h->timeout_ms ? h->timeout_ms : c.timeout_ms);
	write_ns(&w, "StartPeriod", h->start_period_ms ? h->start_period_ms : c.start_period_ms);
	write_ns(&w, "StartInterval",
		h->start_interval_ms ? h->start_interval_ms : c.start_interval_ms);
	if (h->retries || c.retries)
		json_int(&w, "Retries", h->retries ? h->retries : c.retries);
	json_end(&w, '}');
	*ret = arena_strdup(a, t.p);
	return 0;
}

bool health_has(const struct record *r)
{
	autoarena a = { 0 };
	struct health_check c;

	return r->healthcheck && read_check(r->healthcheck, &a, &c) && is_check(&c);
}

/* --- the process beside the minder -------------------------------------------------------------
 */

void health_start(const struct life *l, const struct held *h)
{
	char *const args[] = { (char *)l->self_exe, (char *)"--root", (char *)l->root,
		(char *)"internal-health", (char *)h->id, NULL };
	autofd pidfd = FD_NONE;
	struct clone_args_of clone = {
		.flags = CLONE_PARENT, .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd
	};

	if (clone_process(&clone) != 0)
		return;
	/* with the minder, whose child we are; over exec, too */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_fds_on_exec(3);
	for (int i = 0; i < 3; i++) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, i);
	}
	if (chdir("/") == 0)
		execv(args[0], args);
	_exit(1);
}

struct result {
	int64_t start_ns, end_ns;
	int code; /* -1: it took too long */
	const char *output;
};

struct checking {
	const struct life *l;
	struct held h;
	struct now now;
	struct health_check c;
	struct arena arena; /* of the results */
	struct result log[LOG_MAX];
	size_t n_log;
	int streak;
	const char *status;
};

static int64_t clock_ns(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

static void prober(struct checking *k, int out)
{
	bool shell = str_eq(k->c.test.items[0], "CMD-SHELL");
	const char *const sh[] = { "/bin/sh", "-c", k->c.test.items[1], NULL };
	struct life_exec x = { .args = shell ? sh : k->c.test.items + 1 };
	struct err e = { 0 };
	char text[640];
	int code = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, 1);
	dup2(out, 2);
	if (life_exec(k->l, k->h.id, &x, &code, &e) == 0)
		_exit(code);
	err_text(&e, text, sizeof(text));
	_exit(write(2, text, strlen(text)) < 0 ? 125 : e.code == ENOENT ? 127 : 126);
}

/* The session of a process, as this PID namespace has it; 0: it is gone. */
static pid_t session_of(pid_t pid)
{
	char path[40], text[512], *at;
	int session = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 || !(at = strrchr(text, ')')) ||
		sscanf(at + 1, " %*c %*d %*d %d", &session) != 1)
		return 0;
	return session;
}

static void kill_session(pid_t session, bool leader)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		struct proc_ref ref = PROC_REF_NONE;
		int pid;

		if (str_int(entry->d_name, &pid) < 0 || (pid == session) != leader ||
			session_of(pid) != session || proc_ref_open(pid, 0, &ref) < 0)
			continue;
		/* still the one we looked at */
		if (session_of(pid) == session)
			proc_ref_signal(&ref, SIGKILL);
		proc_ref_done(&ref);
	}
	if (proc)
		closedir(proc);
}

static void signal_leader(pid_t session, int signo)
{
	struct proc_ref ref = PROC_REF_NONE;

	if (proc_ref_open(session, 0, &ref) < 0)
		return;
	if (session_of(session) == session)
		proc_ref_signal(&ref, signo);
	proc_ref_done(&ref);
}

/* A child of ours, or 0. */
static pid_t any_child(pid_t of)
{
	char path[64], text[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", of, of);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) <= 0 || sscanf(text, "%d", &pid) != 1)
		return 0;
	return pid;
}

/*
 * It took too long. What the check forked goes first, and its parents inside have a moment to wait
 * for that: PID 1 of the container is not left with zombies that it has not made.
 */
static void end_probe(pid_t pid)
{
	pid_t session = any_child(pid), own;

	/* stopped, the leader cannot end before all that it forked has: it waits for them then */
	if (session)
		signal_leader(session, SIGSTOP);
	if (session)
		kill_session(session, false);
	poll(NULL, 0, SETTLE_MS);
	if (session)
		signal_leader(session, SIGCONT);
	for (int waited = 0; session && waited < REAP_GRACE_MS && session_of(session); waited += 10)
		poll(NULL, 0, 10);
	if (session)
		kill_session(session, true);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* as the subreaper we are the parent of what the prober left */
	while ((own = any_child(getpid()))) {
		kill(own, SIGKILL);
		if (waitpid(own, NULL, 0) < 0)
			break;
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void take_output(int fd, struct text *t)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n && t->len < OUTPUT_MAX; i++)
			text_add_n(t, (unsigned char)buf[i] < 0x80 && buf[i] ? &buf[i] : "?", 1);
}

/* 0: it ended by itself; 1: it was too slow; below 0: the container ended. */
static int wait_for_probe(struct checking *k, pid_t pid, int out, struct text *t, int *ret_status)
{
	int64_t end = now_ms() + k->c.timeout_ms;

	for (;;) {
		struct pollfd fds[] = { { .fd = k->now.init.pidfd, .events = POLLIN },
			{ .fd = out, .events = POLLIN } };
		int64_t left = end - now_ms();

		if (waitpid(pid, ret_status, WNOHANG) == pid)
			return 0;
		if (left <= 0)
			return 1;
		poll(fds, 2, left < TURN_MS ? (int)left : TURN_MS);
		if (fds[0].revents)
			return -ESRCH;
		if (fds[1].revents & POLLIN)
			take_output(out, t);
		else if (fds[1].revents)
			poll(NULL, 0, 1); /* nobody writes any more: its end is near */
	}
}

static int probe(struct checking *k, struct result *ret)
{
	struct result o = { .start_ns = clock_ns(CLOCK_REALTIME), .output = "" };
	autofd in = FD_NONE, out = FD_NONE;
	autotext t = { 0 };
	int pair[2], status = 0, r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	in = pair[0];
	out = pair[1];
	fcntl(in, F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		prober(k, out);
	fd_close(&out);
	r = wait_for_probe(k, pid, in, &t, &status);
	if (r != 0)
		end_probe(pid);
	take_output(in, &t);
	o.end_ns = clock_ns(CLOCK_REALTIME);
	o.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	if (t.p)
		o.output = arena_strdup(&k->arena, t.p);
	if (r == 1) {
		o.code = -1;
		o.output = arena_printf(&k->arena, "Health check exceeded timeout (%lld ms)",
			(long long)k->c.timeout_ms);
	}
	*ret = o;
	return r < 0 ? r : 0;
}

static void time_text(int64_t ns, char *buf, size_t size)
{
	time_t s = (time_t)(ns / 1000000000);
	char date[40];
	struct tm tm;

	gmtime_r(&s, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%09lldZ", date, (long long)(ns % 1000000000));
}

static void tell(const struct checking *k)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct err ignored;
	char text[64];

	json_begin(&w, NULL, '{');
	json_string(&w, "Status", k->status);
	json_int(&w, "FailingStreak", k->streak);
	json_begin(&w, "Log", '[');
	for (size_t i = 0; i < k->n_log; i++) {
		json_begin(&w, NULL, '{');
		time_text(k->log[i].start_ns, text, sizeof(text));
		json_string(&w, "Start", text);
		time_text(k->log[i].end_ns, text, sizeof(text));
		json_string(&w, "End", text);
		json_int(&w, "ExitCode", k->log[i].code);
		json_string(&w, "Output", k->log[i].output);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	/* an ended container's folder may be on its way out */
	if (proc_ref_alive(&k->now.init))
		store_write(k->h.dir, "health", t.p, t.len, &ignored);
}

static void remember(struct checking *k, const struct result *o, bool starts)
{
	struct arena old = k->arena;
	size_t from = k->n_log == LOG_MAX;

	memmove(k->log, k->log + from, (k->n_log - from) * sizeof(*k->log));
	k->n_log -= from;
	k->log[k->n_log++] = *o;
	/* the outputs move to memory of their own, so that it does not grow */
	k->arena = (struct arena){ 0 };
	for (size_t i = 0; i < k->n_log; i++)
		k->log[i].output = arena_strdup(&k->arena, k->log[i].output);
	arena_done(&old);
	if (o->code == 0) {
		k->streak = 0;
		k->status = "healthy";
	} else if (!starts || !str_eq(k->status, "starting")) {
		k->streak++;
		if (k->streak >= k->c.retries)
			k->status = "unhealthy";
	}
}

static void watch(struct checking *k)
{
	int64_t period_end = now_ms() + k->c.start_period_ms;

	for (;;) {
		struct pollfd fd = { .fd = k->now.init.pidfd, .events = POLLIN };
		bool starts = now_ms() < period_end;
		int64_t pause = starts && str_eq(k->status, "starting") ? k->c.start_interval_ms
									: k->c.interval_ms;
		struct result o;
		autonow now = NOW_NONE;
		struct err ignored;

		if (poll(&fd, 1, pause > INT32_MAX ? INT32_MAX : (int)pause) != 0)
			return;
		if (now_look(k->l, &k->h, &now, &ignored) < 0 || now.status == LIFE_PAUSED)
			continue;
		starts = now_ms() < period_end;
		if (probe(k, &o) < 0)
			return;
		remember(k, &o, starts);
		tell(k);
	}
}

int life_keep_health(const struct life *l, const char *id, struct err *e)
{
	autoarena a = { 0 };
	struct checking k = { .l = l, .h = HELD_NONE, .now = NOW_NONE, .status = "starting" };
	int r;

	prctl(PR_SET_NAME, "clade-health");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	r = held_open(l, id, &k.h, e);
	if (r == 0)
		r = now_look(l, &k.h, &k.now, e);
	if (r == 0 && k.now.init.pidfd >= 0 && read_check(k.h.record.healthcheck, &a, &k.c) &&
		is_check(&k.c)) {
		*(const char **)arena_grow(&a, &k.c.test.items, &k.c.test.n, sizeof(char *)) = NULL;
		k.c.interval_ms = k.c.interval_ms ? k.c.interval_ms : DEFAULT_MS;
		k.c.timeout_ms = k.c.timeout_ms ? k.c.timeout_ms : DEFAULT_MS;
		k.c.retries = k.c.retries ? k.c.retries : DEFAULT_RETRIES;
		if (!k.c.start_interval_ms)
			k.c.start_interval_ms = DEFAULT_START_INTERVAL_MS;
		watch(&k);
	}
	now_done(&k.now);
	held_done(&k.h);
	arena_done(&k.arena);
	return r;
}

/* --- what is shown -----------------------------------------------------------------------------
 */

void health_info(const struct held *h, bool runs, struct arena *a, struct life_info *ret)
{
	autofree char *text = NULL;
	const struct json *all, *status;
	struct err ignored;
	ssize_t n;

	if (!health_has(&h->record))
		return;
	ret->healthcheck = arena_strdup(a, h->record.healthcheck);
	ret->health_status = "starting";
	n = file_read_all(h->dir, "health", HEALTH_MAX, &text);
	if (n > 0 && json_parse(text, (size_t)n, a, &all, &ignored) == 0 &&
		all->kind == JSON_OBJECT && (status = json_get(all, "Status")) &&
		status->kind == JSON_STRING) {
		ret->health = arena_strdup(a, text);
		ret->health_status = status->text;
	}
	if (!runs && n <= 0)
		ret->health_status = NULL;
}
