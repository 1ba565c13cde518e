/* SPDX-License-Identifier: Apache-2.0 */
/* What the decisions ask of the machine depends on the configuration: it need not tell the rest. */
#include <sched.h>
#include <string.h>

#include "plan/decide.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static bool asks_only_devices(const struct spec_resources *r)
{
	static const struct spec_resources none;
	struct spec_resources rest;

	memcpy(&rest, r, sizeof(rest));
	rest.devices = NULL;
	rest.n_devices = 0;
	return memcmp(&rest, &none, sizeof(rest)) == 0;
}

static bool is_named(const char *s)
{
	return s && s[0];
}

unsigned plan_wants_exec(const struct spec_process *p)
{
	return is_named(p->apparmor_profile) || is_named(p->selinux_label) ? HOST_LSM : 0;
}

unsigned plan_wants(const struct spec *s, enum cgroup_manager manager)
{
	const struct spec_linux *l = &s->linux_;
	unsigned wants = plan_wants_exec(&s->process);

	if (manager != CGROUP_FS)
		wants |= HOST_OWN_CGROUP | HOST_SYSTEMD;
	if (!asks_only_devices(&l->resources))
		wants |= HOST_CONTROLLERS;
	if (is_named(l->mount_label))
		wants |= HOST_LSM;
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i].flag == CLONE_NEWTIME)
			wants |= HOST_TIME;
	return wants;
}
