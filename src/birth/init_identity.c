/* SPDX-License-Identifier: Apache-2.0 */
/* INIT, just born: its namespaces, its ids inside, its session, its standard streams. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/cgroup.h"
#include "os/clone.h"
#include "os/link.h"
#include "os/ns.h"
#include "os/sched.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

/* Whatever our caller ignored or blocked, the container starts as a process should. */
static void reset_signals(void)
{
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What the midwife has not joined already. */
static int join_rest(struct birth *b, struct err *e)
{
	const struct plan_namespaces *n = &b->plan->namespaces;

	if (b->is_exec || host_needs_midwife(b->plan))
		return 0;
	for (size_t i = 0; i < n->n_joins; i++) {
		int r = clone_join(b->joins[i], n->joins[i].flag);

		if (r < 0)
			return err_set(e, -r, "join namespace %s", n->joins[i].path);
	}
	return 0;
}

/* In a new or joined user namespace we are nobody until we say that we are its root. */
static int become_root(struct birth *b, struct err *e)
{
	const struct plan *p = b->plan;

	if (p->ids.writer == IDMAP_NONE && !p->namespaces.joins_user)
		return 0;
	if (setresgid(0, 0, 0) < 0)
		return err_set(e, errno, "become group 0 of the user namespace");
	if (setresuid(0, 0, 0) < 0)
		return err_set(e, errno, "become user 0 of the user namespace");
	if (p->ids.set_groups && setgroups(0, NULL) < 0)
		return err_set(e, errno, "drop the supplementary groups");
	/* the maps are written: from here on nobody in the namespace may look into us */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

static int set_streams(struct birth *b, struct err *e)
{
	if (b->plan->process.terminal)
		return 0;
	for (int i = 0; i < 3; i++)
		if (b->stdio[i] >= 0 && dup2(b->stdio[i], i) < 0)
			return err_set(e, errno, "take standard stream %d", i);
	return 0;
}

int init_identity(struct birth *b, struct err *e)
{
	const struct plan *p = b->plan;
	int r;

	reset_signals();
	if (join_rest(b, e) < 0 || become_root(b, e) < 0 || set_streams(b, e) < 0)
		return -e->code;
	/* a session of its own: the terminal we were started from is not the container's */
	if ((b->new_session || p->process.terminal) && setsid() < 0 && errno != EPERM)
		return err_set(e, errno, "make a session");
	r = p->process.new_keyring ? sched_new_keyring() : 0;
	if (r < 0 && r != -ENOSYS && r != -EDQUOT)
		return err_set(e, -r, "make a session keyring");
	return 0;
}

/* run.oci.delegate-cgroup: a folder for the container to manage, below the one that is limited. */
static int enter_delegated(struct birth *b, const char *path, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	autotext below = { 0 };
	autofd fd = FD_NONE;
	bool made;
	int r;

	text_addf(&below, "%s/%s", path, c->delegated);
	fd = cgroup_make(b->plan->host->v2_mount_point, below.p, &made);
	r = fd < 0 ? fd : cgroup_join(fd, getpid());
	return r < 0 ? err_set(e, -r, "enter the delegated cgroup %s", below.p) : 0;
}

/* Where we are is asked before the namespace makes it its root. */
int init_cgroup_namespace(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	const char *path = c->path;
	int r;

	if (c->manager == CGROUP_SYSTEMD && !b->cgroup_path) {
		r = cgroup_path_of(0, &b->cgroup_path);
		if (r < 0)
			return err_set(e, -r, "find the cgroup we are in");
	}
	if (c->manager == CGROUP_SYSTEMD)
		path = b->cgroup_path;
	r = clone_unshare(CLONE_NEWCGROUP);
	if (r < 0)
		return err_set(e, -r, "make a cgroup namespace");
	return c->delegated && path ? enter_delegated(b, path, e) : 0;
}

int init_network(struct birth *b, struct err *e)
{
	const struct plan *p = b->plan;
	int r = birth_host_makes_network(p) ? clone_join(b->netns, CLONE_NEWNET) : 0;

	fd_close(&b->netns);
	if (r < 0)
		return err_set(e, -r, "enter the network namespace");
	r = p->loopback_up && !birth_host_sets_loopback(p) ? link_loopback_up() : 0;
	if (r < 0)
		return err_set(e, -r, "set the loopback interface up");
	if (p->hostname && sethostname(p->hostname, strlen(p->hostname)) < 0)
		return err_set(e, errno, "set the host name to %s", p->hostname);
	if (p->domainname && setdomainname(p->domainname, strlen(p->domainname)) < 0)
		return err_set(e, errno, "set the domain name to %s", p->domainname);
	return 0;
}
