/* SPDX-License-Identifier: Apache-2.0 */
#include "init/voice.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/options.h"
#include "init/tell.h"

/* tini's levels: 1 warns, 2 informs (on standard output, as the next ones), 3 and 4 are for who
 * looks for bugs. */
static bool tini_says(const struct rules *r, unsigned level)
{
	return r->as == AS_TINI && r->verbosity >= level;
}

static bool dumb_says(const struct rules *r)
{
	return r->as == AS_DUMB_INIT && r->verbosity;
}

/* strsignal(3) of glibc, where musl's differs */
static void add_signal(struct line *l, int signo)
{
	if (signo >= 34)
		line_add(l, "Real-time signal %d", signo - 34);
	else
		line_add(l, "%s",
			signo == SIGFPE	   ? "Floating point exception"
			: signo == SIGCHLD ? "Child exited"
					   : strsignal(signo));
}

void voice_begin(const struct rules *r)
{
	int bit = 0;

	if (tini_says(r, 4) && r->subreaper)
		print(1, "[TRACE tini (%d)] Registered as child subreaper\n", getpid());
	if (!tini_says(r, 1) || getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &bit) == 0 && bit))
		return;
	print(2,
		"[WARN  tini (%d)] Tini is not running as PID 1 and isn't registered as a child "
		"subreaper.\n"
		"Zombie processes will not be re-parented to Tini, so zombie reaping won't work.\n"
		"To fix the problem, use the -s option or set the environment variable "
		"TINI_SUBREAPER to register Tini as a child subreaper, or run Tini as PID 1.\n",
		getpid());
}

void voice_spawned(const struct rules *r, pid_t pid, const char *name)
{
	if (tini_says(r, 2))
		print(1, "[INFO  tini (%d)] Spawned child process '%s' with pid '%d'\n", getpid(),
			name, pid);
	else if (dumb_says(r))
		print(2, "[dumb-init] Child spawned with PID %d.\n", pid);
	else if (r->as == AS_CATATONIT && r->verbosity)
		print(2, "DEBUG (catatonit:%d): pid1 (%d) spawned: %s\n", getpid(), pid, name);
}

void voice_received(const struct rules *r, int signo)
{
	struct line l = { 0 };

	if (dumb_says(r))
		print(2, "[dumb-init] Received signal %d.\n", signo);
	else if (r->as == AS_CATATONIT && r->verbosity &&
		 (signo == SIGTSTP || signo == SIGTTOU || signo == SIGTTIN))
		print(2,
			"DEBUG (catatonit:%d): ignoring kernel attempting to stop us: tty has "
			"TOSTOP set\n",
			getpid());
	if (!tini_says(r, 3))
		return;
	line_add(&l, "[DEBUG tini (%d)] ", getpid());
	if (signo == SIGCHLD) {
		line_add(&l, "Received SIGCHLD\n");
	} else {
		line_add(&l, "Passing signal: '");
		add_signal(&l, signo);
		line_add(&l, "'\n");
	}
	line_write(&l, 1);
}

void voice_hand_off(const struct rules *r, int signo)
{
	if (dumb_says(r))
		print(2, "[dumb-init] Ignoring tty hand-off signal %d.\n", signo);
}

static void own_passed(const struct rules *r, int signo, int to, int error)
{
	struct line l = { 0 };
	const char *from = options_signal_name(signo), *as = options_signal_name(to);

	if (r->json)
		line_add(&l, "{\"event\":\"signal\",\"signal\":%d,\"as\":%d,\"errno\":%d}\n", signo,
			to, error);
	else if (!to)
		line_add(&l, "clade-init: signal %d%s%s is not passed on\n", signo, from ? " " : "",
			from ? from : "");
	else
		line_add(&l, "clade-init: signal %d%s%s is passed on as %d%s%s%s%s\n", signo,
			from ? " " : "", from ? from : "", to, as ? " " : "", as ? as : "",
			error ? ": " : "", error ? tell_errno(error) : "");
	line_write(&l, 2);
}

void voice_passed(const struct rules *r, int signo, int to, int error)
{
	if (r->as == AS_CLADE && r->verbosity) {
		own_passed(r, signo, to, error);
	} else if (dumb_says(r)) {
		if (to != signo)
			print(2, "[dumb-init] Translating signal %d to %d.\n", signo, to);
		print(2,
			to ? "[dumb-init] Forwarded signal %d to children.\n"
			   : "[dumb-init] Not forwarding signal %d to children (ignored).\n",
			to);
	} else if (tini_says(r, 1) && error == ESRCH) {
		print(2, "[WARN  tini (%d)] Child was dead when forwarding signal\n", getpid());
	} else if (tini_says(r, 1) && error) {
		print(2, "[WARN  tini (%d)] Unexpected error when forwarding signal: '%s'\n",
			getpid(), tell_errno(error));
	}
}

void voice_suspending(const struct rules *r)
{
	if (dumb_says(r))
		print(2, "[dumb-init] Suspending self due to TTY signal.\n");
}

void voice_stopping(const struct rules *r, int signo)
{
	if (r->as == AS_PAUSE)
		print(2, "Shutting down, got signal: %s\n", strsignal(signo));
}

/* --- the dead -------------------------------------------------------------------------------- */

static void own_reaped(const struct rules *r, const struct reaped *e)
{
	const struct timeval *u = &e->usage.ru_utime, *s = &e->usage.ru_stime;
	long cpu = (u->tv_sec + s->tv_sec) * 1000 + (u->tv_usec + s->tv_usec) / 1000;
	long lived = -1;
	bool killed = WIFSIGNALED(e->status);
	int how = killed ? WTERMSIG(e->status) : WEXITSTATUS(e->status);
	const char *name = killed ? options_signal_name(how) : NULL;
	struct timespec now;
	struct line l = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &now);
	/* USER_HZ is 100 everywhere */
	if (e->was.pid)
		lived = (long)now.tv_sec * 1000 + now.tv_nsec / 1000000 - (long)e->was.started * 10;
	if (lived < 0 && e->was.pid)
		lived = 0;
	if (r->json) {
		line_add(&l,
			"{\"event\":\"%s\",\"pid\":%d,\"name\":", e->is_main ? "ended" : "reaped",
			e->pid);
		line_quote(&l, e->was.name);
		line_add(&l, ",\"%s\":%d,\"lived_ms\":%l,\"cpu_ms\":%l}\n",
			killed ? "signal" : "exit", how, lived, cpu);
	} else {
		line_add(&l, "clade-init: %s process %d (%s), %s %d%s%s",
			e->is_main ? "ended:" : "reaped", e->pid, e->was.pid ? e->was.name : "?",
			killed ? "signal" : "exit", how, name ? " " : "", name ? name : "");
		if (lived >= 0)
			line_add(&l, ", lived %l.%3 s", lived / 1000, lived % 1000);
		line_add(&l, ", CPU %l.%3 s\n", cpu / 1000, cpu % 1000);
	}
	line_write(&l, 2);
}

static void tini_main(const struct rules *r, int status)
{
	struct line l = { 0 };

	if (!tini_says(r, 2))
		return;
	line_add(&l, "[INFO  tini (%d)] Main child exited ", getpid());
	if (WIFSIGNALED(status)) {
		line_add(&l, "with signal (with signal '");
		add_signal(&l, WTERMSIG(status));
	} else {
		line_add(&l, "normally (with status '%d", WEXITSTATUS(status));
	}
	line_add(&l, "')\n");
	line_write(&l, 1);
}

void voice_reaped(const struct rules *r, const struct reaped *e)
{
	bool killed = WIFSIGNALED(e->status);
	int how = killed ? WTERMSIG(e->status) : WEXITSTATUS(e->status);

	if (tini_says(r, 3))
		print(1, "[DEBUG tini (%d)] Reaped child with pid: '%d'\n", getpid(), e->pid);
	if (r->as == AS_TINI && e->is_main)
		tini_main(r, e->status);
	else if (tini_says(r, 1) && r->warns)
		print(2, "[WARN  tini (%d)] Reaped zombie process with pid=%d\n", getpid(), e->pid);
	if (dumb_says(r))
		print(2,
			killed ? "[dumb-init] A child with PID %d was terminated by signal %d.\n"
			       : "[dumb-init] A child with PID %d exited with exit status %d.\n",
			e->pid, how);
	if (r->as == AS_CATATONIT && r->verbosity && !e->is_main)
		print(2,
			killed ? "DEBUG (catatonit:%d): child process %d exited due to signal %d\n"
			       : "DEBUG (catatonit:%d): child process %d exited with code %d\n",
			getpid(), e->pid, how);
	if (r->as == AS_CLADE && (r->warns || (r->verbosity && e->is_main)))
		own_reaped(r, e);
}

void voice_none_left(const struct rules *r, bool any_child)
{
	if (tini_says(r, 4))
		print(1, "[TRACE tini (%d)] No child to %s\n", getpid(),
			any_child ? "reap" : "wait");
	if (r->as == AS_CATATONIT && r->verbosity && !any_child)
		print(2, "DEBUG (catatonit:%d): got ECHILD: no children left to monitor\n",
			getpid());
}

void voice_ending(const struct rules *r, int code)
{
	if (tini_says(r, 4))
		print(1, "[TRACE tini (%d)] Exiting: child has exited\n", getpid());
	if (dumb_says(r))
		print(2, "[dumb-init] Child exited with status %d. Goodbye.\n", code);
}

/* --- who does not wait ----------------------------------------------------------------------- */

enum { CULPRITS = 16 };

struct culprits {
	int n;
	struct {
		pid_t pid;
		long zombies;
	} of[CULPRITS]; /* who comes behind them is left out */
};

/* Has it come from us? PID 1 need not ask. */
static bool is_ours(pid_t pid)
{
	struct process p;

	for (int depth = 0; depth < 256 && family_read(pid, &p); depth++, pid = p.parent)
		if (p.parent == getpid())
			return true;
	return false;
}

static void count(const struct process *p, void *arg)
{
	struct culprits *c = arg;
	int i = 0;

	if (p->state != 'Z' || p->parent == getpid() || p->parent <= 0)
		return;
	while (i < c->n && c->of[i].pid != p->parent)
		i++;
	if (i == CULPRITS)
		return;
	if (i == c->n) {
		if (getpid() != 1 && !is_ours(p->parent))
			return;
		c->n++;
	}
	c->of[i].pid = p->parent;
	c->of[i].zombies++;
}

typedef void each_culprit(const struct process *p, long zombies, void *arg);

static void each(each_culprit *see, void *arg)
{
	struct culprits c = { 0 };
	struct process p;

	family_each(count, &c);
	for (int i = 0; i < c.n; i++)
		if (family_read(c.of[i].pid, &p) && p.state != 'Z')
			see(&p, c.of[i].zombies, arg);
}

static void add_words(struct line *l, const struct process *p, long n)
{
	line_add(l, "%l zombie%s to %s[%d], which does not wait\n", n,
		n == 1 ? " belongs" : "s belong", p->name, p->pid);
}

static void log_culprit(const struct process *p, long n, void *arg)
{
	const struct rules *r = arg;
	struct line l = { 0 };

	if (r->json) {
		line_add(&l, "{\"event\":\"zombies\",\"count\":%l,\"pid\":%d,\"name\":", n, p->pid);
		line_quote(&l, p->name);
		line_add(&l, "}\n");
	} else {
		line_add(&l, "clade-init: ");
		add_words(&l, p, n);
	}
	line_write(&l, 2);
}

void voice_culprits(const struct rules *r)
{
	each(log_culprit, (void *)r);
}

struct asker {
	voice_line *say;
	int fd;
};

static void tell_asker(const struct process *p, long n, void *arg)
{
	const struct asker *a = arg;
	struct line l = { 0 };

	add_words(&l, p, n);
	a->say(a->fd, l.text, l.len);
}

void voice_zombies(voice_line *tell, int fd)
{
	struct asker a = { tell, fd };

	each(tell_asker, &a);
}
