/* SPDX-License-Identifier: Apache-2.0 */
/* A created container's configuration, read back, and the plan that follows from it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "life/internal.h"
#include "os/ns.h"

static void add_join(struct spec *s, int flag, const char *path)
{
	struct spec_linux *l = &s->linux_;
	struct spec_namespace *all;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		if (l->namespaces[i].flag != flag)
			continue;
		l->namespaces[i].path = path;
		return;
	}
	/* what was read is as long as it was written: there is no room behind it */
	all = arena_array(&s->arena, l->n_namespaces + 1, sizeof(*all));
	memcpy(all, l->namespaces, l->n_namespaces * sizeof(*all));
	all[l->n_namespaces++] = (struct spec_namespace){ .flag = flag, .path = path };
	l->namespaces = all;
}

/*
 * container:REF: the namespace of a running container's init, and its user namespace where that
 * is not ours, which gives the right to join the other.
 */
static int join_other(const struct life *l, const char *id, int flag, struct spec *s, struct err *e)
{
	autofd own = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC), theirs = FD_NONE;
	uint64_t a = 0, b = 0;
	char path[64];
	autoheld other = HELD_NONE;
	autonow now = NOW_NONE;

	if (held_open(l, id, &other, e) < 0)
		return -e->code;
	if (now_look(l, &other, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd < 0)
		return err_say(e, "cannot join the namespaces of container %s: it is not running",
			other.record.name);
	for (size_t i = 0; i < NS_KINDS; i++)
		if (ns_types[i].clone_flag == (uint64_t)flag)
			add_join(s, flag,
				arena_printf(&s->arena, "/proc/%d/ns/%s", now.init.pid,
					ns_types[i].file));
	snprintf(path, sizeof(path), "/proc/%d", now.init.pid);
	theirs = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (theirs >= 0 && ns_inode_of(theirs, NS_USER, &a) == 0 &&
		ns_inode_of(own, NS_USER, &b) == 0 && a != b)
		add_join(s, CLONE_NEWUSER, arena_printf(&s->arena, "%s/ns/user", path));
	return 0;
}

static int join_others(const struct life *l, const struct record *r, struct spec *s, struct err *e)
{
	const struct {
		const char *id;
		int flag;
	} others[] = {
		{ r->pid_of, CLONE_NEWPID },
		{ r->net_of, CLONE_NEWNET },
		{ r->ipc_of, CLONE_NEWIPC },
		{ r->uts_of, CLONE_NEWUTS },
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (others[i].id && join_other(l, others[i].id, others[i].flag, s, e) < 0)
			return -e->code;
	return 0;
}

int plan_of(const struct life *l, const struct spec *s, const char *id, const char *bundle,
	struct plan *ret, struct err *e)
{
	const struct plan_request req = {
		.spec = s,
		.host = &l->host,
		.id = id,
		.bundle = bundle,
		.cgroup_manager = l->cgroup_manager,
		.has_console = true,
		.new_keyring = true,
	};

	return plan_make(&req, ret, e);
}

/* Does somebody outside have to make its network? */
static bool has_network(const struct held *h)
{
	autoarena arena = { 0 };
	struct want w;
	struct err ignored;

	return want_read(h->dir, "network", &arena, &w, &ignored) == 0 && network_is_made(w.mode);
}

int loaded_make(const struct life *l, const struct held *h, struct loaded *ret, struct err *e)
{
	autoarena arena = { 0 };
	int r;

	*ret = (struct loaded){ 0 };
	ret->bundle = mem_strdup(held_path(l, h, "", &arena));
	r = spec_load(held_path(l, h, "config.json", &arena), &ret->spec, e);
	if (r < 0)
		return r;
	r = join_others(l, &h->record, &ret->spec, e);
	if (r == 0)
		r = plan_of(l, &ret->spec, h->id, ret->bundle, &ret->plan, e);
	ret->plan.with_network = has_network(h);
	for (size_t i = 0; r == 0 && i < ret->plan.warnings.n; i++)
		log_warn("%s", ret->plan.warnings.items[i]);
	return r;
}

void loaded_done(struct loaded *ld)
{
	plan_done(&ld->plan);
	spec_done(&ld->spec);
	mem_freep(&ld->bundle);
}
