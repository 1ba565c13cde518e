/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/tty.h"

/* docker: "ctrl-p,ctrl-q", "a,b"; a letter or ctrl- and one of a-z @ [ \ ] ^ _ */
static int keys_parse(const char *text, struct console *c, struct err *e)
{
	const char *s = text;

	c->n_keys = 0;
	while (*s) {
		size_t n = strcspn(s, ",");
		unsigned char key;

		if (n == 1) {
			key = (unsigned char)s[0];
		} else if (n == 6 && strncmp(s, "ctrl-", 5) == 0 &&
			   ((s[5] >= 'a' && s[5] <= 'z') || (s[5] >= '@' && s[5] <= '_'))) {
			key = (unsigned char)s[5] & 0x1f;
		} else {
			return err_say(e,
				"--detach-keys %s: keys like ctrl-p,ctrl-q or a,b are wanted",
				text);
		}
		if (c->n_keys == sizeof(c->keys))
			return err_say(e, "--detach-keys %s: too many keys", text);
		c->keys[c->n_keys++] = key;
		s += n + (s[n] == ',');
	}
	return 0;
}

int console_begin(
	struct console *c, bool tty, bool all_signals, const char *detach_keys, struct err *e)
{
	sigset_t set;
	int r;

	*c = (struct console){ .signals = FD_NONE };
	if (keys_parse(detach_keys ? detach_keys : "ctrl-p,ctrl-q", c, e) < 0)
		return -e->code;
	if (!tty)
		c->n_keys = 0; /* docker knows them on terminals only */
	sigemptyset(&set);
	if (all_signals) {
		sigfillset(&set);
		for (int s = 1; s <= SIGRTMAX; s++)
			if (s == SIGCHLD || s == SIGPIPE || s == SIGURG || s == SIGTSTP ||
				s == SIGTTIN || s == SIGTTOU || s == SIGSEGV || s == SIGBUS ||
				s == SIGFPE || s == SIGILL || s == SIGABRT || s == SIGTRAP ||
				s == SIGSYS)
				sigdelset(&set, s);
	} else {
		/* raw mode must end before we do */
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
		sigaddset(&set, SIGQUIT);
		sigaddset(&set, SIGWINCH);
	}
	/* a reader that went away is an error of write(2), not our end */
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, &c->old_mask);
	c->blocked = true;
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (c->signals < 0)
		return err_set(e, errno, "watch signals");
	if (tty && tty_is(STDIN_FILENO)) {
		r = tty_make_raw(STDIN_FILENO, &c->old);
		if (r < 0)
			return err_set(e, -r, "set the terminal to raw mode");
		c->raw = true;
	}
	return 0;
}

void console_end(struct console *c)
{
	if (c->raw)
		tty_restore(STDIN_FILENO, &c->old);
	c->raw = false;
	fd_close(&c->signals);
	if (c->blocked)
		sigprocmask(SIG_SETMASK, &c->old_mask, NULL);
	c->blocked = false;
}

bool console_filter(struct console *c, const char *data, size_t n, char *out, size_t *ret_n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (c->n_keys && (unsigned char)data[i] == c->keys[c->matched]) {
			if (++c->matched == c->n_keys) {
				*ret_n = len;
				return true;
			}
			continue;
		}
		memcpy(out + len, c->keys, c->matched);
		len += c->matched;
		c->matched = 0;
		if (c->n_keys && (unsigned char)data[i] == c->keys[0])
			c->matched = 1;
		else
			out[len++] = data[i];
	}
	*ret_n = len;
	return false;
}

int console_signal(struct console *c)
{
	struct signalfd_siginfo info;

	return read(c->signals, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

void console_die(struct console *c, int signal)
{
	sigset_t one;

	console_end(c);
	sigemptyset(&one);
	sigaddset(&one, signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(signal);
}
