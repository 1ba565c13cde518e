/* SPDX-License-Identifier: Apache-2.0 */
#include "net/lease.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

static int open_folder(int root, const char *network, bool make)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "leases/%s", network);
	if (make) {
		mkdirat(root, "leases", 0700);
		mkdirat(root, path, 0700);
	}
	fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* The ID of who has it, if that container has a network; else the address is nobody's. */
static bool owner_of(int root, int dir, const char *address, char id[65])
{
	char target[128], file[80];
	ssize_t n = readlinkat(dir, address, target, sizeof(target) - 1);

	if (n != 64 + 6)
		return false;
	target[n] = '\0';
	memcpy(id, target + 6, 65);
	snprintf(file, sizeof(file), "%s/net", id);
	return faccessat(root, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* 0, or -EEXIST: somebody's. Taken again by whom it belongs to. */
static int take(int root, int dir, const char *address, const char *id, char owner[65])
{
	char target[80];

	snprintf(target, sizeof(target), "../../%s", id);
	for (int tries = 0; tries < 3; tries++) {
		if (symlinkat(target, dir, address) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
		if (owner_of(root, dir, address, owner) && !str_eq(owner, id))
			return -EEXIST;
		unlinkat(dir, address, 0);
	}
	return -EEXIST;
}

static int take_asked(int root, int dir, const struct defs_net *net, const char *flag,
	const char *asked, const char *id, struct err *e)
{
	struct addr addr;
	char text[ADDR_TEXT], owner[65];
	int r;

	if (addr_parse(asked, &addr) < 0 || (addr.family == AF_INET6) != str_eq(flag, "--ip6"))
		return err_say(e, "%s %s: an address is wanted", flag, asked);
	for (size_t i = 0; i < net->n_subnets; i++) {
		const struct defs_subnet *s = &net->subnets[i];

		if (!addr_in(&s->net, &addr))
			continue;
		if (addr_eq(&addr, &s->gateway) || addr_eq(&addr, &s->net.addr) ||
			addr_is_broadcast(&s->net, &addr))
			return err_say(e, "%s %s: that address of network %s is no container's",
				flag, asked, net->name);
		r = take(root, dir, addr_text(&addr, text), id, owner);
		if (r == -EEXIST)
			return err_say(e, "%s %s: the address is in use by container %.12s", flag,
				asked, owner);
		return r < 0 ? err_set(e, -r, "take address %s", asked) : 0;
	}
	return err_say(
		e, "%s %s: the address is in no subnet of network %s", flag, asked, net->name);
}

static int take_any(int root, int dir, const struct defs_net *net, const struct defs_subnet *s,
	const char *id, const char **ret, struct arena *a, struct err *e)
{
	char text[ADDR_TEXT], owner[65];
	struct addr addr;
	bool begun = !s->first.family;

	for (uint64_t i = 1; addr_nth(&s->net, i, &addr) && !addr_is_broadcast(&s->net, &addr);
		i++) {
		int r;

		begun |= addr_eq(&addr, &s->first);
		if (begun && !addr_eq(&addr, &s->gateway)) {
			r = take(root, dir, addr_text(&addr, text), id, owner);
			if (r == 0) {
				*ret = arena_strdup(a, text);
				return 0;
			}
			if (r != -EEXIST)
				return err_set(e, -r, "take an address of network %s", net->name);
		}
		if (s->last.family && addr_eq(&addr, &s->last))
			break;
	}
	return err_say(
		e, "network %s: no address is free in %s", net->name, addr_net_text(&s->net, text));
}

int lease_take(int root, const struct defs_net *net, const char *id, struct want_link *link,
	struct arena *a, struct err *e)
{
	autofd dir = open_folder(root, net->name, true);
	struct addr v4;

	if (dir < 0)
		return err_set(e, -dir, "open the folder of addresses");
	if (link->ip && take_asked(root, dir, net, "--ip", link->ip, id, e) < 0)
		return -e->code;
	if (link->ip6 && take_asked(root, dir, net, "--ip6", link->ip6, id, e) < 0)
		return -e->code;
	for (size_t i = 0; i < net->n_subnets; i++) {
		const struct defs_subnet *s = &net->subnets[i];
		const char **place = s->net.addr.family == AF_INET ? &link->ip : &link->ip6;

		if (!*place && take_any(root, dir, net, s, id, place, a, e) < 0)
			return -e->code;
	}
	/* as docker does: the same address has the same MAC, and no other machine's tables are
	 * wrong */
	if (!link->mac && link->ip && addr_parse(link->ip, &v4) == 0)
		link->mac = arena_printf(a, "02:42:%02x:%02x:%02x:%02x", v4.bytes[0], v4.bytes[1],
			v4.bytes[2], v4.bytes[3]);
	return 0;
}

void lease_drop(int root, const struct want_link *link, const char *id)
{
	autofd dir = open_folder(root, link->network, false);
	const char *both[] = { link->ip, link->ip6 };
	char target[128], own[80];

	snprintf(own, sizeof(own), "../../%s", id);
	for (size_t i = 0; dir >= 0 && i < ARRAY_LEN(both); i++) {
		ssize_t n = both[i] ? readlinkat(dir, both[i], target, sizeof(target) - 1) : -1;

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (str_eq(target, own))
			unlinkat(dir, both[i], 0);
	}
}

void lease_forget(int root, const char *network)
{
	int fd = open_folder(root, network, false);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char path[PATH_MAX];

	if (!stream && fd >= 0)
		close(fd);
	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] != '.')
			unlinkat(fd, entry->d_name, 0);
	if (stream)
		closedir(stream);
	snprintf(path, sizeof(path), "leases/%s", network);
	unlinkat(root, path, AT_REMOVEDIR);
}
