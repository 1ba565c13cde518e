/* SPDX-License-Identifier: Apache-2.0 */
/* The one page of calls that make a plan: each decision sees what was decided before it. */
#include <sched.h>
#include <stdio.h>

#include "base/str.h"
#include "plan/cgroup_limits.h"
#include "plan/decide.h"
#include "plan/systemd.h"

void decide_warn(const struct decide *d, const char *fmt, ...)
{
	struct spec_strings *w = &d->plan->warnings;
	char text[512];
	const char **item;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	item = arena_grow(d->arena, &w->items, &w->n, sizeof(*item));
	*item = arena_strdup(d->arena, text);
}

const char *decide_clean_path(const struct decide *d, const char *path)
{
	char *clean = arena_alloc(d->arena, strlen(path) + 2), *end = clean;

	for (const char *s = path; *s;) {
		size_t n;

		s += strspn(s, "/");
		n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			while (end > clean && *--end != '/')
				;
		} else if (n && !(n == 1 && s[0] == '.')) {
			*end++ = '/';
			memcpy(end, s, n);
			end += n;
		}
		s += n;
	}
	if (end == clean)
		*end++ = '/';
	*end = '\0';
	return clean;
}

static struct decide begin(const struct plan_request *req, struct plan *ret)
{
	*ret = (struct plan){
		.spec = req->spec, .host = req->host, .waits_for_start = req->waits_for_start
	};
	return (struct decide){
		.req = req, .spec = req->spec, .host = req->host, .plan = ret, .arena = &ret->arena
	};
}

static void copy_names(const struct decide *d)
{
	d->plan->id = arena_strdup(d->arena, d->req->id);
	d->plan->bundle = arena_strdup(d->arena, d->req->bundle ? d->req->bundle : "");
}

int plan_make(const struct plan_request *req, struct plan *ret, struct err *e)
{
	struct decide d = begin(req, ret);
	const struct spec_process *process = &req->spec->process;

	copy_names(&d);
	if (!req->spec->has_process)
		return err_say(e, "process: there is none to run");
	if (namespaces_decide(&d, e) < 0 || ids_decide(&d, process, e) < 0 ||
		root_decide(&d, e) < 0 || mounts_decide(&d, e) < 0 || devices_decide(&d, e) < 0 ||
		cgroup_decide(&d, e) < 0 || resctrl_decide(&d, e) < 0 || sysctl_decide(&d, e) < 0 ||
		process_decide(&d, process, e) < 0 || caps_decide(&d, process, e) < 0 ||
		seccomp_decide(&d, e) < 0)
		return -e->code;
	/* where the executable cannot be written anyway there is nothing to protect */
	return 0;
}

int plan_make_exec(const struct plan_request *req, const struct spec_process *process,
	struct plan *ret, struct err *e)
{
	struct decide d = begin(req, ret);
	const struct spec_linux *l = &req->spec->linux_;

	copy_names(&d);
	ret->joins_v1 = req->joins_v1;
	/* the container's namespaces are joined: what is new there is ours to join here */
	for (size_t i = 0; i < l->n_namespaces; i++)
		ret->namespaces.joins_user |= l->namespaces[i].flag == CLONE_NEWUSER;
	if (ids_decide(&d, process, e) < 0 || process_decide(&d, process, e) < 0 ||
		caps_decide(&d, process, e) < 0 || resctrl_decide(&d, e) < 0)
		return -e->code;
	if (!req->filter)
		return seccomp_decide(&d, e);
	ret->process.seccomp = *req->filter;
	return 0;
}

int plan_make_update(const struct plan_request *req, const struct spec_resources *resources,
	struct plan *ret, struct err *e)
{
	struct decide d = begin(req, ret);

	copy_names(&d);
	if (cgroup_decide(&d, e) < 0)
		return -e->code;
	/* cgroup_decide() took the container's own limits: only what is asked for now is written */
	ret->cgroup.writes = NULL;
	ret->cgroup.n_writes = 0;
	ret->cgroup.device_prog = NULL;
	ret->cgroup.must_be_new = false;
	ret->cgroup.properties = (struct spec_pairs){ 0 };
	if (resctrl_lines(&d, req->l3_cache_schema, req->mem_bw_schema, e) < 0)
		return -e->code;
	if (ret->cgroup.manager == CGROUP_SYSTEMD && systemd_limits_decide(&d, resources, e) < 0)
		return -e->code;
	return cgroup_limits_decide(&d, resources, e);
}

void plan_done(struct plan *p)
{
	arena_done(&p->arena);
}
