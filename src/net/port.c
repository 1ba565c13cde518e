/* SPDX-License-Identifier: Apache-2.0 */
/* -p and --expose, docker's words. */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "net/addr.h"
#include "net/want.h"

/* "80" or "80-90" */
static int range(const char *text, unsigned *ret_first, unsigned *ret_last)
{
	char copy[16];
	char *dash;
	int first, last;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	if (str_int(copy, &first) < 0 || str_int(dash ? dash : copy, &last) < 0 || first < 1 ||
		last > 65535 || last < first)
		return -EINVAL;
	*ret_first = (unsigned)first;
	*ret_last = (unsigned)last;
	return 0;
}

/* Cuts "/tcp" or "/udp" off. */
static int protocol(const char *flag, const char *whole, char *text, bool *ret_udp, struct err *e)
{
	char *slash = strchr(text, '/');

	*ret_udp = false;
	if (!slash)
		return 0;
	*slash++ = '\0';
	*ret_udp = str_eq(slash, "udp");
	if (!*ret_udp && !str_eq(slash, "tcp"))
		return err_say(e, "%s %s: tcp or udp is wanted behind the /", flag, whole);
	return 0;
}

static int no_port(const char *flag, const char *whole, const char *text, struct err *e)
{
	return err_say(e, "%s %s: \"%s\" is no port and no range of ports (1 to 65535)", flag,
		whole, text);
}

/* Cuts the host's address off the front: "[::1]:80:80", "127.0.0.1:80:80", "127.0.0.1::80". */
static int host_address(const char *whole, char **rest, const char **ret, struct err *e)
{
	char *text = *rest, *colon, *end;
	struct addr addr;

	*ret = "";
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return err_say(e, "-p %s: the ] of the address is missing", whole);
		*end = '\0';
		text++;
		*rest = end + 2;
	} else {
		colon = strchr(text, ':');
		end = colon ? strchr(colon + 1, ':') : NULL;
		if (!end)
			return 0;
		*colon = '\0';
		*rest = colon + 1;
	}
	if (addr_parse(text, &addr) < 0)
		return err_say(e, "-p %s: \"%s\" is no address", whole, text);
	*ret = text;
	return 0;
}

int want_port_parse(const char *whole, struct arena *a, struct want *w, struct err *e)
{
	char *text = arena_strdup(a, whole), *host = NULL, *container;
	unsigned first, last, host_first = 0, host_last = 0;
	struct want_port p = { .host_ip = "" }, *place;

	if (protocol("-p", whole, text, &p.udp, e) < 0 ||
		host_address(whole, &text, &p.host_ip, e) < 0)
		return -e->code;
	container = strrchr(text, ':');
	if (container) {
		*container++ = '\0';
		host = text;
	} else {
		container = text;
	}
	if (range(container, &first, &last) < 0)
		return no_port("-p", whole, container, e);
	if (host && host[0] && range(host, &host_first, &host_last) < 0)
		return no_port("-p", whole, host, e);
	p.container = (uint16_t)first;
	p.count = (uint16_t)(last - first + 1);
	p.host = (uint16_t)host_first;
	if (host_first && p.count == 1 && host_last > host_first)
		p.host_last = (uint16_t)host_last;
	else if (host_first && host_last - host_first != last - first)
		return err_say(e, "-p %s: the two ranges are not of the same length", whole);
	if (!host_first && p.count > 1) {
		/* any free port is one for each */
		for (unsigned i = first; i <= last; i++) {
			place = arena_grow(a, &w->ports, &w->n_ports, sizeof(*place));
			*place = p;
			place->container = (uint16_t)i;
			place->count = 1;
		}
		return 0;
	}
	place = arena_grow(a, &w->ports, &w->n_ports, sizeof(*place));
	*place = p;
	return 0;
}

int want_expose_parse(const char *whole, struct arena *a, struct want *w, struct err *e)
{
	char *text = arena_strdup(a, whole);
	unsigned first, last;
	bool udp;

	if (protocol("--expose", whole, text, &udp, e) < 0)
		return -e->code;
	if (range(text, &first, &last) < 0)
		return no_port("--expose", whole, text, e);
	for (unsigned i = first; i <= last; i++) {
		struct want_port *p;
		bool there = false;

		for (size_t j = 0; j < w->n_ports; j++)
			there |= w->ports[j].udp == udp && i >= w->ports[j].container &&
				 i < (unsigned)w->ports[j].container + w->ports[j].count;
		if (there)
			continue;
		p = arena_grow(a, &w->ports, &w->n_ports, sizeof(*p));
		*p = (struct want_port){
			.host_ip = "", .container = (uint16_t)i, .count = 1, .udp = udp
		};
	}
	return 0;
}

void want_port_text(const struct want_port *p, struct text *t)
{
	const char *protocol_word = p->udp ? "udp" : "tcp";
	bool is6 = strchr(p->host_ip, ':') != NULL;

	if (!p->host) {
		text_addf(t, "%u", p->container);
	} else {
		text_addf(t, "%s%s%s:%u", is6 ? "[" : "", p->host_ip[0] ? p->host_ip : "0.0.0.0",
			is6 ? "]" : "", p->host);
		if (p->count > 1)
			text_addf(t, "-%u", p->host + p->count - 1u);
		text_addf(t, "->%u", p->container);
	}
	if (p->count > 1)
		text_addf(t, "-%u", p->container + p->count - 1u);
	text_addf(t, "/%s", protocol_word);
}
