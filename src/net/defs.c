/* SPDX-License-Identifier: Apache-2.0 */
#include "net/defs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "os/file.h"

enum { DEF_MAX = 1 << 20, NAME_LEN_MAX = 64, SUBNETS_TRIED = 4096 };

static const char default_id[] = "636c616465206e6574776f726b206272696467650000000000000000000000ff";

int defs_open(const char *path, struct err *e)
{
	char part[4096];
	int fd, why;

	if (strlen(path) >= sizeof(part))
		return err_set(e, ENAMETOOLONG, "open the folder of networks");
	strcpy(part, path);
	for (char *s = part + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(part, 0755);
		*s = '/';
	}
	why = mkdir(part, 0700) < 0 ? errno : 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* it could not be made: why, and not that it is not there */
	if (fd < 0 && errno == ENOENT && why && why != EEXIST)
		return err_set(e, why, "make the folder of networks %s", path);
	return fd < 0 ? err_set(e, errno, "open the folder of networks %s", path) : fd;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int defs_check_name(const char *name, struct err *e)
{
	static const char *const taken[] = { "host", "none", "private", "default", "container",
		"ns", DEFS_DEFAULT };
	bool good = is_word(name[0]);
	size_t n = strlen(name);
	autotext shown = { 0 };

	for (const char *s = name; *s; s++)
		good &= is_word(*s) || (s > name && strchr("_.-", *s));
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (str_eq(name, taken[i]))
			return err_say(
				e, "the name %s already means a network of its own kind", name);
	if (good && n <= NAME_LEN_MAX)
		return 0;
	text_add_escaped(&shown, name, n > 80 ? 80 : n);
	return err_say(e,
		"invalid network name (%s): [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most %d characters",
		shown.p ? shown.p : "", NAME_LEN_MAX);
}

static void add_subnet(struct defs_net *n, const char *net, const char *gateway)
{
	struct defs_subnet *s = &n->subnets[n->n_subnets++];

	addr_net_parse(net, &s->net);
	addr_parse(gateway, &s->gateway);
}

static struct defs_net default_net(void)
{
	struct defs_net n = { .name = DEFS_DEFAULT,
		.id = default_id,
		.interface = "clade0",
		.created = "1970-01-01T00:00:00Z" };

	add_subnet(&n, "10.87.0.0/16", "10.87.0.1");
	return n;
}

/* --- reading --------------------------------------------------------------------------------- */

static const char *string(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);

	return v && v->kind == JSON_STRING ? v->text : NULL;
}

static bool flag(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);

	return v && v->kind == JSON_BOOL && v->is_true;
}

static bool read_subnet(const struct json *v, struct defs_net *n)
{
	struct defs_subnet s = { 0 };
	const struct json *range;

	if (v->kind != JSON_OBJECT || n->n_subnets == ARRAY_LEN(n->subnets) ||
		!string(v, "subnet") || !string(v, "gateway") ||
		addr_net_parse(string(v, "subnet"), &s.net) < 0 ||
		addr_parse(string(v, "gateway"), &s.gateway) < 0)
		return false;
	range = json_get(v, "lease_range");
	if (range && range->kind == JSON_OBJECT &&
		(!string(range, "start_ip") || !string(range, "end_ip") ||
			addr_parse(string(range, "start_ip"), &s.first) < 0 ||
			addr_parse(string(range, "end_ip"), &s.last) < 0))
		return false;
	n->subnets[n->n_subnets++] = s;
	return true;
}

static int read_one(int dir, const char *file, struct arena *a, struct defs_net *ret, struct err *e)
{
	autofree char *text = NULL;
	ssize_t len = file_read_all(dir, file, DEF_MAX, &text);
	const struct json *all, *list;
	struct defs_net n = { 0 };
	bool good;

	if (len < 0)
		return err_set(e, (int)-len, "read network %s", file);
	if (json_parse(text, (size_t)len, a, &all, e) < 0)
		return err_wrap(e, "network %s", file);
	good = all->kind == JSON_OBJECT && string(all, "name") && string(all, "id") &&
	       string(all, "network_interface");
	if (good) {
		n.name = string(all, "name");
		n.id = string(all, "id");
		n.interface = string(all, "network_interface");
		n.created = string(all, "created") ? string(all, "created") : "";
		n.ipv6 = flag(all, "ipv6_enabled");
		n.internal = flag(all, "internal");
		n.dns = flag(all, "dns_enabled");
		list = json_get(all, "subnets");
		good = list && list->kind == JSON_ARRAY;
		for (const struct json *v = good ? json_first(list) : NULL; v;
			v = json_next(list, v))
			good &= read_subnet(v, &n);
		list = json_get(all, "labels");
		for (const struct json *v = list && list->kind == JSON_OBJECT ? json_first(list)
									      : NULL;
			v; v = json_next(list, v)) {
			struct defs_label *l = arena_grow(a, &n.labels, &n.n_labels, sizeof(*l));

			*l = (struct defs_label){ v->name, v->kind == JSON_STRING ? v->text : "" };
		}
	}
	if (!good || !n.n_subnets)
		return err_say(e, "the file of network %s is damaged", file);
	*ret = n;
	return 0;
}

int defs_list(int dir, struct arena *a, struct defs_net **ret, size_t *ret_n, struct err *e)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct defs_net *n;

	*ret = NULL;
	*ret_n = 0;
	if (!stream) {
		fd_close(&fd);
		return err_set(e, errno, "read the folder of networks");
	}
	n = arena_grow(a, ret, ret_n, sizeof(*n));
	*n = default_net();
	while ((entry = readdir(stream))) {
		struct defs_net one;
		struct err ignored;

		if (entry->d_name[0] == '.' || !str_ends(entry->d_name, ".json"))
			continue;
		if (read_one(dir, entry->d_name, a, &one, &ignored) < 0)
			continue;
		n = arena_grow(a, ret, ret_n, sizeof(*n));
		*n = one;
	}
	closedir(stream);
	return 0;
}

int defs_find(int dir, const char *ref, struct arena *a, struct defs_net *ret, struct err *e)
{
	struct defs_net *all, *found = NULL;
	autotext shown = { 0 };
	size_t n, len = strlen(ref);

	if (str_eq(ref, DEFS_DEFAULT)) {
		*ret = default_net();
		return 0;
	}
	if (defs_list(dir, a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (str_eq(all[i].name, ref)) {
			*ret = all[i];
			return 0;
		}
	for (size_t i = 0; i < n && len >= 3; i++) {
		if (strncmp(all[i].id, ref, len) != 0)
			continue;
		if (found)
			return err_say(e, "%s is the beginning of several networks' IDs", ref);
		found = &all[i];
	}
	text_add_escaped(&shown, ref, len > 80 ? 80 : len);
	if (!found)
		return err_absent(e, "no such network: %s", shown.p ? shown.p : "");
	*ret = *found;
	return 0;
}

/* --- making ---------------------------------------------------------------------------------- */

/* What is overlapped: another network of ours or an address of the host. */
static const char *overlapped(const struct addr_net *net, const struct defs_net *all, size_t n,
	const char *own, struct arena *a)
{
	struct ifaddrs *list = NULL;
	const char *found = NULL;

	for (size_t i = 0; i < n && !found; i++)
		for (size_t j = 0; j < all[i].n_subnets; j++)
			if (addr_net_overlap(net, &all[i].subnets[j].net))
				found = arena_printf(a, "network %s", all[i].name);
	if (found || getifaddrs(&list) < 0)
		return found;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
		struct addr at = { 0 };

		if (!i->ifa_addr || (own && str_eq(i->ifa_name, own)))
			continue;
		at.family = i->ifa_addr->sa_family;
		if (at.family == AF_INET)
			memcpy(at.bytes,
				&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr,
				4);
		else if (at.family == AF_INET6)
			memcpy(at.bytes,
				&((const struct sockaddr_in6 *)(const void *)i->ifa_addr)
					 ->sin6_addr,
				16);
		if (addr_in(net, &at))
			found = arena_printf(
				a, "an address of the host's interface %s", i->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

static int free_subnet(
	struct defs_net *net, const struct defs_net *all, size_t n, struct arena *a, struct err *e)
{
	struct defs_subnet *s = &net->subnets[net->n_subnets];

	for (unsigned i = 0; i < SUBNETS_TRIED; i++) {
		addr_net_parse(arena_printf(a, "10.%u.%u.0/24", 90 + i / 256, i % 256), &s->net);
		if (overlapped(&s->net, all, n, NULL, a))
			continue;
		net->n_subnets++;
		return 0;
	}
	return err_say(e, "no subnet is free below 10.90.0.0; choose one with --subnet");
}

/* RFC 4193: 40 random bits. */
static int random_subnet6(struct defs_net *net, struct arena *a, struct err *e)
{
	unsigned char b[5];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_set(e, errno, "choose an IPv6 subnet");
	addr_net_parse(
		arena_printf(a, "fd%02x:%02x%02x:%02x%02x::/64", b[0], b[1], b[2], b[3], b[4]),
		&net->subnets[net->n_subnets].net);
	net->n_subnets++;
	return 0;
}

static bool has_family(const struct defs_net *n, int family)
{
	for (size_t i = 0; i < n->n_subnets; i++)
		if (n->subnets[i].net.addr.family == family)
			return true;
	return false;
}

static int fill_subnets(
	struct defs_net *net, const struct defs_net *all, size_t n, struct arena *a, struct err *e)
{
	char text[ADDR_TEXT];

	if (!has_family(net, AF_INET) && !has_family(net, AF_INET6) &&
		free_subnet(net, all, n, a, e) < 0)
		return -e->code;
	if (net->ipv6 && !has_family(net, AF_INET6) && random_subnet6(net, a, e) < 0)
		return -e->code;
	net->ipv6 |= has_family(net, AF_INET6);
	for (size_t i = 0; i < net->n_subnets; i++) {
		struct defs_subnet *s = &net->subnets[i];
		const char *what = overlapped(&s->net, all, n, NULL, a);

		if (what)
			return err_say(e, "subnet %s overlaps with %s",
				addr_net_text(&s->net, text), what);
		if (s->net.bits > (s->net.addr.family == AF_INET ? 30u : 126u))
			return err_say(e, "subnet %s has no room for a container",
				addr_net_text(&s->net, text));
		if (!s->gateway.family)
			addr_nth(&s->net, 1, &s->gateway);
	}
	return 0;
}

static const char *free_interface(const struct defs_net *all, size_t n, struct arena *a)
{
	for (unsigned i = 1;; i++) {
		const char *name = arena_printf(a, "clade%u", i);
		bool taken = if_nametoindex(name) != 0;

		for (size_t j = 0; j < n; j++)
			taken |= str_eq(all[j].interface, name);
		if (!taken)
			return name;
	}
}

static const char *new_id(struct arena *a)
{
	unsigned char bytes[32] = { 0 };
	char *id = arena_alloc(a, 65);

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return default_id;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	return id;
}

static const char *time_text(struct arena *a)
{
	struct timespec now;
	struct tm tm;
	char text[40];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(a, "%s.%09ldZ", text, now.tv_nsec);
}

static int write_one(int dir, struct arena *a, const struct defs_net *net, struct err *e)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };
	const char *file = arena_printf(a, "%s.json", net->name),
		   *beside = arena_printf(a, ".%s", file);
	autofd fd =
		openat(dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r;

	defs_dump(net, NULL, &w);
	text_add(&t, "\n");
	r = fd < 0 ? -errno : file_write_all(fd, t.p, t.len);
	if (r == 0 && renameat(dir, beside, dir, file) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, beside, 0);
	return r < 0 ? err_set(e, -r, "write network %s", net->name) : 0;
}

int defs_create(int dir, struct arena *a, struct defs_net *net, struct err *e)
{
	autofd lock = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct defs_net *all;
	size_t n;

	if (defs_check_name(net->name, e) < 0)
		return -e->code;
	while (lock >= 0 && flock(lock, LOCK_EX) < 0 && errno == EINTR)
		;
	if (defs_list(dir, a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		if (str_eq(all[i].name, net->name))
			return err_say(e, "network %s already exists", net->name);
	if (fill_subnets(net, all, n, a, e) < 0)
		return -e->code;
	net->id = new_id(a);
	net->created = time_text(a);
	net->interface = free_interface(all, n, a);
	return write_one(dir, a, net, e);
}

int defs_remove(int dir, const struct defs_net *net, struct err *e)
{
	autoarena a = { 0 };

	if (str_eq(net->name, DEFS_DEFAULT))
		return err_say(e, "network %s is always there and cannot be removed", net->name);
	if (unlinkat(dir, arena_printf(&a, "%s.json", net->name), 0) < 0)
		return errno == ENOENT ? err_absent(e, "no such network: %s", net->name)
				       : err_set(e, errno, "remove network %s", net->name);
	return 0;
}

void defs_dump(const struct defs_net *n, const char *name, struct json_writer *w)
{
	char text[ADDR_TEXT];

	json_begin(w, name, '{');
	json_string(w, "name", n->name);
	json_string(w, "id", n->id);
	json_string(w, "driver", "bridge");
	json_string(w, "network_interface", n->interface);
	json_string(w, "created", n->created);
	json_begin(w, "subnets", '[');
	for (size_t i = 0; i < n->n_subnets; i++) {
		const struct defs_subnet *s = &n->subnets[i];

		json_begin(w, NULL, '{');
		json_string(w, "subnet", addr_net_text(&s->net, text));
		json_string(w, "gateway", addr_text(&s->gateway, text));
		if (s->first.family) {
			json_begin(w, "lease_range", '{');
			json_string(w, "start_ip", addr_text(&s->first, text));
			json_string(w, "end_ip", addr_text(&s->last, text));
			json_end(w, '}');
		}
		json_end(w, '}');
	}
	json_end(w, ']');
	json_bool(w, "ipv6_enabled", n->ipv6);
	json_bool(w, "internal", n->internal);
	json_bool(w, "dns_enabled", n->dns);
	json_begin(w, "labels", '{');
	for (size_t i = 0; i < n->n_labels; i++)
		json_string(w, n->labels[i].key, n->labels[i].value);
	json_end(w, '}');
	json_begin(w, "ipam_options", '{');
	json_string(w, "driver", "host-local");
	json_end(w, '}');
	json_end(w, '}');
}
