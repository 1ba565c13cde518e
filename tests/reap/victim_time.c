/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeping, and waiting for signals. */
#include "victim.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <unistd.h>

static bool sleep_relative(void)
{
	struct timespec s = victim_span();

	return victim_is(nanosleep(&s, NULL), 0);
}

static bool sleep_on_clock(void)
{
	struct timespec s = victim_span();

	return victim_holds(clock_nanosleep(CLOCK_MONOTONIC, 0, &s, NULL) == 0, "failed");
}

static bool sleep_until(void)
{
	struct timespec t = victim_deadline(CLOCK_MONOTONIC);

	return victim_holds(
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0, "failed");
}

static bool poll_limited(void)
{
	return victim_is(poll(NULL, 0, (int)victim_ms()), 0);
}

static bool ppoll_limited(void)
{
	struct timespec s = victim_span();

	return victim_is(ppoll(NULL, 0, &s, NULL), 0);
}

static bool select_limited(void)
{
	struct timespec s = victim_span();
	struct timeval t = { s.tv_sec, s.tv_nsec / 1000 };

	return victim_is(select(0, NULL, NULL, NULL, &t), 0);
}

static bool pselect_masked(void)
{
	struct timespec s = victim_span();
	sigset_t all;

	sigfillset(&all);
	return victim_is(pselect(0, NULL, NULL, NULL, &s, &all), 0);
}

static bool pause_for_signal(void)
{
	victim_catch(SIGUSR1);
	victim_signal_later(SIGUSR1);
	return victim_is(pause(), EINTR);
}

static bool suspend_for_signal(void)
{
	sigset_t none, now;

	victim_catch(SIGUSR1);
	victim_block(SIGUSR1);
	victim_signal_later(SIGUSR1);
	sigemptyset(&none);
	if (!victim_is(sigsuspend(&none), EINTR))
		return false;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return victim_holds(sigismember(&now, SIGUSR1), "the signal mask is another");
}

static bool wait_for_signal(void)
{
	sigset_t one;

	victim_block(SIGUSR1);
	victim_signal_later(SIGUSR1);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	return victim_is(sigwaitinfo(&one, NULL), 0);
}

static bool wait_for_no_signal(void)
{
	struct timespec s = victim_span();
	sigset_t one;

	victim_block(SIGUSR1);
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	return victim_is(sigtimedwait(&one, NULL, &s), EAGAIN);
}

/* A handler interrupts a sleep as ever, and the time left is right. */
static bool sleep_interrupted(void)
{
	struct timespec hour = { 3600, 0 }, left = { 0 };

	victim_catch(SIGUSR1);
	victim_signal_later(SIGUSR1);
	return victim_is(nanosleep(&hour, &left), EINTR) &&
	       victim_holds(left.tv_sec <= 3600 - victim_ms() / 1000 &&
				    left.tv_sec >= 3600 - victim_ms() / 1000 - 2,
		       "the time left is wrong");
}

/* All signals are blocked while it is held; none may be lost by that. */
static bool count_signals(void)
{
	sigset_t set;
	int got = 0;

	victim_block(SIGRTMIN);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	for (long i = 0; i < victim_ms(); i++) {
		struct timespec ms = { 0, 1000000 };

		nanosleep(&ms, NULL);
		kill(getpid(), SIGRTMIN);
		got += sigwaitinfo(&set, NULL) == SIGRTMIN;
	}
	return victim_holds(got == victim_ms(), "a signal was lost");
}

static bool spin(void)
{
	struct timespec until = victim_deadline(CLOCK_MONOTONIC), now;
	volatile double x = 1;

	do {
		for (int i = 0; i < 10000; i++)
			x = x * 1.0000001 + 1e-9;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < until.tv_sec ||
		 (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec));
	return victim_holds(x > 1, "floating point went wrong");
}

static bool sleep_deaf(void)
{
	struct timespec s = victim_span();
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	return victim_is(nanosleep(&s, NULL), 0);
}

const struct kind time_kinds[] = {
	{ "nanosleep", sleep_relative },
	{ "clock_nanosleep", sleep_on_clock },
	{ "clock_nanosleep-absolute", sleep_until },
	{ "nanosleep-interrupted", sleep_interrupted },
	{ "nanosleep-signals-blocked", sleep_deaf },
	{ "poll-timeout", poll_limited },
	{ "ppoll-timeout", ppoll_limited },
	{ "select-timeout", select_limited },
	{ "pselect-masked", pselect_masked },
	{ "pause", pause_for_signal },
	{ "sigsuspend", suspend_for_signal },
	{ "sigwaitinfo", wait_for_signal },
	{ "sigtimedwait", wait_for_no_signal, .retimed = true },
	{ "signals-counted", count_signals, .retimed = true },
	{ "busy", spin },
	{ 0 },
};
