/* SPDX-License-Identifier: Apache-2.0 */
#include "net/names.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <resolv.h>
#include <sched.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "os/clone.h"

enum {
	NAMES_PORT = 53,
	WAIT_MS = 1000,
	ANSWER_MS = 20, /* it answers within one, or never */
	PAUSE_MS = 2,	/* after a refusal */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A socket of that namespace, connected to the server; the caller stays where it is. */
static int socket_in(int netns, const struct addr *server)
{
	struct sockaddr_storage to;
	socklen_t len = addr_sockaddr(server, NAMES_PORT, &to);
	autofd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd = FD_NONE;

	if (home < 0 || clone_join(netns, CLONE_NEWNET) < 0)
		return -EPERM;
	fd = socket(server->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (clone_join(home, CLONE_NEWNET) < 0 || fd < 0 ||
		connect(fd, (struct sockaddr *)&to, len) < 0)
		return -EPERM;
	return take_fd(&fd);
}

/* RFC 1035, 4.1.1: the same ID, a response, no error, and something in the answer section */
static bool answers(const uint8_t *query, const uint8_t *reply, ssize_t n)
{
	const HEADER *q = (const HEADER *)query, *r = (const HEADER *)reply;

	return n >= (ssize_t)sizeof(*r) && r->id == q->id && r->qr && r->rcode == ns_r_noerror &&
	       r->ancount != 0;
}

void names_wait(int netns, const struct addr *server, const char *name)
{
	_Alignas(HEADER) uint8_t query[NS_PACKETSZ], reply[NS_PACKETSZ];
	int len = res_mkquery(ns_o_query, name, ns_c_in,
		server->family == AF_INET ? ns_t_a : ns_t_aaaa, NULL, 0, NULL, query,
		sizeof(query));
	int64_t end = now_ms() + WAIT_MS;
	autofd fd = len < 0 ? FD_NONE : socket_in(netns, server);

	if (fd < 0)
		return;
	while (now_ms() < end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (send(fd, query, (size_t)len, MSG_NOSIGNAL) == len &&
			poll(&p, 1, ANSWER_MS) > 0 &&
			answers(query, reply, recv(fd, reply, sizeof(reply), MSG_DONTWAIT)))
			return;
		/* refused: nobody listens at this moment */
		poll(NULL, 0, PAUSE_MS);
	}
}
