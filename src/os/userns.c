/* SPDX-License-Identifier: Apache-2.0 */
#include "os/userns.h"

#include <fcntl.h>
#include <grp.h>
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

/* What the child says at its end. */
static int hear(int *sock, int pidfd, struct err *e)
{
	struct err told = { 0 };
	ssize_t n;
	int status;

	do
		n = recv(*sock, &told, sizeof(told), 0);
	while (n < 0 && errno == EINTR);
	fd_close(sock);
	clone_wait(pidfd, &status);
	if (n != sizeof(told))
		return err_say(e, "the process that works on the files was killed");
	if (!told.code)
		return 0;
	err_distrust(&told);
	*e = told;
	return -told.code;
}

int userns_run(const struct userns_maps *maps, int (*work)(void *data, struct err *e), void *data,
	struct err *e)
{
	autofd pidfd = FD_NONE, ours = FD_NONE, theirs = FD_NONE;
	struct clone_args_of args = {
		.flags = CLONE_NEWUSER | CLONE_NEWNS, .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd
	};
	int pair[2], r;
	bool went = false;
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
	if (r == 0)
		went = send(ours, "", 1, MSG_NOSIGNAL) == 1;
	if (r < 0 || !went) {
		int status;

		fd_close(&ours);
		clone_wait(pidfd, &status);
		return r < 0 ? r : err_say(e, "a process of a user namespace was killed");
	}
	return hear(&ours, pidfd, e);
}

struct entering {
	int userns;
	bool own_mounts;
};

static int enter(const struct entering *in, struct err *e)
{
	if (in->userns >= 0) {
		if (setns(in->userns, CLONE_NEWUSER) < 0)
			return err_set(e, errno, "enter the container's user namespace");
		if (setgroups(0, NULL) < 0 && errno != EPERM)
			return err_set(e, errno, "drop the groups");
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			return err_set(e, errno, "become root of a user namespace");
	}
	if (in->own_mounts &&
		(unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		return err_set(e, errno, "make mounts of our own");
	return 0;
}

int userns_run_in(int userns, bool own_mounts, int (*work)(void *data, struct err *e), void *data,
	struct err *e)
{
	autofd pidfd = FD_NONE, ours = FD_NONE, theirs = FD_NONE;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	const struct entering in = { userns, own_mounts };
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(e, errno, "make a socket pair");
	ours = pair[0];
	theirs = pair[1];
	child = clone_process(&args);
	if (child == 0) {
		struct err said = { 0 };

		fd_close(&ours);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (enter(&in, &said) == 0 && work(data, &said) >= 0)
			said.code = 0;
		file_write_all(theirs, &said, sizeof(said));
		_exit(0);
	}
	if (child < 0)
		return err_set(e, -child, "make a process");
	fd_close(&theirs);
	return hear(&ours, pidfd, e);
}
