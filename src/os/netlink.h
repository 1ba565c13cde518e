/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the kernel's routing sockets (rtnetlink(7)), for link.c and veth.c. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

enum { NETLINK_MESSAGE_MAX = 512, NETLINK_ANSWER_MAX = 32768 };

/* A request under construction; the buffer is aligned for its header. */
struct netlink_message {
	_Alignas(struct nlmsghdr) uint8_t bytes[NETLINK_MESSAGE_MAX];
};

/* A socket of the caller's network namespace, or -errno. */
int netlink_open(void);

/* NLM_F_REQUEST is added to the flags. */
void netlink_begin(
	struct netlink_message *m, uint16_t type, uint16_t flags, const void *body, size_t size);
void netlink_add(struct netlink_message *m, uint16_t type, const void *data, size_t size);

/* Sends a request with NLM_F_ACK and waits for the kernel's word: 0 or -errno. */
int netlink_ask(int s, const struct netlink_message *m);

/*
 * Sends a request for one answer or, with NLM_F_DUMP, for several; visit sees each. 0 or -errno;
 * -EAGAIN: what is listed changed meanwhile, so that something may have been missed.
 */
typedef void netlink_visit(void *data, const struct nlmsghdr *h);
int netlink_get(int s, const struct netlink_message *m, netlink_visit *visit, void *data);
