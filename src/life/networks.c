/* SPDX-License-Identifier: Apache-2.0 */
/* network create, ls, inspect, rm, prune, connect, disconnect; and what a container has of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "life/internal.h"
#include "net/addr.h"
#include "net/lease.h"
#include "os/veth.h"

/* --- make ------------------------------------------------------------------------------------ */

static int take_subnet(struct defs_net *n, const char *text, struct err *e)
{
	struct defs_subnet s = { 0 };

	if (addr_net_parse(text, &s.net) < 0)
		return err_say(e, "--subnet %s: a network as 10.1.2.0/24 is wanted", text);
	if (n->n_subnets == ARRAY_LEN(n->subnets))
		return err_say(e, "--subnet: at most %zu are possible", ARRAY_LEN(n->subnets));
	for (size_t i = 0; i < n->n_subnets; i++)
		if (n->subnets[i].net.addr.family == s.net.addr.family)
			return err_say(e, "--subnet %s: one of each family is enough", text);
	n->subnets[n->n_subnets++] = s;
	return 0;
}

/* The subnet that a gateway or a range lies in. */
static struct defs_subnet *subnet_of(struct defs_net *n, const struct addr *a)
{
	for (size_t i = 0; i < n->n_subnets; i++)
		if (addr_in(&n->subnets[i].net, a))
			return &n->subnets[i];
	return NULL;
}

static int take_gateway(struct defs_net *n, const char *text, struct err *e)
{
	struct defs_subnet *s;
	struct addr a;

	if (addr_parse(text, &a) < 0)
		return err_say(e, "--gateway %s: an address is wanted", text);
	s = subnet_of(n, &a);
	if (!s)
		return err_say(e, "--gateway %s: the address is in no --subnet", text);
	if (addr_eq(&a, &s->net.addr) || addr_is_broadcast(&s->net, &a))
		return err_say(e, "--gateway %s: that address of its subnet is no machine's", text);
	s->gateway = a;
	return 0;
}

/* The last address of a network: where the next one would be one too far. */
static struct addr last_of(const struct addr_net *n)
{
	struct addr a = n->addr;
	unsigned all = a.family == AF_INET ? 32 : 128;

	for (unsigned i = n->bits; i < all; i++)
		a.bytes[i / 8] |= (uint8_t)(0x80u >> (i % 8));
	return a;
}

static int take_range(struct defs_net *n, const char *text, struct err *e)
{
	struct addr_net range;
	struct defs_subnet *s;

	if (addr_net_parse(text, &range) < 0)
		return err_say(e, "--ip-range %s: a network as 10.1.2.64/26 is wanted", text);
	s = subnet_of(n, &range.addr);
	if (!s || s->net.bits > range.bits)
		return err_say(e, "--ip-range %s: it is in no --subnet", text);
	/* the network's own address is no container's */
	if (!addr_eq(&range.addr, &s->net.addr) || !addr_nth(&range, 1, &s->first))
		s->first = range.addr;
	s->last = last_of(&range);
	return 0;
}

int life_network_create(const struct life *l, const struct life_network_create *c, struct arena *a,
	const char **ret_id, struct err *e)
{
	struct defs_net n = {
		.name = c->name, .ipv6 = c->ipv6, .internal = c->internal, .dns = !c->disable_dns
	};
	struct bridge_tools tools;
	autofd dir = FD_NONE;

	if (c->driver && !str_eq(c->driver, "bridge"))
		return err_say(e, "--driver %s: only bridge is known", c->driver);
	if (defs_check_name(c->name, e) < 0 || bridge_usable(n.dns, a, &tools, e) < 0)
		return -e->code;
	for (size_t i = 0; i < c->subnets.n; i++)
		if (take_subnet(&n, c->subnets.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < c->gateways.n; i++)
		if (take_gateway(&n, c->gateways.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < c->ranges.n; i++)
		if (take_range(&n, c->ranges.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < c->labels.n; i++) {
		const char *text = c->labels.items[i], *equals = strchr(text, '=');
		struct defs_label *label = arena_grow(a, &n.labels, &n.n_labels, sizeof(*label));

		if (!text[0] || equals == text)
			return err_say(e, "--label \"%s\": there is no name before the =", text);
		label->key = equals ? arena_strndup(a, text, (size_t)(equals - text)) : text;
		label->value = equals ? equals + 1 : "";
	}
	dir = network_defs(l, e);
	if (dir < 0 || defs_create(dir, a, &n, e) < 0)
		return -e->code;
	*ret_id = n.id;
	return 0;
}

/* --- show ------------------------------------------------------------------------------------ */

static void fill_net(const struct defs_net *n, struct arena *a, struct life_net *ret)
{
	char text[ADDR_TEXT];

	*ret = (struct life_net){ .name = n->name,
		.id = n->id,
		.driver = "bridge",
		.interface = n->interface,
		.created = n->created,
		.internal = n->internal,
		.ipv6 = n->ipv6,
		.dns = n->dns };
	for (size_t i = 0; i < n->n_subnets; i++) {
		struct life_subnet *s = arena_grow(a, &ret->subnets, &ret->n_subnets, sizeof(*s));

		s->subnet = arena_strdup(a, addr_net_text(&n->subnets[i].net, text));
		s->gateway = arena_strdup(a, addr_text(&n->subnets[i].gateway, text));
		if (!n->subnets[i].first.family)
			continue;
		s->first = arena_strdup(a, addr_text(&n->subnets[i].first, text));
		s->last = arena_strdup(a, addr_text(&n->subnets[i].last, text));
	}
	for (size_t i = 0; i < n->n_labels; i++) {
		struct spec_pair *pair =
			arena_grow(a, &ret->labels.items, &ret->labels.n, sizeof(*pair));

		*pair = (struct spec_pair){ n->labels[i].key, n->labels[i].value };
	}
}

/* Each container that names a network in that file; false from visit ends it. */
static int each_user(const struct life *l, const char *network, const char *file, struct arena *a,
	void (*visit)(void *data, const struct held *h, const struct want_link *k, struct arena *a),
	void *data, struct err *e)
{
	char **ids;
	size_t n;

	network_sweep_left(l);
	if (store_list(l->root_fd, a, &ids, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		autoheld h = HELD_NONE;
		autonow now = NOW_NONE;
		struct err ignored;
		struct want w;

		if (held_open(l, ids[i], &h, &ignored) < 0 || now_look(l, &h, &now, &ignored) < 0)
			continue;
		network_sweep(l, &h, &now);
		if (want_read(h.dir, file, a, &w, &ignored) < 0)
			continue;
		for (size_t j = 0; j < w.n_links; j++)
			if (str_eq(w.links[j].network, network))
				visit(data, &h, &w.links[j], a);
	}
	return 0;
}

static void add_user(void *data, const struct held *h, const struct want_link *k, struct arena *a)
{
	struct life_net *n = data;
	struct life_link *c = arena_grow(a, &n->containers, &n->n_containers, sizeof(*c));

	*c = (struct life_link){ .id = arena_strdup(a, h->id),
		.name = arena_strdup(a, h->record.name),
		.ip = k->ip,
		.ip6 = k->ip6,
		.mac = k->mac };
}

int life_network_list(
	const struct life *l, struct arena *a, struct life_net **ret, size_t *ret_n, struct err *e)
{
	static const struct life_net kernels[] = {
		{ .name = "host", .id = "", .driver = "host", .created = "" },
		{ .name = "none", .id = "", .driver = "null", .created = "" },
		{ .name = "private", .id = "", .driver = "pasta", .created = "" },
	};
	autofd dir = network_defs(l, e);
	struct defs_net *all;
	struct life_net *place;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0 || defs_list(dir, a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		place = arena_grow(a, ret, ret_n, sizeof(*place));
		fill_net(&all[i], a, place);
	}
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		place = arena_grow(a, ret, ret_n, sizeof(*place));
		*place = kernels[i];
	}
	return 0;
}

int life_network_inspect(
	const struct life *l, const char *ref, struct arena *a, struct life_net *ret, struct err *e)
{
	autofd dir = network_defs(l, e);
	struct defs_net n;

	if (dir < 0 || defs_find(dir, ref, a, &n, e) < 0)
		return -e->code;
	fill_net(&n, a, ret);
	return each_user(l, n.name, "net", a, add_user, ret, e);
}

/* --- remove ---------------------------------------------------------------------------------- */

static void count_user(void *data, const struct held *h, const struct want_link *k, struct arena *a)
{
	const char **name = data;

	(void)k;
	*name = arena_strdup(a, h->record.name);
}

int life_network_remove(const struct life *l, const char *ref, struct err *e)
{
	autoarena a = { 0 };
	autofd dir = network_defs(l, e);
	const char *used = NULL;
	struct defs_net n;

	if (dir < 0 || defs_find(dir, ref, &a, &n, e) < 0 ||
		each_user(l, n.name, "net", &a, count_user, &used, e) < 0)
		return -e->code;
	if (used)
		return err_say(e, "network %s is in use by container %s", n.name, used);
	if (defs_remove(dir, &n, e) < 0)
		return -e->code;
	lease_forget(l->root_fd, n.name);
	/* netavark takes the bridge away with its last container; one that a crash left goes now */
	veth_delete(n.interface);
	return 0;
}

int life_network_prune(
	const struct life *l, struct arena *a, const char ***ret, size_t *ret_n, struct err *e)
{
	autofd dir = network_defs(l, e);
	struct defs_net *all;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0 || defs_list(dir, a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		const char *used = NULL, **place;

		if (str_eq(all[i].name, DEFS_DEFAULT))
			continue;
		/* those of containers that do not run as well: they would not start again */
		if (each_user(l, all[i].name, "network", a, count_user, &used, e) < 0)
			return -e->code;
		if (used)
			continue;
		if (life_network_remove(l, all[i].name, e) < 0)
			return -e->code;
		place = arena_grow(a, ret, ret_n, sizeof(*place));
		*place = all[i].name;
	}
	return 0;
}

/* --- connect and disconnect ------------------------------------------------------------------ */

struct change {
	const struct life *life;
	struct held h;
	struct now now;
	int lock;	       /* owned */
	struct want asked, is; /* "network"; "net", while it runs */
	struct defs_net net;
	struct network made; /* for its files */
};

static struct want_link *link_of(struct want *w, const char *network)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (str_eq(w->links[i].network, network))
			return &w->links[i];
	return NULL;
}

static int change_begin(struct change *c, const char *network, const char *ref, struct err *e)
{
	autofd dir = network_defs(c->life, e);

	if (dir < 0 || held_open(c->life, ref, &c->h, e) < 0)
		return -e->code;
	c->lock = held_lock(&c->h, e);
	if (c->lock < 0 || now_look(c->life, &c->h, &c->now, e) < 0 ||
		defs_find(dir, network, &c->h.arena, &c->net, e) < 0)
		return -e->code;
	if (want_read(c->h.dir, "network", &c->h.arena, &c->asked, e) < 0)
		return -e->code;
	if (c->asked.mode != WANT_BRIDGE)
		return err_say(e,
			"container %s has --network %s: only one that is on a bridge can be "
			"connected to another",
			c->h.record.name, want_mode_word(c->asked.mode));
	if (c->now.init.pidfd < 0)
		return 0;
	return want_read(c->h.dir, "net", &c->h.arena, &c->is, e);
}

static void change_done(struct change *c)
{
	fd_close(&c->lock);
	now_done(&c->now);
	held_done(&c->h);
}

/* netavark adds or takes one link; then what it will be told at the end is written anew. */
static int change_wires(struct change *c, struct want_link *k, bool add, struct err *e)
{
	struct bridge_tools tools;
	struct want one = c->is;
	char path[64];
	autofd netns = FD_NONE;
	struct bridge_request r = { .tools = &tools,
		.root = c->life->root_fd,
		.root_path = c->life->root,
		.dir = c->h.dir,
		.id = c->h.id,
		.want = &one,
		.nets = &c->net };

	if (bridge_usable(c->net.dns, &c->h.arena, &tools, e) < 0)
		return -e->code;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", c->now.init.pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_set(e, errno, "open %s", path);
	r.netns = netns;
	one.links = k;
	one.n_links = 1;
	return bridge_change(&r, add, e);
}

/* Files, and what will have to be taken back. */
static int change_end(struct change *c, struct err *e)
{
	struct network *n = &c->made;
	struct bridge_request r = {
		.root = c->life->root_fd, .dir = c->h.dir, .id = c->h.id, .want = &c->is
	};

	if (network_write_net(c->h.dir, "network", &c->asked, e) < 0)
		return -e->code;
	if (c->now.init.pidfd < 0)
		return 0;
	*n = (struct network){ .life = c->life,
		.dir = c->h.dir,
		.id = c->h.id,
		.want = c->is,
		.helper = HELPER_NONE,
		.namespaces = { FD_NONE, FD_NONE },
		.lock = FD_NONE };
	if (network_write_net(c->h.dir, "net", &c->is, e) < 0 ||
		network_nets(c->life, &c->is, &n->arena, &n->nets, e) < 0) {
		network_done(n);
		return -e->code;
	}
	r.nets = n->nets;
	if (bridge_remember(&r, e) == 0)
		network_write_files(n, e);
	network_done(n);
	return e->code ? -e->code : 0;
}

/* eth0, eth1, ...: the first that neither list has. */
static const char *free_interface(struct change *c)
{
	for (unsigned i = 0;; i++) {
		const char *name = arena_printf(&c->h.arena, "eth%u", i);
		const struct want *both[] = { &c->asked, &c->is };
		bool taken = false;

		for (size_t j = 0; j < 2; j++)
			for (size_t k = 0; k < both[j]->n_links; k++)
				taken |= str_eq(both[j]->links[k].interface, name);
		if (!taken)
			return name;
	}
}

static void append(struct change *c, struct want *w, const struct want_link *k)
{
	struct want_link *all = arena_array(&c->h.arena, w->n_links + 1, sizeof(*all));

	memcpy(all, w->links, w->n_links * sizeof(*all));
	all[w->n_links++] = *k;
	w->links = all;
}

static int add_network(struct change *c, const struct life_connect *how, struct err *e)
{
	struct want_link k = { .network = c->net.name,
		.interface = free_interface(c),
		.ip = how->ip,
		.ip6 = how->ip6,
		.mac = how->mac };
	int r;

	if (link_of(&c->asked, c->net.name))
		return err_say(
			e, "container %s is on network %s already", c->h.record.name, c->net.name);
	for (size_t i = 0; i < how->aliases.n; i++)
		want_word_add(&c->h.arena, &k.aliases, how->aliases.items[i]);
	if (network_check_link(&k, e) < 0)
		return -e->code;
	append(c, &c->asked, &k);
	if (c->now.init.pidfd < 0)
		return change_end(c, e);
	r = lease_take(c->life->root_fd, &c->net, c->h.id, &k, &c->h.arena, e);
	if (r == 0) {
		r = change_wires(c, &k, true, e);
		if (r < 0)
			lease_drop(c->life->root_fd, &k, c->h.id);
	}
	if (r < 0)
		return r;
	append(c, &c->is, &k);
	return change_end(c, e);
}

int life_network_connect(const struct life *l, const char *network, const char *ref,
	const struct life_connect *how, struct err *e)
{
	struct change c = { .life = l, .h = HELD_NONE, .now = NOW_NONE, .lock = FD_NONE };
	int r = change_begin(&c, network, ref, e);

	if (r == 0)
		r = add_network(&c, how, e);
	change_done(&c);
	return r;
}

static void drop(struct want *w, const char *network)
{
	for (size_t i = 0; i < w->n_links; i++) {
		if (!str_eq(w->links[i].network, network))
			continue;
		memmove(&w->links[i], &w->links[i + 1], (w->n_links - i - 1) * sizeof(w->links[0]));
		w->n_links--;
		return;
	}
}

static int drop_network(struct change *c, bool force, struct err *e)
{
	struct want_link *k = link_of(&c->is, c->net.name), gone;
	struct err why = { 0 };

	if (!link_of(&c->asked, c->net.name) && !k)
		return err_say(
			e, "container %s is not on network %s", c->h.record.name, c->net.name);
	drop(&c->asked, c->net.name);
	if (!k)
		return change_end(c, e);
	gone = *k;
	if (change_wires(c, &gone, false, &why) < 0 && !force) {
		*e = why;
		return -e->code;
	}
	lease_drop(c->life->root_fd, &gone, c->h.id);
	drop(&c->is, c->net.name);
	return change_end(c, e);
}

int life_network_disconnect(
	const struct life *l, const char *network, const char *ref, bool force, struct err *e)
{
	struct change c = { .life = l, .h = HELD_NONE, .now = NOW_NONE, .lock = FD_NONE };
	int r = change_begin(&c, network, ref, e);

	if (r == 0)
		r = drop_network(&c, force, e);
	change_done(&c);
	return r;
}

void network_rename(const struct life *l, struct held *h, const char *name)
{
	static const char *const files[] = { "network", "net" };
	struct err e = { 0 };
	struct want w;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (want_read(h->dir, files[i], &h->arena, &w, &e) < 0)
			continue;
		w.container = name;
		network_write_net(h->dir, files[i], &w, &e);
		for (size_t j = 0; i == 1 && j < w.n_links; j++)
			if (bridge_rename(
				    l->root_fd, l->root, w.links[j].network, h->id, name, &e) < 0)
				log_err(&e);
	}
}

/* --- a container's --------------------------------------------------------------------------- */

static void add_ports(const struct want *w, struct arena *a, struct life_info *ret)
{
	autotext t = { 0 };

	for (size_t i = 0; i < w->n_ports; i++) {
		const struct want_port *p = &w->ports[i];

		if (t.len)
			text_add(&t, ", ");
		want_port_text(p, &t);
		for (unsigned j = 0; j < p->count; j++) {
			struct life_port *port =
				arena_grow(a, &ret->ports, &ret->n_ports, sizeof(*port));

			*port = (struct life_port){ .host_ip =
							    p->host_ip[0] ? p->host_ip : "0.0.0.0",
				.host = p->host + j,
				.container = p->container + j,
				.protocol = p->udp ? "udp" : "tcp" };
		}
	}
	ret->ports_text = arena_strdup(a, t.p ? t.p : "");
}

static void add_link(struct life_info *ret, struct arena *a, const struct life_link *k)
{
	struct life_link *place = arena_grow(a, &ret->links, &ret->n_links, sizeof(*place));

	*place = *k;
}

void network_info(const struct life *l, const struct held *h, bool runs, struct arena *a,
	struct life_info *ret)
{
	struct want w;
	struct err ignored;
	struct defs_net *nets;
	char text[ADDR_TEXT];

	ret->ports_text = ret->network_mode = "";
	if (want_read(h->dir, "network", a, &w, &ignored) < 0)
		return;
	ret->network_mode = w.mode == WANT_BRIDGE && w.n_links ? w.links[0].network
			    : w.mode == WANT_JOINED && h->record.net_of
				    ? arena_printf(a, "container:%s", h->record.net_of)
				    : want_mode_word(w.mode);
	if (!runs || want_read(h->dir, "net", a, &w, &ignored) < 0)
		return;
	if (network_is_made(w.mode))
		add_ports(&w, a, ret);
	if (w.mode == WANT_PRIVATE)
		add_link(ret, a,
			&(struct life_link){ .name = "private",
				.interface = "eth0",
				.mac = w.mac,
				.ip = PASTA_ADDRESS,
				.bits = PASTA_BITS,
				.gateway = PASTA_GATEWAY });
	if (w.mode != WANT_BRIDGE || network_nets(l, &w, a, &nets, &ignored) < 0)
		return;
	for (size_t i = 0; i < w.n_links; i++) {
		struct life_link k = { .name = w.links[i].network,
			.id = nets[i].id,
			.interface = w.links[i].interface,
			.ip = w.links[i].ip,
			.ip6 = w.links[i].ip6,
			.mac = w.links[i].mac,
			.aliases = { w.links[i].aliases.items, w.links[i].aliases.n } };

		for (size_t j = 0; j < nets[i].n_subnets; j++) {
			const struct defs_subnet *s = &nets[i].subnets[j];

			if (s->net.addr.family != AF_INET)
				continue;
			k.bits = s->net.bits;
			k.gateway = arena_strdup(a, addr_text(&s->gateway, text));
		}
		add_link(ret, a, &k);
	}
}
