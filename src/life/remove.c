/* SPDX-License-Identifier: Apache-2.0 */
/* What an ended container leaves: its cgroups at once, everything with rm or --rm. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "life/image.h"
#include "life/internal.h"

enum { KILL_TIMEOUT_MS = 10000 };

int held_clear(const struct life *l, struct held *h, bool all, struct err *e)
{
	autoarena arena = { 0 };
	int r = cgroups_clear(&l->host, held_cgroup(h, &arena), &arena, e);

	if (r < 0)
		return r;
	network_clear(l, h);
	unlinkat(h->dir, "attach.sock", 0);
	if (h->record.pidfile)
		unlink(h->record.pidfile);
	if (!all)
		return 0;
	if (template_release(l, h->record.data_root, h->id, e) < 0)
		return -e->code;
	volumes_release(l, &h->record, h->id, h->with_volumes || h->record.auto_remove);
	store_drop_name(l->root_fd, h->record.name, h->id);
	r = store_remove(l->root_fd, h->id);
	if (r == -ENOENT) {
		return err_absent(e, "no such container: %s", h->record.name);
	}
	return r < 0 ? err_set(e, -r, "remove the state of container %s", h->record.name) : 0;
}

/* kill -9 of the family, its minder included if it hangs. */
static int kill_all(const struct life *l, struct held *h, struct now *now, struct err *e)
{
	autoarena arena = { 0 };

	if (store_write(h->dir, "stop", "", 0, e) < 0 && e->code != ENOSPC)
		return -e->code;
	if (now->init.pidfd >= 0) {
		proc_ref_signal(&now->init, SIGKILL);
		/* the frozen of cgroup v1 die when they are thawed */
		if (cgroups_clear(&l->host, held_cgroup(h, &arena), &arena, e) < 0)
			return -e->code;
		if (proc_ref_wait(&now->init, KILL_TIMEOUT_MS) < 0)
			return err_say(e,
				"container %s does not die: a process of it hangs in the kernel",
				h->record.name);
	} else if (now->status == LIFE_RESTARTING) {
		int sock = FD_NONE;

		/* wakes the minder, which finds that it should stop */
		if (attach_connect(h, true, &sock, e) == 0)
			fd_close(&sock);
	}
	if (keep_wait(h->dir, KILL_TIMEOUT_MS) < 0)
		return err_say(e, "the minder of container %s does not end", h->record.name);
	return 0;
}

int life_remove(const struct life *l, const char *ref, bool force, struct err *e)
{
	return life_remove_volumes(l, ref, force, false, e);
}

int life_remove_volumes(
	const struct life *l, const char *ref, bool force, bool volumes, struct err *e)
{
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	int r;

	if (held_open(l, ref, &h, e) < 0) {
		char id[STORE_ID_LEN + 1];
		struct err ignored;

		/* a folder without a readable record: what a full disk or a kill -9 left */
		if (!force || store_find(l->root_fd, ref, id, &ignored) < 0)
			return -e->code;
		store_drop_names(l->root_fd, id);
		r = store_remove(l->root_fd, id);
		return r < 0 ? err_set(e, -r, "remove the state of container %s", ref) : 0;
	}
	lock = held_lock(&h, e);
	/* a full or read-only state folder must not keep what is in it */
	if (lock < 0 && !(force && (e->code == ENOSPC || e->code == EROFS)))
		return -e->code;
	if (now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (!force && (now.init.pidfd >= 0 || now.status == LIFE_RESTARTING))
		return err_say(e, "container %s is %s; stop it or use -f", h.record.name,
			life_status_word(now.status));
	if (force) {
		r = kill_all(l, &h, &now, e);
		if (r < 0)
			return r;
	}
	h.with_volumes = volumes;
	return held_clear(l, &h, true, e);
}

int life_rename(const struct life *l, const char *ref, const char *name, struct err *e)
{
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;
	const char *old;
	int r;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	lock = held_lock(&h, e);
	if (lock < 0)
		return -e->code;
	if (str_eq(h.record.name, name))
		return err_say(e, "container %s has this name already", name);
	r = store_take_name(l->root_fd, name, h.id, e);
	if (r < 0)
		return r;
	old = h.record.name;
	h.record.name = name;
	r = record_write(h.dir, &h.record, e);
	store_drop_name(l->root_fd, r < 0 ? name : old, h.id);
	if (r == 0)
		network_rename(l, &h, name);
	return r;
}

/* clade-keep has become us, or is about to go: nobody is left in the container. */
int life_keep_ended(const struct life *l, const char *id, struct err *e)
{
	autofd lock = FD_NONE;
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;

	if (held_open(l, id, &h, e) < 0)
		return e->code == ERR_ABSENT ? 0 : -e->code;
	/* `clade restart` and `clade rm` have the lock: what they leave is looked at after them */
	keep_wait(h.dir, KILL_TIMEOUT_MS);
	lock = held_lock(&h, e);
	if (lock < 0)
		return e->code == ERR_ABSENT ? 0 : -e->code;
	if (now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.status != LIFE_EXITED)
		return 0;
	return held_clear(l, &h, h.record.auto_remove, e);
}
