/* SPDX-License-Identifier: Apache-2.0 */
#include "os/veth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/clone.h"
#include "os/netlink.h"

enum { TRIES = 100 };

/* IFLA_LINKINFO with nothing but the kind in it */
struct kind_of_link {
	struct rtattr header;
	char kind[4];
};

static int add_here(const char *name)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct kind_of_link kind = { { RTA_LENGTH(4), IFLA_INFO_KIND }, { 'v', 'e', 't', 'h' } };
	struct netlink_message m;
	autofd s = netlink_open();

	if (s < 0)
		return s;
	netlink_begin(&m, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
	netlink_add(&m, IFLA_LINKINFO, &kind, sizeof(kind));
	return netlink_ask(s, &m);
}

int veth_add(int netns_fd, const char *name)
{
	autofd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home < 0)
		return -errno;
	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	r = clone_join(netns_fd, CLONE_NEWNET);
	if (r < 0)
		return r;
	r = add_here(name);
	return clone_join(home, CLONE_NEWNET) < 0 ? -EPERM : r;
}

static int delete_index(int s, int index)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct netlink_message m;
	int r;

	netlink_begin(&m, RTM_DELLINK, NLM_F_ACK, &body, sizeof(body));
	r = netlink_ask(s, &m);
	return r == -ENODEV ? 0 : r;
}

int veth_delete(const char *name)
{
	autofd s = netlink_open();
	int index = (int)if_nametoindex(name);

	if (s < 0)
		return s;
	return index > 0 ? delete_index(s, index) : 0;
}

/* --- the ends on a bridge -------------------------------------------------------------------- */

struct port {
	int index, other, nsid; /* other: the other end's index in its own namespace */
	bool elsewhere; /* in another namespace: nsid is its number here, -1 if it has none */
};

struct ports {
	struct arena arena;
	struct port *items;
	size_t n;
	int bridge;
};

static int number_in(const struct rtattr *a)
{
	int n = 0;

	if (RTA_PAYLOAD(a) == sizeof(n))
		memcpy(&n, RTA_DATA(a), sizeof(n));
	return n;
}

static bool is_veth(const struct rtattr *info)
{
	int left = (int)RTA_PAYLOAD(info);

	for (const struct rtattr *a = RTA_DATA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_INFO_KIND)
			return strncmp(RTA_DATA(a), "veth", RTA_PAYLOAD(a)) == 0;
	return false;
}

static void see_port(void *data, const struct nlmsghdr *h)
{
	struct ports *ports = data;
	const struct ifinfomsg *info = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*info))), master = 0;
	struct port p = { .index = info->ifi_index }, *place;
	bool veth = false;

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_MASTER)
			master = number_in(a);
		else if (a->rta_type == IFLA_LINK)
			p.other = number_in(a);
		else if (a->rta_type == IFLA_LINKINFO)
			veth = is_veth(a);
		else if (a->rta_type == IFLA_LINK_NETNSID) {
			p.nsid = number_in(a);
			p.elsewhere = true;
		}
	}
	if (!veth || !p.elsewhere || master != ports->bridge)
		return;
	place = arena_grow(&ports->arena, &ports->items, &ports->n, sizeof(*place));
	*place = p;
}

static int list_ports(int s, struct ports *ports)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	uint32_t bridge = (uint32_t)ports->bridge, without = RTEXT_FILTER_SKIP_STATS;
	struct netlink_message m;
	int r = -EAGAIN;

	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &body, sizeof(body));
	netlink_add(&m, IFLA_EXT_MASK, &without, sizeof(without));
	netlink_add(&m, IFLA_MASTER, &bridge, sizeof(bridge));
	for (int tries = 0; r == -EAGAIN && tries < TRIES; tries++) {
		ports->n = 0;
		r = netlink_get(s, &m, see_port, ports);
	}
	return r;
}

static void see_address(void *data, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*info)));

	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	for (const struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == VETH_MAC)
			memcpy(data, RTA_DATA(a), VETH_MAC);
}

/*
 * The kernel gives a namespace that is dying no number (rtnl_fill_link_netnsid(),
 * peernet2id_alloc()), and one that was numbered before is not found by it any more
 * (get_net_ns_by_id(): -EINVAL).
 */
static bool is_to_go(int s, const struct port *p, const uint8_t mac[VETH_MAC])
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = p->other };
	uint8_t found[VETH_MAC] = { 0 };
	int32_t nsid = p->nsid;
	struct netlink_message m;
	int r;

	if (nsid < 0)
		return true;
	netlink_begin(&m, RTM_GETLINK, 0, &body, sizeof(body));
	netlink_add(&m, IFLA_TARGET_NETNSID, &nsid, sizeof(nsid));
	r = netlink_get(s, &m, see_address, found);
	return r == -EINVAL || (r == 0 && mac && memcmp(found, mac, VETH_MAC) == 0);
}

int veth_drop(const char *bridge, const uint8_t mac[VETH_MAC])
{
	struct ports ports = { .bridge = (int)if_nametoindex(bridge) };
	autofd s = netlink_open();
	int r;

	if (s < 0)
		return s;
	if (ports.bridge <= 0)
		return 0;
	r = list_ports(s, &ports);
	for (size_t i = 0; r == 0 && i < ports.n; i++)
		if (is_to_go(s, &ports.items[i], mac))
			r = delete_index(s, ports.items[i].index);
	arena_done(&ports.arena);
	return r;
}
