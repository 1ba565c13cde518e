/* SPDX-License-Identifier: Apache-2.0 */
/* A container's own /etc/hosts, /etc/resolv.conf and /etc/hostname. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"
#include "life/internal.h"
#include "net/addr.h"
#include "net/files.h"
#include "os/file.h"

enum { HOST_FILE_MAX = 1 << 20 };

static const char *const etc_files[] = { "hosts", "resolv.conf", "hostname" };

static bool is_mounted(const struct spec *s, const char *where)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, where))
			return true;
	return false;
}

/* Whose files they are: with container:NAME the other's. */
static const char *files_folder(
	const struct life *l, const char *net_of, const char *bundle, struct arena *a)
{
	char id[STORE_ID_LEN + 1];
	struct err ignored;

	for (int depth = 0; net_of && depth < 32; depth++) {
		autoheld other = HELD_NONE;

		if (store_find(l->root_fd, net_of, id, &ignored) < 0)
			break;
		bundle = arena_printf(a, "%s/%s", l->root, id);
		if (held_open(l, id, &other, &ignored) < 0 || !other.record.net_of)
			break;
		net_of = arena_strdup(a, other.record.net_of);
	}
	return bundle;
}

void network_mount_files(
	const struct life *l, const char *net_of, const char *bundle, struct spec *s)
{
	static const char *const options[] = { "rbind", "rprivate", "nofail" };

	for (size_t i = 0; i < ARRAY_LEN(etc_files); i++) {
		const char *where = arena_printf(&s->arena, "/etc/%s", etc_files[i]);
		const char *folder = i == 2 ? bundle : files_folder(l, net_of, bundle, &s->arena);
		struct spec_mount *m;

		if (is_mounted(s, where))
			continue;
		m = arena_grow(&s->arena, &s->mounts, &s->n_mounts, sizeof(*m));
		m->destination = where;
		m->type = "bind";
		m->source = arena_printf(&s->arena, "%s/%s", folder, etc_files[i]);
		for (size_t j = 0; j < ARRAY_LEN(options); j++) {
			const char **item = arena_grow(
				&s->arena, &m->options.items, &m->options.n, sizeof(*item));

			*item = options[j];
		}
	}
}

/* A machine whose resolver is a program of its own says elsewhere whom that asks. */
static char *host_resolv(struct arena *a)
{
	autofree char *text = NULL, *other = NULL;

	if (file_read_all(AT_FDCWD, "/etc/resolv.conf", HOST_FILE_MAX, &text) < 0)
		return arena_strdup(a, "");
	if (strstr(text, "nameserver 127.0.0.53") &&
		file_read_all(
			AT_FDCWD, "/run/systemd/resolve/resolv.conf", HOST_FILE_MAX, &other) >= 0)
		return arena_strdup(a, other);
	return arena_strdup(a, text);
}

/* The address other machines know this one by: whence it would speak to one far away. */
static const char *host_address(struct arena *a)
{
	autofd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage to;
	struct addr far = { 0 }, own = { .family = AF_INET };
	char text[ADDR_TEXT];
	socklen_t n;

	addr_parse("198.51.100.1", &far);
	n = addr_sockaddr(&far, 9, &to);
	if (s < 0 || connect(s, (struct sockaddr *)&to, n) < 0)
		return NULL;
	n = sizeof(to);
	if (getsockname(s, (struct sockaddr *)&to, &n) < 0)
		return NULL;
	memcpy(own.bytes, (char *)&to + 4, 4);
	return arena_strdup(a, addr_text(&own, text));
}

/* Without a name of its own the container has the host's. */
static void write_hostname(const struct want *w, struct text *t)
{
	struct utsname u;

	text_addf(t, "%s\n", w->hostname ? w->hostname : uname(&u) == 0 ? u.nodename : "localhost");
}

/* What the container has of each network: its addresses, and who knows names there. */
static size_t add_selves(const struct network *n, struct files_self *selves, size_t max,
	struct want_words *servers, const char **ret_gateway)
{
	char text[ADDR_TEXT];
	struct arena *a = (struct arena *)&n->arena;
	size_t count = 0;

	for (size_t i = 0; i < n->want.n_links; i++) {
		const struct want_link *k = &n->want.links[i];

		if (count < max)
			selves[count++] = (struct files_self){ k->ip, k->ip6 };
		for (size_t j = 0; j < n->nets[i].n_subnets; j++) {
			const char *gateway =
				arena_strdup(a, addr_text(&n->nets[i].subnets[j].gateway, text));

			if (i == 0 && j == 0)
				*ret_gateway = gateway;
			if (n->nets[i].dns)
				want_word_add(a, servers, gateway);
		}
	}
	return count;
}

enum { SELVES_MAX = 32 };

int network_write_files(struct network *n, struct err *e)
{
	const struct want *w = &n->want;
	struct files_self selves[SELVES_MAX] = { 0 };
	autotext hosts = { 0 }, resolv = { 0 }, hostname = { 0 };
	autofree char *own = NULL;
	const char *gateway = w->mode == WANT_HOST ? "127.0.0.1" : host_address(&n->arena);
	struct want_words servers = { 0 };
	size_t n_selves = 0;
	int r;

	if (w->mode == WANT_PRIVATE)
		selves[n_selves++].ip = PASTA_ADDRESS;
	if (w->mode == WANT_BRIDGE)
		n_selves = add_selves(n, selves, SELVES_MAX, &servers, &gateway);
	if (w->mode == WANT_HOST && file_read_all(AT_FDCWD, "/etc/hosts", HOST_FILE_MAX, &own) < 0)
		own = NULL;
	r = files_hosts(w, own, selves, n_selves, gateway, &hosts, e);
	if (r < 0)
		return r;
	n->forward_dns = files_resolv(w, host_resolv(&n->arena), w->mode == WANT_HOST,
		w->mode == WANT_PRIVATE ? PASTA_DNS : NULL, &servers, &resolv);
	write_hostname(w, &hostname);
	if (files_write(n->dir, "hosts", hosts.p, e) < 0 ||
		files_write(n->dir, "resolv.conf", resolv.p, e) < 0 ||
		files_write(n->dir, "hostname", hostname.p, e) < 0)
		return -e->code;
	return 0;
}
