/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <signal.h>
#include <sys/wait.h>

static bool is_job_control(int signo)
{
	return signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

/* What the kernel sends who made a mistake: ours, if it is not dumb-init that we are. */
static bool is_fault(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE ||
	       signo == SIGSYS || signo == SIGABRT || signo == SIGTRAP;
}

/* Signals of the terminal to us, who gave it away. */
static bool is_ours(enum personality as, int signo)
{
	if (as == AS_CATATONIT)
		return is_job_control(signo);
	return as != AS_DUMB_INIT && (signo == SIGTTIN || signo == SIGTTOU);
}

struct decided decide_signal(const struct rules *r, int signo)
{
	struct decided d = { DECIDE_FORWARD, signo, false };

	if (signo == SIGCHLD)
		return (struct decided){ DECIDE_REAP, 0, false };
	if (r->as != AS_DUMB_INIT && is_fault(signo))
		return (struct decided){ DECIDE_NOTHING, 0, false };
	d.stop_ourselves = r->as == AS_DUMB_INIT && is_job_control(signo);
	if (signo > 0 && signo < SIGNALS && r->rewrite[signo])
		d.signo = r->rewrite[signo];
	else if (d.stop_ourselves && r->own_session)
		d.signo = SIGSTOP;
	else if (is_ours(r->as, signo))
		return (struct decided){ DECIDE_NOTHING, 0, false };
	if (d.signo == DROP)
		return (struct decided){ DECIDE_DROP, 0, d.stop_ourselves };
	if (signo == SIGTERM || signo == SIGINT)
		d.what = r->n_stop || r->pause ? DECIDE_STOP : DECIDE_FORWARD;
	return d;
}

static const struct move table[STATES][EVENTS] = {
	[RUNNING] = {
		[ON_SIGNAL] = { FORWARD, RUNNING },
		[ON_STOP] = { NEXT_STOP, STOPPING },
		[ON_END] = { LEAVE, DRAINING },
		[ON_ALONE] = { IGNORE, RUNNING },
		[ON_TIME] = { IGNORE, RUNNING },
	},
	[STOPPING] = {
		[ON_SIGNAL] = { FORWARD, STOPPING },
		[ON_STOP] = { NEXT_STOP, STOPPING },
		[ON_END] = { LEAVE, DRAINING },
		[ON_ALONE] = { IGNORE, STOPPING },
		[ON_TIME] = { NEXT_STOP, STOPPING },
	},
	[DRAINING] = {
		[ON_SIGNAL] = { IGNORE, DRAINING },
		[ON_STOP] = { KILL_REST, KILLING },
		[ON_END] = { IGNORE, DRAINING },
		[ON_ALONE] = { EXIT, DRAINING },
		[ON_TIME] = { KILL_REST, KILLING },
	},
	[KILLING] = {
		[ON_SIGNAL] = { IGNORE, KILLING },
		[ON_STOP] = { IGNORE, KILLING },
		[ON_END] = { IGNORE, KILLING },
		[ON_ALONE] = { EXIT, KILLING },
		[ON_TIME] = { EXIT, KILLING },
	},
	[PAUSED] = {
		[ON_SIGNAL] = { IGNORE, PAUSED },
		[ON_STOP] = { EXIT_WELL, PAUSED },
		[ON_END] = { IGNORE, PAUSED },
		[ON_ALONE] = { IGNORE, PAUSED },
		[ON_TIME] = { IGNORE, PAUSED },
	},
};

struct move decide_event(enum state s, enum event e)
{
	return table[s][e];
}

int decide_exit_code(const struct rules *r, int status)
{
	int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	return r->exit_map[code & 0xff] ? r->exit_map[code & 0xff] - 1 : code;
}

int decide_next_stop(const struct rules *r, int step)
{
	return step + 1 < r->n_stop ? step + 1 : r->n_stop - 1;
}

int64_t decide_delay(const struct rules *r, int signo)
{
	for (int i = 0; i < DELAYS; i++)
		if (r->delay[i].signo == signo)
			return r->delay[i].wait_ms;
	return 0;
}

enum stopped decide_stopped(int signo, bool asked, bool has_terminal, bool has_shell)
{
	if (!is_job_control(signo))
		return STAYS_STOPPED;
	if (has_shell)
		return STOP_TOO;
	/* reading in the background stops it again at once: only Ctrl-Z is taken back */
	return signo == SIGTSTP && has_terminal && !asked ? RESUME : STAYS_STOPPED;
}
