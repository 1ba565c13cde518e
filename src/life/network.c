/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's network while it lives: what net/ is told to make and to take down. In the
 * container's folder:
 *   network   as asked for, from create on
 *   net       as it is: every port and address chosen; there while something may have to be undone
 *   hosts, resolv.conf, hostname   mounted into the container
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "life/internal.h"
#include "net/addr.h"
#include "net/lease.h"
#include "net/names.h"

bool network_is_made(enum want_mode m)
{
	return m == WANT_PRIVATE || m == WANT_BRIDGE;
}

/* Once in a state folder's life: whoever needs no network is not told each time. */
static void say_loopback_only(const struct life *l, const struct err *why)
{
	autofd fd =
		openat(l->root_fd, "loopback-only", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char text[640];

	if (fd >= 0)
		log_warn("containers have only the loopback network: %s",
			err_text(why, text, sizeof(text)));
}

int network_write_net(int dir, const char *file, const struct want *w, struct err *e)
{
	autotext t = { 0 };

	want_dump(w, &t);
	return store_write(dir, file, t.p, t.len, e);
}

int network_defs(const struct life *l, struct err *e)
{
	autoarena a = { 0 };

	/* what is made once stays: not in a folder that a reboot empties */
	return defs_open(arena_printf(&a, "%s/networks", life_data_path(l, &a)), e);
}

int network_nets(const struct life *l, const struct want *w, struct arena *a, struct defs_net **ret,
	struct err *e)
{
	autofd dir = network_defs(l, e);

	if (dir < 0)
		return -e->code;
	*ret = arena_array(a, w->n_links + 1, sizeof(**ret));
	for (size_t i = 0; i < w->n_links; i++)
		if (defs_find(dir, w->links[i].network, a, &(*ret)[i], e) < 0)
			return -e->code;
	return 0;
}

/* A socket on a port shows whether it is free, and keeps it so for as long as it is open. */
static int try_port(const struct want_port *p, unsigned port, struct err *e)
{
	autofd s = FD_NONE;
	struct sockaddr_storage at;
	struct addr addr;
	int one = 1;
	socklen_t n;

	addr_parse(p->host_ip[0] ? p->host_ip : "0.0.0.0", &addr);
	s = socket(addr.family, (p->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (s < 0)
		return err_set(e, errno, "make a socket");
	if (addr.family == AF_INET6)
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!p->udp)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	n = addr_sockaddr(&addr, (uint16_t)port, &at);
	if (bind(s, (struct sockaddr *)&at, n) < 0)
		return err_set(e, errno, "publish port %s:%u/%s",
			p->host_ip[0] ? p->host_ip : "0.0.0.0", port, p->udp ? "udp" : "tcp");
	/* two may be bound with SO_REUSEADDR as long as none of them listens */
	if (!p->udp && listen(s, 1) < 0)
		return err_set(e, errno, "publish port %s:%u/tcp",
			p->host_ip[0] ? p->host_ip : "0.0.0.0", port);
	return take_fd(&s);
}

static int port_of(int s)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	uint16_t port = 0;

	if (getsockname(s, (struct sockaddr *)&at, &n) == 0)
		memcpy(&port, (char *)&at + 2, 2);
	return (port >> 8) | (port & 0xff) << 8;
}

static void hold(struct ports_held *held, int fd)
{
	held->fds = mem_resize(held->fds, held->n + 1, sizeof(int));
	held->fds[held->n++] = fd;
}

void ports_held_done(struct ports_held *p)
{
	for (size_t i = 0; i < p->n; i++)
		close(p->fds[i]);
	free(p->fds);
	*p = (struct ports_held){ 0 };
}

/* One entry: every port of it is free; a blank one is filled in. */
static int choose_port(struct want_port *p, struct ports_held *held, struct err *e)
{
	unsigned last = p->host_last ? p->host_last : p->host;
	int s = -EADDRINUSE;

	for (unsigned port = p->host; s == -EADDRINUSE && port <= last; port++)
		s = try_port(p, port, e);
	if (s < 0)
		return s;
	p->host = (uint16_t)port_of(s);
	p->host_last = 0;
	hold(held, s);
	for (unsigned i = 1; i < p->count; i++) {
		s = try_port(p, p->host + i, e);
		if (s < 0)
			return s;
		hold(held, s);
	}
	return 0;
}

static int choose_ports(struct want *w, struct ports_held *held, struct err *e)
{
	struct rlimit old, more;
	int r = 0;

	/* a range of a thousand is no reason to fail */
	if (w->n_ports && getrlimit(RLIMIT_NOFILE, &old) == 0) {
		more = (struct rlimit){ old.rlim_max, old.rlim_max };
		setrlimit(RLIMIT_NOFILE, &more);
	}
	/* those that say which come before those that take any */
	for (int any = 0; r == 0 && any < 2; any++)
		for (size_t i = 0; r == 0 && i < w->n_ports; i++)
			if ((w->ports[i].host == 0) == any)
				r = choose_port(&w->ports[i], held, e);
	if (w->n_ports)
		setrlimit(RLIMIT_NOFILE, &old);
	return r;
}

static int choose_links(const struct life *l, struct held *h, struct want *w, struct err *e)
{
	struct bridge_tools tools;
	struct defs_net *nets;
	bool dns = false;

	if (network_nets(l, w, &h->arena, &nets, e) < 0)
		return -e->code;
	for (size_t i = 0; i < w->n_links; i++)
		dns |= nets[i].dns;
	if (bridge_usable(dns, &h->arena, &tools, e) < 0)
		return -e->code;
	/* an address belongs to whoever has a file "net" */
	if (network_write_net(h->dir, "net", w, e) < 0)
		return -e->code;
	for (size_t i = 0; i < w->n_links; i++)
		if (lease_take(l->root_fd, &nets[i], h->id, &w->links[i], &h->arena, e) < 0)
			return -e->code;
	w->container = h->record.name;
	return 0;
}

int network_choose(const struct life *l, struct held *h, struct ports_held *ret, struct err *e)
{
	struct want w;
	struct err why = { 0 };
	struct ports_held held = { 0 };
	const char *pasta;
	int r = 0;

	network_clear(l, h);
	if (faccessat(h->dir, "network", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (want_read(h->dir, "network", &h->arena, &w, e) < 0)
		return -e->code;
	if (w.mode == WANT_PRIVATE) {
		r = pasta_usable(&h->arena, &pasta, &why);
		if (r != 0 && w.asked) {
			*e = why;
			return -e->code;
		}
		if (r < 0)
			say_loopback_only(l, &why);
		if (r != 0)
			w.mode = WANT_NONE;
	}
	r = network_is_made(w.mode) ? choose_ports(&w, &held, e) : 0;
	if (r == 0 && w.mode == WANT_BRIDGE)
		r = choose_links(l, h, &w, e);
	if (r == 0)
		r = network_write_net(h->dir, "net", &w, e);
	if (r == 0 && w.mode == WANT_BRIDGE)
		*ret = held;
	else
		ports_held_done(&held);
	return r;
}

int network_open(const struct life *l, const struct held *h, struct network *ret, struct err *e)
{
	struct network n = { .dir = h->dir,
		.id = h->id,
		.life = l,
		.helper = HELPER_NONE,
		.namespaces = { FD_NONE, FD_NONE },
		.lock = FD_NONE };
	int r = 0;

	if (faccessat(h->dir, "net", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		n.path = held_path(l, h, "", &n.arena);
		r = want_read(h->dir, "net", &n.arena, &n.want, e);
		if (r == 0 && n.want.mode == WANT_BRIDGE)
			r = network_nets(l, &n.want, &n.arena, &n.nets, e);
		if (r == 0)
			r = network_write_files(&n, e);
	} else {
		n.want.mode = WANT_NONE;
	}
	if (r < 0)
		arena_done(&n.arena);
	else
		*ret = n;
	return r;
}

/* Nobody asked for it: the container runs without. */
static int go_without(struct network *n, struct err *e)
{
	struct want_words none = { 0 };
	struct err ignored;

	if (n->want.asked)
		return -e->code;
	say_loopback_only(n->life, e);
	pasta_end(n->dir, n->path);
	n->want.mode = WANT_NONE;
	n->want.dns = n->want.dns.n ? n->want.dns : none;
	network_write_files(n, &ignored);
	*e = (struct err){ 0 };
	return 0;
}

static int begin_bridge(struct network *n, const struct proc_ref *init, struct err *e)
{
	struct bridge_tools tools;
	struct bridge_request r = { .tools = &tools,
		.root = n->life->root_fd,
		.root_path = n->life->root,
		.dir = n->dir,
		.id = n->id,
		.want = &n->want,
		.nets = n->nets };
	bool dns = false;

	for (size_t i = 0; i < n->want.n_links; i++)
		dns |= n->nets[i].dns;
	if (bridge_usable(dns, &n->arena, &tools, e) < 0)
		return -e->code;
	if (pasta_namespaces(init->pid, n->namespaces, e) < 0)
		return -e->code;
	r.netns = n->namespaces[0];
	return bridge_begin(&r, &n->helper, &n->lock, e);
}

int network_begin(struct network *n, const struct proc_ref *init, struct err *e)
{
	struct pasta_request r = { .path = n->path,
		.dir = n->dir,
		.namespaces = n->namespaces,
		.want = &n->want,
		.forward_dns = n->forward_dns };

	if (n->want.mode == WANT_BRIDGE)
		return begin_bridge(n, init, e);
	if (n->want.mode != WANT_PRIVATE)
		return 0;
	if (pasta_usable(&n->arena, &r.pasta, e) != 0 ||
		pasta_namespaces(init->pid, n->namespaces, e) < 0 ||
		pasta_begin(&r, &n->helper, e) < 0)
		return go_without(n, e);
	return 0;
}

static void let_go(struct network *n)
{
	fd_close(&n->namespaces[0]);
	fd_close(&n->namespaces[1]);
	fd_close(&n->lock);
}

/* Under the lock, so that nobody has the server read its files anew meanwhile. */
static void wait_for_names(struct network *n)
{
	const char *own = arena_printf(&n->arena, "%.12s", n->id);

	for (size_t i = 0; i < n->want.n_links; i++)
		if (n->nets[i].dns && n->nets[i].n_subnets)
			names_wait(n->namespaces[0], &n->nets[i].subnets[0].gateway, own);
}

int network_ready(struct network *n, struct err *e)
{
	int r;

	if (n->helper.pid <= 0)
		return 0;
	if (n->want.mode == WANT_BRIDGE) {
		r = bridge_ready(&n->helper, e);
		if (r == 0)
			wait_for_names(n);
		let_go(n);
		return r;
	}
	r = pasta_ready(&n->helper, n->want.mac, n->namespaces, e);
	let_go(n);
	return r < 0 ? go_without(n, e) : 0;
}

static void take_down(const struct life *l, int dir, const char *id, const char *path)
{
	struct err e = { 0 };

	pasta_end(dir, path);
	if (bridge_end(l->root_fd, l->root, dir, id, &e) < 0)
		log_err(&e);
}

void network_undo(struct network *n)
{
	helper_done(&n->helper);
	let_go(n);
	take_down(n->life, n->dir, n->id, n->path);
}

void network_done(struct network *n)
{
	helper_done(&n->helper);
	let_go(n);
	arena_done(&n->arena);
}

/* --- the end --------------------------------------------------------------------------------- */

void network_down(const struct life *l, const struct held *h)
{
	autoarena a = { 0 };

	take_down(l, h->dir, h->id, held_path(l, h, "", &a));
}

void network_clear(const struct life *l, const struct held *h)
{
	autoarena a = { 0 };
	struct want w;
	struct err ignored;

	network_down(l, h);
	if (faccessat(h->dir, "net", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (want_read(h->dir, "net", &a, &w, &ignored) == 0)
		for (size_t i = 0; i < w.n_links; i++)
			lease_drop(l->root_fd, &w.links[i], h->id);
	unlinkat(h->dir, "net", 0);
}

void network_sweep_left(const struct life *l)
{
	bridge_sweep(l->root_fd, l->root);
}

void network_sweep(const struct life *l, struct held *h, const struct now *now)
{
	autofd lock = FD_NONE;
	autonow again = NOW_NONE;
	struct err ignored;

	if (now->init.pidfd >= 0 || now->keep_alive ||
		faccessat(h->dir, "net", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	/* somebody may be starting it just now */
	lock = held_lock(h, &ignored);
	if (lock >= 0 && now_look(l, h, &again, &ignored) == 0 && again.init.pidfd < 0 &&
		!again.keep_alive)
		network_clear(l, h);
}
