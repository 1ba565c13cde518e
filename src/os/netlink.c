/* SPDX-License-Identifier: Apache-2.0 */
#include "os/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

int netlink_open(void)
{
	int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return s < 0 ? -errno : s;
}

void netlink_begin(
	struct netlink_message *m, uint16_t type, uint16_t flags, const void *body, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->bytes;

	memset(m->bytes, 0, sizeof(m->bytes));
	h->nlmsg_len = NLMSG_LENGTH(size);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(NLMSG_DATA(h), body, size);
}

void netlink_add(struct netlink_message *m, uint16_t type, const void *data, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->bytes;
	struct rtattr *a = (struct rtattr *)(m->bytes + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

int netlink_ask(int s, const struct netlink_message *m)
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

int netlink_get(int s, const struct netlink_message *m, netlink_visit *visit, void *data)
{
	autofree uint8_t *answer = mem_alloc(NETLINK_ANSWER_MAX);
	const struct nlmsghdr *h = (const struct nlmsghdr *)m->bytes;
	bool several = h->nlmsg_flags & NLM_F_DUMP, torn = false;

	if (send(s, m->bytes, h->nlmsg_len, 0) < 0)
		return -errno;
	do {
		ssize_t n = recv(s, answer, NETLINK_ANSWER_MAX, 0);
		int left = (int)n;

		if (n < 0)
			return -errno;
		for (h = (struct nlmsghdr *)answer; NLMSG_OK(h, (unsigned)left);
			h = NLMSG_NEXT(h, left)) {
			torn |= (h->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
			if (h->nlmsg_type == NLMSG_DONE)
				return torn ? -EAGAIN : 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			visit(data, h);
		}
	} while (several);
	return 0;
}
