/* SPDX-License-Identifier: Apache-2.0 */
/* What PID 1 does about what happens: pure, so that every cell is tested. */
#pragma once

enum decision {
	DECIDE_NOTHING,
	DECIDE_REAP,
	DECIDE_FORWARD,
};

enum decision decide_signal(int signo);

/* A wait status as the exit code of whoever stood for it: 128 + n for signal n. */
int decide_exit_code(int status);
