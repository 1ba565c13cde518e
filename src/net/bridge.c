/* SPDX-License-Identifier: Apache-2.0 */
#include "net/bridge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "os/clone.h"
#include "os/file.h"
#include "os/proc_ref.h"
#include "os/procfs.h"
#include "os/veth.h"

enum { TOLD_MAX = 4 << 20 };

/* What netavark failed to take back, below the state folder: a file for each container. */
#define LEFT "bridges-left"

int bridge_usable(bool dns, struct arena *a, struct bridge_tools *ret, struct err *e)
{
	const char *ignored;

	if (geteuid() != 0)
		return err_say(e,
			"networks with a bridge are root's; what a normal user can have is "
			"--network private");
	*ret = (struct bridge_tools){ 0 };
	if (helper_find("netavark", "netavark", "a network with a bridge", a, &ret->netavark, e) <
			0 ||
		helper_find("iptables", "iptables", "a network with a bridge", a, &ignored, e) < 0)
		return -e->code;
	return dns ? helper_find("aardvark-dns", "aardvark-dns", "a network with names", a,
			     &ret->aardvark, e)
		   : 0;
}

static int take_lock(int root)
{
	autofd dir = FD_NONE;

	mkdirat(root, "netavark", 0700);
	dir = openat(root, "netavark", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return -errno;
	while (flock(dir, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return take_fd(&dir);
}

/* --- what it is told ------------------------------------------------------------------------- */

static void dump_ports(const struct want *want, struct json_writer *w)
{
	json_begin(w, "port_mappings", '[');
	for (size_t i = 0; i < want->n_ports; i++) {
		const struct want_port *p = &want->ports[i];

		json_begin(w, NULL, '{');
		json_uint(w, "container_port", p->container);
		json_uint(w, "host_port", p->host);
		json_string(w, "host_ip", p->host_ip);
		json_string(w, "protocol", p->udp ? "udp" : "tcp");
		json_uint(w, "range", p->count);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void dump_link(const struct want_link *k, const char *id, struct json_writer *w)
{
	autoarena a = { 0 };

	json_begin(w, k->network, '{');
	json_string(w, "interface_name", k->interface);
	json_begin(w, "static_ips", '[');
	if (k->ip)
		json_string(w, NULL, k->ip);
	if (k->ip6)
		json_string(w, NULL, k->ip6);
	json_end(w, ']');
	if (k->mac)
		json_string(w, "static_mac", k->mac);
	json_begin(w, "aliases", '[');
	json_string(w, NULL, arena_printf(&a, "%.12s", id));
	for (size_t i = 0; i < k->aliases.n; i++)
		json_string(w, NULL, k->aliases.items[i]);
	json_end(w, ']');
	json_end(w, '}');
}

static void dump(const struct bridge_request *r, struct text *t)
{
	struct json_writer w = { .t = t };
	const struct want *want = r->want;

	json_begin(&w, NULL, '{');
	json_string(&w, "container_id", r->id);
	json_string(&w, "container_name", want->container);
	dump_ports(want, &w);
	json_begin(&w, "networks", '{');
	for (size_t i = 0; i < want->n_links; i++)
		dump_link(&want->links[i], r->id, &w);
	json_end(&w, '}');
	json_begin(&w, "network_info", '{');
	for (size_t i = 0; i < want->n_links; i++)
		defs_dump(&r->nets[i], want->links[i].network, &w);
	json_end(&w, '}');
	json_end(&w, '}');
}

static int write_told(int dir, const struct text *t, struct err *e)
{
	autofd fd = openat(
		dir, "netavark", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : file_write_all(fd, t->p, t->len);

	return r < 0 ? err_set(e, -r, "write what netavark is told") : 0;
}

/* --- running it ------------------------------------------------------------------------------ */

/* By paths into this process: aardvark-dns, which netavark leaves behind, would keep descriptors.
 */
static int start(const struct bridge_tools *tools, const char *root_path, const char *verb,
	const char *input, int netns, struct helper *ret, struct err *e)
{
	autoarena a = { 0 };
	const char *argv[] = { tools->netavark, "--config",
		arena_printf(&a, "%s/netavark", root_path), "--aardvark-binary",
		tools->aardvark ? tools->aardvark : "/usr/lib/podman/aardvark-dns", verb,
		arena_printf(&a, "/proc/%d/fd/%d", (int)getpid(), netns), NULL };
	struct helper_request req = {
		.argv = argv, .input = input, .want_output = true, .is_guarded = true
	};

	return helper_start(&req, ret, e);
}

/* Somebody of the same ID is on its networks again, or it has been taken back. */
static void forget_left(int root, const char *id)
{
	char file[128];

	snprintf(file, sizeof(file), LEFT "/%s", id);
	unlinkat(root, file, 0);
}

int bridge_begin(const struct bridge_request *r, struct helper *ret, int *ret_lock, struct err *e)
{
	autotext t = { 0 };
	autofd lock = take_lock(r->root);

	if (lock < 0)
		return err_set(e, -lock, "lock the folder netavark");
	dump(r, &t);
	if (write_told(r->dir, &t, e) < 0)
		return -e->code;
	forget_left(r->root, r->id);
	*ret_lock = take_fd(&lock);
	return start(r->tools, r->root_path, "setup", t.p, r->netns, ret, e);
}

/* {"error":"..."} on its standard output */
static int failed(struct helper *h, int status, struct err *e)
{
	autoarena a = { 0 };
	const char *out = helper_output(h, &a), *said = helper_said(h, &a);
	const struct json *all, *v;
	struct err ignored;

	if (json_parse(out, strlen(out), &a, &all, &ignored) == 0 && all->kind == JSON_OBJECT &&
		(v = json_get(all, "error")) && v->kind == JSON_STRING) {
		autotext shown = { 0 };

		text_add_escaped(&shown, v->text, strlen(v->text));
		return err_say(e, "netavark: %s", shown.p ? shown.p : "");
	}
	return err_say(e, "netavark: %s",
		said[0] ? said : arena_printf(&a, "ended with status %d", status));
}

int bridge_ready(struct helper *h, struct err *e)
{
	int r = helper_wait(h, e);

	return r <= 0 ? r : failed(h, r, e);
}

int bridge_remember(const struct bridge_request *r, struct err *e)
{
	autotext t = { 0 };

	if (!r->want->n_links) {
		unlinkat(r->dir, "netavark", 0);
		return 0;
	}
	dump(r, &t);
	return write_told(r->dir, &t, e);
}

int bridge_change(const struct bridge_request *r, bool add, struct err *e)
{
	autohelper h = HELPER_NONE;
	autotext t = { 0 };
	autofd lock = take_lock(r->root);

	if (lock < 0)
		return err_set(e, -lock, "lock the folder netavark");
	dump(r, &t);
	if (start(r->tools, r->root_path, add ? "setup" : "teardown", t.p, r->netns, &h, e) < 0)
		return -e->code;
	return bridge_ready(&h, e);
}

/* --- names ----------------------------------------------------------------------------------- */

/*
 * aardvark-dns' file of a network: the addresses it listens on, then a line for each container:
 * "ID IPV4 IPV6 NAME,NAME..." (either address may be empty), its own name first.
 */
static bool rename_line(const char *line, const char *id, const char *name, struct text *t)
{
	const char *names = strrchr(line, ' '), *rest;

	if (strncmp(line, id, strlen(id)) != 0 || line[strlen(id)] != ' ' || !names)
		return false;
	rest = strchr(names, ',');
	text_add_n(t, line, (size_t)(names + 1 - line));
	text_addf(t, "%s%s\n", name, rest ? rest : "");
	return true;
}

/* SIGHUP to it; that the number is still its own, its command line says. */
static void wake_names(int folder, const char *root_path)
{
	char text[64], command[4096];
	int pid;
	struct proc_ref p = PROC_REF_NONE;
	autofd procfs = procfs_open("/proc");
	ssize_t n;

	if (file_read(folder, "aardvark.pid", text, sizeof(text)) <= 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (str_int(text, &pid) < 0 || pid <= 0 || proc_ref_open(pid, 0, &p) < 0)
		return;
	n = procfs < 0 ? -1 : procfs_read(procfs, pid, "cmdline", command, sizeof(command));
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(command + i) + 1)
		if (str_starts(command + i, root_path) && str_ends(command + i, "/aardvark-dns"))
			proc_ref_signal(&p, SIGHUP);
	proc_ref_done(&p);
}

int bridge_rename(int root, const char *root_path, const char *network, const char *id,
	const char *name, struct err *e)
{
	autofree char *text = NULL;
	autofd lock = FD_NONE, folder = FD_NONE, fd = FD_NONE;
	autotext t = { 0 };
	char *rest, *line;
	bool found = false;
	int r;

	lock = take_lock(root);
	folder = openat(root, "netavark/aardvark-dns", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || file_read_all(folder, network, TOLD_MAX, &text) <= 0)
		return 0; /* no names there */
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (rename_line(line, id, name, &t))
			found = true;
		else if (line[0])
			text_addf(&t, "%s\n", line);
	}
	if (!found)
		return 0;
	fd = openat(folder, network, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : file_write_all(fd, t.p, t.len);
	if (r < 0)
		return err_set(e, -r, "rename the container on network %s", network);
	wake_names(folder, root_path);
	return 0;
}

/* --- taking it back -------------------------------------------------------------------------- */

/* An empty namespace, held by its descriptor alone. */
static int empty_netns(void)
{
	autofd home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), made = FD_NONE;
	int r;

	if (home < 0)
		return -errno;
	r = clone_unshare(CLONE_NEWNET);
	if (r < 0)
		return r;
	made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	r = made < 0 ? -errno : 0;
	if (clone_join(home, CLONE_NEWNET) < 0)
		return -EPERM;
	return r < 0 ? r : take_fd(&made);
}

/* The bridge of a network, as netavark was told it; "": it was not. */
static const char *bridge_of(const struct json *all, const char *network)
{
	const struct json *v = json_get(all, "network_info");

	v = v && v->kind == JSON_OBJECT ? json_get(v, network) : NULL;
	v = v && v->kind == JSON_OBJECT ? json_get(v, "network_interface") : NULL;
	return v && v->kind == JSON_STRING ? v->text : "";
}

static const char *text_of(const struct json *link, const char *name)
{
	const struct json *v = link->kind == JSON_OBJECT ? json_get(link, name) : NULL;

	return v && v->kind == JSON_STRING ? v->text : "";
}

static bool mac_of(const struct json *link, uint8_t ret[VETH_MAC])
{
	unsigned b[VETH_MAC];

	if (sscanf(text_of(link, "static_mac"), "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2],
		    &b[3], &b[4], &b[5]) != VETH_MAC)
		return false;
	for (size_t i = 0; i < VETH_MAC; i++)
		ret[i] = (uint8_t)b[i];
	return true;
}

/*
 * netavark takes a bridge away when nothing is on it any more, and stops at an interface that is
 * not there. The container's own end may last as long as its namespace does, which is longer than
 * any of its processes: it goes first. Then there is an interface of each name for netavark.
 */
static int replace_interfaces(
	const struct json *all, const struct json *networks, int netns, struct err *e)
{
	for (const struct json *v = json_first(networks); v; v = json_next(networks, v)) {
		const char *own = text_of(v, "interface_name");
		uint8_t mac[VETH_MAC];
		int r = veth_drop(bridge_of(all, v->name), mac_of(v, mac) ? mac : NULL);

		if (r < 0)
			return err_set(e, -r, "take the container off network %s", v->name);
		r = own[0] ? veth_add(netns, own) : 0;
		if (r < 0)
			return err_set(e, -r, "make interface %s to be taken back", own);
	}
	return 0;
}

static bool has_bridge(const struct json *all, const struct json *networks)
{
	for (const struct json *v = json_first(networks); v; v = json_next(networks, v))
		if (if_nametoindex(bridge_of(all, v->name)))
			return true;
	return false;
}

/* 0; below 0: e; 1: e, and there is no bridge of it any more: one more try is enough. */
static int take_back(int root, const char *root_path, int dir, const char *file, struct err *e)
{
	autoarena a = { 0 };
	autohelper h = HELPER_NONE;
	autofree char *told = NULL;
	struct bridge_tools tools;
	const struct json *all, *networks;
	autofd lock = take_lock(root), netns = FD_NONE;
	struct err ignored;
	ssize_t n;

	if (lock < 0)
		return err_set(e, -lock, "lock the folder netavark");
	n = file_read_all(dir, file, TOLD_MAX, &told);
	/* killed before anything was told */
	if (n <= 0 || json_parse(told, (size_t)n, &a, &all, &ignored) < 0 ||
		all->kind != JSON_OBJECT || !(networks = json_get(all, "networks")) ||
		networks->kind != JSON_OBJECT)
		return 0;
	if (bridge_usable(strstr(told, "\"dns_enabled\":true") != NULL, &a, &tools, e) < 0)
		return -e->code;
	netns = empty_netns();
	if (netns < 0)
		return err_set(e, -netns, "make an empty network namespace");
	if (replace_interfaces(all, networks, netns, e) == 0 &&
		start(&tools, root_path, "teardown", told, netns, &h, e) == 0 &&
		bridge_ready(&h, e) == 0)
		return 0;
	return has_bridge(all, networks) ? -e->code : 1;
}

int bridge_end(int root, const char *root_path, int dir, const char *id, struct err *e)
{
	char file[128];
	int r;

	if (faccessat(dir, "netavark", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = take_back(root, root_path, dir, "netavark", e);
	if (r) {
		snprintf(file, sizeof(file), LEFT "/%s", id);
		mkdirat(root, LEFT, 0700);
		renameat(dir, "netavark", root, file);
	}
	unlinkat(dir, "netavark", 0);
	return r ? -e->code : 0;
}

void bridge_sweep(int root, const char *root_path)
{
	int fd = openat(root, LEFT, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct err ignored = { 0 };

	if (!stream && fd >= 0)
		close(fd);
	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] != '.' &&
			take_back(root, root_path, fd, entry->d_name, &ignored) >= 0)
			forget_left(root, entry->d_name);
	if (stream)
		closedir(stream);
}
