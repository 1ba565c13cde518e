/* SPDX-License-Identifier: Apache-2.0 */
#include "os/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/netlink.h"

int link_loopback_up(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	autofd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* a kernel without IPv4: netlink sockets take the request too */
	if (s < 0)
		s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (s < 0)
		return -errno;
	lo.ifr_flags = IFF_UP;
	return ioctl(s, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

int link_loopback_up_of(int fd)
{
	autofd own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (own < 0 || setns(fd, CLONE_NEWNET) < 0)
		return -errno;
	r = link_loopback_up();
	return setns(own, CLONE_NEWNET) < 0 ? -errno : r;
}

enum { TRIES = 100 };

struct address {
	struct ifaddrmsg header;
	uint8_t bytes[16];
	size_t size;
};

struct addresses {
	struct address items[64];
	size_t n;
};

static void take_address(struct addresses *list, const struct nlmsghdr *h, int index)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(h);
	struct address *a = &list->items[list->n];
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*ifa)));

	if ((int)ifa->ifa_index != index || list->n == ARRAY_LEN(list->items) ||
		ifa->ifa_scope != RT_SCOPE_UNIVERSE || !(ifa->ifa_flags & IFA_F_PERMANENT))
		return;
	a->header = *ifa;
	a->size = 0;
	for (const struct rtattr *r = IFA_RTA(ifa); RTA_OK(r, left); r = RTA_NEXT(r, left)) {
		/* IFA_LOCAL is the address itself where both stand (point to point) */
		if (r->rta_type != IFA_LOCAL && (r->rta_type != IFA_ADDRESS || a->size))
			continue;
		a->size = RTA_PAYLOAD(r) <= sizeof(a->bytes) ? RTA_PAYLOAD(r) : 0;
		memcpy(a->bytes, RTA_DATA(r), a->size);
	}
	list->n += a->size > 0;
}

struct listing {
	struct addresses *list;
	int index;
};

static void see_address(void *data, const struct nlmsghdr *h)
{
	const struct listing *l = data;

	if (h->nlmsg_type == RTM_NEWADDR)
		take_address(l->list, h, l->index);
}

static int list_addresses(int s, int index, struct addresses *ret)
{
	struct ifaddrmsg body = { .ifa_family = AF_UNSPEC };
	struct listing l = { ret, index };
	struct netlink_message m;
	int r = -EAGAIN;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));
	for (int tries = 0; r == -EAGAIN && tries < TRIES; tries++) {
		ret->n = 0;
		r = netlink_get(s, &m, see_address, &l);
	}
	return r;
}

static int index_of(const char *name)
{
	struct ifreq request = { 0 };
	autofd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(name) >= sizeof(request.ifr_name))
		return -EINVAL;
	memcpy(request.ifr_name, name, strlen(name) + 1);
	if (s < 0 || ioctl(s, SIOCGIFINDEX, &request) < 0)
		return -errno;
	return request.ifr_ifindex;
}

static int move_to(int s, int index, int netns_fd, const char *name)
{
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	uint32_t fd = (uint32_t)netns_fd;
	struct netlink_message m;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	netlink_add(&m, IFLA_NET_NS_FD, &fd, sizeof(fd));
	netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_ask(s, &m);
}

static int set_up_there(int s, const char *name, const struct addresses *list)
{
	int index = index_of(name), r;
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP };
	struct netlink_message m;

	if (index < 0)
		return index;
	for (size_t i = 0; i < list->n; i++) {
		struct ifaddrmsg ifa = list->items[i].header;

		ifa.ifa_index = (unsigned)index;
		netlink_begin(&m, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &ifa,
			sizeof(ifa));
		netlink_add(&m, IFA_LOCAL, list->items[i].bytes, list->items[i].size);
		netlink_add(&m, IFA_ADDRESS, list->items[i].bytes, list->items[i].size);
		r = netlink_ask(s, &m);
		if (r < 0)
			return r;
	}
	netlink_begin(&m, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	return netlink_ask(s, &m);
}

/* "eth%d": the lowest number that is free where we are now, as the kernel would choose it. */
static int expand(const char *pattern, char out[IFNAMSIZ])
{
	const char *number = strstr(pattern, "%d");

	for (int i = 0; i < 4096; i++) {
		int n = snprintf(
			out, IFNAMSIZ, "%.*s%d%s", (int)(number - pattern), pattern, i, number + 2);

		if (n >= IFNAMSIZ)
			return -EINVAL;
		if (index_of(out) == -ENODEV)
			return 0;
	}
	return -EEXIST;
}

/* A name that is taken is found out before the move: the kernel finds it out after it. */
static int check_name(const char *asked, char out[IFNAMSIZ])
{
	strcpy(out, asked);
	return index_of(out) == -ENODEV ? 0 : -EEXIST;
}

/* The name it gets there; the caller comes back to where it was. */
static int choose_name(int home, int there, const char *asked, char out[IFNAMSIZ])
{
	const char *percent = strchr(asked, '%');
	int r;

	if (!asked[0] || strlen(asked) >= IFNAMSIZ)
		return -EINVAL;
	if (percent && (percent[1] != 'd' || strchr(percent + 1, '%')))
		return -EINVAL;
	if (setns(there, CLONE_NEWNET) < 0)
		return -errno;
	r = percent ? expand(asked, out) : check_name(asked, out);
	return setns(home, CLONE_NEWNET) < 0 ? -errno : r;
}

int link_move(const char *name, int netns_fd, const char *new_name)
{
	autofd here = netlink_open();
	autofd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = FD_NONE;
	struct addresses list = { .n = 0 };
	char chosen[IFNAMSIZ];
	int index = index_of(name), r;

	if (here < 0)
		return here;
	if (home < 0)
		return -errno;
	if (index < 0)
		return index;
	r = choose_name(home, netns_fd, new_name, chosen);
	if (r == 0)
		r = list_addresses(here, index, &list);
	if (r == 0)
		r = move_to(here, index, netns_fd, chosen);
	if (r < 0)
		return r;
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return -errno;
	there = netlink_open();
	r = there < 0 ? there : set_up_there(there, chosen, &list);
	if (setns(home, CLONE_NEWNET) < 0)
		return -errno;
	return r;
}
