/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-init: PID 1 of a container. It starts one program, reaps every process that comes home to
 * it, passes on the signals it is sent, and ends with the program's exit code. Between events it
 * sleeps in rt_sigtimedwait(2), without a timer unless one is due. No heap, no stdio, no threads.
 * What it does about what happens is decide.c's; here are the events and the hands.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/command.h"
#include "init/family.h"
#include "init/options.h"
#include "init/services/control.h"
#include "init/services/services.h"
#include "init/spawn.h"
#include "init/tell.h"
#include "init/trim.h"
#include "init/voice.h"

enum {
	TICK_MS = 100,	       /* while we wait to be alone: who entered ends without telling us */
	ORPHANS_MS = 1000,     /* nor does the kernel tell of adoptions */
	AFTER_KILL_MS = 10000, /* whoever is not gone by then is stuck in the kernel */
	KNOWN_ORPHANS = 32,
};

static struct {
	struct rules rules;
	enum state state;
	pid_t main_pid; /* 0: pause */
	int main_status;
	int stop_step;	/* -1: nobody asked to stop */
	int64_t due_ms; /* when ON_TIME comes; -1: never */
	struct {
		int64_t due_ms;
		siginfo_t info;
	} held[DELAYS]; /* as rules.delay */
	bool holds;
	bool stop_sent;		  /* the program was sent a stop by us */
	bool hand_off[2];	  /* of the terminal: the first HUP, the first CONT */
	bool foreground;	  /* the terminal was ours, and is given back */
	int signal_fd, parent_fd; /* where there is more to wait for than signals; -1 */
	struct control_counts counts;
	kernel_set waited; /* for: all that is blocked */
	struct received received;
} init; /* all zeros: not in the file */

static void happened(enum event e);

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- sending --------------------------------------------------------------------------------- */

struct message {
	int signo;
	const siginfo_t *info;
	bool any;
};

/* As it came: with its value and whose it is. */
static int queue(pid_t pid, const struct message *m)
{
	siginfo_t info = *m->info;

	info.si_signo = m->signo;
	return (int)syscall(SYS_rt_sigqueueinfo, pid, m->signo, &info);
}

static void queue_to_member(const struct process *p, void *arg)
{
	struct message *m = arg;

	if (p->pid == getpid() || (init.rules.target == TO_GROUP && p->group != init.main_pid))
		return;
	m->any |= queue(p->pid, m) == 0;
}

static int send_plain(int signo)
{
	/* who entered the namespace hears -1, too */
	if (init.rules.target == TO_ALL && getpid() == 1)
		return kill(-1, signo);
	/* it may not have become a group of its own yet, or share ours */
	if (init.rules.target != TO_CHILD && kill(-init.main_pid, signo) == 0)
		return 0;
	return kill(init.main_pid, signo);
}

/* errno of what went wrong, 0. Neither EPERM nor ESRCH is a reason to end. */
static int send_on(int signo, const siginfo_t *info)
{
	/* the kernel lets nobody send another's code 0 or above */
	struct message m = { signo, info && info->si_code == SI_QUEUE ? info : NULL, false };

	init.counts.forwarded++;
	if (signo == SIGTSTP || signo == SIGTTIN || signo == SIGTTOU || signo == SIGSTOP)
		init.stop_sent = true;
	else if (signo == SIGCONT)
		init.stop_sent = false;
	if (m.info && init.rules.target == TO_CHILD) {
		if (queue(init.main_pid, &m) == 0)
			return 0;
	} else if (m.info && family_each(queue_to_member, &m) && m.any) {
		return 0;
	}
	return send_plain(signo) < 0 ? errno : 0;
}

static void signal_rest(int signo)
{
	if (getpid() == 1)
		kill(-1, signo);
	else
		kill(-init.main_pid, signo);
}

/* --- signals that come ----------------------------------------------------------------------- */

/* The terminal's hand-over sends HUP and CONT to whoever led its session: us, not the program. */
static bool is_hand_off(int signo)
{
	bool *expected = signo == SIGHUP    ? &init.hand_off[0]
			 : signo == SIGCONT ? &init.hand_off[1]
					    : NULL;

	if (!expected || !*expected)
		return false;
	*expected = false;
	voice_hand_off(&init.rules, signo);
	return true;
}

static void pass_on(const siginfo_t *info)
{
	struct decided d = decide_signal(&init.rules, info->si_signo);
	int error;

	if (d.what == DECIDE_FORWARD && decide_event(init.state, ON_SIGNAL).action == FORWARD) {
		error = send_on(d.signo, info);
		voice_passed(&init.rules, info->si_signo, d.signo, error);
	} else if (d.what == DECIDE_DROP) {
		voice_passed(&init.rules, info->si_signo, 0, 0);
	} else if (d.what == DECIDE_STOP) {
		voice_stopping(&init.rules, info->si_signo);
		happened(ON_STOP);
	}
	if (d.stop_ourselves) {
		voice_suspending(&init.rules);
		kill(getpid(), SIGSTOP);
	}
}

/* Held back for now? One that comes again ends the wait for the first. */
static bool hold(const siginfo_t *info)
{
	for (int i = 0; i < DELAYS; i++) {
		if (init.rules.delay[i].signo != info->si_signo)
			continue;
		if (init.held[i].due_ms) {
			init.held[i].due_ms = 0;
			return false;
		}
		init.held[i].due_ms = now_ms() + init.rules.delay[i].wait_ms;
		init.held[i].info = *info;
		return init.holds = true;
	}
	return false;
}

static void release_held(void)
{
	int64_t now = now_ms();

	init.holds = false;
	for (int i = 0; i < DELAYS; i++) {
		if (init.held[i].due_ms && init.held[i].due_ms <= now) {
			init.held[i].due_ms = 0;
			pass_on(&init.held[i].info);
		}
		init.holds |= init.held[i].due_ms != 0;
	}
}

static void take_signal(const siginfo_t *info)
{
	/* what we said reached nobody: that is no message to the program */
	if (info->si_signo == SIGPIPE && info->si_code == SI_USER && info->si_pid == getpid())
		return;
	voice_received(&init.rules, info->si_signo);
	if (!is_hand_off(info->si_signo) && info->si_signo != SIGCHLD && !hold(info))
		pass_on(info);
}

/* --- the program's stops --------------------------------------------------------------------- */

/* Is there a shell above us that resumes who it sees stopped? */
static bool has_shell(void)
{
	pid_t parent = getppid();

	return getpid() != 1 && parent > 0 && getsid(parent) == getsid(0) &&
	       getpgid(parent) != getpgrp();
}

static void stop_too(void)
{
	bool foreground = tcgetpgrp(STDIN_FILENO) == init.main_pid;

	if (foreground)
		tcsetpgrp(STDIN_FILENO, getpgrp());
	kill(getpid(), SIGSTOP);
	/* resumed: with the terminal (fg) or without (bg) */
	if (tcgetpgrp(STDIN_FILENO) == getpgrp())
		tcsetpgrp(STDIN_FILENO, init.main_pid);
	kill(-init.main_pid, SIGCONT);
}

/* Has the program stopped? With nobody to resume it the container would be frozen. */
static void look_for_stop(void)
{
	siginfo_t info = { 0 };

	if (!init.main_pid || !init.rules.own_group ||
		waitid(P_PID, (id_t)init.main_pid, &info, WSTOPPED | WNOHANG) < 0 || !info.si_pid)
		return;
	switch (decide_stopped(info.si_status, init.stop_sent,
		tcgetpgrp(STDIN_FILENO) == init.main_pid, has_shell())) {
	case STOP_TOO:
		stop_too();
		break;
	case RESUME:
		kill(-init.main_pid, SIGCONT);
		break;
	case STAYS_STOPPED:
		break;
	}
}

/* --- reaping --------------------------------------------------------------------------------- */

static void reap(void)
{
	bool looks = init.rules.as == AS_CLADE && (init.rules.warns || init.rules.verbosity);
	siginfo_t info = { 0 };
	struct reaped e;

	for (;;) {
		e.was.pid = 0;
		e.was.name[0] = '\0';
		/* what it was can be read until it is reaped */
		if (looks) {
			info.si_pid = 0;
			if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
				info.si_pid)
				family_read(info.si_pid, &e.was);
		}
		e.pid = wait4(looks && info.si_pid ? info.si_pid : -1, &e.status, WNOHANG | __WALL,
			&e.usage);
		if (e.pid <= 0)
			break;
		e.is_main = e.pid == init.main_pid;
		init.counts.reaped++;
		init.counts.adopted += !e.is_main;
		voice_reaped(&init.rules, &e);
		if (e.is_main) {
			init.main_status = e.status;
			happened(ON_END);
		}
	}
	voice_none_left(&init.rules, e.pid == 0);
}

/* Is nobody left? waitpid's ECHILD is not enough: who entered by setns is no child of ours. */
static bool is_alone(void)
{
	if (getpid() == 1)
		return kill(-1, 0) < 0 && errno == ESRCH;
	return waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD;
}

/* Whoever was adopted is told so once; the latest are remembered. */
static void treat_orphan(const struct process *p, void *arg)
{
	static struct {
		pid_t pid;
		unsigned long long started;
	} known[KNOWN_ORPHANS];
	static unsigned next;

	if (p->parent != getpid() || p->pid == init.main_pid || p->state == 'Z')
		return;
	for (int i = 0; i < KNOWN_ORPHANS; i++)
		if (known[i].pid == p->pid && known[i].started == p->started)
			return;
	known[next % KNOWN_ORPHANS].pid = p->pid;
	known[next++ % KNOWN_ORPHANS].started = p->started;
	kill(p->pid, init.rules.orphans == ORPHANS_KILL ? SIGKILL : SIGTERM);
}

/* --- the end --------------------------------------------------------------------------------- */

static _Noreturn void end(int code)
{
	if (init.foreground)
		tcsetpgrp(STDIN_FILENO, getpgrp());
	if (init.rules.control)
		control_close();
	_exit(code);
}

static _Noreturn void end_as_program(void)
{
	int code = decide_exit_code(&init.rules, init.main_status);

	voice_ending(&init.rules, code);
	end(code);
}

/* The program has ended. dumb-init's TERM to who is left is a signal like any other. */
static void leave(void)
{
	siginfo_t term = { .si_signo = SIGTERM };

	if (init.rules.as == AS_CLADE && init.rules.warns)
		voice_culprits(&init.rules);
	if (init.rules.term_group_at_end) {
		init.state = RUNNING;
		pass_on(&term);
	}
	if (init.rules.drain_ms < 0)
		end_as_program();
	signal_rest(SIGTERM);
	init.due_ms = now_ms() + init.rules.drain_ms;
}

static void next_stop(void)
{
	const struct stop_step *step;

	init.stop_step = decide_next_stop(&init.rules, init.stop_step);
	step = &init.rules.stop[init.stop_step];
	voice_passed(&init.rules, step->signo, step->signo, send_on(step->signo, NULL));
	init.due_ms = step->wait_ms >= 0 && init.stop_step + 1 < init.rules.n_stop
			      ? now_ms() + step->wait_ms
			      : -1;
}

static void happened(enum event e)
{
	struct move m = decide_event(init.state, e);

	init.state = m.next;
	switch (m.action) {
	case NEXT_STOP:
		next_stop();
		break;
	case LEAVE:
		/* dumb-init and tini say what they reaped with it first */
		init.due_ms = -1;
		break;
	case KILL_REST:
		signal_rest(SIGKILL);
		init.due_ms = now_ms() + AFTER_KILL_MS;
		break;
	case EXIT:
		end_as_program();
	case EXIT_WELL:
		end(0);
	case FORWARD:
	case IGNORE:
		break;
	}
}

/* --- waiting --------------------------------------------------------------------------------- */

/* ms until something is due; -1: nothing ever is. */
static int64_t time_left(void)
{
	int64_t now, due = init.due_ms, tick = -1;

	if (init.state == DRAINING || init.state == KILLING)
		tick = TICK_MS;
	else if (init.rules.orphans != ORPHANS_KEEP)
		tick = ORPHANS_MS;
	if (due < 0 && tick < 0 && !init.holds)
		return -1;
	now = now_ms();
	if (tick >= 0 && (due < 0 || due > now + tick))
		due = now + tick;
	for (int i = 0; init.holds && i < DELAYS; i++)
		if (init.held[i].due_ms && (due < 0 || init.held[i].due_ms < due))
			due = init.held[i].due_ms;
	return due > now ? due - now : 0;
}

/* The parent's end, which comes by its descriptor, is as if the signal had come. */
static int wait_by_poll(siginfo_t *info, const struct timespec *left)
{
	struct pollfd fds[] = { { init.signal_fd, POLLIN, 0 }, { init.parent_fd, POLLIN, 0 } };
	struct timespec none = { 0 };

	if (ppoll(fds, 2, left, NULL) <= 0)
		return 0;
	if (fds[1].revents) {
		close(init.parent_fd);
		init.parent_fd = -1;
		info->si_signo = init.rules.parent_death;
		return info->si_signo;
	}
	return (int)syscall(SYS_rt_sigtimedwait, &init.waited, info, &none, sizeof(init.waited));
}

/* The next signal, or 0 or less when there was none. */
static int wait_for_signal(siginfo_t *info)
{
	int64_t ms = time_left();
	struct timespec left = { ms / 1000, (ms % 1000) * 1000000 };

	if (init.parent_fd >= 0)
		return wait_by_poll(info, ms < 0 ? NULL : &left);
	return (int)syscall(SYS_rt_sigtimedwait, &init.waited, info, ms < 0 ? NULL : &left,
		sizeof(init.waited));
}

/* --- the beginning --------------------------------------------------------------------------- */

static void take_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, plain = { .sa_handler = SIG_DFL };
	/* a fault of our own must end us */
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGABRT, SIGTRAP };

	init.waited = ~0UL;
	for (unsigned i = 0;
		init.rules.as != AS_DUMB_INIT && i < sizeof(faults) / sizeof(faults[0]); i++)
		init.waited &= ~(1UL << (faults[i] - 1));
	spawn_mask(SIG_SETMASK, &init.waited, &init.received.mask);
	/* setting the terminal's group from the background must not stop us */
	sigaction(SIGTTOU, &ignore, &init.received.ttou);
	sigaction(SIGTTIN, &ignore, &init.received.ttin);
	/* ignored, the kernel would reap the program and nobody would know its code */
	sigaction(SIGCHLD, &plain, &init.received.chld);
}

/* The program can lead a session, and have job control in it, if we give up the terminal. */
static void give_terminal(void)
{
	struct rules *r = &init.rules;
	bool leads = getsid(0) == getpid();

	init.foreground = !leads && tcgetpgrp(STDIN_FILENO) == getpgrp();
	if (r->as == AS_CLADE && !r->pause && leads && tcgetpgrp(STDIN_FILENO) >= 0) {
		r->own_session = true;
		r->own_group = false;
	}
	if (!r->own_session)
		return;
	init.foreground = false;
	if (ioctl(STDIN_FILENO, TIOCNOTTY) == 0) {
		init.hand_off[0] = init.hand_off[1] = leads;
		if (r->as == AS_DUMB_INIT && r->verbosity)
			print(2, leads ? "[dumb-init] Detached from controlling tty, ignoring the "
					 "first SIGHUP and SIGCONT we receive.\n"
				       : "[dumb-init] Detached from controlling tty, but was not "
					 "session leader.\n");
	} else if (r->as == AS_DUMB_INIT && r->verbosity) {
		print(2, "[dumb-init] Unable to detach from controlling tty (errno=%d %s).\n",
			errno, tell_errno(errno));
	}
}

/* Beyond the first three, which may be closed and are the program's to have so. */
static int out_of_the_way(int fd)
{
	int moved = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (fd >= 0)
		close(fd);
	return moved;
}

/*
 * By a descriptor, for PR_SET_PDEATHSIG follows the parent's thread and may come too late; but one
 * who is outside our PID namespace has none here.
 */
static void mind_parent(pid_t parent)
{
	if (init.rules.as == AS_TINI || !parent) {
		prctl(PR_SET_PDEATHSIG, init.rules.parent_death);
		return;
	}
	init.parent_fd = out_of_the_way((int)syscall(SYS_pidfd_open, parent, 0));
	init.signal_fd = out_of_the_way(
		(int)syscall(SYS_signalfd4, -1, &init.waited, sizeof(init.waited), 0));
	if (getppid() != parent) {
		siginfo_t info = { .si_signo = init.rules.parent_death };

		take_signal(&info);
	}
	if (init.parent_fd < 0 || init.signal_fd < 0) {
		init.parent_fd = -1;
		prctl(PR_SET_PDEATHSIG, init.rules.parent_death);
	}
}

static void begin(char **argv)
{
	struct rules *r = &init.rules;
	pid_t parent = getppid();

	init.stop_step = -1;
	init.due_ms = -1;
	init.signal_fd = init.parent_fd = -1;
	take_signals();
	give_terminal();
	/* elsewhere than as PID 1 orphans come to the nearest subreaper */
	if (r->subreaper || (r->as == AS_CLADE && getpid() != 1))
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	voice_begin(r);
	if (r->parent_death && r->as == AS_TINI)
		mind_parent(parent);
	if (r->pause) {
		init.state = PAUSED;
	} else {
		init.main_pid = spawn_program(r, &init.received, argv);
		if (init.main_pid < 0) {
			say("clade-init: fork: ", tell_errno(errno), NULL, NULL);
			_exit(r->as == AS_CLADE ? 125 : 1);
		}
		voice_spawned(r, init.main_pid, argv[0]);
	}
	init.counts.main_pid = init.main_pid;
	init.counts.zombies = voice_zombies;
	spawn_close(3);
	if (chdir("/") < 0)
		say("clade-init: chdir /: ", tell_errno(errno), NULL, NULL);
	if (r->parent_death && r->as != AS_TINI)
		mind_parent(parent);
	/* what cannot be counted runs all the same */
	if (r->control && !control_open(r->control))
		r->control = NULL;
}

int main(int argc, char **argv)
{
	int at = 1, code = 2;

	if (services_wanted(argc, argv))
		return services_main(argc, argv);
	if (command_parse(argc, argv, &init.rules, &at, &code) != COMMAND_RUN)
		return code;
	begin(argv + at);
	trim();
	for (;;) {
		siginfo_t info = { 0 };
		int s = wait_for_signal(&info);
		enum state before = init.state;

		if (init.rules.control && s > 0 && control_event(&info, &init.counts))
			s = 0;
		if (s > 0)
			take_signal(&info);
		if (init.holds)
			release_held();
		if (s == SIGCHLD)
			look_for_stop();
		reap();
		if (init.state == DRAINING && before != DRAINING)
			leave();
		if (init.rules.orphans != ORPHANS_KEEP)
			family_each(treat_orphan, NULL);
		if ((init.state == DRAINING || init.state == KILLING) && is_alone())
			happened(ON_ALONE);
		if (init.due_ms >= 0 && now_ms() >= init.due_ms)
			happened(ON_TIME);
	}
}
