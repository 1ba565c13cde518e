/* SPDX-License-Identifier: Apache-2.0 */
/* HOST: the class of service in the resctrl filesystem (plan/resctrl.c says which). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/resctrl.h"

static int find_root(char **ret, struct err *e)
{
	int r = resctrl_find(ret);

	if (r == -ENOENT)
		return err_say(e, "linux.intelRdt: no resctrl filesystem is mounted here");
	return r < 0 ? err_set(e, -r, "look for the resctrl filesystem") : 0;
}

/* A refusal of the filesystem's has its reason in a file. */
static int refused(const char *root, const char *what, const char *on, int code, struct err *e)
{
	char why[256];

	resctrl_why(root, why, sizeof(why));
	return err_set(e, code, "linux.intelRdt: %s %s%s%s%s", what, on, why[0] ? " (" : "", why,
		why[0] ? ")" : "");
}

/* One that is there already was made for others, too: it must be what is asked for. */
static int fill(const struct plan_resctrl *p, const char *root, int group, bool made, struct err *e)
{
	for (size_t i = 0; i < p->n_lines; i++) {
		int r = made || str_eq(p->clos, "/") ? 0 : resctrl_has(group, p->lines[i]);

		if (r == 1)
			continue;
		if (r < 0)
			return err_set(e, -r, "linux.intelRdt: compare %s with class %s",
				p->lines[i], p->clos);
		if (!made && !str_eq(p->clos, "/"))
			return err_say(e, "linux.intelRdt: class %s is there already and is not %s",
				p->clos, p->lines[i]);
		r = resctrl_write(group, p->lines[i]);
		if (r < 0)
			return refused(root, "write schemata", p->lines[i], -r, e);
	}
	return 0;
}

static int enter(struct birth *b, const char *root, int group, struct err *e)
{
	const struct plan_resctrl *p = &b->plan->resctrl;
	autofd mon = FD_NONE;
	int r = resctrl_join(group, b->init.pid);

	if (r < 0)
		return refused(root, "put the container into class", p->clos, -r, e);
	if (!p->monitor)
		return 0;
	mon = resctrl_monitor(group, p->monitor, &b->resctrl_mon_made);
	r = mon < 0 ? mon : resctrl_join(mon, b->init.pid);
	return r < 0 ? refused(root, "make monitoring group", p->monitor, -r, e) : 0;
}

int host_resctrl(struct birth *b, struct err *e)
{
	const struct plan_resctrl *p = &b->plan->resctrl;
	autofree char *root = NULL;
	autofd group = FD_NONE;

	if (find_root(&root, e) < 0)
		return -e->code;
	group = resctrl_open(root, p->clos, p->create, &b->resctrl_made);
	if (group == -ENOENT)
		return err_say(e, "linux.intelRdt.closID: there is no class %s", p->clos);
	if (group < 0)
		return refused(root, "open class", p->clos, -group, e);
	if (b->ret_resctrl_made)
		*b->ret_resctrl_made = b->resctrl_made;
	if (fill(p, root, group, b->resctrl_made, e) < 0)
		return -e->code;
	return enter(b, root, group, e);
}

/* exec: as the container is */
int host_resctrl_join(struct birth *b, struct err *e)
{
	const struct plan_resctrl *p = &b->plan->resctrl;
	autofree char *root = NULL;
	autofd group = FD_NONE;
	bool made;

	if (find_root(&root, e) < 0)
		return -e->code;
	group = resctrl_open(root, p->clos, false, &made);
	if (group < 0)
		return refused(root, "open class", p->clos, -group, e);
	return enter(b, root, group, e);
}

void birth_resctrl_remove(const struct plan_resctrl *p, bool group, bool mon)
{
	autofree char *root = NULL;
	const char *slash = str_eq(p->clos, "/") ? "" : "/", *clos = *slash ? p->clos : "";
	autotext path = { 0 };

	if (resctrl_find(&root) < 0)
		return;
	if (mon) {
		text_addf(&path, "%s%s%s/mon_groups/%s", root, slash, clos, p->monitor);
		rmdir(path.p);
	}
	path.len = 0;
	text_addf(&path, "%s%s%s", root, slash, clos);
	if (group && *slash)
		rmdir(path.p);
}

void host_resctrl_undo(struct birth *b)
{
	birth_resctrl_remove(&b->plan->resctrl, b->resctrl_made, b->resctrl_mon_made);
}
