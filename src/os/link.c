/* SPDX-License-Identifier: Apache-2.0 */
#include "os/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
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

enum { MESSAGE_MAX = 512, ANSWER_MAX = 32768 };

/* A request under construction; the buffer is aligned for its header. */
struct message {
	_Alignas(struct nlmsghdr) uint8_t bytes[MESSAGE_MAX];
};

static void *begin(struct message *m, uint16_t type, uint16_t flags, const void *body, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->bytes;

	memset(m->bytes, 0, sizeof(m->bytes));
	h->nlmsg_len = NLMSG_LENGTH(size);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(NLMSG_DATA(h), body, size);
	return h;
}

static void add_attribute(struct message *m, uint16_t type, const void *data, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->bytes;
	struct rtattr *a = (struct rtattr *)(m->bytes + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Sends it and waits for the kernel's acknowledgement. */
static int ask(int s, const struct message *m)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)m->bytes;
	_Alignas(struct nlmsghdr) uint8_t answer[1024];
	const struct nlmsghdr *back = (const struct nlmsghdr *)answer;
	ssize_t n;

	if (send(s, m->bytes, h->nlmsg_len, 0) < 0)
		return -errno;
	n = recv(s, answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if ((size_t)n < NLMSG_LENGTH(sizeof(int)) || back->nlmsg_type != NLMSG_ERROR)
		return -EBADMSG;
	return ((const struct nlmsgerr *)NLMSG_DATA(back))->error;
}

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

static int list_addresses(int s, int index, struct addresses *ret)
{
	struct ifaddrmsg body = { .ifa_family = AF_UNSPEC };
	autofree uint8_t *answer = mem_alloc(ANSWER_MAX);
	struct message m;
	const struct nlmsghdr *h = begin(&m, RTM_GETADDR, NLM_F_DUMP, &body, sizeof(body));

	if (send(s, m.bytes, h->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t n = recv(s, answer, ANSWER_MAX, 0);
		int left = (int)n;

		if (n < 0)
			return -errno;
		for (h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)left);
			h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == RTM_NEWADDR)
				take_address(ret, h, index);
		}
	}
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
	struct message m;

	begin(&m, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	add_attribute(&m, IFLA_NET_NS_FD, &fd, sizeof(fd));
	add_attribute(&m, IFLA_IFNAME, name, strlen(name) + 1);
	return ask(s, &m);
}

static int set_up_there(int s, const char *name, const struct addresses *list)
{
	int index = index_of(name), r;
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC,
		.ifi_index = index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP };
	struct message m;

	if (index < 0)
		return index;
	for (size_t i = 0; i < list->n; i++) {
		struct ifaddrmsg ifa = list->items[i].header;

		ifa.ifa_index = (unsigned)index;
		begin(&m, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &ifa, sizeof(ifa));
		add_attribute(&m, IFA_LOCAL, list->items[i].bytes, list->items[i].size);
		add_attribute(&m, IFA_ADDRESS, list->items[i].bytes, list->items[i].size);
		r = ask(s, &m);
		if (r < 0)
			return r;
	}
	begin(&m, RTM_NEWLINK, NLM_F_ACK, &body, sizeof(body));
	return ask(s, &m);
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
	autofd here = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	autofd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = FD_NONE;
	struct addresses list = { .n = 0 };
	char chosen[IFNAMSIZ];
	int index = index_of(name), r;

	if (here < 0 || home < 0)
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
	there = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	r = there < 0 ? -errno : set_up_there(there, chosen, &list);
	if (setns(home, CLONE_NEWNET) < 0)
		return -errno;
	return r;
}
