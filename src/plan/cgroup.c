/* SPDX-License-Identifier: Apache-2.0 */
/* The container's cgroup: where it lies, who makes it, and what is written into it. */
#include <sched.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"

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

/* slice:prefix:name, as systemd's driver gives it in every engine. */
static int decide_unit(const struct decide *d, struct err *e)
{
	struct plan_cgroup *c = &d->plan->cgroup;
	const char *path = d->spec->linux_.cgroups_path;
	const char *first, *second;
	bool rootless = d->host->euid != 0 || !d->host->in_initial_userns;

	if (!path || !path[0]) {
		c->slice = rootless ? "user.slice" : "system.slice";
		c->unit = arena_printf(d->arena, "clade-%s.scope", d->req->id);
	} else {
		first = strchr(path, ':');
		second = first ? strchr(first + 1, ':') : NULL;
		if (!second || strchr(second + 1, ':') || !second[1] || strchr(path, '/'))
			return err_say(
				e, "linux.cgroupsPath: \"%s\" is not slice:prefix:name", path);
		c->slice = first > path ? arena_strndup(d->arena, path, (size_t)(first - path))
			   : rootless	? "user.slice"
					: "system.slice";
		if (str_ends(second + 1, ".slice"))
			c->unit = second + 1;
		else if (second == first + 1)
			c->unit = arena_printf(d->arena, "%s.scope", second + 1);
		else
			c->unit = arena_printf(d->arena, "%.*s-%s.scope", (int)(second - first - 1),
				first + 1, second + 1);
	}
	if (!str_ends(c->slice, ".slice"))
		return err_say(e, "linux.cgroupsPath: %s is no slice", c->slice);
	for (size_t i = 0; i < d->spec->annotations.n; i++) {
		const struct spec_pair *a = &d->spec->annotations.items[i];
		const char *prefix = "org.systemd.property.";

		if (str_starts(a->key, prefix)) {
			struct spec_pair *pair = arena_grow(
				d->arena, &c->properties.items, &c->properties.n, sizeof(*pair));

			*pair = (struct spec_pair){ a->key + strlen(prefix), a->value };
		}
	}
	return 0;
}

/* Only what may be written to from inside is handed over to the container's root. */
static bool wants_delegation(const struct decide *d)
{
	const struct plan *p = d->plan;

	if (!(p->namespaces.unshare_flags & CLONE_NEWCGROUP) || p->ids.writer == IDMAP_NONE ||
		d->host->cgroup_mode != CGROUP_MODE_V2)
		return false;
	for (size_t i = 0; i < p->n_mounts; i++)
		if (p->mounts[i].kind == MOUNT_CGROUP)
			return !p->mounts[i].ro_after;
	return false;
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
	if (c->manager == CGROUP_SYSTEMD ? decide_unit(d, e) < 0 : decide_path(d, e) < 0)
		return -e->code;
	c->must_be_new = true;
	c->subgroup = spec_annotation(d->spec, "run.oci.systemd.subgroup");
	c->delegate = wants_delegation(d);
	return cgroup_limits_decide(d, &d->spec->linux_.resources, e);
}
