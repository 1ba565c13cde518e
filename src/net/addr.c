/* SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static size_t length(const struct addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, text, a.bytes) != 1)
		return -EINVAL;
	*ret = a;
	return 0;
}

const char *addr_text(const struct addr *a, char buf[ADDR_TEXT])
{
	if (!a->family || !inet_ntop(a->family, a->bytes, buf, ADDR_TEXT))
		buf[0] = '\0';
	return buf;
}

int addr_net_parse(const char *text, struct addr_net *ret)
{
	char copy[ADDR_TEXT];
	const char *slash = strchr(text, '/');
	struct addr_net n = { .bits = 0 };
	int bits;

	if (!slash || slash - text >= ADDR_TEXT || str_int(slash + 1, &bits) < 0 || bits < 0)
		return -EINVAL;
	memcpy(copy, text, (size_t)(slash - text));
	copy[slash - text] = '\0';
	if (addr_parse(copy, &n.addr) < 0 || (size_t)bits > length(&n.addr) * 8)
		return -EINVAL;
	n.bits = (unsigned)bits;
	for (size_t i = 0; i < length(&n.addr); i++) {
		unsigned left = n.bits > i * 8 ? n.bits - (unsigned)i * 8 : 0;

		if (left < 8)
			n.addr.bytes[i] &= (uint8_t)(0xff00 >> left);
	}
	*ret = n;
	return 0;
}

const char *addr_net_text(const struct addr_net *n, char buf[ADDR_TEXT])
{
	size_t len;

	addr_text(&n->addr, buf);
	len = strlen(buf);
	snprintf(buf + len, ADDR_TEXT - len, "/%u", n->bits);
	return buf;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, length(a)) == 0;
}

bool addr_in(const struct addr_net *n, const struct addr *a)
{
	if (a->family != n->addr.family)
		return false;
	for (unsigned i = 0; i < n->bits; i++) {
		unsigned mask = 0x80u >> (i % 8);

		if ((a->bytes[i / 8] & mask) != (n->addr.bytes[i / 8] & mask))
			return false;
	}
	return true;
}

bool addr_net_overlap(const struct addr_net *a, const struct addr_net *b)
{
	return a->bits < b->bits ? addr_in(a, &b->addr) : addr_in(b, &a->addr);
}

bool addr_nth(const struct addr_net *n, uint64_t distance, struct addr *ret)
{
	struct addr a = n->addr;

	for (size_t i = length(&a); i > 0 && distance; i--) {
		uint64_t sum = a.bytes[i - 1] + (distance & 0xff);

		a.bytes[i - 1] = (uint8_t)sum;
		distance = (distance >> 8) + (sum >> 8);
	}
	if (distance || !addr_in(n, &a))
		return false;
	*ret = a;
	return true;
}

bool addr_is_broadcast(const struct addr_net *n, const struct addr *a)
{
	if (a->family != AF_INET || n->bits >= 31)
		return false;
	for (unsigned i = n->bits; i < 32; i++)
		if (!(a->bytes[i / 8] & (0x80u >> (i % 8))))
			return false;
	return true;
}

socklen_t addr_sockaddr(const struct addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(ret, 0, sizeof(*ret));
	if (a->family == AF_INET) {
		memcpy(&in.sin_addr, a->bytes, 4);
		memcpy(ret, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, a->bytes, 16);
	memcpy(ret, &in6, sizeof(in6));
	return sizeof(in6);
}

int addr_mac_check(const char *text)
{
	if (strlen(text) != 17)
		return -EINVAL;
	for (size_t i = 0; i < 17; i++)
		if (i % 3 == 2 ? text[i] != ':' : !strchr("0123456789abcdefABCDEF", text[i]))
			return -EINVAL;
	/* a group's address is nobody's own */
	return strchr("13579bBdDfF", text[1]) ? -EINVAL : 0;
}
