/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/reap_attach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/ptrace.h"

enum {
	BORROW_TRIES = 20, /* threads that are busy right now are tried again */
	BORROW_NAP_NS = 1000000,
	HURRY_MS = 3,
	SLOW_MS = 2000,
};

/* What helper and caller share: one anonymous mapping, so that nothing is lost with either. */
struct shared {
	int borrowed; /* 0, or the -errno of ptrace_borrow() */
	pid_t tid;
	bool done;
	uint64_t held_ns;
	struct {
		bool asked;
		int64_t result;
	} zombies[];
};

static ssize_t slurp(char *buf, size_t size, const char *fmt, pid_t pid, pid_t tid)
{
	char path[80];
	autofd fd = FD_NONE;
	ssize_t n;

	snprintf(path, sizeof(path), fmt, pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* Can this thread be stopped at all: not a zombie, not in an uninterruptible wait, not traced? */
static bool may_stop(pid_t pid, pid_t tid)
{
	char text[1024], *close;

	if (slurp(text, sizeof(text), "/proc/%d/task/%d/stat", pid, tid) <= 0)
		return false;
	close = strrchr(text, ')');
	return close && close[1] && !strchr("ZXxDt", close[2]);
}

/*
 * The living thread that will notice least, the first one among equals. Any thread will do:
 * wait4 covers the children of the whole process. 0 where none can be stopped now.
 */
static pid_t pick_thread(pid_t pid, struct ptrace_blocked *ret)
{
	char text[512];
	enum ptrace_notice best = PTRACE_NOT_NOW + 1;
	pid_t picked = 0;
	struct dirent *entry;
	DIR *tasks;
	int tid;

	snprintf(text, sizeof(text), "/proc/%d/task", pid);
	tasks = opendir(text);
	while (tasks && (entry = readdir(tasks))) {
		struct ptrace_blocked b = { .nr = PTRACE_RUNNING };
		enum ptrace_notice notice = PTRACE_NOT_NOW;

		if (str_int(entry->d_name, &tid) < 0 || !may_stop(pid, tid))
			continue;
		if (slurp(text, sizeof(text), "/proc/%d/task/%d/syscall", pid, tid) > 0 &&
			ptrace_blocked_parse(text, &b) == 0)
			notice = ptrace_notice(&b);
		if (notice < best || (notice == best && tid == pid)) {
			best = notice;
			picked = tid;
			*ret = b;
		}
	}
	if (tasks)
		closedir(tasks);
	return picked;
}

/* Does nothing run on this machine but the caller? */
static bool is_idle(void)
{
	char text[128];
	int running;

	return slurp(text, sizeof(text), "/proc/loadavg", 0, 0) > 0 &&
	       sscanf(text, "%*f %*f %*f %d/", &running) == 1 && running <= 1;
}

/*
 * On one CPU helper and thread wake each other in microseconds; on two each turn wakes an idle
 * one, which takes a hundred. So the helper goes where the thread ran last. The scheduler would
 * move the thread to an idle CPU all the same: on a machine that is idle the helper says that it
 * does not count (SCHED_IDLE), until it is done or hurry() says otherwise; who may not lower its
 * nice value could not come back from there.
 */
static void go_to_its_cpu(pid_t pid, pid_t tid)
{
	enum { PROCESSOR = 39 /* field of stat */ };
	char text[1024], *at;
	cpu_set_t set;

	if (slurp(text, sizeof(text), "/proc/%d/task/%d/stat", pid, tid) <= 0)
		return;
	at = strrchr(text, ')');
	for (int field = 2; at && field < PROCESSOR; field++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	if (!at || atoi(at) >= CPU_SETSIZE)
		return;
	CPU_ZERO(&set);
	CPU_SET(atoi(at), &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0 && is_idle() &&
		setpriority(PRIO_PROCESS, 0, -1) == 0)
		sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){ 0 });
}

/* Others want the CPU by now: nobody may wait for a thread that is held. */
static void hurry(pid_t helper)
{
	sched_setscheduler(helper, SCHED_OTHER, &(struct sched_param){ 0 });
}

static int borrow(struct ptrace_loan *loan, const struct reap_parent *p, pid_t *ret_tid)
{
	int r = -EBUSY;

	for (int i = 0; i < BORROW_TRIES; i++) {
		struct ptrace_blocked blocked;

		*ret_tid = pick_thread(p->host_pid, &blocked);
		if (*ret_tid)
			go_to_its_cpu(p->host_pid, *ret_tid);
		r = *ret_tid ? ptrace_borrow(loan, p->host_pid, *ret_tid, &blocked, p->seccomp)
			     : -EBUSY;
		/* a thread that was seized and did not stop is let go only by our exit */
		if (r != -EAGAIN && (r != -EBUSY || *ret_tid))
			return r;
		nanosleep(&(struct timespec){ .tv_nsec = BORROW_NAP_NS }, NULL);
	}
	return r;
}

/*
 * The helper. From ptrace_borrow() on it only makes system calls that cannot block, and it does
 * not return before the thread is itself again.
 */
static void help(const struct reap_family *f, struct shared *s)
{
	struct ptrace_loan loan;

	s->borrowed = borrow(&loan, &f->parent, &s->tid);
	if (s->borrowed < 0)
		return;
	/* its number had another owner when it was seized: that one is let go as it was */
	if (reap_family_is_gone(f->parent.pidfd)) {
		ptrace_give_back(&loan);
		s->borrowed = -ESRCH;
		return;
	}
	for (size_t i = 0; i < f->n; i++) {
		const struct reap_zombie *z = &f->zombies[i];
		uint64_t args[6] = { (uint64_t)z->ns_pid, 0, WNOHANG | __WALL };

		/* gone: its number may be another child's by now */
		if (z->fate != REAP_REAPABLE || z->pidfd < 0 || reap_family_is_gone(z->pidfd))
			continue;
		if (ptrace_call(&loan, SYS_wait4, args, &s->zombies[i].result) < 0)
			break;
		s->zombies[i].asked = true;
	}
	s->held_ns = ptrace_give_back(&loan);
	s->done = true;
}

static void harden(void)
{
	sigset_t all;
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* best effort: neither swapped out nor chosen by the OOM killer while it holds a thread */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, "-1000", 5);
		close(fd);
	}
}

static int wait_helper(pid_t helper, const struct reap_parent *p, reap_slow_fn slow, void *told)
{
	autofd pidfd = pidfd_open(helper, 0);
	int status;

	if (pidfd >= 0 && poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, HURRY_MS) == 0)
		hurry(helper);
	if (pidfd >= 0 &&
		poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, SLOW_MS) == 0 && slow)
		slow(told, p);
	while (waitpid(helper, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int say_why_not(const struct reap_parent *p, int code, struct err *e)
{
	switch (-code) {
	case EPERM:
		return err_say(e,
			"not permitted to attach to process %d (%s): it needs the same user or "
			"CAP_SYS_PTRACE, and kernel.yama.ptrace_scope below 3",
			p->host_pid, p->comm);
	case EACCES:
		return err_say(e,
			"process %d (%s) has a seccomp filter that can be suspended only with "
			"CAP_SYS_ADMIN: it was not touched",
			p->host_pid, p->comm);
	case ESRCH:
		return err_say(e, "process %d (%s) has ended", p->host_pid, p->comm);
	case EBUSY:
		return err_say(e,
			"no thread of process %d (%s) can be stopped now (uninterruptible wait, "
			"or frozen): it was not touched",
			p->host_pid, p->comm);
	case ENOEXEC:
		return err_say(e,
			"process %d (%s) runs 32-bit code or has no system call instruction: "
			"it was not touched",
			p->host_pid, p->comm);
	case EAGAIN:
		return err_say(e,
			"process %d (%s) is too busy to be stopped at a safe place: try again",
			p->host_pid, p->comm);
	default:
		return err_set(e, -code, "attach to process %d (%s)", p->host_pid, p->comm);
	}
}

/* What came of each zombie that was asked for. */
static void judge(struct reap_family *f, const struct shared *s)
{
	for (size_t i = 0; i < f->n; i++) {
		struct reap_zombie *z = &f->zombies[i];
		bool gone;

		if (z->fate != REAP_REAPABLE || z->pidfd < 0)
			continue;
		gone = reap_family_is_gone(z->pidfd);
		z->result = s->zombies[i].asked ? s->zombies[i].result : 0;
		if (s->zombies[i].asked && z->result == z->ns_pid && gone)
			z->fate = REAP_DONE;
		else
			z->fate = gone ? REAP_VANISHED : REAP_FAILED;
	}
}

int reap_attach(
	struct reap_family *f, reap_slow_fn slow, void *told, uint64_t *ret_held_ns, struct err *e)
{
	size_t size = sizeof(struct shared) + f->n * sizeof(((struct shared *)0)->zombies[0]);
	struct shared *s =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t helper;
	int r;

	if (s == MAP_FAILED)
		return err_set(e, errno, "map memory to share with the helper");
	s->borrowed = -EIO;
	fflush(NULL);
	helper = fork();
	if (helper == 0) {
		harden();
		help(f, s);
		_exit(0);
	}
	r = helper < 0 ? -errno : wait_helper(helper, &f->parent, slow, told);
	if (r < 0) {
		err_set(e, -r, "run the helper that attaches to process %d", f->parent.host_pid);
	} else if (s->borrowed < 0) {
		r = say_why_not(&f->parent, s->borrowed, e);
	} else {
		judge(f, s);
		*ret_held_ns = s->held_ns;
	}
	munmap(s, size);
	return r;
}
