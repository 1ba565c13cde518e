/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-init: PID 1 of a container. It starts one program, reaps every process that comes home to
 * it, passes on the signals it is sent, and ends with the program's exit code. Between events it
 * sleeps in sigwaitinfo(2), without a timer unless one is due. No heap, no stdio, no threads.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/control.h"
#include "init/services/services.h"

static struct {
	struct rules rules;
	pid_t main_pid; /* 0: pause */
	bool main_ended;
	int main_status;
	int stop_step;	/* -1: nobody asked to stop */
	int64_t due_ms; /* when something is to be done; -1: never */
	bool draining, killed;
	struct control_counts counts;
	sigset_t all, received; /* received: the mask we were started with */
	struct sigaction old_ttou, old_ttin, old_chld;
} init = { .stop_step = -1, .due_ms = -1 };

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *digits(char buf[24], long n)
{
	char *s = buf + 23;

	*s = '\0';
	do {
		*--s = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return s;
}

/* --- the program ----------------------------------------------------------------------------- */

/* It gets everything as we got it: mask, ignored signals, the terminal. */
static _Noreturn void become_program(char **argv)
{
	int code;

	if (init.rules.own_session)
		setsid();
	else if (init.rules.own_group)
		setpgid(0, 0);
	if (!init.rules.own_session && tcgetpgrp(STDIN_FILENO) >= 0)
		tcsetpgrp(STDIN_FILENO, getpgrp());
	sigaction(SIGTTOU, &init.old_ttou, NULL);
	sigaction(SIGTTIN, &init.old_ttin, NULL);
	sigaction(SIGCHLD, &init.old_chld, NULL);
	sigprocmask(SIG_SETMASK, &init.received, NULL);
	execvp(argv[0], argv);
	code = errno == ENOENT ? 127 : 126;
	say("clade-init: exec ", argv[0], ": ", strerror(errno));
	_exit(code);
}

static void take_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, plain = { .sa_handler = SIG_DFL };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP };

	sigfillset(&init.all);
	/* a fault of our own must end us */
	for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&init.all, faults[i]);
	sigprocmask(SIG_BLOCK, &init.all, &init.received);
	/* setting the terminal's group from the background must not stop us */
	sigaction(SIGTTOU, &ignore, &init.old_ttou);
	sigaction(SIGTTIN, &ignore, &init.old_ttin);
	/* ignored, the kernel would reap the program and nobody would know its code */
	sigaction(SIGCHLD, &plain, &init.old_chld);
}

/* --- signals --------------------------------------------------------------------------------- */

static void send_on(int signo, const siginfo_t *info)
{
	init.counts.forwarded++;
	/* a value that came with it goes on with it (sigqueue(3)); a group has no sigqueue */
	if (info && info->si_code == SI_QUEUE && init.rules.target == TO_CHILD &&
		sigqueue(init.main_pid, signo, info->si_value) == 0)
		return;
	if (init.rules.target == TO_ALL && getpid() == 1)
		kill(-1, signo);
	else if (init.rules.target != TO_CHILD && kill(-init.main_pid, signo) == 0)
		return;
	else
		kill(init.main_pid, signo);
}

static void next_stop(void)
{
	const struct stop_step *step;

	init.stop_step = decide_next_stop(&init.rules, init.stop_step);
	step = &init.rules.stop[init.stop_step];
	send_on(step->signo, NULL);
	init.due_ms = step->wait_ms >= 0 && init.stop_step + 1 < init.rules.n_stop
			      ? now_ms() + step->wait_ms
			      : -1;
}

static void take_signal(const siginfo_t *info)
{
	struct decided d = decide_signal(&init.rules, info->si_signo);

	if (!init.main_pid && (info->si_signo == SIGTERM || info->si_signo == SIGINT))
		_exit(0); /* pause */
	if (!init.main_pid || init.main_ended)
		return;
	switch (d.what) {
	case DECIDE_FORWARD:
		send_on(d.signo, info);
		break;
	case DECIDE_STOP:
		next_stop();
		break;
	case DECIDE_STOP_OURSELVES:
		send_on(d.signo, NULL);
		if (getpid() != 1)
			kill(getpid(), SIGSTOP);
		break;
	case DECIDE_REAP:
	case DECIDE_NOTHING:
		break;
	}
}

/* --- reaping --------------------------------------------------------------------------------- */

static void tell_of(pid_t pid, int status)
{
	char a[24], b[24];

	if (pid == init.main_pid || !init.rules.warns)
		return;
	say("clade-init: reaped process ", digits(a, pid),
		WIFSIGNALED(status) ? ", signal " : ", exit ",
		digits(b, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		tell_of(pid, status);
		init.counts.reaped++;
		init.counts.adopted += pid != init.main_pid;
		if (pid != init.main_pid)
			continue;
		init.main_ended = true;
		init.main_status = status;
	}
}

/* Is nobody left? waitpid's ECHILD is not enough: who entered by setns is no child of ours. */
static bool is_alone(void)
{
	if (getpid() == 1)
		return kill(-1, 0) < 0 && errno == ESRCH;
	return waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD;
}

static void signal_rest(int signo)
{
	if (getpid() == 1)
		kill(-1, signo);
	else
		kill(-init.main_pid, signo);
}

static _Noreturn void end(void)
{
	if (init.rules.control)
		control_close();
	_exit(decide_exit_code(&init.rules, init.main_status));
}

/* The main program has ended: what follows, until we may. */
static void after_main(void)
{
	if (!init.draining) {
		if (init.rules.term_group_at_end)
			kill(-init.main_pid, SIGTERM);
		if (init.rules.drain_ms < 0 || is_alone())
			end();
		init.draining = true;
		signal_rest(SIGTERM);
		init.due_ms = now_ms() + init.rules.drain_ms;
	}
	if (is_alone())
		end();
}

static void time_is_up(void)
{
	init.due_ms = -1;
	if (!init.draining) {
		next_stop();
		return;
	}
	if (init.killed)
		end();
	init.killed = true;
	signal_rest(SIGKILL);
	init.due_ms = now_ms() + 1000;
}

/* The next signal, or 0 when a time is up. */
static int wait_for_signal(siginfo_t *info)
{
	struct timespec left;
	int64_t ms;

	if (init.due_ms < 0)
		return sigwaitinfo(&init.all, info);
	ms = init.due_ms - now_ms();
	/* who entered and is not our child ends without telling us: looked for ten times a second
	 */
	if (init.draining && ms > 100)
		ms = 100;
	if (ms < 0)
		ms = 0;
	left = (struct timespec){ ms / 1000, (ms % 1000) * 1000000 };
	return sigtimedwait(&init.all, info, &left);
}

int main(int argc, char **argv)
{
	int at = 1, code = 2;

	if (services_wanted(argc, argv))
		return services_main(argc, argv);
	if (options_parse(argc, argv, &init.rules, &at, &code) != OPTIONS_RUN)
		return code;
	take_signals();
	if (init.rules.parent_death)
		prctl(PR_SET_PDEATHSIG, init.rules.parent_death);
	/* elsewhere than as PID 1 orphans come to the nearest subreaper: that is us */
	if (getpid() != 1 || init.rules.subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	init.main_pid = init.rules.pause ? 0 : fork();
	if (init.main_pid < 0) {
		say("clade-init: fork: ", strerror(errno), NULL, NULL);
		return 125;
	}
	if (!init.rules.pause && init.main_pid == 0)
		become_program(argv + at);
	init.counts.main_pid = init.main_pid;
	/* what cannot be counted runs all the same */
	if (init.rules.control && !control_open(init.rules.control))
		init.rules.control = NULL;
	if (chdir("/") < 0)
		say("clade-init: chdir /: ", strerror(errno), NULL, NULL);
	for (;;) {
		siginfo_t info = { 0 };
		int s = wait_for_signal(&info);

		if (init.rules.control && s > 0 && control_event(&info, &init.counts))
			s = 0;
		if (s > 0 && s != SIGCHLD)
			take_signal(&info);
		reap();
		if (init.main_ended)
			after_main();
		if (init.due_ms >= 0 && now_ms() >= init.due_ms)
			time_is_up();
	}
}
