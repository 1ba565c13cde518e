/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>

#include "base/str.h"

static const char *const names[] = { [SIGHUP] = "HUP",
	[SIGINT] = "INT",
	[SIGQUIT] = "QUIT",
	[SIGILL] = "ILL",
	[SIGTRAP] = "TRAP",
	[SIGABRT] = "ABRT",
	[SIGBUS] = "BUS",
	[SIGFPE] = "FPE",
	[SIGKILL] = "KILL",
	[SIGUSR1] = "USR1",
	[SIGSEGV] = "SEGV",
	[SIGUSR2] = "USR2",
	[SIGPIPE] = "PIPE",
	[SIGALRM] = "ALRM",
	[SIGTERM] = "TERM",
	[SIGSTKFLT] = "STKFLT",
	[SIGCHLD] = "CHLD",
	[SIGCONT] = "CONT",
	[SIGSTOP] = "STOP",
	[SIGTSTP] = "TSTP",
	[SIGTTIN] = "TTIN",
	[SIGTTOU] = "TTOU",
	[SIGURG] = "URG",
	[SIGXCPU] = "XCPU",
	[SIGXFSZ] = "XFSZ",
	[SIGVTALRM] = "VTALRM",
	[SIGPROF] = "PROF",
	[SIGWINCH] = "WINCH",
	[SIGIO] = "IO",
	[SIGPWR] = "PWR",
	[SIGSYS] = "SYS" };
enum { NAMES = sizeof(names) / sizeof(names[0]) };

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n"; -1: none of them */
static int real_time(const char *name)
{
	int n = 0, number;

	if (strncasecmp(name, "RTMIN", 5) == 0) {
		if (name[5] && (name[5] != '+' || str_int(name + 6, &n) < 0))
			return -1;
		number = SIGRTMIN + n;
	} else if (strncasecmp(name, "RTMAX", 5) == 0) {
		if (name[5] && (name[5] != '-' || str_int(name + 6, &n) < 0))
			return -1;
		number = SIGRTMAX - n;
	} else {
		return -1;
	}
	return n >= 0 && number >= SIGRTMIN && number <= SIGRTMAX ? number : -1;
}

int signal_parse(const char *word)
{
	const char *name = strncasecmp(word, "SIG", 3) == 0 ? word + 3 : word;
	int n;

	if (str_int(word, &n) == 0)
		return n >= 1 && n <= SIGRTMAX ? n : -EINVAL;
	for (n = 1; n < NAMES; n++)
		if (names[n] && strcasecmp(names[n], name) == 0)
			return n;
	if (strcasecmp(name, "POLL") == 0)
		return SIGIO;
	n = real_time(name);
	return n > 0 ? n : -EINVAL;
}

const char *signal_name(int number, char buf[16])
{
	if (number > 0 && number < NAMES && names[number])
		return names[number];
	if (number >= SIGRTMIN && number <= SIGRTMAX)
		snprintf(buf, 16, "RTMIN+%d", number - SIGRTMIN);
	else
		snprintf(buf, 16, "%d", number);
	return buf;
}
