/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs in the measured containers: nothing (`true`), or a wait for the end (`sleep`). Built
 * with musl, as another libc's start would be a part of every figure. `crowd N`: N processes with
 * a mount namespace each, for the length of standard input. `peak PROGRAM ...`: its peak memory.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int crowd(int n)
{
	char c;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0 || (pid == 0 && unshare(CLONE_NEWNS) < 0))
			return 1;
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
	puts("ready");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}

/* The peak of a program's memory, from a process so small that its own is below every peak. */
static int peak(char **argv)
{
	struct rusage used;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		dup2(2, 1);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) < 0 || status)
		return 1;
	printf("%ld\n", used.ru_maxrss);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

	if (argc == 3 && !strcmp(argv[1], "crowd"))
		return crowd(atoi(argv[2]));
	if (argc > 2 && !strcmp(argv[1], "peak"))
		return peak(argv + 2);
	while (!strcmp(name, "sleep"))
		pause();
	return 0;
}
