/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: sleep until something happens or is due, hand it to the service it belongs to, then let
 * dependencies have their say (engine_pump). It wakes for nothing else.
 */
#include "init/services/engine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/trim.h"

struct engine sv;

int64_t engine_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int engine_of(const struct service *s)
{
	return (int)(s - sv.all);
}

bool engine_watch(int fd, uint32_t events, enum what what, int number)
{
	struct epoll_event e = { events, { .u64 = (uint64_t)what << 32 | (uint32_t)number } };

	return fd >= 0 && epoll_ctl(sv.epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

void engine_watch_again(int fd, uint32_t events, enum what what, int number)
{
	struct epoll_event e = { events, { .u64 = (uint64_t)what << 32 | (uint32_t)number } };

	epoll_ctl(sv.epoll, EPOLL_CTL_MOD, fd, &e);
}

/* Taken out by name: a newborn that has not executed yet has it, too, and would keep it in the
 * list. */
void engine_close(int *fd)
{
	if (*fd < 0)
		return;
	engine_unwatch(*fd);
	close(*fd);
	*fd = -1;
}

void engine_unwatch(int fd)
{
	epoll_ctl(sv.epoll, EPOLL_CTL_DEL, fd, NULL);
}

void engine_event(struct service *s, enum sv_event e)
{
	struct sv_cell c = services_decide(s->state, e);
	bool changed = c.next != s->state;

	s->state = c.next;
	sv.dirty |= changed || c.act != ACT_NONE;
	service_act(s, c.act);
	if (changed && sv.clients)
		ctl_changed(s);
}

/* --- dependencies ---------------------------------------------------------------------------- */

static struct service *slot_of(const struct service *s, int def)
{
	int at = def >= 0 && def < s->conf->n ? s->conf->defs[def].at : -1;

	return at >= 0 && sv.all[at].def ? &sv.all[at] : NULL;
}

static bool is_up(const struct service *s)
{
	return s->state == SV_RUNNING || (s->state == SV_EXITED && s->def->rule.oneshot);
}

static bool is_coming(const struct service *s)
{
	return s->start_asked || s->again || s->state == SV_WAITING || s->state == SV_STARTING ||
	       s->state == SV_BACKOFF || s->state == SV_STOPPING || s->state == SV_CLEARING;
}

static bool is_down(const struct service *s)
{
	return s->state == SV_STOPPED || s->state == SV_EXITED || s->state == SV_FATAL;
}

void engine_ask_start(struct service *s)
{
	/* no circles: the configuration was checked for them */
	for (int i = 0; i < s->def->n_needs; i++) {
		struct service *d = slot_of(s, s->def->needs[i]);

		if (d && !is_up(d) && !d->start_asked)
			engine_ask_start(d);
	}
	s->start_asked = true;
	s->stop_asked = false;
	sv.dirty = true;
}

static bool depends(const struct service *s, const struct service *on, bool strictly)
{
	for (int i = 0; i < s->def->n_needs; i++)
		if (slot_of(s, s->def->needs[i]) == on)
			return true;
	for (int i = 0; !strictly && i < s->def->n_after; i++)
		if (slot_of(s, s->def->after[i]) == on)
			return true;
	return !strictly && s->def->logger_at >= 0 && slot_of(s, s->def->logger_at) == on;
}

void engine_ask_stop(struct service *s)
{
	s->start_asked = s->again = false;
	if (is_down(s)) {
		s->stop_asked = false;
		return;
	}
	s->stop_asked = true;
	sv.dirty = true;
	/* what cannot be without it goes first */
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && !sv.all[i].stop_asked && !is_down(&sv.all[i]) &&
			depends(&sv.all[i], s, true))
			engine_ask_stop(&sv.all[i]);
}

/* May it be stopped, or does another have to be down before? */
static bool may_stop(const struct service *s)
{
	for (int i = 0; i < sv.n; i++) {
		const struct service *o = &sv.all[i];

		if (!o->def || o == s || !o->stop_asked || is_down(o))
			continue;
		if (depends(o, s, false) ||
			(sv.mood != MOOD_RUNNING && o->def->rank > s->def->rank))
			return false;
	}
	return true;
}

/* EV_MAY_START, EV_NEVER, or EV_DUE for not yet. */
static enum sv_event look(const struct service *s)
{
	for (int i = 0; i < s->def->n_needs; i++) {
		const struct service *d = slot_of(s, s->def->needs[i]);

		if (d && is_up(d))
			continue;
		return d && is_coming(d) ? EV_DUE : EV_NEVER;
	}
	for (int i = 0; i < s->def->n_after; i++) {
		const struct service *d = slot_of(s, s->def->after[i]);

		if (d && is_coming(d))
			return EV_DUE;
	}
	return EV_MAY_START;
}

static bool pump_one(struct service *s)
{
	if (s->stop_asked) {
		if (is_down(s)) {
			s->stop_asked = false;
		} else if (s->state != SV_STOPPING && may_stop(s)) {
			engine_event(s, EV_STOP);
			return true;
		}
		return false;
	}
	if (s->start_asked && sv.mood == MOOD_RUNNING) {
		s->start_asked = false;
		if (!is_up(s) || s->state == SV_EXITED) {
			engine_event(s, EV_START);
			return true;
		}
	}
	if (s->state == SV_WAITING) {
		enum sv_event e = sv.mood == MOOD_RUNNING ? look(s) : EV_STOP;

		if (e != EV_DUE) {
			engine_event(s, e);
			return true;
		}
	}
	return false;
}

static bool anything_lives(void)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && !is_down(&sv.all[i]))
			return true;
	return false;
}

/* Nothing runs, nothing will: who ended badly gives the exit code. */
static void end_when_idle(void)
{
	int code = 0, n = 0;

	if (!sv.now->set.idle_exits || sv.mood != MOOD_RUNNING || change_busy())
		return;
	for (int i = 0; i < sv.n; i++) {
		const struct service *s = &sv.all[i];

		if (!s->def)
			continue;
		if (!is_down(s) || s->start_asked || (s->state == SV_STOPPED && s->by_hand))
			return;
		if (s->state == SV_FATAL && !code)
			code = WIFSIGNALED(s->status)	? 128 + WTERMSIG(s->status)
			       : WEXITSTATUS(s->status) ? WEXITSTATUS(s->status)
							: 1;
		n += s->started != 0 || s->state == SV_FATAL;
	}
	if (n)
		engine_end(code);
}

static void engine_pump(void)
{
	/* each round changes something or is the last; the bound is for a world that changes as
	 * fast as we look */
	for (int round = 0; sv.dirty && round < 64; round++) {
		sv.dirty = false;
		for (int i = 0; i < sv.n; i++)
			if (sv.all[i].def)
				sv.dirty |= pump_one(&sv.all[i]);
	}
	change_settle();
	end_when_idle();
}

/* --- the end --------------------------------------------------------------------------------- */

static void stop_all(void)
{
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def)
			engine_ask_stop(&sv.all[i]);
	sv.dirty = true;
}

void engine_end(int code)
{
	if (sv.mood == MOOD_ENDING)
		return;
	sv.mood = MOOD_ENDING;
	sv.exit_code = code;
	stop_all();
}

void engine_restart(void)
{
	if (sv.mood != MOOD_RUNNING)
		return;
	sv.mood = MOOD_RESTARTING;
	stop_all();
}

/* A second signal to stop: everything that is being waited for is over. */
static void hurry(void)
{
	sv.sure = true;
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && sv.all[i].due_ms >= 0 &&
			(sv.all[i].state == SV_STOPPING || sv.all[i].state == SV_CLEARING))
			sv.all[i].due_ms = sv.now_ms;
}

static void begin_again(void)
{
	char text[1024];
	struct buf b = BUF(text);
	struct conf *next;

	text[0] = '\0';
	sv.mood = MOOD_RUNNING;
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def)
			out_close(&sv.all[i], true);
	if (!change_load(&next, &b)) {
		/* better what there was than nothing */
		note(NOTE_ERROR, "%s", text);
		next = sv.now;
	}
	memset(sv.all, 0, (size_t)sv.n * sizeof(*sv.all));
	sv.n = 0;
	change_begin(next);
}

/* --- signals --------------------------------------------------------------------------------- */

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		bool known = false;

		sv.count.reaped++;
		for (int i = 0; i < sv.n && !known; i++)
			known = sv.all[i].def && service_reaped(&sv.all[i], pid, status);
		if (known)
			continue;
		sv.count.adopted++;
		if (sv.loglevel <= NOTE_DEBUG || sv.is_supervisor) {
			char text[128];
			struct buf b = BUF(text);

			note_status(&b, status);
			note(NOTE_INFO, "reaped unknown pid %d (%s)", (int)pid, text);
		}
	}
	/* one of them may have been the last of a group that is waited for */
	for (int i = 0; i < sv.n; i++)
		if (sv.all[i].def && !sv.all[i].pid && (sv.all[i].pgid || sv.all[i].finish_pid))
			service_look(&sv.all[i]);
}

static void change_all(void)
{
	char text[1024];
	struct buf b = BUF(text);
	struct conf *next;

	text[0] = '\0';
	if (sv.mood != MOOD_RUNNING)
		return;
	if (!change_load(&next, &b)) {
		note(NOTE_ERROR, "%s", text);
		return;
	}
	change_everything(next);
}

static void take_signal(int signo)
{
	switch (signo) {
	case SIGCHLD:
		reap();
		break;
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		if (sv.mood == MOOD_ENDING)
			hurry();
		note(NOTE_WARN, "received SIG%s indicating exit request",
			signo == SIGTERM  ? "TERM"
			: signo == SIGINT ? "INT"
					  : "QUIT");
		engine_end(0);
		break;
	case SIGHUP:
		if (sv.is_supervisor) {
			note(NOTE_WARN, "received SIGHUP indicating restart request");
			engine_restart();
		} else {
			note(NOTE_INFO, "received SIGHUP: the configuration is read again");
			change_all();
		}
		break;
	case SIGUSR2:
		note(NOTE_INFO, "received SIGUSR2 indicating log reopen request");
		out_reopen();
		note(NOTE_INFO, "supervisord logreopen");
		break;
	}
}

static void take_signals(void)
{
	struct signalfd_siginfo all[8];
	ssize_t n;

	while ((n = read(sv.signals, all, sizeof(all))) > 0)
		for (size_t i = 0; i < (size_t)n / sizeof(all[0]); i++)
			take_signal((int)all[i].ssi_signo);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void happened(uint64_t tag)
{
	int number = (int)(uint32_t)tag;
	enum what what = (enum what)(tag >> 32);
	struct service *s =
		&sv.all[what == ON_STREAM					    ? number / 2
			: what == ON_CLIENT || what == ON_SINK || what == ON_LISTEN ? 0
										    : number];

	switch (what) {
	case ON_SIGNAL:
		take_signals();
		break;
	case ON_LISTEN:
		ctl_accept(number);
		break;
	case ON_CLIENT:
		ctl_client(number);
		break;
	case ON_STREAM:
		if (s->def && s->out[number % 2].fd >= 0)
			out_stream_event(s, number % 2);
		break;
	case ON_READY:
		if (s->def && s->ready_fd >= 0)
			ready_fd_event(s);
		break;
	case ON_NOTIFY:
		if (s->def && s->notify_fd >= 0)
			ready_notify_event(s);
		break;
	case ON_TCP:
		if (s->def && s->tcp_fd >= 0)
			ready_tcp_event(s);
		break;
	case ON_SINK:
		out_sink_writable(number);
		break;
	}
}

static int time_left(void)
{
	int64_t next = -1;

	for (int i = 0; i < sv.n; i++) {
		int64_t due = sv.all[i].def ? service_next_ms(&sv.all[i]) : -1;

		if (due >= 0 && (next < 0 || due < next))
			next = due;
	}
	if (next < 0)
		return -1;
	next -= sv.now_ms;
	return next < 0 ? 0 : next > INT32_MAX ? INT32_MAX : (int)next;
}

int engine_run(void)
{
	sv.used = true;
	for (;;) {
		struct epoll_event e[16];
		int n;

		engine_pump();
		if (sv.mood != MOOD_RUNNING && !anything_lives()) {
			if (sv.mood == MOOD_ENDING)
				return sv.exit_code;
			begin_again();
			continue;
		}
		if (sv.used && !sv.dirty)
			sv.used = false;
		trim();
		sv.now_ms = engine_clock();
		n = epoll_wait(sv.epoll, e, 16, sv.dirty ? 0 : time_left());
		sv.count.wakeups++;
		sv.now_ms = engine_clock();
		for (int i = 0; i < n; i++)
			happened(e[i].data.u64);
		for (int i = 0; i < sv.n; i++)
			if (sv.all[i].def && service_next_ms(&sv.all[i]) >= 0 &&
				service_next_ms(&sv.all[i]) <= sv.now_ms)
				service_due(&sv.all[i]);
	}
}
