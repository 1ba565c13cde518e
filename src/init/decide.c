/* SPDX-License-Identifier: Apache-2.0 */
#include "init/decide.h"

#include <signal.h>
#include <sys/wait.h>

enum decision decide_signal(int signo)
{
	switch (signo) {
	case SIGCHLD:
		return DECIDE_REAP;
	/* the terminal's own talk with whoever reads or stops in the background: not for the
	 * program */
	case SIGTTIN:
	case SIGTTOU:
	case SIGTSTP:
		return DECIDE_NOTHING;
	}
	return DECIDE_FORWARD;
}

int decide_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
