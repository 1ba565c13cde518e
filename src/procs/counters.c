/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/counters.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>

#include "procs/events.h"

enum { GATHER_MS = 50 };

static void count(void *data, const struct event *ev)
{
	struct counters *c = data;

	switch (ev->kind) {
	case EVENT_ORPHAN:
		c->orphans++;
		break;
	case EVENT_ADOPT:
		*(ev->parent_is_init ? &c->adopted_by_init : &c->adopted_by_subreaper) += 1;
		break;
	case EVENT_REAP:
		*(ev->parent_is_init ? &c->reaped_by_init : &c->reaped_by_parent) += 1;
		break;
	case EVENT_EXIT:
		c->exits[WIFSIGNALED(ev->wait_status) ? 128 + WTERMSIG(ev->wait_status)
						      : WEXITSTATUS(ev->wait_status)]++;
		break;
	case EVENT_LOST:
		c->lost += ev->lost;
		break;
	default:
		break;
	}
}

int counters_open(struct counters *c, struct err *e)
{
	*c = (struct counters){ 0 };
	return events_open(&c->events, e);
}

int counters_wait(struct counters *c, int other_fd, int timeout_ms, struct err *e)
{
	struct pollfd fds[2] = { { .fd = other_fd, .events = POLLIN },
		{ .fd = c->events && !c->gathers ? events_fd(c->events) : -1, .events = POLLIN } };
	bool had_gathered = c->gathers;

	if (c->gathers && (timeout_ms < 0 || timeout_ms > GATHER_MS))
		timeout_ms = GATHER_MS;
	if (poll(fds, 2, timeout_ms) < 0 && errno != EINTR)
		return err_set(e, errno, "wait for clients");
	/* the first of many is not taken alone: a wake-up costs those who fork more than an event
	 */
	c->gathers = !had_gathered && fds[1].revents && !fds[0].revents;
	return c->events && !c->gathers ? events_wait(c->events, 0, count, c, e) : 0;
}

void counters_done(struct counters *c)
{
	events_free(c->events);
	c->events = NULL;
}
