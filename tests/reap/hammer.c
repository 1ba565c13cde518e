/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hammer PID [TID] COUNT INTERVAL_US: borrows a thread COUNT times, each time for one wait4() of a
 * child that does not exist, and prints how long it was held: "N attaches, held min median max us".
 * What clade reap does, without the second between two looks; for tests and bench/reap.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/ptrace.h"

enum { NO_SUCH_CHILD = 0x3ffffff };

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void read_blocked(pid_t pid, pid_t tid, struct ptrace_blocked *ret)
{
	char path[80], line[256] = "";
	FILE *f;

	*ret = (struct ptrace_blocked){ .nr = PTRACE_RUNNING };
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(line, sizeof(line), f))
			ptrace_blocked_parse(line, ret);
		fclose(f);
	}
}

/* One attach; returns ns held, or -errno. */
static int64_t strike(pid_t pid, pid_t tid)
{
	uint64_t args[6] = { NO_SUCH_CHILD, 0, WNOHANG | __WALL };
	struct ptrace_blocked blocked;
	struct ptrace_loan loan;
	int64_t result = 0, held;
	int r;

	read_blocked(pid, tid, &blocked);
	r = ptrace_borrow(&loan, pid, tid, &blocked, false);
	if (r < 0)
		return r;
	r = ptrace_call(&loan, SYS_wait4, args, &result);
	held = (int64_t)ptrace_give_back(&loan);
	return r < 0 ? r : result == -ECHILD ? held : -EPROTO;
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 3 ? atoi(argv[1]) : 0, tid = argc > 4 ? atoi(argv[2]) : pid;
	size_t count = argc > 3 ? strtoul(argv[argc - 2], NULL, 10) : 0, done = 0;
	long interval_us = argc > 3 ? atol(argv[argc - 1]) : 0;
	uint64_t *held;
	sigset_t all;

	if (!count)
		return 2;
	held = calloc(count, sizeof(*held));
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	while (held && done < count) {
		int64_t r = strike(pid, tid);

		if (r < 0 && r != -EAGAIN) {
			fprintf(stderr, "hammer: %d after %zu attaches: %s\n", tid, done,
				strerror((int)-r));
			return 1;
		}
		if (r >= 0)
			held[done++] = (uint64_t)r;
		nanosleep(&(struct timespec){ interval_us / 1000000, interval_us % 1000000 * 1000 },
			NULL);
	}
	qsort(held, done, sizeof(*held), compare);
	printf("%zu attaches, held %.1f %.1f %.1f us\n", done, (double)held[0] / 1e3,
		(double)held[done / 2] / 1e3, (double)held[done - 1] / 1e3);
	free(held);
	return 0;
}
