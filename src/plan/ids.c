/* SPDX-License-Identifier: Apache-2.0 */
/* Whose ids: the maps of a new user namespace, and the user, groups and umask of the process. */
#include <linux/capability.h>
#include <sched.h>

#include "base/str.h"
#include "plan/decide.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

bool ids_to_host(const struct spec_idmaps *maps, uint32_t id, uint32_t *ret)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_idmap *m = &maps->items[i];

		if (id >= m->container_id && id - m->container_id < m->size) {
			*ret = m->host_id + (id - m->container_id);
			return true;
		}
	}
	return false;
}

/* user_namespaces(7): no empty range, no overlap, nothing past the last id. */
static int check_maps(const struct spec_idmaps *maps, const char *field, struct err *e)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_idmap *m = &maps->items[i];

		if (m->size == 0)
			return err_say(e, "%s[%zu]: size is 0", field, i);
		if (m->size - 1 > UINT32_MAX - 1 - m->container_id ||
			m->size - 1 > UINT32_MAX - 1 - m->host_id)
			return err_say(e, "%s[%zu]: reaches past the last id", field, i);
		for (size_t j = 0; j < i; j++) {
			const struct spec_idmap *o = &maps->items[j];

			if (m->container_id < (uint64_t)o->container_id + o->size &&
				o->container_id < (uint64_t)m->container_id + m->size)
				return err_say(e, "%s[%zu]: overlaps with [%zu]", field, i, j);
		}
	}
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

/* Without maps in the spec: oneself as root, and after it what /etc/subuid gives. */
static struct spec_idmaps own_maps(const struct host *h, struct arena *a, uint32_t self,
	const struct host_idrange *ranges, size_t n_ranges)
{
	struct spec_idmaps maps = { 0 };
	struct spec_idmap *m = arena_grow(a, &maps.items, &maps.n, sizeof(*m));
	uint32_t next = 1;

	*m = (struct spec_idmap){ .container_id = 0, .host_id = self, .size = 1 };
	if (!h->has_newuidmap)
		return maps;
	for (size_t i = 0; i < n_ranges && ranges[i].count < UINT32_MAX - next; i++) {
		if (ranges[i].count == 0)
			continue;
		m = arena_grow(a, &maps.items, &maps.n, sizeof(*m));
		*m = (struct spec_idmap){ next, ranges[i].start, ranges[i].count };
		next += ranges[i].count;
	}
	return maps;
}

static void both_maps(
	const struct host *h, struct arena *a, struct spec_idmaps *uids, struct spec_idmaps *gids)
{
	*uids = own_maps(
		h, a, h->euid, h->n_subgids ? h->subuids : NULL, h->n_subgids ? h->n_subuids : 0);
	*gids = own_maps(
		h, a, h->egid, h->n_subuids ? h->subgids : NULL, h->n_subuids ? h->n_subgids : 0);
}

bool ids_of_user(
	const struct host *h, struct arena *a, const char **ret_uid_map, const char **ret_gid_map)
{
	struct spec_idmaps uids, gids;

	both_maps(h, a, &uids, &gids);
	*ret_uid_map = map_text(a, &uids);
	*ret_gid_map = map_text(a, &gids);
	return uids.n > 1 || gids.n > 1;
}

static bool is_single(const struct spec_idmaps *maps, uint32_t self)
{
	return maps->n == 1 && maps->items[0].size == 1 && maps->items[0].host_id == self;
}

static int decide_maps(
	const struct decide *d, struct spec_idmaps *uids, struct spec_idmaps *gids, struct err *e)
{
	const struct host *h = d->host;
	struct plan_ids *ids = &d->plan->ids;
	bool may_write = (h->caps & CAP_BIT(CAP_SETUID)) && (h->caps & CAP_BIT(CAP_SETGID));

	if (!uids->n != !gids->n)
		return err_say(e, "linux.uidMappings and linux.gidMappings are only set together");
	if (!uids->n) {
		if (may_write)
			return err_say(e, "linux.uidMappings: a new user namespace needs them");
		both_maps(h, d->arena, uids, gids);
	}
	if (check_maps(uids, "linux.uidMappings", e) < 0 ||
		check_maps(gids, "linux.gidMappings", e) < 0)
		return -e->code;
	ids->uid_map = map_text(d->arena, uids);
	ids->gid_map = map_text(d->arena, gids);
	if (may_write) {
		ids->writer = IDMAP_WRITE;
	} else if (is_single(uids, h->euid) && is_single(gids, h->egid)) {
		ids->writer = IDMAP_WRITE;
		ids->deny_setgroups = true;
	} else if (h->has_newuidmap) {
		ids->writer = IDMAP_HELPER;
	} else {
		return err_say(e, "linux.uidMappings: mapping more than one's own id needs "
				  "newuidmap and newgidmap (package uidmap)");
	}
	if (!ids_to_host(uids, 0, &ids->root_uid) || !ids_to_host(gids, 0, &ids->root_gid))
		return err_say(e, "linux.uidMappings: id 0 of the container is not mapped");
	return 0;
}

/* exec: was the container's own user namespace made without the right to change groups? */
static bool denied_setgroups(const struct decide *d)
{
	const struct spec_linux *l = &d->spec->linux_;
	bool may_write =
		(d->host->caps & CAP_BIT(CAP_SETUID)) && (d->host->caps & CAP_BIT(CAP_SETGID));

	if (may_write)
		return false;
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i].flag == CLONE_NEWUSER && !l->namespaces[i].path)
			return l->uid_mappings.n
				       ? is_single(&l->uid_mappings, d->host->euid) &&
						 is_single(&l->gid_mappings, d->host->egid)
				       : !d->host->has_newuidmap || !d->host->n_subuids ||
						 !d->host->n_subgids;
	return false;
}

static int check_mapped(
	const struct spec_idmaps *maps, uint32_t id, const char *field, struct err *e)
{
	uint32_t host_id;

	if (ids_to_host(maps, id, &host_id))
		return 0;
	return err_say(e, "%s: %u is not mapped into the container's user namespace", field, id);
}

/* setresuid and setresgid take -1 for "leave it": the process would stay root. */
static int check_ids(const struct spec_user *u, struct err *e)
{
	if (u->uid == UINT32_MAX || u->gid == UINT32_MAX)
		return err_say(e, "process.user.%s: %u is no id",
			u->uid == UINT32_MAX ? "uid" : "gid", UINT32_MAX);
	return 0;
}

static int decide_groups(
	const struct decide *d, const struct spec_user *u, bool may_setgroups, struct err *e)
{
	struct plan_ids *ids = &d->plan->ids;
	const char *keep = spec_annotation(d->spec, "run.oci.keep_original_groups");
	gid_t *groups;

	ids->set_groups = may_setgroups && !(keep && str_eq(keep, "1"));
	if (!u->n_additional_gids)
		return 0;
	if (!may_setgroups)
		return err_say(e, "process.user.additionalGids: this user namespace allows no "
				  "supplementary groups");
	if (!ids->set_groups)
		return 0;
	groups = arena_array(d->arena, u->n_additional_gids, sizeof(*groups));
	for (size_t i = 0; i < u->n_additional_gids; i++)
		groups[i] = u->additional_gids[i];
	ids->groups = groups;
	ids->n_groups = u->n_additional_gids;
	return 0;
}

int ids_decide(const struct decide *d, const struct spec_process *process, struct err *e)
{
	struct spec_idmaps uids = d->spec->linux_.uid_mappings;
	struct spec_idmaps gids = d->spec->linux_.gid_mappings;
	const struct spec_user *u = &process->user;
	struct plan_ids *ids = &d->plan->ids;
	bool is_new = d->plan->namespaces.clone_flags & CLONE_NEWUSER;
	bool joined = d->plan->namespaces.joins_user;

	if (check_ids(u, e) < 0)
		return -e->code;
	if (is_new && decide_maps(d, &uids, &gids, e) < 0)
		return -e->code;
	if (!is_new && !joined && (uids.n || gids.n))
		return err_say(e, "linux.uidMappings are set without a user namespace");
	if (is_new) {
		if (check_mapped(&uids, u->uid, "process.user.uid", e) < 0 ||
			check_mapped(&gids, u->gid, "process.user.gid", e) < 0)
			return -e->code;
		for (size_t i = 0; i < u->n_additional_gids; i++)
			if (check_mapped(&gids, u->additional_gids[i],
				    "process.user.additionalGids", e) < 0)
				return -e->code;
	}
	if (u->umask.set && u->umask.value > 07777)
		return err_say(e, "process.user.umask: 0%llo is no file mode",
			(unsigned long long)u->umask.value);
	if (joined && denied_setgroups(d))
		ids->deny_setgroups = true;
	ids->uid = u->uid;
	ids->gid = u->gid;
	ids->set_umask = u->umask.set;
	ids->umask = (mode_t)u->umask.value;
	return decide_groups(d, u,
		!ids->deny_setgroups && (is_new || joined || (d->host->caps & CAP_BIT(CAP_SETGID))),
		e);
}
