/* SPDX-License-Identifier: Apache-2.0 */
/* The capability sets the program starts with. */
#include "plan/decide.h"

int caps_decide(const struct decide *d, const struct spec_process *process, struct err *e)
{
	const struct spec_caps *c = &process->capabilities;
	struct plan_caps *caps = &d->plan->process.caps;
	unsigned last = d->host->last_cap < 63 ? d->host->last_cap : 63;
	uint64_t known = last == 63 ? UINT64_MAX : (UINT64_C(1) << (last + 1)) - 1;
	/* A new or joined user namespace gives every capability in it; else only what we have. */
	bool owns = d->plan->namespaces.joins_user || d->plan->ids.writer != IDMAP_NONE;
	uint64_t may = owns ? known : known & d->host->caps;

	caps->set = true;
	/* absent: none, as runc and crun read it; what we have nobody asked to be given away */
	if (!c->set)
		return 0;
	/* config.md#linux-process: what cannot be granted is a warning, not a failure. */
	for (size_t i = 0; i < c->unknown.n; i++)
		decide_warn(d, "process.capabilities: %s is not known", c->unknown.items[i]);
	if ((c->bounding | c->permitted | c->effective | c->inheritable | c->ambient) & ~may)
		decide_warn(
			d, "process.capabilities: some cannot be granted here and are left out");
	caps->bounding = c->bounding & may;
	caps->permitted = c->permitted & may;
	caps->effective = c->effective & caps->permitted;
	caps->inheritable = c->inheritable & may;
	/* capabilities(7): ambient ones are both permitted and inheritable */
	caps->ambient = c->ambient & caps->permitted & caps->inheritable;
	return 0;
}
