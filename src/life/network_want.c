/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of a network: what they mean, and what cannot be together (docker's rules). */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "life/internal.h"
#include "image/config.h"
#include "net/addr.h"

static bool is_word_of_kernel(const char *net)
{
	return str_eq(net, "host") || str_eq(net, "none") || str_eq(net, "private") ||
	       str_eq(net, "default") || str_starts(net, "container:") || str_starts(net, "ns:");
}

const char *network_namespace_word(const struct life_network *n, struct err *e)
{
	const char *first = n->nets.n ? n->nets.items[0] : "private";

	for (size_t i = 0; n->nets.n > 1 && i < n->nets.n; i++) {
		if (!is_word_of_kernel(n->nets.items[i]))
			continue;
		err_say(e, "--network %s cannot be used together with other networks",
			n->nets.items[i]);
		return NULL;
	}
	if (!first[0]) {
		err_say(e, "--network: a network is wanted");
		return NULL;
	}
	return str_eq(first, "host") || str_starts(first, "container:") || str_starts(first, "ns:")
		       ? first
		       : "private";
}

static enum want_mode mode_of(const char *net)
{
	if (str_eq(net, "host"))
		return WANT_HOST;
	if (str_eq(net, "none"))
		return WANT_NONE;
	if (str_starts(net, "container:") || str_starts(net, "ns:"))
		return WANT_JOINED;
	if (str_eq(net, "private") || str_eq(net, "default"))
		return WANT_PRIVATE;
	return WANT_BRIDGE;
}

static int take_ports(const struct life_network *n, const struct image_words *exposed,
	struct arena *a, struct want *w, struct err *e)
{
	struct want ignored = *w;

	for (size_t i = 0; i < n->publish.n; i++)
		if (want_port_parse(n->publish.items[i], a, w, e) < 0)
			return -e->code;
	/* --expose alone says something to people only; it is checked all the same */
	for (size_t i = 0; i < n->expose.n; i++)
		if (want_expose_parse(n->expose.items[i], a, n->publish_all ? w : &ignored, e) < 0)
			return -e->code;
	for (size_t i = 0; n->publish_all && i < exposed->n; i++)
		if (want_expose_parse(exposed->items[i], a, w, e) < 0)
			return -e->code;
	w->publish_all = n->publish_all;
	return 0;
}

static int take_addresses(const char *flag, const struct opt_list *list, struct want_words *ret,
	struct arena *a, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		struct addr addr;

		if (addr_parse(list->items[i], &addr) < 0)
			return err_say(e, "%s %s: an address is wanted", flag, list->items[i]);
		want_word_add(a, ret, list->items[i]);
	}
	return 0;
}

static bool has_blank(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return true;
	return false;
}

static int take_words(const char *flag, const struct opt_list *list, struct want_words *ret,
	struct arena *a, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		if (!list->items[i][0] || has_blank(list->items[i]))
			return err_say(e, "%s: one word without blanks is wanted", flag);
		want_word_add(a, ret, list->items[i]);
	}
	return 0;
}

/* "NAME:IP", and "NAME=IP" as newer dockers have it; an IPv6 address may stand in [ ]. */
static int take_hosts(const struct life_network *n, struct arena *a, struct want *w, struct err *e)
{
	for (size_t i = 0; i < n->add_hosts.n; i++) {
		const char *text = n->add_hosts.items[i];
		size_t len = strcspn(text, ":=");
		char *ip = arena_strdup(a, text + len + (text[len] ? 1 : 0));
		struct addr addr;
		size_t last = strlen(ip);

		if (ip[0] == '[' && last > 1 && ip[last - 1] == ']') {
			ip[last - 1] = '\0';
			ip++;
		}
		if (!len || !text[len] || has_blank(text) ||
			(addr_parse(ip, &addr) < 0 && !str_eq(ip, "host-gateway")))
			return err_say(e,
				"--add-host %s: NAME:ADDRESS or NAME:host-gateway is wanted", text);
		want_word_add(a, &w->hosts, arena_printf(a, "%.*s %s", (int)len, text, ip));
	}
	return 0;
}

/* What a mode cannot have is refused, as docker does; only with host it goes on. */
static int check_mode(const struct life_network *n, struct want *w, struct err *e)
{
	const char *net = n->nets.n ? n->nets.items[0] : "private";

	if (w->mode == WANT_PRIVATE || w->mode == WANT_BRIDGE)
		return 0;
	if (w->n_ports && w->mode == WANT_HOST) {
		log_warn("published ports are discarded: with --network host they are the host's "
			 "own");
		w->n_ports = 0;
	}
	if (w->n_ports)
		return err_say(e, "-p: a container with --network %s cannot publish ports", net);
	if (n->mac)
		return err_say(e, "--mac-address: not with --network %s", net);
	if (w->mode == WANT_JOINED && str_starts(net, "container:") &&
		(w->dns.n || w->dns_search.n || w->dns_options.n))
		return err_say(e, "--dns: a container with --network %s has the other's", net);
	if (w->mode == WANT_JOINED && str_starts(net, "container:") && w->hosts.n)
		return err_say(e, "--add-host: a container with --network %s has the other's", net);
	return 0;
}

static int check_addresses(const struct life_network *n, const struct want *w, struct err *e)
{
	if (w->mode != WANT_BRIDGE && (n->ip || n->ip6))
		return err_say(e, "--%s is for networks made with `clade network create`",
			n->ip ? "ip" : "ip6");
	if (w->mode != WANT_BRIDGE && n->aliases.n)
		return err_say(
			e, "--network-alias is for networks made with `clade network create`");
	if (n->mac && addr_mac_check(n->mac) < 0)
		return err_say(
			e, "--mac-address %s: six bytes as 02:42:ac:11:00:02 are wanted", n->mac);
	return 0;
}

static const char *link_value(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

/* NETWORK, or docker's long form: name=NETWORK,alias=A,ip=1.2.3.4,ip6=::1,mac-address=... */
static int take_link(const char *text, struct want_link *k, struct arena *a, struct err *e)
{
	char *copy = arena_strdup(a, text), *word;
	const char *value;

	if (!strchr(text, '=')) {
		k->network = text;
		return 0;
	}
	while ((word = strsep(&copy, ","))) {
		if ((value = link_value(word, "name")))
			k->network = value;
		else if ((value = link_value(word, "alias")))
			want_word_add(a, &k->aliases, value);
		else if ((value = link_value(word, "ip")))
			k->ip = value;
		else if ((value = link_value(word, "ip6")))
			k->ip6 = value;
		else if ((value = link_value(word, "mac-address")))
			k->mac = value;
		else
			return err_say(e, "--network %s: %s is not known", text, word);
	}
	return k->network ? 0 : err_say(e, "--network %s: name= is missing", text);
}

/* docker's rule: names and chosen addresses are for networks that somebody made. */
int network_check_link(const struct want_link *k, struct err *e)
{
	struct addr addr;

	for (size_t i = 0; i < k->aliases.n; i++)
		if (!k->aliases.items[i][0] || has_blank(k->aliases.items[i]) ||
			strchr(k->aliases.items[i], ','))
			return err_say(e, "--network-alias: a name without blanks is wanted");
	if (k->mac && addr_mac_check(k->mac) < 0)
		return err_say(
			e, "--mac-address %s: six bytes as 02:42:ac:11:00:02 are wanted", k->mac);
	if ((k->ip && (addr_parse(k->ip, &addr) < 0 || addr.family != AF_INET)) ||
		(k->ip6 && (addr_parse(k->ip6, &addr) < 0 || addr.family != AF_INET6)))
		return err_say(e, "--%s %s: an address is wanted", k->ip ? "ip" : "ip6",
			k->ip ? k->ip : k->ip6);
	if (!str_eq(k->network, DEFS_DEFAULT))
		return 0;
	if (k->aliases.n)
		return err_say(
			e, "--network-alias is for networks made with `clade network create`");
	if (k->ip || k->ip6)
		return err_say(e, "--%s is for networks made with `clade network create`",
			k->ip ? "ip" : "ip6");
	return 0;
}

static int take_links(const struct life *l, const struct life_network *n, struct arena *a,
	struct want *w, struct err *e)
{
	struct defs_net *nets;

	for (size_t i = 0; w->mode == WANT_BRIDGE && i < n->nets.n; i++) {
		struct want_link *k = arena_grow(a, &w->links, &w->n_links, sizeof(*k));

		k->interface = arena_printf(a, "eth%zu", i);
		if (take_link(n->nets.items[i], k, a, e) < 0)
			return -e->code;
		for (size_t j = 0; j < n->aliases.n; j++)
			want_word_add(a, &k->aliases, n->aliases.items[j]);
		if (i == 0) {
			k->ip = n->ip ? n->ip : k->ip;
			k->ip6 = n->ip6 ? n->ip6 : k->ip6;
			k->mac = n->mac ? n->mac : k->mac;
		}
		if (network_check_link(k, e) < 0)
			return -e->code;
	}
	if (w->mode != WANT_BRIDGE)
		return 0;
	if (geteuid() != 0)
		return err_say(e,
			"--network %s: networks with a bridge are root's; a normal user's "
			"container "
			"can have private, none, host, container:NAME or ns:PATH",
			w->links[0].network);
	if (network_nets(l, w, a, &nets, e) < 0)
		return err_wrap(e, "--network");
	for (size_t i = 0; i < w->n_links; i++) {
		w->links[i].network = nets[i].name;
		for (size_t j = 0; j < i; j++)
			if (str_eq(nets[i].name, nets[j].name))
				return err_say(e, "--network %s is given twice", nets[i].name);
	}
	return 0;
}

int network_want(const struct life *l, const struct life_network *n,
	const struct image_words *exposed, const struct spec *s, struct arena *a, struct want *ret,
	struct err *e)
{
	struct want w = { .hostname = s->hostname, .domainname = s->domainname };

	w.mode = mode_of(n->nets.n ? n->nets.items[0] : "private");
	if (take_ports(n, exposed, a, &w, e) < 0 ||
		take_addresses("--dns", &n->dns, &w.dns, a, e) < 0 ||
		take_words("--dns-search", &n->dns_search, &w.dns_search, a, e) < 0 ||
		take_words("--dns-option", &n->dns_options, &w.dns_options, a, e) < 0 ||
		take_hosts(n, a, &w, e) < 0 || check_mode(n, &w, e) < 0 ||
		check_addresses(n, &w, e) < 0 || take_links(l, n, a, &w, e) < 0)
		return -e->code;
	w.mac = w.mode == WANT_PRIVATE ? n->mac : NULL;
	w.asked = n->nets.n || w.n_ports || n->mac;
	*ret = w;
	return 0;
}
