/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <signal.h>
#include <sys/wait.h>

static bool is_job_control(int signo)
{
	return signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU;
}

struct decided decide_signal(const struct rules *r, int signo)
{
	int as = signo;

	if (signo == SIGCHLD)
		return (struct decided){ DECIDE_REAP, 0 };
	if (signo > 0 && signo < SIGNALS && r->rewrite[signo])
		as = r->rewrite[signo];
	if (as == DROP)
		return (struct decided){ DECIDE_NOTHING, 0 };
	/* a rewritten one is meant for the program; as it comes it is the terminal's talk with us
	 */
	if (is_job_control(signo) && as == signo)
		return r->stops_with_it ? (struct decided){ DECIDE_STOP_OURSELVES, SIGSTOP }
					: (struct decided){ DECIDE_NOTHING, 0 };
	if (r->n_stop && (signo == SIGTERM || signo == SIGINT))
		return (struct decided){ DECIDE_STOP, 0 };
	return (struct decided){ DECIDE_FORWARD, as };
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
