/* SPDX-License-Identifier: Apache-2.0 */
/* HOST: the ids of a new user namespace, and the trees only HOST may take hold of. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/idmap.h"
#include "os/mount.h"

static int by_helper(const char *program, pid_t pid, const char *text, struct err *e)
{
	int r = idmap_run_helper(program, pid, text);

	if (r < 0)
		return err_set(e, -r, "run %s", program);
	if (r == 127)
		return err_say(e, "run %s: not found (package uidmap)", program);
	return r == 0 ? 0
		      : err_say(e,
				"%s refused the ids (see /etc/subuid and /etc/subgid; exit code "
				"%d)",
				program, r);
}

int host_idmap(struct birth *b, struct err *e)
{
	const struct plan_ids *ids = &b->plan->ids;
	pid_t pid = b->init.pid;
	int r;

	if (ids->writer == IDMAP_HELPER) {
		r = by_helper("newuidmap", pid, ids->uid_map, e);
		return r < 0 ? r : by_helper("newgidmap", pid, ids->gid_map, e);
	}
	if (ids->deny_setgroups) {
		r = idmap_deny_setgroups(pid);
		if (r < 0)
			return err_set(e, -r, "deny setgroups to process %d", pid);
	}
	r = idmap_write(pid, "uid_map", ids->uid_map);
	if (r < 0)
		return err_set(e, -r, "write the uid map of process %d", pid);
	r = idmap_write(pid, "gid_map", ids->gid_map);
	if (r < 0)
		return err_set(e, -r, "write the gid map of process %d", pid);
	return 0;
}

static const char *map_text(struct arena *a, const struct spec_idmaps *maps)
{
	const char *all = "";

	for (size_t i = 0; i < maps->n; i++)
		all = arena_printf(a, "%s%u %u %u\n", all, maps->items[i].container_id,
			maps->items[i].host_id, maps->items[i].size);
	return all;
}

/*
 * The user namespace whose ids an idmapped mount shows. The container's own does not exist yet;
 * one with the same maps is as good.
 */
static int open_idmap(struct birth *b, const struct plan_mount *m, struct err *e)
{
	autoarena a = { 0 };
	const struct plan_ids *ids = &b->plan->ids;
	const char *uids = ids->uid_map, *gids = ids->gid_map;
	int fd;

	if (!m->idmap_of_container) {
		uids = map_text(&a, &m->uid_mappings);
		gids = map_text(&a, &m->gid_mappings);
	} else if (!uids) {
		for (size_t i = 0; i < b->plan->namespaces.n_joins; i++)
			if (b->plan->namespaces.joins[i].flag == CLONE_NEWUSER)
				return fcntl(b->joins[i], F_DUPFD_CLOEXEC, 3);
		return err_say(e, "%s: there is no user namespace to map to", m->name);
	}
	fd = idmap_make_userns(uids, gids);
	return fd < 0 ? err_set(e, -fd, "%s: make a user namespace for the id map", m->name) : fd;
}

static int open_source(struct birth *b, size_t i, struct err *e)
{
	const struct plan_mount *m = &b->plan->mounts[i];
	autofd tree = mount_copy(AT_FDCWD, m->source, m->recursive, m->nofollow_source);

	/* what INIT can take hold of by itself, and a missing source, is its business */
	if (tree < 0 && !m->idmap)
		return 0;
	if (tree < 0)
		return err_set(e, -tree, "%s: bind %s", m->name, m->source);
	if (m->idmap) {
		autofd userns = open_idmap(b, m, e);
		int r = userns < 0 ? userns : mount_idmap(tree, m->idmap_recursive, userns);

		if (userns < 0)
			return userns;
		if (r < 0)
			return err_set(e, -r, "%s: map the ids of %s", m->name, m->source);
	}
	b->sources[i] = take_fd(&tree);
	return 0;
}

int host_sources(struct birth *b, struct err *e)
{
	bool loses_rights = b->plan->ids.writer != IDMAP_NONE || b->plan->namespaces.joins_user;

	b->sources = mem_alloc(b->plan->n_mounts * sizeof(int));
	for (size_t i = 0; i < b->plan->n_mounts; i++)
		b->sources[i] = FD_NONE;
	for (size_t i = 0; i < b->plan->n_mounts; i++) {
		const struct plan_mount *m = &b->plan->mounts[i];
		int r;

		if (m->kind != MOUNT_BIND || (!loses_rights && !m->idmap))
			continue;
		r = open_source(b, i, e);
		if (r < 0)
			return r;
	}
	return 0;
}
