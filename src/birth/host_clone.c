/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HOST: makes INIT. One clone3 with all new namespaces is the rule. Where something must be joined
 * or unshared first (a PID namespace holds only later children; a user namespace gives the rights
 * for the rest) a midwife does that, so that HOST stays where it is: the newborn becomes its
 * sibling by CLONE_PARENT.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "birth/internal.h"
#include "os/cgroup.h"
#include "os/clone.h"
#include "os/file.h"
#include "os/mount_template.h"
#include "os/ns.h"
#include "os/seal.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

bool host_needs_midwife(const struct plan *p)
{
	const struct plan_namespaces *n = &p->namespaces;

	if (n->joins_user || n->new_time || (n->n_joins && (n->clone_flags & CLONE_NEWUSER)))
		return true;
	for (size_t i = 0; i < n->n_joins; i++)
		if (n->joins[i].flag == CLONE_NEWPID)
			return true;
	return false;
}

static const char *flag_name(int flag)
{
	for (size_t i = 0; i < NS_KINDS; i++)
		if (ns_types[i].clone_flag == (uint64_t)flag)
			return ns_types[i].name;
	return "unknown";
}

int host_namespaces(struct birth *b, struct err *e)
{
	const struct plan_namespaces *n = &b->plan->namespaces;

	b->joins = mem_alloc(n->n_joins * sizeof(int));
	for (size_t i = 0; i < n->n_joins; i++)
		b->joins[i] = FD_NONE;
	for (size_t i = 0; i < n->n_joins; i++) {
		const struct plan_join *join = &n->joins[i];
		int type;

		b->joins[i] = open(join->path, O_RDONLY | O_CLOEXEC);
		if (b->joins[i] < 0)
			return err_set(e, errno, "open %s namespace %s", flag_name(join->flag),
				join->path);
		type = ns_type_of(b->joins[i]);
		if (type < 0)
			return err_set(e, -type, "%s is no namespace", join->path);
		if (type != join->flag)
			return err_say(e, "%s is a namespace of type %s, not %s", join->path,
				flag_name(type), flag_name(join->flag));
	}
	return 0;
}

/* The user namespace first: it gives the rights for the others. */
static int join_all(struct birth *b, struct err *e)
{
	const struct plan_namespaces *n = &b->plan->namespaces;

	for (int user = 1; user >= 0; user--) {
		for (size_t i = 0; i < n->n_joins; i++) {
			int r;

			if ((n->joins[i].flag == CLONE_NEWUSER) != user)
				continue;
			r = clone_join(b->joins[i], n->joins[i].flag);
			/* our own user namespace cannot be joined, and need not be */
			if (r == -EINVAL && user)
				continue;
			if (r < 0)
				return err_set(e, -r, "join %s namespace %s",
					flag_name(n->joins[i].flag), n->joins[i].path);
		}
	}
	return 0;
}

/* time_namespaces(7): offsets are written before the first process is in it. */
static int unshare_time(struct birth *b, struct err *e)
{
	const struct plan_namespaces *n = &b->plan->namespaces;
	char text[128];
	int len = 0, r = clone_unshare(CLONE_NEWTIME);

	if (r < 0)
		return err_set(e, -r, "make a time namespace");
	if (n->monotonic.set)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "monotonic %lld %u\n",
			(long long)n->monotonic.secs, n->monotonic.nanosecs);
	if (n->boottime.set)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "boottime %lld %u\n",
			(long long)n->boottime.secs, n->boottime.nanosecs);
	r = len ? file_write(AT_FDCWD, "/proc/self/timens_offsets", text) : 0;
	return r < 0 ? err_set(e, -r, "write the time offsets") : 0;
}

static int cgroup_fd(const struct birth *b)
{
	for (size_t i = 0; i < b->n_cgroups; i++)
		if (b->cgroups[i].v2)
			return b->cgroups[i].fd;
	return FD_NONE;
}

/*
 * clone3, into the v2 cgroup where the kernel lets us; *ret_joined is false where the process has
 * to be moved afterwards.
 */
static pid_t clone_init(struct birth *b, uint64_t flags, int *ret_pidfd, bool *ret_joined)
{
	struct clone_args_of args = {
		.flags = flags, .cgroup_fd = cgroup_fd(b), .ret_pidfd = ret_pidfd
	};
	pid_t pid = clone_process(&args);

	*ret_joined = true;
	if (args.cgroup_fd >= 0 && (pid == -EACCES || pid == -EPERM || pid == -E2BIG ||
					   pid == -EINVAL || pid == -EOPNOTSUPP)) {
		args.cgroup_fd = FD_NONE;
		*ret_joined = false;
		pid = clone_process(&args);
	}
	return pid;
}

/* PID namespaces end at 32 levels (pid_namespaces(7)): the kernel's word for it is ENOSPC. */
static int clone_failed(int r, struct err *e)
{
	if (r == -ENOSPC || r == -EUSERS)
		return err_set(e, -r,
			"clone: namespaces are nested too deep (at most 32 levels), or the limit "
			"in /proc/sys/user is reached");
	return err_set(e, -r, "clone the container's first process");
}

static int adopt(struct birth *b, pid_t pid, int pidfd, bool joined, struct err *e)
{
	int r;

	fd_close(&b->sync_peer);
	/* since when, host_prepare() asks, when there is nothing more pressing */
	b->init = (struct proc_ref){ .pid = pid, .pidfd = pidfd };
	for (size_t i = 0; i < b->n_cgroups && !joined; i++) {
		r = b->cgroups[i].v2 ? cgroup_join(b->cgroups[i].fd, pid) : 0;
		if (r < 0)
			return err_set(
				e, -r, "put process %d into cgroup %s", pid, b->cgroups[i].dir);
	}
	return 0;
}

/* What the midwife tells its HOST: the newborn's descriptor, and whether it sits in its cgroup. */
static _Noreturn void midwife_tell(struct birth *b, int pidfd, bool joined)
{
	int r = birth_send_fd(b->sync_peer, pidfd);

	/* its exit status says what needs no message */
	_exit(r < 0 ? 2 : joined ? 0 : 3);
}

static _Noreturn void midwife_die(struct birth *b, const struct err *e)
{
	birth_send_error(b->sync_peer, e, false);
	_exit(2);
}

/* HOST's side: waits for the midwife to end and takes the newborn. */
static int midwife_wait(struct birth *b, int midwife_pidfd, struct err *e)
{
	int fds[HAND_OVER_MAX], n = 0, status = 0, r;
	struct proc_ref midwife = { .pidfd = midwife_pidfd };
	pid_t pid;

	r = birth_receive(b, fds, &n, e);
	if (b->clone_parent)
		proc_ref_wait(&midwife, -1);
	else
		clone_wait(midwife_pidfd, &status);
	if (r < 0)
		return r;
	if (n != 1)
		return err_say(e, "the midwife brought no process");
	pid = clone_pid_of(fds[0]);
	if (pid < 0) {
		close(fds[0]);
		return err_set(e, ESRCH, "find the container's first process");
	}
	/* a sibling's status is not ours to see: joining the cgroup again changes nothing */
	return adopt(b, pid, fds[0], !b->clone_parent && status == 0, e);
}

/*
 * Makes INIT by way of a midwife, which runs prepare. Returns in HOST and, as INIT, in the
 * newborn.
 */
static int by_midwife(struct birth *b, int (*prepare)(struct birth *b, struct err *e),
	uint64_t flags, struct err *e)
{
	int midwife = FD_NONE, pidfd = FD_NONE, r;
	struct clone_args_of args = {
		.flags = b->clone_parent ? CLONE_PARENT : 0,
		.cgroup_fd = FD_NONE,
		.ret_pidfd = &midwife,
	};
	bool joined;
	pid_t pid = clone_process(&args);

	if (pid < 0)
		return err_set(e, -pid, "clone a midwife");
	if (pid > 0) {
		r = midwife_wait(b, midwife, e);
		fd_close(&midwife);
		return r;
	}
	/* CVE-2016-9962: from here on processes of the container may see us */
	if (!(flags & CLONE_NEWUSER))
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (prepare(b, e) < 0)
		midwife_die(b, e);
	pid = clone_init(b, flags | CLONE_PARENT, &pidfd, &joined);
	if (pid < 0) {
		clone_failed(pid, e);
		midwife_die(b, e);
	}
	if (pid > 0)
		midwife_tell(b, pidfd, joined);
	birth_become_init(b);
	return 0;
}

static int prepare_birth(struct birth *b, struct err *e)
{
	int r = join_all(b, e);

	if (r == 0 && b->plan->namespaces.new_time)
		r = unshare_time(b, e);
	return r;
}

int host_template(struct birth *b, struct err *e)
{
	(void)e;
	b->template = mount_template_open();
	/* then it is born in a mount namespace of its own, as everywhere */
	if (b->template <0)
		log_debug("no template of a mount namespace: %s", strerror(-b->template));
	return 0;
}

int host_clone(struct birth *b, struct err *e)
{
	uint64_t later = (b->template >= 0 ? CLONE_NEWNS : 0) |
			 (birth_host_makes_network(b->plan) ? CLONE_NEWNET : 0);
	uint64_t flags = b->plan->namespaces.clone_flags & ~later;
	int pidfd = FD_NONE;
	bool joined;
	pid_t pid;

	if (host_needs_midwife(b->plan))
		return by_midwife(b, prepare_birth, flags, e);
	pid = clone_init(b, flags | (b->clone_parent ? CLONE_PARENT : 0), &pidfd, &joined);
	if (pid < 0)
		return clone_failed(pid, e);
	if (pid > 0)
		return adopt(b, pid, pidfd, joined, e);
	b->in_place = joined;
	birth_become_init(b);
	return 0;
}

/* Which of the container's namespaces are not ours: only those are, and can be, joined. */
static int foreign_namespaces(const struct proc_ref *init, int *ret_flags, struct err *e)
{
	char path[32];
	autofd theirs = FD_NONE, ours = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/%d", init->pid);
	theirs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (theirs < 0 || ours < 0)
		return err_set(e, errno == ENOENT ? ESRCH : errno, "open %s", path);
	*ret_flags = 0;
	for (size_t i = 0; i < NS_KINDS; i++) {
		uint64_t a = 0, c = 0;
		int r = ns_inode_of(theirs, (enum ns_kind)i, &a);

		if (r == -ENOENT && i == NS_TIME)
			continue;
		if (r < 0)
			return err_set(e, -r == ENOENT ? ESRCH : -r,
				"read the namespaces of process %d", init->pid);
		if (ns_inode_of(ours, (enum ns_kind)i, &c) < 0 || a != c)
			*ret_flags |= (int)ns_types[i].clone_flag;
	}
	/* the number may be somebody else's by now; the descriptor is not */
	if (!proc_ref_alive(init))
		return err_set(e, ESRCH, "the container is not running");
	return 0;
}

static int prepare_join(struct birth *b, struct err *e)
{
	int flags = 0, r = foreign_namespaces(b->of, &flags, e);

	if (r < 0)
		return r;
	r = flags ? clone_join(b->of->pidfd, flags) : 0;
	return r < 0 ? err_set(e, -r, "join the container's namespaces") : 0;
}

/*
 * Without a user namespace in between nobody need go before: HOST's next child, and only that, is
 * born into the container's PID namespace and joins the others itself.
 */
static int clone_into(struct birth *b, int own_pidns, struct err *e)
{
	int pidfd = FD_NONE, was = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), r = 0;
	bool joined;
	pid_t pid;

	/* CVE-2016-9962: processes of the container see the newborn from its first moment on */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (b->of_namespaces & CLONE_NEWPID)
		r = clone_join(b->of->pidfd, CLONE_NEWPID);
	if (r < 0) {
		prctl(PR_SET_DUMPABLE, was == 1, 0, 0, 0);
		return err_set(e, -r, "join the container's PID namespace");
	}
	pid = clone_init(b, b->clone_parent ? CLONE_PARENT : 0, &pidfd, &joined);
	if (pid == 0) {
		b->in_place = joined;
		birth_become_init(b);
		r = b->of_namespaces & ~CLONE_NEWPID
			    ? clone_join(b->of->pidfd, b->of_namespaces & ~CLONE_NEWPID)
			    : 0;
		return r < 0 ? err_set(e, -r, "join the container's namespaces") : 0;
	}
	prctl(PR_SET_DUMPABLE, was == 1, 0, 0, 0);
	if (b->of_namespaces & CLONE_NEWPID)
		clone_join(own_pidns, CLONE_NEWPID);
	if (pid < 0)
		return clone_failed(pid, e);
	return adopt(b, pid, pidfd, joined, e);
}

int host_clone_join(struct birth *b, struct err *e)
{
	autofd own_pidns = FD_NONE;

	if (!b->of_namespaces || b->of_namespaces & CLONE_NEWUSER || geteuid() != 0)
		return by_midwife(b, prepare_join, 0, e);
	own_pidns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (own_pidns < 0)
		return err_set(e, errno, "open /proc/self/ns/pid");
	return clone_into(b, own_pidns, e);
}

void host_clone_undo(struct birth *b)
{
	int status;

	if (b->init.pidfd < 0)
		return;
	proc_ref_signal(&b->init, SIGKILL);
	/* a sibling's end is its parent's to reap; we only see that it has come */
	if (b->clone_parent || clone_wait(b->init.pidfd, &status) < 0)
		proc_ref_wait(&b->init, -1);
}
