/* SPDX-License-Identifier: Apache-2.0 */
/* A container's folder opened, and what it is doing now. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/cgroup.h"
#include "os/file.h"

enum { END_GRACE_MS = 2000 };

int held_open(const struct life *l, const char *ref, struct held *ret, struct err *e)
{
	*ret = (struct held){ .dir = FD_NONE };
	if (store_find(l->root_fd, ref, ret->id, e) < 0)
		return -e->code;
	ret->dir = store_enter(l->root_fd, ret->id);
	if (ret->dir == -ENOENT ||
		(ret->dir >= 0 && faccessat(ret->dir, "record", F_OK, 0) < 0 && errno == ENOENT)) {
		/* it went just now, or is only just being made */
		return err_absent(e, "no such container: %s", ref);
	}
	if (ret->dir < 0)
		return err_set(e, -ret->dir, "open the state of container %s", ref);
	if (record_read(ret->dir, &ret->arena, &ret->record, e) < 0)
		return err_wrap(e, "container %.12s", ret->id);
	return 0;
}

int held_lock(struct held *h, struct err *e)
{
	autofd lock = store_lock(h->dir);

	if (lock == -ENOENT)
		return err_absent(e, "no such container: %s", h->record.name);
	if (lock < 0)
		return err_set(e, -lock, "lock container %s", h->record.name);
	if (record_read(h->dir, &h->arena, &h->record, e) < 0)
		return err_wrap(e, "container %.12s", h->id);
	return take_fd(&lock);
}

void held_done(struct held *h)
{
	fd_close(&h->dir);
	arena_done(&h->arena);
}

bool held_text(const struct held *h, const char *file, char *buf, size_t size)
{
	return file_read(h->dir, file, buf, size) > 0;
}

int64_t held_number(const char *text, const char *key, int64_t otherwise)
{
	char value[32];
	int64_t n;

	return store_value(text, key, value, sizeof(value)) && str_i64(value, &n) == 0 ? n
										       : otherwise;
}

const char *held_path(const struct life *l, const struct held *h, const char *file, struct arena *a)
{
	return arena_printf(a, "%s/%s%s%s", l->root, h->id, file[0] ? "/" : "", file);
}

const char *held_cgroup(const struct held *h, struct arena *a)
{
	char text[8192], path[4096];

	if (!held_text(h, "born", text, sizeof(text)) ||
		!store_value(text, "cgroup", path, sizeof(path)) || path[0] != '/')
		return NULL;
	return arena_strdup(a, path);
}

bool keep_is_alive(int dir)
{
	autofd fd = openat(dir, "keep", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int keep_wait(int dir, int timeout_ms)
{
	for (int waited = 0; keep_is_alive(dir); waited += 2) {
		if (waited >= timeout_ms)
			return -ETIMEDOUT;
		poll(NULL, 0, 2);
	}
	return 0;
}

/* What the minder wrote at the end. */
static bool look_at_exit(const struct held *h, struct now *n)
{
	char text[512];

	if (!held_text(h, "exit", text, sizeof(text)))
		return false;
	n->ended = true;
	n->exit_code = (int)held_number(text, "code", 0);
	n->exit_signal = (int)held_number(text, "signal", 0);
	n->oom_killed = held_number(text, "oom", 0) > 0;
	n->finished_ns = held_number(text, "finished", 0);
	n->restarts = (int)held_number(text, "restarts", 0);
	return true;
}

static bool is_paused(const struct life *l, const struct held *h)
{
	autoarena arena = { 0 };
	const char *folder = cgroup_folder_of(&l->host, held_cgroup(h, &arena), "freezer", &arena);

	return folder && cgroup_is_frozen(folder);
}

static void look_once(const struct life *l, const struct held *h, struct now *n)
{
	char text[8192];
	int64_t pid, start;
	bool born = held_text(h, "born", text, sizeof(text));

	*n = (struct now){ .init = PROC_REF_NONE, .keep_alive = keep_is_alive(h->dir) };
	if (born) {
		pid = held_number(text, "pid", 0);
		start = held_number(text, "start", 0);
		n->started_ns = held_number(text, "started", 0);
		if (pid > 0 && proc_ref_open((pid_t)pid, (uint64_t)start, &n->init) == 0 &&
			!proc_ref_alive(&n->init))
			proc_ref_done(&n->init);
	}
	look_at_exit(h, n);
	if (n->init.pidfd >= 0)
		n->status = is_paused(l, h) ? LIFE_PAUSED : LIFE_RUNNING;
	else if (n->ended)
		n->status = n->keep_alive ? LIFE_RESTARTING : LIFE_EXITED;
	else
		n->status = born ? LIFE_EXITED : LIFE_CREATED;
}

/*
 * Between the end of the init and what its minder writes about it there is a moment, which is
 * waited for: "exited" is said when there is something to say, or nobody left who could.
 */
int now_look(const struct life *l, const struct held *h, struct now *ret, struct err *e)
{
	(void)e;
	for (int waited = 0;; waited += 2) {
		bool told_to_stop;

		look_once(l, h, ret);
		told_to_stop = faccessat(h->dir, "stop", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
		/* the minder of one that does not restart is about to go */
		if (ret->status == LIFE_RESTARTING &&
			(told_to_stop || !h->record.restart || str_eq(h->record.restart, "no")))
			ret->status = LIFE_EXITED;
		if (ret->status != LIFE_EXITED || ret->ended)
			break;
		if (!ret->keep_alive || waited >= END_GRACE_MS) {
			/* once more: it may have written and gone between the two looks */
			if (!look_at_exit(h, ret)) {
				ret->lost = true;
				ret->exit_code = 137;
			}
			break;
		}
		now_done(ret);
		poll(NULL, 0, 2);
	}
	return 0;
}

void now_done(struct now *n)
{
	proc_ref_done(&n->init);
}
