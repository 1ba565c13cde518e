/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/reap_family.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/task_iter.h"
#include "procs/facts.h"

/* The exit status shows as 0 to those who may not see it; the same right opens the ns links. */
static bool may_see_status(pid_t pid)
{
	char path[64], link[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return readlink(path, link, sizeof(link)) > 0;
}

/* Adds child to the family if it is a zombie that its parent could wait for. */
static void add_if_zombie(struct reap_family *f, pid_t child, bool on_leader_list)
{
	const struct reap_parent *p = &f->parent;
	struct reap_zombie *z;
	struct facts c;
	int level = p->levels - 1;

	if (facts_read(child, &c) < 0 || c.state != 'Z' || c.levels <= level ||
		c.ppid != p->host_pid)
		return;
	if ((f->n & (f->n - 1)) == 0) /* room for the next power of two */
		f->zombies = mem_resize(f->zombies, f->n ? 2 * f->n : 1, sizeof(*f->zombies));
	z = &f->zombies[f->n++];
	*z = (struct reap_zombie){
		.host_pid = child,
		.ns_pid = c.nspid[level],
		.start_ticks = c.start_ticks,
		.wait_status = may_see_status(child) ? c.wait_status : -1,
		.pidfd = FD_NONE,
	};
	memcpy(z->comm, c.comm, sizeof(z->comm));
	z->kin = (struct reap_kin_child){ .pid = z->ns_pid,
		.sid = c.nssid[level],
		.start_ticks = c.start_ticks,
		.exit_signal = c.exit_signal,
		.on_leader_list = on_leader_list };
	z->origin = reap_origin(&p->kin, &z->kin, &z->proof);
	if (c.tracer)
		z->fate = REAP_LEFT_TRACED;
	else if (c.n_threads > 1)
		z->fate = REAP_LEFT_THREADS;
}

/* The zombies on one thread's list. -ENOENT where the thread ended. */
static int read_thread(struct reap_family *f, pid_t tid)
{
	char path[80], *line = NULL, *end;
	size_t room = 0;
	FILE *list;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", f->parent.host_pid, tid);
	list = fopen(path, "re");
	if (!list)
		return -errno;
	/* one line, however many: "11 12 13 " */
	if (getline(&line, &room, list) > 0) {
		for (char *s = line;; s = end) {
			long child = strtol(s, &end, 10);

			if (end == s)
				break;
			add_if_zombie(f, (pid_t)child, tid == f->parent.host_pid);
		}
	}
	free(line);
	fclose(list);
	return 0;
}

static int read_parent(pid_t pid, struct reap_parent *p, struct err *e)
{
	autofd pidfd = pidfd_open(pid, 0);
	struct facts facts;
	int r = pidfd < 0 ? -errno : facts_read(pid, &facts);

	if (r == -ENOENT || r == -ESRCH || r == -EINVAL || (r == 0 && reap_family_is_gone(pidfd)))
		return err_say(e, "there is no process %d", pid);
	if (r < 0)
		return err_set(e, -r, "read /proc/%d", pid);
	*p = (struct reap_parent){
		.host_pid = pid,
		.pidfd = take_fd(&pidfd),
		.ns_pid = facts.nspid[facts.levels - 1],
		.sid = facts.nssid[facts.levels - 1],
		.levels = facts.levels,
		.start_ticks = facts.start_ticks,
		.tracer = facts.tracer,
		.state = facts.state,
		.seccomp = facts.seccomp,
		.filters = facts.filters,
	};
	memcpy(p->comm, facts.comm, sizeof(p->comm));
	p->kin = (struct reap_kin_parent){ .pid = p->ns_pid,
		.sid = p->sid,
		.start_ticks = p->start_ticks,
		.leader_alive = !strchr("ZX", p->state) };
	return 0;
}

int reap_family_read(pid_t parent, struct reap_family *ret, struct err *e)
{
	struct reap_family f = { .parent.pidfd = FD_NONE };
	char path[64];
	struct dirent *entry;
	DIR *tasks;
	bool any = false;

	if (read_parent(parent, &f.parent, e) < 0)
		return -e->code;
	snprintf(path, sizeof(path), "/proc/%d/task", parent);
	tasks = opendir(path);
	if (!tasks) {
		int r = err_set(e, errno, "open %s", path);

		reap_family_done(&f);
		return r;
	}
	while ((entry = readdir(tasks))) {
		int tid;

		if (str_int(entry->d_name, &tid) == 0 && read_thread(&f, tid) == 0)
			any = true;
	}
	closedir(tasks);
	if (!any) {
		reap_family_done(&f);
		return err_set(e, ENOENT, "read the children of process %d", parent);
	}
	*ret = f;
	return 0;
}

/* The family by host PID, while the kernel's records go by. */
struct asking {
	struct reap_family *f;
	struct reap_zombie **by_pid;
	uint64_t ns_per_tick;
};

static int compare_pid(const void *a, const void *b)
{
	pid_t x = (*(struct reap_zombie *const *)a)->host_pid;
	pid_t y = (*(struct reap_zombie *const *)b)->host_pid;

	return x < y ? -1 : x > y;
}

static void take_execs(void *data, const struct task_record *r)
{
	struct asking *ask = data;
	struct reap_parent *p = &ask->f->parent;
	struct reap_zombie key = { .host_pid = (pid_t)r->pid }, *at = &key, **found;

	if ((pid_t)r->pid == p->host_pid && r->start_ns / ask->ns_per_tick == p->start_ticks) {
		p->kin.self_exec = r->self_exec;
		p->kin.execs_known = true;
	}
	found = bsearch(&at, ask->by_pid, ask->f->n, sizeof(at), compare_pid);
	if (found && r->start_ns / ask->ns_per_tick == (*found)->start_ticks)
		(*found)->kin.born_exec = r->born_exec;
}

void reap_family_ask_kernel(struct reap_family *f, bool may_load)
{
	struct asking ask = { .f = f, .ns_per_tick = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK) };
	size_t unknown = 0;
	autofd fd = FD_NONE;

	for (size_t i = 0; i < f->n; i++)
		unknown += f->zombies[i].origin == REAP_ORIGIN_UNKNOWN;
	if (!unknown)
		return;
	fd = task_iter_open_pinned();
	if (fd < 0 && may_load)
		fd = task_iter_open_loaded();
	if (fd < 0)
		return;
	ask.by_pid = mem_resize(NULL, f->n, sizeof(struct reap_zombie *));
	for (size_t i = 0; i < f->n; i++)
		ask.by_pid[i] = &f->zombies[i];
	qsort(ask.by_pid, f->n, sizeof(struct reap_zombie *), compare_pid);
	if (task_iter_read(fd, take_execs, &ask) == 0)
		for (size_t i = 0; i < f->n; i++) {
			struct reap_zombie *z = &f->zombies[i];

			if (z->origin == REAP_ORIGIN_UNKNOWN)
				z->origin = reap_origin(&f->parent.kin, &z->kin, &z->proof);
		}
	free(ask.by_pid);
}

bool reap_family_is_gone(int pidfd)
{
	return pidfd_send_signal(pidfd, 0, NULL, 0) < 0 && errno == ESRCH;
}

size_t reap_family_hold(struct reap_family *f, size_t max)
{
	size_t held = 0;

	for (size_t i = 0; i < f->n && held < max; i++) {
		struct reap_zombie *z = &f->zombies[i];
		struct facts now;

		if (z->fate != REAP_REAPABLE)
			continue;
		z->pidfd = pidfd_open(z->host_pid, 0);
		if (z->pidfd < 0 && (errno == EMFILE || errno == ENFILE))
			break;
		if (z->pidfd < 0 || facts_read(z->host_pid, &now) < 0 ||
			now.start_ticks != z->start_ticks || now.state != 'Z' ||
			now.ppid != f->parent.host_pid)
			z->fate = REAP_VANISHED;
		else
			held++;
	}
	return held;
}

void reap_family_let_go(struct reap_family *f)
{
	for (size_t i = 0; i < f->n; i++)
		fd_close(&f->zombies[i].pidfd);
}

void reap_family_done(struct reap_family *f)
{
	reap_family_let_go(f);
	fd_close(&f->parent.pidfd);
	free(f->zombies);
	f->zombies = NULL;
	f->n = 0;
}

pid_t reap_family_parent_of_zombie(pid_t pid)
{
	struct facts facts;

	/* with living threads it is no zombie, and may have zombies itself */
	return facts_read(pid, &facts) == 0 && facts.state == 'Z' && facts.n_threads <= 1
		       ? facts.ppid
		       : 0;
}
