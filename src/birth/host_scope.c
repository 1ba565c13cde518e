/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HOST: the systemd cgroup manager. A scope is made around a process that is there already, so this
 * row comes after the clone, while INIT waits. systemd says where the scope lies by putting INIT
 * there.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/cgroup.h"
#include "os/systemd.h"

enum { KILL_TIMEOUT_MS = 5000 };

static int run(const struct plan_cgroup *c, struct arena *a, const char *verb,
	const char *const *properties, size_t n, char *why, size_t size)
{
	const char **words = arena_array(a, n + 4, sizeof(*words));
	size_t k = 0;

	if (c->user_bus)
		words[k++] = "--user";
	words[k++] = verb;
	words[k++] = c->unit;
	for (size_t i = 0; i < n; i++)
		words[k++] = properties[i];
	return systemd_run(c->helper, words, why, size);
}

static int start(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	autoarena a = { 0 };
	const char **properties = arena_array(&a, c->properties.n + 1, sizeof(*properties));
	char why[512] = "";
	int r;

	properties[0] = arena_printf(&a, "PIDs=au:%d", b->init.pid);
	for (size_t i = 0; i < c->properties.n; i++)
		properties[i + 1] = arena_printf(
			&a, "%s=%s", c->properties.items[i].key, c->properties.items[i].value);
	r = run(c, &a, "start", properties, c->properties.n + 1, why, sizeof(why));
	if (r < 0)
		return err_set(e, -r, "run %s, which talks to systemd", c->helper);
	b->scope_started = true;
	return r ? err_say(e, "systemd: %s", why) : 0;
}

static int find_path(struct birth *b, struct err *e)
{
	const struct plan_cgroup *c = &b->plan->cgroup;
	autofree char *path = NULL;
	autotext t = { 0 };
	int r = cgroup_path_of(b->init.pid, &path);

	if (r < 0)
		return err_set(e, -r, "find the cgroup that systemd made for %s", c->unit);
	if (!str_ends(path, c->unit))
		return err_say(e, "systemd has not moved process %d into unit %s: it is in %s",
			b->init.pid, c->unit, path);
	text_add(&t, path);
	if (c->subgroup)
		text_addf(&t, "/%s", c->subgroup);
	b->cgroup_path = text_take(&t);
	if (b->ret_cgroup_path)
		*b->ret_cgroup_path = mem_strdup(b->cgroup_path);
	return 0;
}

int host_scope(struct birth *b, struct err *e)
{
	if (start(b, e) < 0 || find_path(b, e) < 0)
		return -e->code;
	return birth_fill_cgroups(b, b->cgroup_path, e);
}

void host_scope_undo(struct birth *b)
{
	autoarena a = { 0 };
	char why[64] = "";

	if (b->init.pidfd >= 0) {
		proc_ref_signal(&b->init, SIGKILL);
		proc_ref_wait(&b->init, KILL_TIMEOUT_MS);
	}
	host_cgroup_undo(b);
	if (b->scope_started)
		run(&b->plan->cgroup, &a, "stop", NULL, 0, why, sizeof(why));
}
