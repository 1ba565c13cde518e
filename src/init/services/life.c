/* SPDX-License-Identifier: Apache-2.0 */
/* One service: what its actions do, and what its processes' ends mean. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/engine.h"

enum { AFTER_KILL_MS = 1000 };

void service_init(struct service *s, const struct sv_def *d, struct conf *c)
{
	*s = (struct service){ .def = d,
		.conf = c,
		.due_ms = -1,
		.check_ms = -1,
		.give_up_ms = -1,
		.ready_fd = -1,
		.notify_fd = -1,
		.tcp_fd = -1,
		.status_fd = -1,
		.in_fd = -1,
		.pipe_in = -1,
		.pipe_out = -1 };
	for (int i = 0; i < 2; i++)
		s->out[i] = (struct stream){ .fd = -1, .file = -1 };
}

int64_t service_next_ms(const struct service *s)
{
	int64_t next = s->due_ms;

	if (s->check_ms >= 0 && (next < 0 || s->check_ms < next))
		next = s->check_ms;
	if (s->give_up_ms >= 0 && (next < 0 || s->give_up_ms < next))
		next = s->give_up_ms;
	return next;
}

/* --- stopping -------------------------------------------------------------------------------- */

void service_send(struct service *s, int signo, bool group)
{
	sv.count.signals++;
	/* the group outlives its leader; EPERM and ESRCH are the sender's to survive, not to die of
	 */
	if (group && s->pgid && kill(-s->pgid, signo) == 0)
		return;
	if (s->pid)
		kill(s->pid, signo);
}

static bool group_lives(const struct service *s)
{
	return s->pgid && !s->isolated && !(kill(-s->pgid, 0) < 0 && errno == ESRCH);
}

/* Nothing of it is left. */
static void gone(struct service *s)
{
	s->pgid = 0;
	s->due_ms = -1;
	out_close(s, false);
	engine_event(s, s->verdict.event);
}

static void stop_with(struct service *s, int signo, int64_t wait_ms)
{
	const struct sv_def *d = s->def;
	bool sweeping = !s->pid && s->pgid, last = signo == SIGKILL;

	if (last && s->pid)
		note(NOTE_WARN, "killing '%s' (%d) with SIGKILL", d->name, (int)s->pid);
	if (signo)
		service_send(s, signo, sweeping || (last ? d->kill_group : d->stop_group));
	if (signo && !last && d->cont_after_stop)
		service_send(s, SIGCONT, false);
	if (wait_ms < 0 && last)
		wait_ms = AFTER_KILL_MS;
	s->due_ms = wait_ms >= 0 ? sv.now_ms + wait_ms : -1;
}

/* The next step of its stop sequence; behind the last one, what cannot be ended is let go. */
static void stop_next(struct service *s)
{
	const struct sv_def *d = s->def;

	if (s->finish_pid) {
		note(NOTE_WARN, "%s: its finish program took too long", d->name);
		kill(s->finish_pid, SIGKILL);
		s->due_ms = -1;
		return;
	}
	if (s->step + 1 < d->n_stop) {
		const struct sv_stop *step = &d->stop[++s->step];

		stop_with(s, step->signo, step->wait_ms);
		if (!step->signo)
			out_close(s, true); /* a logger: end of file */
	} else if (s->step + 1 == d->n_stop && d->stop[d->n_stop - 1].signo != SIGKILL &&
		   sv.mood != MOOD_RUNNING) {
		s->step++;
		stop_with(s, SIGKILL, -1);
	} else {
		s->due_ms = -1;
		if (!s->pid)
			gone(s);
	}
	if (s->due_ms < 0 && (s->pid || s->pgid) && sv.mood != MOOD_RUNNING && s->step < d->n_stop)
		s->due_ms = sv.now_ms + PULL_MS;
	if (sv.sure && s->due_ms > sv.now_ms)
		s->due_ms = sv.now_ms;
}

/* Its main process has ended: what of it is left, step by step, until nothing is. */
void service_look(struct service *s)
{
	bool lives;

	if (s->pid || (s->state != SV_CLEARING && s->state != SV_STOPPING))
		return;
	lives = s->def->sweeps && group_lives(s);
	if (lives && s->step < 0)
		stop_next(s);
	else if (lives && s->due_ms < 0)
		s->due_ms = sv.now_ms + AFTER_KILL_MS;
	if (lives)
		return;
	if (s->def->finish && !s->finish_ran) {
		s->finish_ran = true;
		s->finish_pid = spawn_finish(s);
		s->due_ms = s->def->finish_ms >= 0 ? sv.now_ms + s->def->finish_ms : -1;
		if (s->finish_pid > 0)
			return;
		s->finish_pid = 0;
	}
	if (!s->finish_pid)
		gone(s);
}

/* --- ends ------------------------------------------------------------------------------------ */

static void tell_end(const struct service *s, bool good)
{
	char text[128];
	struct buf b = BUF(text);

	note_status(&b, s->status);
	if (s->state == SV_STOPPING)
		note(good ? NOTE_INFO : NOTE_WARN, "stopped: %s (%s)", s->def->name, text);
	else
		note(good ? NOTE_INFO : NOTE_WARN, "exited: %s (%s; %s)", s->def->name, text,
			good ? "expected" : "not expected");
}

/* Of one with a PID namespace of its own: not of the PID 1 in there, whom no signal of its own can
 * kill. */
static int true_status(struct service *s, int status)
{
	int inner;

	if (s->status_fd < 0)
		return status;
	if (read(s->status_fd, &inner, sizeof(inner)) == (ssize_t)sizeof(inner))
		status = inner;
	close(s->status_fd);
	s->status_fd = -1;
	return status;
}

void service_ended(struct service *s, int status)
{
	const struct sv_rule *rule = &s->def->rule;
	int64_t alive = sv.now_ms - s->started_ms;
	bool counts = rule->counts_starts && !s->was_ready && s->state != SV_STOPPING;
	int judged;

	s->status = status = true_status(s, status);
	s->pid = 0;
	if (s->in_fd >= 0)
		close(s->in_fd);
	s->in_fd = -1;
	s->ended_ms = sv.now_ms;
	s->ended = time(NULL);
	/* what did not get ready in time has failed, however politely it went */
	judged = s->late ? 1 << 8 : status;
	tally_add(s);
	tell_end(s, services_expected(rule, judged) && !counts);
	s->verdict = services_after(rule, judged, alive, s->was_ready, s->tries);
	s->tries = s->verdict.tries;
	s->why = counts || !WIFEXITED(status) ? "Exited too quickly (process log may have details)"
					      : "Bad exit code";
	if (s->was_ready && WIFSIGNALED(status))
		s->why = "Killed by a signal";
	if (s->late)
		s->why = "Not ready in time";
	ready_end(s);
	if ((s->def->sweeps && group_lives(s)) || s->def->finish || s->state == SV_STOPPING ||
		s->state == SV_CLEARING)
		engine_event(s, EV_ENDED);
	else
		gone(s);
}

bool service_reaped(struct service *s, pid_t pid, int status)
{
	if (pid == s->pid) {
		service_ended(s, status);
	} else if (pid == s->finish_pid) {
		s->finish_pid = 0;
		/* s6: "If finish exits 125, ... permanent failure" */
		if (WIFEXITED(status) && WEXITSTATUS(status) == 125 && s->state == SV_CLEARING &&
			s->def->is_s6) {
			s->verdict.event = EV_LOST;
			s->why = "Its finish program said permanent failure";
		}
		service_look(s);
	} else if (pid == s->check_pid) {
		s->check_pid = 0;
		if (s->state == SV_STARTING && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			engine_event(s, EV_READY);
		else if (s->state == SV_STARTING)
			s->check_ms = sv.now_ms + s->def->ready_every_ms;
	} else {
		return false;
	}
	return true;
}

void service_due(struct service *s)
{
	if (s->check_ms >= 0 && sv.now_ms >= s->check_ms) {
		s->check_ms = -1;
		ready_check(s);
	}
	if (s->give_up_ms >= 0 && sv.now_ms >= s->give_up_ms && s->state == SV_STARTING) {
		s->give_up_ms = -1;
		s->late = true;
		note(NOTE_WARN, "%s: not ready after %ld ms", s->def->name,
			(long)s->def->ready_timeout_ms);
		engine_event(s, EV_DUE);
	} else if (s->due_ms >= 0 && sv.now_ms >= s->due_ms) {
		s->due_ms = -1;
		engine_event(s, s->state == SV_STARTING ? EV_READY : EV_DUE);
	}
}

/* --- actions --------------------------------------------------------------------------------- */

static void spawn(struct service *s)
{
	int can = spawn_can(s);

	s->step = -1;
	s->was_ready = s->late = s->finish_ran = s->by_hand = false;
	s->note[0] = '\0';
	s->why = NULL;
	s->started_ms = sv.now_ms;
	s->started = time(NULL);
	s->due_ms = -1;
	s->spawn_failed = false;
	s->status = 0;
	if (!can) {
		if (s->def->ready == READY_NOTIFY)
			ready_open_notify(s);
		s->pid = spawn_main(s);
		if (s->pid > 0) {
			sv.count.spawned++;
			s->pgid = s->pid;
			note(NOTE_INFO, "spawned: '%s' with pid %d", s->def->name, (int)s->pid);
			ready_begin(s);
			return;
		}
		/* no process to be had is not its failure: it is tried for as long as it takes */
		note(NOTE_WARN, "spawnerr: %s: fork: %s", s->def->name, strerror(-s->pid));
		sv.count.fork_failures++;
		s->why = "Fork failed";
		s->verdict = (struct sv_verdict){ EV_LATER, s->tries, 1000 };
	} else {
		s->why = can == ENOENT ? "no such file" : "file is not executable";
		if (s->def->rule.counts_starts)
			note(NOTE_INFO,
				can == ENOENT ? "spawnerr: can't find command '%s'"
					      : "spawnerr: command at '%s' is not executable",
				s->def->argv[0]);
		else
			note(NOTE_INFO, "spawnerr: can't find command '%s': %s", s->def->argv[0],
				strerror(can));
		s->status = (can == ENOENT ? 127 : 126) << 8;
		s->verdict = services_after(&s->def->rule, s->status, 0, false, s->tries);
		s->tries = s->verdict.tries;
	}
	s->pid = 0;
	s->spawn_failed = true;
	out_close(s, false);
	engine_event(s, s->verdict.event);
}

static int lost_code(const struct service *s)
{
	int code = WIFSIGNALED(s->status) ? 128 + WTERMSIG(s->status) : WEXITSTATUS(s->status);

	return code ? code : 1;
}

static void ready(struct service *s)
{
	const struct sv_def *d = s->def;

	s->was_ready = true;
	s->ready_ms = sv.now_ms;
	s->due_ms = s->check_ms = s->give_up_ms = -1;
	if (d->rule.counts_starts) {
		s->tries = 0;
		note(NOTE_INFO,
			"success: %s entered RUNNING state, process has stayed up for > than %ld "
			"seconds (startsecs)",
			d->name, (long)(d->ready_ms / 1000));
	} else {
		note(NOTE_INFO, "%s is ready", d->name);
	}
}

static void wait_for_next(struct service *s)
{
	s->due_ms = sv.now_ms + s->verdict.wait_ms;
	s->restarts++;
	sv.count.restarts++;
}

static void fatal(struct service *s)
{
	if (!s->why)
		s->why = "A service it needs is lost";
	if (s->def->rule.counts_starts)
		note(NOTE_INFO,
			"gave up: %s entered FATAL state, too many start retries too quickly",
			s->def->name);
	else
		note(NOTE_ERROR, "gave up: %s entered FATAL state: %s", s->def->name, s->why);
	if (s->def->essential) {
		note(NOTE_CRIT, "%s is essential and lost for good: the rest is stopped",
			s->def->name);
		engine_end(lost_code(s));
	}
}

void service_act(struct service *s, enum sv_act act)
{
	switch (act) {
	case ACT_SPAWN:
		spawn(s);
		break;
	case ACT_READY:
		ready(s);
		break;
	case ACT_STOP_FIRST:
		ready_end(s);
		s->step = -1;
		stop_next(s);
		break;
	case ACT_STOP_NEXT:
		stop_next(s);
		break;
	case ACT_CLEAR:
		service_look(s);
		break;
	case ACT_WAIT:
		wait_for_next(s);
		break;
	case ACT_REMEMBER:
		s->again = true;
		break;
	case ACT_STOPPED:
		s->stop_asked = false;
		s->due_ms = -1;
		s->tries = 0;
		s->by_hand = true;
		if (s->again && sv.mood == MOOD_RUNNING && !s->remove)
			engine_ask_start(s);
		s->again = false;
		break;
	case ACT_EXITED:
		if (s->def->essential && !s->def->rule.oneshot) {
			note(NOTE_INFO, "%s is essential and has ended: the rest is stopped",
				s->def->name);
			engine_end(WIFEXITED(s->status) ? WEXITSTATUS(s->status) : lost_code(s));
		}
		break;
	case ACT_FATAL:
		fatal(s);
		break;
	case ACT_NONE:
	case ACT_LOOK:
		break;
	}
}
