/* SPDX-License-Identifier: Apache-2.0 */
/* Signals and waiting: wait, kill, stop, restart, pause, unpause. All by descriptors, never by PID.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "keep/wire.h"
#include "life/internal.h"
#include "os/cgroup.h"

enum { FREEZE_TIMEOUT_MS = 10000, KILL_TIMEOUT_MS = 10000 };

static int not_running(const struct held *h, struct err *e)
{
	return err_say(e, "container %s is not running", h->record.name);
}

/* The minder's word that it has ended for good, up to a time; 0, -ETIMEDOUT. *ret_code then. */
static int wait_for_exit(int sock, int64_t timeout_ms, int *ret_code)
{
	struct pollfd fd = { .fd = sock, .events = POLLIN };
	struct wire_frame *f = mem_alloc(sizeof(*f));
	struct timespec now;
	int64_t end_ms;
	int r = -EPIPE;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
	for (;;) {
		int64_t left = -1;
		ssize_t n;

		if (timeout_ms >= 0) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			left = end_ms - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
			left = left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
		}
		n = poll(&fd, 1, (int)left);
		if (n == 0) {
			r = -ETIMEDOUT;
			break;
		}
		if (n < 0 && errno == EINTR)
			continue;
		n = recv(sock, f, sizeof(*f), 0);
		if (n < (ssize_t)WIRE_HEAD)
			break;
		if (f->kind == WIRE_EXIT) {
			*ret_code = f->a;
			r = 0;
			break;
		}
	}
	free(f);
	return r;
}

int life_wait(const struct life *l, const char *ref, int *ret_code, struct err *e)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	autofd sock = FD_NONE;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.status == LIFE_CREATED || now.status == LIFE_EXITED) {
		*ret_code = now.exit_code;
		return 0;
	}
	if (attach_connect(&h, true, &sock, e) == 0 && wait_for_exit(sock, -1, ret_code) == 0)
		return 0;
	/* its minder went: its last word is in the state, or nobody knows */
	now_done(&now);
	if (now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd >= 0)
		return err_say(
			e, "the minder of container %s, clade-keep, has gone", h.record.name);
	*ret_code = now.exit_code;
	return 0;
}

int life_kill(const struct life *l, const char *ref, int signo, struct err *e)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	int r;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd < 0)
		return not_running(&h, e);
	/* docker: a container that is killed by hand is not started again */
	if (signo == SIGKILL && store_write(h.dir, "stop", "", 0, e) < 0)
		return -e->code;
	r = proc_ref_signal(&now.init, signo);
	if (r == -ESRCH)
		return not_running(&h, e);
	return r < 0 ? err_set(e, -r, "send signal %d to container %s", signo, h.record.name) : 0;
}

/* cgroup v2 delivers SIGKILL to the frozen; v1 does not. */
static void thaw(const struct life *l, const struct held *h)
{
	autoarena arena = { 0 };
	const char *folder = cgroup_folder_of(&l->host, held_cgroup(h, &arena), "freezer", &arena);

	if (folder && cgroup_is_frozen(folder))
		cgroup_freeze(folder, false, FREEZE_TIMEOUT_MS);
}

static int stop(const struct life *l, struct held *h, int64_t timeout_ms, const char *signal_name,
	struct err *e)
{
	autonow now = NOW_NONE;
	autofd sock = FD_NONE;
	int code, signo, r;

	if (timeout_ms < 0)
		timeout_ms = h->record.stop_timeout_ms;
	if (life_signal_parse(signal_name ? signal_name : h->record.stop_signal, &signo, e) < 0)
		return -e->code;
	if (now_look(l, h, &now, e) < 0)
		return -e->code;
	if (now.status == LIFE_CREATED || now.status == LIFE_EXITED)
		return 0;
	/* before the signal: its minder looks for this when it has ended */
	if (store_write(h->dir, "stop", "", 0, e) < 0)
		return -e->code;
	attach_connect(h, true, &sock, e);
	if (now.status == LIFE_PAUSED)
		thaw(l, h);
	if (now.init.pidfd >= 0) {
		r = proc_ref_signal(&now.init, signo);
		if (r < 0 && r != -ESRCH)
			return err_set(
				e, -r, "send signal %d to container %s", signo, h->record.name);
		if (r == 0 && proc_ref_wait(&now.init,
				      timeout_ms > INT32_MAX ? INT32_MAX : (int)timeout_ms) < 0) {
			proc_ref_signal(&now.init, SIGKILL);
			if (proc_ref_wait(&now.init, KILL_TIMEOUT_MS) < 0)
				return err_say(e,
					"container %s does not die: a process of it hangs in the "
					"kernel",
					h->record.name);
		}
	}
	/* what follows an end (log, record, cgroup) is part of it */
	if (sock >= 0)
		wait_for_exit(sock, KILL_TIMEOUT_MS, &code);
	return keep_wait(h->dir, KILL_TIMEOUT_MS) < 0
		       ? err_say(e, "the minder of container %s does not end", h->record.name)
		       : 0;
}

int life_stop(const struct life *l, const char *ref, int64_t timeout_ms, const char *signal_name,
	struct err *e)
{
	autoheld h = HELD_NONE;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	return stop(l, &h, timeout_ms, signal_name, e);
}

int life_restart(const struct life *l, const char *ref, int64_t timeout_ms, struct err *e)
{
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;
	int r;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	lock = held_lock(&h, e);
	if (lock < 0)
		return -e->code;
	r = stop(l, &h, timeout_ms, NULL, e);
	if (r == 0)
		r = start_locked(l, &h, false, NULL, e);
	return r;
}

static int set_frozen(const struct life *l, const char *ref, bool frozen, struct err *e)
{
	autoarena arena = { 0 };
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	const char *folder;
	int r;

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd < 0)
		return not_running(&h, e);
	if (frozen == (now.status == LIFE_PAUSED))
		return err_say(e, "container %s is %s", h.record.name,
			frozen ? "already paused" : "not paused");
	folder = cgroup_folder_of(&l->host, held_cgroup(&h, &arena), "freezer", &arena);
	if (!folder)
		return err_say(e, "container %s has no cgroup that could be frozen", h.record.name);
	r = cgroup_freeze(folder, frozen, FREEZE_TIMEOUT_MS);
	return r < 0 ? err_set(e, -r, "%s container %s", frozen ? "pause" : "unpause",
			       h.record.name)
		     : 0;
}

int life_pause(const struct life *l, const char *ref, struct err *e)
{
	return set_frozen(l, ref, true, e);
}

int life_unpause(const struct life *l, const char *ref, struct err *e)
{
	return set_frozen(l, ref, false, e);
}
