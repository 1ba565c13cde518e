/* SPDX-License-Identifier: Apache-2.0 */
/* INIT, inside its root: kernel parameters, terminal, scheduling, and who it is. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/caps.h"
#include "os/lsm.h"
#include "os/mount.h"
#include "os/root.h"
#include "os/sched.h"
#include "os/seccomp.h"
#include "os/tty.h"

/* exec: the root is the one of the mount namespace that was joined. */
int init_enter(struct birth *b, struct err *e)
{
	b->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (b->root < 0 || chdir("/") < 0)
		return err_set(e, errno, "open the container's root");
	return 0;
}

/* A procfs that nobody can have laid a file of his own over (CVE-2025-52881). */
static int need_procfs(struct birth *b, struct err *e)
{
	if (b->procfs < 0)
		b->procfs = lsm_open_procfs(b->root);
	return b->procfs < 0 ? err_set(e, -b->procfs, "open a procfs of our own") : 0;
}

/* The container's own, which may be read-only or show less, does where it does. */
static int write_sysctl(struct birth *b, const struct plan_sysctl *s, struct err *e)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "sys/%s", s->path);
	if (b->mounted_procfs >= 0 && lsm_write(b->mounted_procfs, path, s->value) == 0)
		return 0;
	if (need_procfs(b, e) < 0)
		return -e->code;
	r = lsm_write(b->procfs, path, s->value);
	return r < 0 ? err_set(e, -r, "set kernel parameter %s to %s", s->path, s->value) : 0;
}

int init_sysctl(struct birth *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->plan->n_sysctls && r == 0; i++)
		r = write_sysctl(b, &b->plan->sysctls[i], e);
	return r;
}

/* /dev/console is the terminal itself (runtime-spec, config-linux.md#default-devices). */
static int bind_console(struct birth *b, struct err *e)
{
	autofd tree = mount_copy(b->tty_slave, "", false, false), target = FD_NONE;
	int r;

	/* the pair may come from a devpts that is not this namespace's: then there is none */
	if (tree < 0)
		return 0;
	target = root_open_nolinks(b->root, "/dev/console", O_PATH);
	if (target == -ENOENT)
		target = root_mkfile(b->root, "/dev/console", 0600);
	if (target < 0)
		return target == -EROFS ? 0 : err_set(e, -target, "make /dev/console");
	r = mount_attach(tree, target);
	return r < 0 ? err_set(e, -r, "bind the terminal to /dev/console") : 0;
}

int init_terminal(struct birth *b, struct err *e)
{
	const struct plan_process *p = &b->plan->process;
	autofd ptmx = FD_NONE;
	int r;

	if (!p->terminal)
		return 0;
	ptmx = root_open(b->root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY);
	if (ptmx < 0)
		ptmx = root_open(b->root, "/dev/ptmx", O_RDWR | O_NOCTTY);
	if (ptmx < 0)
		return err_set(e, -ptmx, "open /dev/pts/ptmx for a terminal");
	r = tty_open_pair(ptmx, &b->tty_slave);
	if (r < 0)
		return err_set(e, -r, "open a terminal");
	if (p->rows || p->cols)
		tty_set_size(ptmx, p->rows, p->cols);
	if (!b->is_exec && b->plan->root.has_mount_ns && bind_console(b, e) < 0)
		return -e->code;
	r = tty_make_controlling(b->tty_slave);
	if (r < 0)
		return err_set(e, -r, "make the terminal the controlling one");
	for (int i = 0; i < 3; i++)
		if (dup2(b->tty_slave, i) < 0)
			return err_set(e, errno, "take the terminal as standard stream %d", i);
	/* the user it belongs to may not be root (tty(4)); in a user namespace it may not be ours
	 */
	(void)!fchown(b->tty_slave, b->plan->ids.uid, (gid_t)-1);
	b->give[b->n_give++] = take_fd(&ptmx);
	return 0;
}

static int set_scheduler(const struct plan_process *p, struct err *e)
{
	const struct spec_scheduler *s = &p->scheduler;
	struct sched_setting setting = {
		.policy = s->policy,
		.flags = s->flags,
		.nice = s->nice,
		.priority = (uint32_t)s->priority,
		.runtime = s->runtime,
		.deadline = s->deadline,
		.period = s->period,
	};
	int r = s->set ? sched_set(&setting) : 0;

	if (r < 0)
		return err_set(e, -r, "set the scheduling policy %u", s->policy);
	r = p->io_priority.set
		    ? sched_set_io_priority(p->io_priority.class, p->io_priority.priority)
		    : 0;
	return r < 0 ? err_set(e, -r, "set the I/O priority") : 0;
}

int init_settings(struct birth *b, struct err *e)
{
	const struct plan_process *p = &b->plan->process;
	int r;

	if (set_scheduler(p, e) < 0)
		return -e->code;
	if (p->set_memory_policy) {
		r = sched_set_memory_policy(
			p->memory_policy_mode, p->memory_nodes, p->n_memory_nodes);
		if (r < 0)
			return err_set(e, -r, "set the memory policy");
	}
	if (p->set_personality && personality(p->personality) < 0)
		return err_set(e, errno, "set the personality");
	if (p->n_affinity_final) {
		r = sched_set_affinity(p->affinity_final, p->n_affinity_final);
		if (r < 0)
			return err_set(e, -r, "set the CPU affinity");
	}
	if ((p->apparmor_profile || p->selinux_label) && need_procfs(b, e) < 0)
		return -e->code;
	r = p->apparmor_profile ? lsm_exec_apparmor(b->procfs, p->apparmor_profile) : 0;
	if (r < 0)
		return err_set(e, -r, "set the AppArmor profile %s", p->apparmor_profile);
	r = p->selinux_label ? lsm_exec_selinux(b->procfs, p->selinux_label) : 0;
	return r < 0 ? err_set(e, -r, "set the SELinux label %s", p->selinux_label) : 0;
}

static int install_filter(struct birth *b, struct err *e)
{
	const struct plan_seccomp *s = &b->plan->process.seccomp;
	int r = s->set ? seccomp_install(s->insns, s->n_insns, s->flags) : 0;

	if (r < 0)
		return err_set(e, -r, "install the seccomp filter");
	if (s->set && s->listener_path)
		b->give[b->n_give++] = r;
	return 0;
}

/* The working folder, made if missing; as root, and after the change of user where root may not. */
static int enter_cwd(struct birth *b, struct err *e)
{
	const char *cwd = b->plan->process.cwd;
	char now[PATH_MAX];
	int r;

	if (b->cwd_is_set)
		return 0;
	/* CVE-2024-21626: not by a descriptor, and a folder outside the root has no path here */
	r = root_chdir(cwd);
	if (r < 0)
		return err_set(e, -r, "change to the working folder %s", cwd);
	if (!getcwd(now, sizeof(now)) || now[0] != '/')
		return err_say(e, "the working folder %s lies outside the container", cwd);
	b->cwd_is_set = true;
	return 0;
}

static int prepare_cwd(struct birth *b, struct err *e)
{
	const char *cwd = b->plan->process.cwd;
	struct stat st;
	autofd made = FD_NONE;

	/* exec makes nothing: the folder was a promise to the container alone */
	if (!b->is_exec && stat(cwd, &st) < 0 && errno == ENOENT) {
		made = root_mkdirs(b->root, cwd, 0755);
		if (made < 0)
			return err_set(e, -made, "make the working folder %s", cwd);
	}
	if (enter_cwd(b, e) == 0)
		return 0;
	if (e->code != EACCES && e->code != EPERM)
		return -e->code;
	e->code = 0;
	return 0;
}

/*
 * user_namespaces(7), /proc/PID/setgroups: where the namespace we are in denies it, what there is
 * stays, and nothing else was asked for.
 */
static int set_groups(const struct plan *p, struct err *e)
{
	const struct plan_ids *ids = &p->ids;

	if (!ids->set_groups || setgroups(ids->n_groups, ids->groups) == 0)
		return 0;
	if (errno == EPERM && !ids->n_groups && !p->host->in_initial_userns)
		return 0;
	return err_set(e, errno, "set the supplementary groups");
}

static int set_ids(const struct plan *p, struct err *e)
{
	const struct plan_ids *ids = &p->ids;

	if (set_groups(p, e) < 0)
		return -e->code;
	if (setresgid(ids->gid, ids->gid, ids->gid) < 0)
		return err_set(e, errno, "become group %u", ids->gid);
	if (setresuid(ids->uid, ids->uid, ids->uid) < 0)
		return err_set(e, errno, "become user %u", ids->uid);
	return 0;
}

/* What the bounding set here does not hold cannot be given: said by plan's warnings. */
static int set_caps(const struct plan_caps *c, struct err *e)
{
	uint64_t effective, permitted, inheritable;
	int r = caps_get(&effective, &permitted, &inheritable);

	if (r == 0)
		r = caps_set(c->effective & permitted, c->permitted & permitted,
			c->inheritable & permitted);
	if (r == 0)
		r = caps_ambient(c->ambient & c->permitted & c->inheritable & permitted, 63);
	return r < 0 ? err_set(e, -r, "set the capabilities") : 0;
}

int init_credentials(struct birth *b, struct err *e)
{
	const struct plan_process *p = &b->plan->process;
	const struct plan_ids *ids = &b->plan->ids;
	int r;

	if (prepare_cwd(b, e) < 0)
		return -e->code;
	/* without no_new_privs installing needs CAP_SYS_ADMIN: before it is given away */
	if (!p->no_new_privileges && install_filter(b, e) < 0)
		return -e->code;
	if (p->caps.set) {
		r = caps_bound(p->caps.bounding, b->plan->host->last_cap);
		if (r == 0)
			r = caps_keep_over_setuid(true);
		if (r < 0)
			return err_set(e, -r, "limit the capabilities");
	}
	if (set_ids(b->plan, e) < 0 || (p->caps.set && set_caps(&p->caps, e) < 0))
		return -e->code;
	if (ids->set_umask)
		umask(ids->umask);
	else
		umask(0022);
	r = p->no_new_privileges ? caps_no_new_privs() : 0;
	if (r < 0)
		return err_set(e, -r, "set no_new_privs");
	if (p->no_new_privileges && install_filter(b, e) < 0)
		return -e->code;
	return enter_cwd(b, e);
}
