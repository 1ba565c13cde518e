/* SPDX-License-Identifier: Apache-2.0 */
/*
 * victim KIND MS ZOMBIES: forks children that it does not wait for, blocks for MS milliseconds in
 * the call named KIND, and checks that the call's result, errno and duration are what they would
 * be had nobody ever attached. Prints "ready PID", then "ok KIND" or "bad KIND: why".
 * victim --list: every kind, one a line.
 */
#include "victim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LATE_MS = 600 }; /* what a busy machine may add */

static struct {
	long ms;
	char why[160];
} victim;

static const struct kind *const kinds[] = { time_kinds, fd_kinds, ipc_kinds };

long victim_ms(void)
{
	return victim.ms;
}

struct timespec victim_span(void)
{
	return (struct timespec){ victim.ms / 1000, victim.ms % 1000 * 1000000 };
}

struct timespec victim_deadline(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += victim.ms % 1000 * 1000000;
	t.tv_sec += victim.ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

pid_t victim_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

void victim_later(void (*act)(long), long with)
{
	if (victim_fork() == 0) {
		struct timespec s = victim_span();

		nanosleep(&s, NULL);
		act(with);
		pause(); /* no zombie of its own before the victim has seen what it did */
	}
}

static void send(long sig)
{
	kill(getppid(), (int)sig);
}

void victim_signal_later(int sig)
{
	victim_later(send, sig);
}

static void do_nothing(int sig)
{
	(void)sig;
}

void victim_catch(int sig)
{
	struct sigaction a = { .sa_handler = do_nothing };

	sigaction(sig, &a, NULL);
}

void victim_block(int sig)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

bool victim_is(long result, int error)
{
	if (result >= 0 ? error == 0 : errno == error)
		return true;
	snprintf(victim.why, sizeof(victim.why), "returned %ld, %s", result,
		result < 0 ? strerror(errno) : "no error");
	return false;
}

bool victim_holds(bool condition, const char *otherwise)
{
	if (!condition)
		snprintf(victim.why, sizeof(victim.why), "%s", otherwise);
	return condition;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (const struct kind *k = kinds[i]; k->name; k++)
			puts(k->name);
	}
}

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (const struct kind *k = kinds[i]; k->name; k++) {
			if (strcmp(k->name, name) == 0)
				return k;
		}
	}
	return NULL;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	const struct kind *k = argc == 4 ? find(argv[1]) : NULL;
	long start, took;
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (!k)
		return 2;
	victim.ms = atol(argv[2]);
	for (int i = atoi(argv[3]); i > 0; i--) {
		if (fork() == 0)
			_exit(i & 0x7f);
	}
	printf("ready %d\n", getpid());
	start = now_ms();
	good = k->run();
	took = now_ms() - start;
	if (good && (took < victim.ms - 5 || (!k->retimed && took > victim.ms + LATE_MS)))
		good = victim_holds(false, "took another time than it should");
	if (good)
		printf("ok %s\n", k->name);
	else
		printf("bad %s: %s (%ld of %ld ms)\n", k->name, victim.why, took, victim.ms);
	return good ? 0 : 1;
}
