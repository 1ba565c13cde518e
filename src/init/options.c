/* SPDX-License-Identifier: Apache-2.0 */
#include "init/options.h"

#include <signal.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void say(const char *a, const char *b, const char *c, const char *d)
{
	const char *parts[] = { a, b, c, d };
	char text[1024];
	size_t len = 0;

	for (size_t i = 0; i < 4 && parts[i]; i++) {
		size_t n = strlen(parts[i]);

		if (n > sizeof(text) - 1 - len)
			n = sizeof(text) - 1 - len;
		memcpy(text + len, parts[i], n);
		len += n;
	}
	text[len++] = '\n';
	if (write(STDERR_FILENO, text, len) < 0)
		return;
}

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

long options_number(const char *s, size_t n, long max)
{
	long value = 0;

	if (!n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

/* kill(1)'s numbers: RTMIN is 34 (two are libc's own), whatever libc this is. */
static int rt_signal(long n, bool from_min)
{
	long signo = from_min ? 34 + n : 64 - n;

	return signo >= 34 && signo <= 64 ? (int)signo : -1;
}

int options_signal_of(const char *word, size_t n)
{
	long value = options_number(word, n, 64);

	if (value > 0)
		return (int)value;
	if (n > 3 && strncasecmp(word, "SIG", 3) == 0) {
		word += 3;
		n -= 3;
	}
	for (int i = 1; i < (int)(sizeof(names) / sizeof(names[0])); i++)
		if (names[i] && strlen(names[i]) == n && strncasecmp(names[i], word, n) == 0)
			return i;
	if (n == 3 && strncasecmp(word, "CLD", n) == 0)
		return SIGCHLD;
	if (n == 4 && strncasecmp(word, "POLL", n) == 0)
		return SIGIO;
	if (n == 3 && strncasecmp(word, "IOT", n) == 0)
		return SIGABRT;
	if (n >= 5 && strncasecmp(word, "RTMIN", 5) == 0) {
		value = n == 5 ? 0 : word[5] == '+' ? options_number(word + 6, n - 6, 30) : -1;
		return value >= 0 ? rt_signal(value, true) : -1;
	}
	if (n >= 5 && strncasecmp(word, "RTMAX", 5) == 0) {
		value = n == 5 ? 0 : word[5] == '-' ? options_number(word + 6, n - 6, 30) : -1;
		return value >= 0 ? rt_signal(value, false) : -1;
	}
	return -1;
}

int options_signal(const char *word)
{
	return options_signal_of(word, strlen(word));
}

const char *options_signal_name(int signo)
{
	return signo > 0 && signo < (int)(sizeof(names) / sizeof(names[0])) ? names[signo] : NULL;
}

int64_t options_duration_ms(const char *s, size_t n)
{
	size_t digits = 0;
	int64_t unit = 1000;
	long value;

	while (digits < n && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	value = options_number(s, digits, 1000000);
	if (n - digits == 2 && strncmp(s + digits, "ms", 2) == 0)
		unit = 1;
	else if (n - digits == 1 && s[digits] == 'm')
		unit = 60000;
	else if (n != digits && !(n - digits == 1 && s[digits] == 's'))
		return -1;
	return value < 0 ? -1 : value * unit;
}
