/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.conf, hosts and hostname, as docker writes them for a container. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/want.h"

struct text;

/*
 * host: the host's resolv.conf; lent. Servers on the host's loopback are of no use in a network
 * namespace of its own (shares_host: they are): without one that is left, forwarder is
 * (NULL: docker's choice, 8.8.8.8). server: of a bridge with names, instead of all.
 * Returns true when forwarder was needed.
 */
bool files_resolv(const struct want *w, const char *host, bool shares_host, const char *forwarder,
	const struct want_words *servers, struct text *t);

/* host: the host's own hosts file, for one that shares its network; else NULL. */
struct files_self {
	const char *ip, *ip6;
};
int files_hosts(const struct want *w, const char *host, const struct files_self *selves, size_t n,
	const char *host_gateway, struct text *t, struct err *e);

/* Puts text in the place of what the file has: it may be mounted, so it stays the same file. */
int files_write(int dir, const char *name, const char *text, struct err *e);
