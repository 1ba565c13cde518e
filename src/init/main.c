/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-init: PID 1 of a container. It starts one program, reaps every process that comes home to
 * it, passes on the signals it is sent, and ends with the program's exit code. Between events it
 * sleeps in sigwaitinfo(2). No heap, no stdio, no threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/decide.h"

static struct {
	pid_t main_pid;
	sigset_t all, received; /* received: the mask we were started with */
	struct sigaction old_ttou, old_ttin, old_chld;
} init;

static void say(const char *a, const char *b, const char *c)
{
	char text[512];
	const char *parts[] = { "clade-init: ", a, b, c, "\n" };
	size_t len = 0;

	for (size_t i = 0; i < 5; i++) {
		size_t n = strlen(parts[i]);

		if (n > sizeof(text) - len)
			n = sizeof(text) - len;
		memcpy(text + len, parts[i], n);
		len += n;
	}
	if (write(2, text, len) < 0)
		return;
}

/* The program gets everything as we got it: mask, ignored signals, the terminal. */
static _Noreturn void become_program(char **argv)
{
	int code;

	setpgid(0, 0);
	if (tcgetpgrp(0) >= 0)
		tcsetpgrp(0, getpgrp());
	sigaction(SIGTTOU, &init.old_ttou, NULL);
	sigaction(SIGTTIN, &init.old_ttin, NULL);
	sigaction(SIGCHLD, &init.old_chld, NULL);
	sigprocmask(SIG_SETMASK, &init.received, NULL);
	execvp(argv[0], argv);
	code = errno == ENOENT ? 127 : 126;
	say("exec ", argv[0], errno == ENOENT ? ": not found" : ": cannot be executed");
	_exit(code);
}

static void forward(const siginfo_t *info)
{
	union sigval value = info->si_value;

	/* a value that came with it goes on with it (sigqueue(3)) */
	if (info->si_code == SI_QUEUE && sigqueue(init.main_pid, info->si_signo, value) == 0)
		return;
	kill(init.main_pid, info->si_signo);
}

/* Everything that is dead; the main program's status once it is among them, else -1. */
static int reap(void)
{
	int status, of_main = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		if (pid == init.main_pid)
			of_main = status;
	return of_main;
}

static void take_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, plain = { .sa_handler = SIG_DFL };

	sigfillset(&init.all);
	/* a fault of our own must end us */
	sigdelset(&init.all, SIGSEGV);
	sigdelset(&init.all, SIGBUS);
	sigdelset(&init.all, SIGILL);
	sigdelset(&init.all, SIGFPE);
	sigdelset(&init.all, SIGSYS);
	sigprocmask(SIG_BLOCK, &init.all, &init.received);
	/* setting the terminal's group from the background must not stop us */
	sigaction(SIGTTOU, &ignore, &init.old_ttou);
	sigaction(SIGTTIN, &ignore, &init.old_ttin);
	/* ignored, the kernel would reap the program and nobody would know its code */
	sigaction(SIGCHLD, &plain, &init.old_chld);
}

int main(int argc, char **argv)
{
	int at = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

	if (at >= argc || argv[1][0] == '\0') {
		say("usage: clade-init [--] PROGRAM [ARG...]", "", "");
		return 2;
	}
	take_signals();
	/* elsewhere than as PID 1 orphans come to the nearest subreaper: that is us */
	if (getpid() != 1)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	init.main_pid = fork();
	if (init.main_pid < 0) {
		say("fork failed for ", argv[at], "");
		return 125;
	}
	if (init.main_pid == 0)
		become_program(argv + at);
	if (chdir("/") < 0)
		say("chdir /", "", "");
	for (;;) {
		siginfo_t info;
		int status;

		if (sigwaitinfo(&init.all, &info) < 0)
			continue;
		switch (decide_signal(info.si_signo)) {
		case DECIDE_REAP:
			status = reap();
			if (status >= 0)
				return decide_exit_code(status);
			break;
		case DECIDE_FORWARD:
			forward(&info);
			break;
		case DECIDE_NOTHING:
			break;
		}
	}
}
