/* SPDX-License-Identifier: Apache-2.0 */
/* The container's cgroup: where it lies, who makes it, and what is written into it. */
#include <sched.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"
#include "plan/systemd.h"

/* config-linux.md#cgroups-path: absolute below the hierarchy's root, relative where we choose. */
static int decide_path(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char *path = d->spec->linux_.cgroups_path;
	const char *own = d->host->v2_own_path;

	for (const char *s = path; s && (s = strstr(s, "..")); s += 2)
		if ((s == path || s[-1] == '/') && (s[2] == '/' || !s[2]))
			return err_say(e, "linux.cgroupsPath: \"..\" is not allowed");
	if (path && path[0] == '/')
		c->path = decide_clean_path(d, path);
	else if (path && path[0])
		c->path = decide_clean_path(d, arena_printf(d->arena, "/%s", path));
	else if (!(d->host->euid == 0 && d->host->in_initial_userns) && own)
		c->path = decide_clean_path(d, arena_printf(d->arena, "%s/%s", own, d->req->id));
	else
		c->path = arena_printf(d->arena, "/clade/%s", d->req->id);
	if (str_eq(c->path, "/"))
		return err_say(
			e, "linux.cgroupsPath: the root of the cgroups is not a container's");
	return 0;
}

/* Only what may be written to from inside is handed over to the container's root. */
static bool wants_delegation(const struct decide *d)
{
	const struct plan *p = d->plan;

	if (!(p->namespaces.unshare_flags & CLONE_NEWCGROUP) || p->namespaces.joins_user ||
		d->host->cgroup_mode != CGROUP_MODE_V2)
		return false;
	for (size_t i = 0; i < p->n_mounts; i++)
		if (p->mounts[i].kind == MOUNT_CGROUP)
			return !p->mounts[i].ro_after &&
			       str_eq(p->mounts[i].target, "/sys/fs/cgroup");
	return false;
}

/* config-linux.md#cgroup-ownership: "the host uid that maps to the value of process.user.uid" */
static bool owner_of_process(const struct decide *d, uid_t *ret)
{
	uint32_t uid = d->spec->process.user.uid;

	if (d->plan->ids.writer == IDMAP_NONE) {
		*ret = uid;
		return true;
	}
	if (!d->spec->linux_.uid_mappings.n) {
		*ret = d->plan->ids.root_uid;
		return uid == 0;
	}
	return ids_to_host(&d->spec->linux_.uid_mappings, uid, ret);
}

static bool is_name(const char *s)
{
	return s[0] && !strchr(s, '/') && !str_eq(s, ".") && !str_eq(s, "..") && strlen(s) < 256;
}

/* crun's annotations: a folder below the scope, and one below that for the container to manage. */
static int decide_subgroups(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char *sub = spec_annotation(d->spec, "run.oci.systemd.subgroup");
	const char *own = spec_annotation(d->spec, "run.oci.delegate-cgroup");

	if (sub && sub[0] && c->manager == CGROUP_SYSTEMD)
		c->subgroup = sub;
	if (own && own[0])
		c->delegated = own;
	if ((c->subgroup && !is_name(c->subgroup)) || (c->delegated && !is_name(c->delegated)))
		return err_say(e, "annotation run.oci.%s: \"%s\" is no name of a cgroup",
			c->subgroup && !is_name(c->subgroup) ? "systemd.subgroup"
							     : "delegate-cgroup",
			c->subgroup && !is_name(c->subgroup) ? c->subgroup : c->delegated);
	if (c->delegated && d->host->cgroup_mode != CGROUP_MODE_V2)
		return err_say(e, "annotation run.oci.delegate-cgroup: cgroups can be delegated on "
				  "cgroup v2 alone");
	return 0;
}

int cgroup_decide(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const struct host *h = d->host;
	bool can = h->cgroup_mode != CGROUP_MODE_NONE &&
		   (h->cgroup_writable || d->req->cgroup_manager == CGROUP_SYSTEMD);

	c->manager = d->req->cgroup_manager;
	if (c->manager != CGROUP_NONE && !can) {
		if (cgroup_limits_asked(&d->spec->linux_.resources))
			return err_say(e,
				"linux.resources: limits are asked for, but this user may not "
				"make cgroups here");
		c->manager = CGROUP_NONE;
		c->optional = true;
	}
	if (c->manager == CGROUP_NONE)
		return 0;
	if (c->manager == CGROUP_SYSTEMD && !h->systemd_booted)
		return err_say(e,
			"the systemd cgroup manager is asked for, but systemd does not run "
			"here");
	if (c->manager == CGROUP_SYSTEMD ? systemd_decide(d, e) < 0 : decide_path(d, e) < 0)
		return -e->code;
	c->must_be_new = c->manager == CGROUP_FS;
	if (decide_subgroups(d, e) < 0)
		return -e->code;
	c->delegate = wants_delegation(d);
	if (c->delegate && !owner_of_process(d, &c->owner))
		c->delegate = false;
	return cgroup_limits_decide(d, &d->spec->linux_.resources, e);
}
