/* SPDX-License-Identifier: Apache-2.0 */
/* HOST: the container's network: its namespace, its loopback interface, devices, and the rest. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "birth/internal.h"
#include "os/clone.h"
#include "os/link.h"

/* Root of a user namespace could leave the network it is in, which is not its own, but not return.
 */
static bool may_set_up_networks(const struct plan *p)
{
	const uint64_t rights = UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_NET_ADMIN;

	return p->host->in_initial_userns && (p->host->caps & rights) == rights;
}

bool birth_host_makes_network(const struct plan *p)
{
	/* with devices or a network to come it is needed at once, and belongs to the user namespace
	 */
	return (p->namespaces.clone_flags & CLONE_NEWNET) && may_set_up_networks(p) &&
	       !(p->namespaces.clone_flags & CLONE_NEWUSER) && !host_needs_midwife(p) &&
	       !p->n_net_devices && !p->with_network;
}

bool birth_host_sets_loopback(const struct plan *p)
{
	return p->loopback_up && may_set_up_networks(p);
}

/* Another network namespace for HOST, for as long as it takes to open it. */
static int make_network(int *ret)
{
	int r = clone_unshare(CLONE_NEWNET);

	if (r < 0)
		return r;
	*ret = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

int host_network_namespace(struct birth *b, struct err *e)
{
	autofd own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r, back;

	if (own < 0)
		return err_set(e, errno, "open /proc/self/ns/net");
	r = make_network(&b->netns);
	back = clone_join(own, CLONE_NEWNET);
	if (r < 0)
		return err_set(e, -r, "make a network namespace");
	return back < 0 ? err_set(e, -back, "go back to the own network namespace") : 0;
}

int host_loopback(struct birth *b, struct err *e)
{
	int r = link_loopback_up_of(b->netns >= 0 ? b->netns : b->init.pidfd);

	return r < 0 ? err_set(e, -r, "set the container's loopback interface up") : 0;
}

int host_net_devices(struct birth *b, struct err *e)
{
	char path[32];
	autofd netns = FD_NONE;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", b->init.pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_set(e, errno, "open %s", path);
	for (size_t i = 0; i < b->plan->n_net_devices; i++) {
		const struct spec_net_device *d = &b->plan->net_devices[i];
		int r = link_move(d->host_name, netns, d->name ? d->name : d->host_name);

		if (r < 0)
			return err_set(e, -r, "move network interface %s into the container",
				d->host_name);
	}
	return 0;
}

int host_network(struct birth *b, struct err *e)
{
	return b->network->begin(b->data, &b->init, e);
}

void host_network_undo(struct birth *b)
{
	b->network->undo(b->data);
}

int host_network_ready(struct birth *b, struct err *e)
{
	return b->network->ready(b->data, e);
}
