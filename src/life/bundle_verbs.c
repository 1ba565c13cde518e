/* SPDX-License-Identifier: Apache-2.0 */
/* start, kill, delete, pause, resume, update, ps, events: what is done to a bundle that is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "birth/birth.h"
#include "life/bundle_internal.h"
#include "os/mount_template.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/resctrl.h"
#include "os/systemd.h"
#include "store/store.h"

enum { FREEZE_TIMEOUT_MS = 10000, KILL_TIMEOUT_MS = 10000, MAKER_TIMEOUT_MS = 10000 };

/* poststart and poststop: only their spec and where they stand are needed of a plan. */
static int run_hooks(const struct bundles *b, const struct kept *k, enum hook_point point,
	const char *status, struct err *e)
{
	struct spec spec = { 0 };
	struct plan plan = { .spec = &spec };
	int r;

	if (!(k->hooks & 1U << point))
		return 0;
	r = kept_spec(b, k, &spec, e);
	if (r == 0)
		r = birth_run_hooks(&plan, point,
			kept_state_json(k->id, k->bundle, status,
				point == HOOK_POSTSTOP ? 0 : k->pid, &spec),
			e);
	spec_done(&spec);
	return r;
}

/*
 * config.md#poststart: "MUST be called after the user-specified process is executed": the init
 * holds the fifo's other end until it is somebody else, or nobody.
 */
static void wait_for_exec(int fifo)
{
	struct pollfd end = { .fd = fifo };

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
}

int bundle_start(struct bundles *b, const char *id, struct err *e)
{
	autokept k = KEPT_NONE;
	autofd fifo = FD_NONE;
	enum bundle_status status;
	struct err other;

	if (kept_open(b, id, &k, e) < 0)
		return -e->code;
	status = kept_status(&k);
	if (status == BUNDLE_STOPPED)
		return err_say(e, "cannot start a container that has stopped");
	if (status == BUNDLE_PAUSED)
		return err_say(e, "cannot start a container in the paused state");
	if (status != BUNDLE_CREATED)
		return err_say(e, "cannot start an already running container");
	fifo = openat(k.dir, "exec.fifo", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fifo < 0)
		return errno == ENXIO ? err_say(e, "cannot start a container that has stopped")
				      : err_set(e, errno, "open exec.fifo");
	/* two starts at once: whoever removes the name is the one */
	if (unlinkat(k.dir, "exec.fifo", 0) < 0)
		return err_say(e, "cannot start an already running container");
	if (write(fifo, "", 1) != 1)
		return err_set(e, errno, "let the container go on");
	if (k.hooks & 1U << HOOK_POSTSTART)
		wait_for_exec(fifo);
	if (run_hooks(b, &k, HOOK_POSTSTART, "running", e) < 0) {
		bundle_delete(b, id, true, &other);
		return -e->code;
	}
	return 0;
}

/* Without a PID namespace of its own its init takes nobody along: its cgroup is who belongs to it.
 */
static int kill_cgroup(const struct kept *k, int signo, struct err *e)
{
	const char **folders = k->folders;
	autofree pid_t *pids = NULL;
	size_t n = 0;
	int r = -ENOENT;

	for (size_t i = 0; folders[i] && r < 0; i++) {
		if (signo == SIGKILL) {
			r = access(folders[i], F_OK) == 0 ? cgroup_kill(folders[i]) : -ENOENT;
			continue;
		}
		r = cgroup_pids(folders[i], &pids, &n);
	}
	for (size_t i = 0; i < n; i++) {
		struct proc_ref one;

		if (proc_ref_open(pids[i], 0, &one) < 0)
			continue;
		proc_ref_signal(&one, signo);
		proc_ref_done(&one);
	}
	return r < 0 && r != -ENOENT ? err_set(e, -r, "signal the processes of container %s", k->id)
				     : 0;
}

/* A v1 freezer holds on to what is to die; v2 kills what is frozen, too. */
static void thaw_the_dying(const struct kept *k, int signo)
{
	if (signo == SIGKILL && k->freezer && cgroup_is_frozen(k->freezer))
		cgroup_freeze(k->freezer, false, FREEZE_TIMEOUT_MS);
}

int bundle_kill(struct bundles *b, const char *id, int signo, bool all, struct err *e)
{
	autokept k = KEPT_NONE;
	int r;

	if (kept_open(b, id, &k, e) < 0)
		return -e->code;
	if (all || (signo == SIGKILL && !k.own_pidns)) {
		if (k.init.pidfd >= 0)
			proc_ref_signal(&k.init, signo);
		thaw_the_dying(&k, signo);
		return k.init.pidfd < 0 && !all ? err_say(e, "container not running")
						: kill_cgroup(&k, signo, e);
	}
	if (k.init.pidfd < 0)
		return err_say(e, "container not running");
	r = proc_ref_signal(&k.init, signo);
	if (r == -ESRCH)
		return err_say(e, "container not running");
	thaw_the_dying(&k, signo);
	return r < 0 ? err_set(e, -r, "send signal %d to container %s", signo, id) : 0;
}

/* With its PID namespace all that is in it has ended when it has: nothing else is to be waited for.
 */
static void end_init(const struct kept *k)
{
	if (proc_ref_signal(&k->init, SIGKILL) == -ESRCH)
		return;
	thaw_the_dying(k, SIGKILL);
	if (k->own_pidns)
		proc_ref_wait(&k->init, KILL_TIMEOUT_MS);
}

/* StopUnit, or SetUnitProperties with what an update asks for. */
static int tell_systemd(
	const struct kept *k, const char *verb, const struct spec_pairs *properties, struct err *e)
{
	autoarena a = { 0 };
	const char *helper = bundle_helper(&a, "clade-sdbus");
	size_t n = properties ? properties->n : 0, at = 0;
	const char **words = arena_array(&a, n + 4, sizeof(*words));
	char why[512] = "";
	int r;

	if (k->user_bus)
		words[at++] = "--user";
	words[at++] = verb;
	words[at++] = k->unit;
	for (size_t i = 0; i < n; i++)
		words[at++] = arena_printf(
			&a, "%s=%s", properties->items[i].key, properties->items[i].value);
	r = systemd_run(helper, words, why, sizeof(why));
	if (r < 0)
		return err_set(e, -r, "run %s, which talks to systemd", helper);
	return r ? err_say(e, "systemd: %s", why) : 0;
}

/* Also the folders between the scope and where the container is; the scope itself is systemd's. */
static int clear_scope(struct kept *k, struct err *e)
{
	for (size_t i = 0; k->folders[i]; i++) {
		const char *end = strstr(k->folders[i], k->unit);

		if (end)
			k->folders[i] = arena_strndup(&k->arena, k->folders[i],
				(size_t)(end - k->folders[i]) + strlen(k->unit));
	}
	if (cgroups_remove(k->folders, e) < 0)
		return -e->code;
	return tell_systemd(k, "stop", NULL, e);
}

/*
 * One whose maker was killed before it wrote down where the container is: its cgroup follows from
 * the configuration as it did then. Only what nobody is in goes: whoever was to be born there ends
 * by himself, and others may have been there first.
 */
static void clear_half_made(struct bundles *b, const struct kept *k)
{
	struct spec spec = { 0 };
	struct plan plan = { 0 };
	struct plan_request req = { .spec = &spec,
		.host = &b->host,
		.id = k->id,
		.bundle = "/",
		.cgroup_manager = b->cgroup_manager,
		.has_console = true };
	autoarena a = { 0 };
	struct err e = { 0 };

	if (bundles_probe(b, HOST_ALL, &e) == 0 && kept_spec(b, k, &spec, &e) == 0 &&
		plan_make(&req, &plan, &e) == 0 && plan.cgroup.manager == CGROUP_FS)
		for (const char **folder = cgroup_folders(&b->host, plan.cgroup.path, &a); *folder;
			folder++)
			cgroup_remove(*folder, KILL_TIMEOUT_MS);
	if (e.code)
		log_debug("the cgroup of container %s is not looked for: %s", k->id, e.msg);
	plan_done(&plan);
	spec_done(&spec);
}

/*
 * Its maker holds the folder until all is written down. 0: what is there now is in k; one that is
 * half made stays so, for its folder is held by us.
 */
static int wait_for_maker(const struct bundles *b, struct kept *k, struct err *e)
{
	const struct timespec pause = { .tv_nsec = 5000000 };
	struct kept now = KEPT_NONE;
	int waited_ms = 0, r;

	while (flock(k->dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_set(e, errno, "lock the state folder of container %s", k->id);
		/* a hook of it, say */
		if (waited_ms == 0 && lock_is_an_ancestors(k->dir))
			return err_say(e,
				"container %s is still being made, and who makes it waits for this "
				"command",
				k->id);
		if (waited_ms > MAKER_TIMEOUT_MS)
			return err_say(e, "container %s is still being made", k->id);
		nanosleep(&pause, NULL);
		waited_ms += 5;
	}
	r = kept_open_half(b, k->id, &now, e);
	if (r == 0 && !now.creating) {
		kept_done(k);
		*k = now;
		return 0;
	}
	kept_done(&now);
	return r;
}

int kept_delete(struct bundles *b, struct kept *k, struct err *e)
{
	struct err other;
	int r;

	if (k->creating)
		clear_half_made(b, k);
	if (k->init.pidfd >= 0)
		end_init(k);
	if (k->unit ? clear_scope(k, e) < 0 : cgroups_remove(k->folders, e) < 0)
		return -e->code;
	if (k->init.pidfd >= 0 && proc_ref_wait(&k->init, KILL_TIMEOUT_MS) < 0)
		return err_say(
			e, "container %s does not die: a process of it hangs in the kernel", k->id);
	if (k->clos) {
		const struct plan_resctrl gone = { .clos = k->clos, .monitor = k->id };

		birth_resctrl_remove(&gone, k->clos_made, k->monitored);
	}
	/* one that failed has no further say: the container is gone already */
	if (!k->creating && run_hooks(b, k, HOOK_POSTSTOP, "stopped", &other) < 0)
		log_err(&other);
	r = kept_remove(b, k);
	/* not at a crowd's edge: it would be made again and again */
	if (mount_template_tasks() < HOST_CROWD / 2)
		mount_template_forget();
	return r < 0 && r != -ENOENT ? err_set(e, -r, "remove the state of container %s", k->id)
				     : 0;
}

int bundle_delete(struct bundles *b, const char *id, bool force, struct err *e)
{
	autokept k = KEPT_NONE;
	enum bundle_status status;
	int r;

	r = kept_open_half(b, id, &k, e);
	if (r == 0 && k.creating)
		r = wait_for_maker(b, &k, e);
	if (r < 0)
		return force && e->code == ERR_ABSENT ? 0 : -e->code;
	status = force ? BUNDLE_STOPPED : kept_status(&k);
	if (status == BUNDLE_RUNNING || status == BUNDLE_PAUSED)
		return err_say(e, "cannot delete container %s that is not stopped: %s", id,
			bundle_status_word(status));
	return kept_delete(b, &k, e);
}

int bundle_pause(struct bundles *b, const char *id, bool pause, struct err *e)
{
	autokept k = KEPT_NONE;
	enum bundle_status status;
	int r;

	if (kept_open(b, id, &k, e) < 0)
		return -e->code;
	status = kept_status(&k);
	if (pause && status != BUNDLE_RUNNING && status != BUNDLE_CREATED)
		return err_say(e, "container not running");
	if (!pause && status != BUNDLE_PAUSED)
		return err_say(e, "container not paused");
	if (!k.freezer)
		return err_say(e, "container %s has no cgroup that could be frozen", id);
	r = cgroup_freeze(k.freezer, pause, FREEZE_TIMEOUT_MS);
	return r < 0 ? err_set(e, -r, "%s container %s", pause ? "pause" : "resume", id) : 0;
}

/* config-linux.md#memory, checkBeforeUpdate: "MUST reject the new limit"; v1's kernel does so
 * itself. */
static int check_memory(
	const struct bundles *b, struct kept *k, const struct spec_resources *r, struct err *e)
{
	const char *folder = cgroup_folder_of(&b->host, k->cgroup_path, "memory", &k->arena);
	int64_t usage;

	if (!r->memory.check_before_update.value || !r->memory.limit.set ||
		r->memory.limit.value <= 0 || !folder)
		return 0;
	if (cgroup_read_i64(folder, "memory.current", &usage) < 0 || usage <= r->memory.limit.value)
		return 0;
	return err_say(e, "unable to set memory limit to %lld (current usage: %lld)",
		(long long)r->memory.limit.value, (long long)usage);
}

/* v2 has quota and period in one file: the one that is not asked for stays as it is. */
static void keep_quota(const struct bundles *b, struct kept *k, struct spec_resources *r)
{
	const char *folder = cgroup_folder_of(&b->host, k->cgroup_path, "cpu", &k->arena);
	char text[64];
	bool period = r->cpu.period.set && r->cpu.period.value;
	bool quota = r->cpu.quota.set && r->cpu.quota.value;
	long long n;

	if (!folder || period == quota || cgroup_read(folder, "cpu.max", text, sizeof(text)) < 0)
		return;
	if (period && sscanf(text, "%lld", &n) == 1)
		r->cpu.quota = (struct maybe_i64)SOME(n);
	else if (quota && sscanf(text, "%*s %lld", &n) == 1)
		r->cpu.period = (struct maybe_u64)SOME((uint64_t)n);
}

static int write_schemata(const struct kept *k, const struct plan_resctrl *p, struct err *e)
{
	autofree char *root = NULL;
	autofd group = FD_NONE;
	char why[256];
	bool made;
	int r;

	if (!p->n_lines)
		return 0;
	r = resctrl_find(&root);
	if (r < 0)
		return r == -ENOENT ? err_say(e, "Intel RDT: no resctrl filesystem is mounted here")
				    : err_set(e, -r, "look for the resctrl filesystem");
	if (!k->clos)
		return err_say(e, "Intel RDT: container %s has no class of service", k->id);
	group = resctrl_open(root, k->clos, false, &made);
	if (group < 0)
		return err_set(e, -group, "open class of service %s", k->clos);
	for (size_t i = 0; i < p->n_lines; i++) {
		r = resctrl_write(group, p->lines[i]);
		if (r < 0)
			return err_set(e, -r, "write %s to class of service %s (%s)", p->lines[i],
				k->clos, resctrl_why(root, why, sizeof(why)));
	}
	return 0;
}

int bundle_update(struct bundles *b, const char *id, const struct bundle_update *u, struct err *e)
{
	struct spec_resources resources = u->resources;
	autokept k = KEPT_NONE;
	struct spec spec = { 0 };
	struct plan plan = { 0 };
	struct plan_request req = {
		.spec = &spec,
		.host = &b->host,
		.cgroup_manager = b->cgroup_manager,
		.l3_cache_schema = u->l3_cache_schema,
		.mem_bw_schema = u->mem_bw_schema,
	};
	int r;

	if (kept_open(b, id, &k, e) < 0 || bundles_probe(b, HOST_ALL, e) < 0)
		return -e->code;
	if (k.init.pidfd < 0)
		return err_say(e, "container not running");
	if (check_memory(b, &k, &resources, e) < 0)
		return -e->code;
	keep_quota(b, &k, &resources);
	r = kept_spec(b, &k, &spec, e);
	req.id = id;
	req.bundle = k.bundle;
	/* an engine need not say again who makes its cgroups */
	if (k.unit)
		req.cgroup_manager = CGROUP_SYSTEMD;
	else if (req.cgroup_manager == CGROUP_SYSTEMD)
		req.cgroup_manager = CGROUP_FS;
	if (r == 0)
		r = plan_make_update(&req, &resources, &plan, e);
	if (r == 0)
		r = write_schemata(&k, &plan.resctrl, e);
	if (r == 0 && k.unit && plan.cgroup.properties.n)
		r = tell_systemd(&k, "set", &plan.cgroup.properties, e);
	if (r == 0)
		r = cgroups_write(&b->host, k.cgroup_path, &plan.cgroup, &k.arena, e);
	plan_done(&plan);
	spec_done(&spec);
	return r;
}

int bundle_pids(const struct bundles *b, const char *id, struct arena *a, pid_t **ret,
	size_t *ret_n, struct err *e)
{
	autokept k = KEPT_NONE;
	autofree pid_t *pids = NULL;
	size_t n = 0;

	*ret = NULL;
	*ret_n = 0;
	if (kept_open(b, id, &k, e) < 0)
		return -e->code;
	for (size_t i = 0; k.folders[i]; i++)
		if (cgroup_pids(k.folders[i], &pids, &n) == 0)
			break;
	*ret = arena_array(a, n + 1, sizeof(**ret));
	memcpy(*ret, pids ? pids : *ret, n * sizeof(**ret));
	*ret_n = n;
	return 0;
}

/* The number in the column that ps calls PID; -1: none */
static long pid_at(const char *line, int column)
{
	const char *s = line;

	for (int i = 0;; i++) {
		s += strspn(s, " \t");
		if (!*s || *s == '\n')
			return -1;
		if (i == column)
			return strtol(s, NULL, 10);
		s += strcspn(s, " \t\n");
	}
}

static int column_of_pid(const char *heading)
{
	const char *s = heading;

	for (int i = 0; *s && *s != '\n'; i++) {
		size_t n;

		s += strspn(s, " \t");
		n = strcspn(s, " \t\n");
		if (n == 3 && strncmp(s, "PID", 3) == 0)
			return i;
		s += n;
	}
	return -1;
}

static int run_ps(const char *const *words, struct text *out, struct err *e)
{
	const char *const usual[] = { "-ef", NULL };
	const char *argv[64] = { "ps" };
	char data[4096];
	int pipe_fds[2], status, n_words = 1;
	ssize_t n;
	pid_t pid;

	for (const char *const *w = words && words[0] ? words : usual; *w && n_words < 62; w++)
		argv[n_words++] = *w;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	pid = fork();
	if (pid == 0) {
		dup2(pipe_fds[1], STDOUT_FILENO);
		execvp("ps", (char *const *)argv);
		_exit(127);
	}
	close(pipe_fds[1]);
	while (pid > 0 && (n = read(pipe_fds[0], data, sizeof(data))) > 0)
		text_add_n(out, data, (size_t)n);
	close(pipe_fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return err_say(e, "ps failed");
	return 0;
}

int bundle_ps(const char *const *words, const pid_t *pids, size_t n, struct arena *a,
	const char **ret, struct err *e)
{
	autotext all = { 0 }, some = { 0 };
	int column;

	if (run_ps(words, &all, e) < 0)
		return -e->code;
	column = all.p ? column_of_pid(all.p) : -1;
	if (column < 0)
		return err_say(e, "ps printed no PID column");
	for (const char *line = all.p; line && *line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) + 1 : strlen(line);
		long pid = line == all.p ? 0 : pid_at(line, column);
		bool wanted = line == all.p;

		for (size_t i = 0; i < n; i++)
			wanted |= pids[i] == pid;
		if (wanted)
			text_add_n(&some, line, len);
		line += len;
	}
	*ret = arena_strdup(a, some.p ? some.p : "");
	return 0;
}
