/* SPDX-License-Identifier: Apache-2.0 */
/* The root filesystem, and how mounts pass between it and the host. */
#include <linux/mount.h>
#include <sched.h>

#include "base/str.h"
#include "plan/decide.h"

static uint64_t propagation_flag(enum rootfs_propagation p)
{
	switch (p) {
	case PROPAGATION_SHARED:
		return MS_SHARED;
	case PROPAGATION_SLAVE:
		return MS_SLAVE;
	case PROPAGATION_PRIVATE:
		return MS_PRIVATE;
	case PROPAGATION_UNBINDABLE:
		return MS_UNBINDABLE;
	case PROPAGATION_DEFAULT:
		break;
	}
	return 0;
}

/* A path that must lie in the container: proven here to be absolute, walked by birth in the root.
 */
static int check_paths(const struct spec_strings *paths, const char *field, struct err *e)
{
	for (size_t i = 0; i < paths->n; i++)
		if (paths->items[i][0] != '/')
			return err_say(e, "%s[%zu]: %s is not absolute", field, i, paths->items[i]);
	return 0;
}

static int decide_paths(const struct decide *d, struct err *e)
{
	const struct spec_linux *l = &d->spec->linux_;
	struct plan *p = d->plan;

	if (check_paths(&l->masked_paths, "linux.maskedPaths", e) < 0 ||
		check_paths(&l->readonly_paths, "linux.readonlyPaths", e) < 0)
		return -e->code;
	if (!p->root.has_mount_ns && (l->masked_paths.n || l->readonly_paths.n))
		return err_say(e, "linux.maskedPaths and readonlyPaths need a mount namespace");
	p->masked_paths = l->masked_paths.items;
	p->n_masked_paths = l->masked_paths.n;
	p->readonly_paths = l->readonly_paths.items;
	p->n_readonly_paths = l->readonly_paths.n;
	return 0;
}

/* Hooks before the pivot are to find a mount namespace of the container. */
static bool has_early_hooks(const struct spec *s)
{
	return s->hooks[HOOK_PRESTART].n || s->hooks[HOOK_CREATE_RUNTIME].n ||
	       s->hooks[HOOK_CREATE_CONTAINER].n;
}

static bool is_plain_mount(const struct spec_mount *m)
{
	if (m->uid_mappings.n)
		return false;
	for (size_t i = 0; i < m->options.n; i++)
		if (str_eq(m->options.items[i], "remount") ||
			str_eq(m->options.items[i], "idmap") ||
			str_eq(m->options.items[i], "ridmap"))
			return false;
	return true;
}

/*
 * pivot_root looks at every task of the machine: with many of them a ready namespace is cheaper,
 * in which mounts go on a tree that is not attached to anything yet (Linux 6.15). For containers
 * of root that ask for nothing which needs a mount namespace before: docs/decisions/crowd.md
 */
static bool can_use_template(const struct decide *d, uint64_t wanted)
{
	const struct host *h = d->host;
	const struct spec *s = d->spec;

	if (h->n_tasks < HOST_CROWD || h->kernel_major < 6 ||
		(h->kernel_major == 6 && h->kernel_minor < 15) || h->n_v1)
		return false;
	if (!(d->plan->namespaces.clone_flags & CLONE_NEWNS) || namespaces_restricted(d) ||
		s->overlay.n_lower || d->req->no_pivot || wanted == MS_SHARED ||
		wanted == MS_UNBINDABLE || has_early_hooks(s))
		return false;
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!is_plain_mount(&s->mounts[i]))
			return false;
	return true;
}

int root_decide(const struct decide *d, struct err *e)
{
	const struct spec *s = d->spec;
	struct plan_root *root = &d->plan->root;
	uint64_t wanted = propagation_flag(s->linux_.rootfs_propagation);

	if (!s->root_path)
		return err_say(e, "root: no root filesystem is given");
	root->has_mount_ns = namespaces_has(&d->plan->namespaces, CLONE_NEWNS);
	root->path = s->root_path[0] == '/'
			     ? s->root_path
			     : arena_printf(d->arena, "%s/%s", d->req->bundle, s->root_path);
	root->readonly = s->root_readonly;
	root->overlay = s->overlay;
	root->overlay_userxattr = s->overlay.n_lower && namespaces_restricted(d);
	root->bind_fallback = s->overlay.n_lower && !s->overlay.upper;
	root->no_pivot = d->req->no_pivot;
	if (s->overlay.n_lower && !root->has_mount_ns)
		return err_say(e, "clade.overlay needs a mount namespace of its own");
	if (!root->has_mount_ns && (root->readonly || wanted))
		return err_say(e, "root: readonly and rootfsPropagation need a mount namespace");
	/*
	 * Before anything is mounted: nothing of ours reaches the host. A shared one is asked for
	 * by engines that want it to (podman's and docker's rshared volumes).
	 */
	root->propagation = wanted == MS_SHARED || wanted == MS_PRIVATE ? wanted : MS_SLAVE;
	root->propagation_recursive = true;
	/* of the root alone: its mounts have their own. "runbindable" is no word of theirs. */
	root->final_propagation = wanted;
	root->final_recursive = wanted == MS_UNBINDABLE && s->linux_.rootfs_propagation_recursive;
	root->from_template = can_use_template(d, wanted);
	return decide_paths(d, e);
}
