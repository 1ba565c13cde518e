/* SPDX-License-Identifier: Apache-2.0 */
/* Which namespaces are new, which are joined, which are the caller's. */
#include <linux/capability.h>
#include <sched.h>

#include "base/str.h"
#include "plan/decide.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

static const char *flag_word(int flag)
{
	static const struct {
		int flag;
		const char *word;
	} words[] = {
		{ CLONE_NEWUSER, "user" },
		{ CLONE_NEWNS, "mount" },
		{ CLONE_NEWUTS, "uts" },
		{ CLONE_NEWIPC, "ipc" },
		{ CLONE_NEWNET, "network" },
		{ CLONE_NEWPID, "pid" },
		{ CLONE_NEWCGROUP, "cgroup" },
		{ CLONE_NEWTIME, "time" },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].flag == flag)
			return words[i].word;
	return "unknown";
}

bool namespaces_has(const struct plan_namespaces *n, int flag)
{
	if ((n->clone_flags | n->unshare_flags) & (unsigned)flag)
		return true;
	if (flag == CLONE_NEWTIME && n->new_time)
		return true;
	for (size_t i = 0; i < n->n_joins; i++)
		if (n->joins[i].flag == flag)
			return true;
	return false;
}

bool namespaces_restricted(const struct decide *d)
{
	return !d->host->in_initial_userns || namespaces_has(&d->plan->namespaces, CLONE_NEWUSER);
}

static int add(const struct decide *d, const struct spec_namespace *s, struct err *e)
{
	struct plan_namespaces *n = &d->plan->namespaces;

	if (namespaces_has(n, s->flag))
		return err_say(e, "linux.namespaces: %s stands there twice", flag_word(s->flag));
	if (s->path) {
		struct plan_join *join =
			arena_grow(d->arena, &n->joins, &n->n_joins, sizeof(*join));

		if (s->path[0] != '/')
			return err_say(e, "linux.namespaces: the path of %s is not absolute",
				flag_word(s->flag));
		*join = (struct plan_join){ .flag = s->flag, .path = s->path };
		n->joins_user |= s->flag == CLONE_NEWUSER;
		return 0;
	}
	switch (s->flag) {
	case CLONE_NEWCGROUP:
		n->unshare_flags |= CLONE_NEWCGROUP;
		break;
	case CLONE_NEWTIME:
		if (!d->host->has_time_ns)
			return err_say(e, "linux.namespaces: this kernel has no time namespaces");
		n->new_time = true;
		break;
	default:
		n->clone_flags |= (unsigned)s->flag;
	}
	return 0;
}

/* What belongs to a namespace must not change the caller's. */
static int check_owners(const struct decide *d, struct err *e)
{
	const struct plan_namespaces *n = &d->plan->namespaces;
	const struct spec *s = d->spec;

	if (s->hostname && !namespaces_has(n, CLONE_NEWUTS))
		return err_say(
			e, "hostname is set, but the container has no uts namespace of its own");
	if (s->domainname && !namespaces_has(n, CLONE_NEWUTS))
		return err_say(
			e, "domainname is set, but the container has no uts namespace of its own");
	if ((s->linux_.monotonic.set || s->linux_.boottime.set) && !n->new_time)
		return err_say(e, "linux.timeOffsets are set without a new time namespace");
	if (s->linux_.n_net_devices && !namespaces_has(n, CLONE_NEWNET))
		return err_say(
			e, "linux.netDevices are set without a network namespace of its own");
	if (!(d->host->caps & (UINT64_C(1) << CAP_SYS_ADMIN)) && !namespaces_has(n, CLONE_NEWUSER))
		return err_say(e, "linux.namespaces: without privileges a container needs a user "
				  "namespace");
	return 0;
}

int namespaces_decide(const struct decide *d, struct err *e)
{
	const struct spec_linux *l = &d->spec->linux_;
	struct plan_namespaces *n = &d->plan->namespaces;

	for (size_t i = 0; i < l->n_namespaces; i++) {
		int r = add(d, &l->namespaces[i], e);

		if (r < 0)
			return r;
	}
	n->monotonic = l->monotonic;
	n->boottime = l->boottime;
	d->plan->hostname = d->spec->hostname;
	d->plan->domainname = d->spec->domainname;
	d->plan->net_devices = l->net_devices;
	d->plan->n_net_devices = l->n_net_devices;
	d->plan->loopback_up = n->clone_flags & CLONE_NEWNET;
	return check_owners(d, e);
}
