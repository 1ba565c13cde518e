/* SPDX-License-Identifier: Apache-2.0 */
#include "os/userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/clone.h"
#include "os/file.h"
#include "os/idmap.h"

static int by_helper(const char *program, pid_t pid, const char *text, struct err *e)
{
	int r = idmap_run_helper(program, pid, text);

	if (r == 127)
		return err_say(e, "run %s: not found (package uidmap)", program);
	if (r < 0)
		return err_set(e, -r, "run %s", program);
	return r ? err_say(e, "%s refused the ids (see /etc/subuid and /etc/subgid)", program) : 0;
}

static int write_maps(const struct userns_maps *m, pid_t pid, struct err *e)
{
	int r = 0;

	if (m->helper) {
		r = by_helper("newuidmap", pid, m->uids, e);
		return r < 0 ? r : by_helper("newgidmap", pid, m->gids, e);
	}
	if (m->deny_setgroups)
		r = idmap_deny_setgroups(pid);
	if (r == 0)
		r = idmap_write(pid, "uid_map", m->uids);
	if (r == 0)
		r = idmap_write(pid, "gid_map", m->gids);
	return r < 0 ? err_set(e, -r, "write the id maps of a user namespace") : 0;
}

/* In the child: waits for its ids, works, and tells. */
static void child_main(int sock, int (*work)(void *data, struct err *e), void *data)
{
	struct err e = { 0 };
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(sock, &go, 1) != 1)
		_exit(1);
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		err_set(&e, errno, "become root of a user namespace");
	else if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		err_set(&e, errno, "make the mounts private");
	else if (work(data, &e) >= 0)
		e.code = 0;
	file_write_all(sock, &e, sizeof(e));
	_exit(0);
}

int userns_run(const struct userns_maps *maps, int (*work)(void *data, struct err *e), void *data,
	struct err *e)
{
	autofd pidfd = FD_NONE, ours = FD_NONE, theirs = FD_NONE;
	struct clone_args_of args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS, .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd
	};
	struct err told = { 0 };
	int pair[2], status, r;
	ssize_t n = 0;
	pid_t child;

	if (!maps->uids)
		return work(data, e);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	child = clone_process(&args);
	if (child == 0) {
		fd_close(&ours);
		child_main(theirs, work, data);
	}
	if (child < 0)
		return err_set(e, -child, "make a user namespace");
	fd_close(&theirs);
	r = write_maps(maps, child, e);
	if (r == 0 && send(ours, "", 1, MSG_NOSIGNAL) == 1)
		n = recv(ours, &told, sizeof(told), 0);
	fd_close(&ours);
	clone_wait(pidfd, &status);
	if (r < 0)
		return r;
	if (n != sizeof(told))
		return err_say(e, "the process that works with subordinate ids was killed");
	if (!told.code)
		return 0;
	err_distrust(&told);
	*e = told;
	return -told.code;
}
