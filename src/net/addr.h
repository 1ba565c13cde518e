/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses and networks, of both families, as bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16];
};

struct addr_net {
	struct addr addr; /* the network's own address: host bits are 0 */
	unsigned bits;
};

enum { ADDR_TEXT = 64 };

int addr_parse(const char *text, struct addr *ret); /* 0 or -EINVAL */
const char *addr_text(const struct addr *a, char buf[ADDR_TEXT]);
int addr_net_parse(const char *text, struct addr_net *ret); /* "10.1.0.0/16": 0 or -EINVAL */
const char *addr_net_text(const struct addr_net *n, char buf[ADDR_TEXT]);

bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_in(const struct addr_net *n, const struct addr *a);
bool addr_net_overlap(const struct addr_net *a, const struct addr_net *b);

/* The address at a distance from the network's own; false where it lies outside of it. */
bool addr_nth(const struct addr_net *n, uint64_t distance, struct addr *ret);

/* The last address of an IPv4 network is everybody's. */
bool addr_is_broadcast(const struct addr_net *n, const struct addr *a);

/* An address and a port for bind(2); its length. */
socklen_t addr_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ret);

/* "02:42:0a:01:00:02": 0 or -EINVAL */
int addr_mac_check(const char *text);
