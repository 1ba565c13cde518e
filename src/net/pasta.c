/* SPDX-License-Identifier: Apache-2.0 */
#include "net/pasta.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"
#include "os/ns.h"
#include "os/proc_ref.h"
#include "os/procfs.h"

enum { ROUTES_MAX = 4 << 20, END_TIMEOUT_MS = 5000, DYING_TIMEOUT_MS = 500 };

/* Is there a default route? /proc/net/route: interface, destination, ..., mask in column 8. */
static bool has_route(const char *file, bool is6)
{
	autofree char *text = NULL;
	char *rest, *line;

	if (file_read_all(AT_FDCWD, file, ROUTES_MAX, &text) < 0)
		return false;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char name[32], destination[64], gateway[64], mask[64];
		unsigned bits, flags;

		if (is6) {
			if (sscanf(line, "%63s %x %*s %*s %63s %*s %*s %*s %x %31s", destination,
				    &bits, gateway, &flags, name) == 5 &&
				bits == 0 && (flags & 2) && !str_eq(name, "lo"))
				return true;
		} else if (sscanf(line, "%31s %63s %63s %*s %*s %*s %*s %63s", name, destination,
				   gateway, mask) == 4 &&
			   str_eq(destination, "00000000") && str_eq(mask, "00000000")) {
			return true;
		}
	}
	return false;
}

int pasta_usable(struct arena *a, const char **ret_path, struct err *e)
{
	if (helper_find("pasta", "passt", "a network of its own", a, ret_path, e) < 0)
		return -e->code;
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return err_set(e, errno, "a network of its own needs /dev/net/tun: open it");
	if (!has_route("/proc/net/route", false) && !has_route("/proc/net/ipv6_route", true)) {
		err_say(e,
			"a network of its own needs a default route of the host, and it has none");
		return PASTA_OFFLINE;
	}
	return 0;
}

/* "8080:80", "127.0.0.1/8080-8089:80-89" */
static const char *port_text(const struct want_port *p, struct arena *a)
{
	unsigned host_last = p->host + p->count - 1u, last = p->container + p->count - 1u;
	const char *host = p->host_ip[0] ? arena_printf(a, "%s/", p->host_ip) : "";

	if (p->count == 1)
		return arena_printf(a, "%s%u:%u", host, p->host, p->container);
	return arena_printf(a, "%s%u-%u:%u-%u", host, p->host, host_last, p->container, last);
}

struct words {
	struct want_words list;
	struct arena *a;
};

static void add(struct words *w, const char *word)
{
	want_word_add(w->a, &w->list, word);
}

static void add_two(struct words *w, const char *flag, const char *value)
{
	add(w, flag);
	add(w, value);
}

static void add_ports(struct words *w, const struct want *want, bool udp)
{
	bool any = false;

	for (size_t i = 0; i < want->n_ports; i++) {
		if (want->ports[i].udp != udp)
			continue;
		add_two(w, udp ? "-u" : "-t", port_text(&want->ports[i], w->a));
		any = true;
	}
	if (!any)
		add_two(w, udp ? "-u" : "-t", "none");
}

/* The second family costs it 10 MB and 5 ms: it is there where it is the only one, or published. */
static void add_families(struct words *w, const struct want *want)
{
	bool has4 = has_route("/proc/net/route", false),
	     has6 = has_route("/proc/net/ipv6_route", true), wants6 = !has4;

	for (size_t i = 0; i < want->n_ports; i++)
		wants6 |= !want->ports[i].host_ip[0] || strchr(want->ports[i].host_ip, ':');
	if (has4) {
		add_two(w, "-a", PASTA_ADDRESS);
		add_two(w, "-n", "24");
		add_two(w, "-g", PASTA_GATEWAY);
	}
	if (has6 && wants6) {
		add_two(w, "-a", PASTA_ADDRESS6);
		add_two(w, "-g", PASTA_GATEWAY6);
	}
	if (!has4)
		add(w, "-6");
	else if (!has6 || !wants6)
		add(w, "-4");
}

/* The process's namespaces, while it is sure to be there; the user namespace only if not ours. */
int pasta_namespaces(pid_t init, int fds[2], struct err *e)
{
	char path[32];
	autofd proc = FD_NONE, own = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t a = 0, b = 0;

	snprintf(path, sizeof(path), "/proc/%d", init);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fds[0] = proc < 0 ? -errno : ns_open(proc, NS_NET);
	if (fds[0] < 0)
		return err_set(e, -fds[0], "open the network namespace of process %d", init);
	if (ns_inode_of(proc, NS_USER, &a) == 0 && ns_inode_of(own, NS_USER, &b) == 0 && a == b)
		return 0;
	fds[1] = ns_open(proc, NS_USER);
	if (fds[1] < 0)
		return err_set(e, -fds[1], "open the user namespace of process %d", init);
	return 0;
}

int pasta_begin(const struct pasta_request *r, struct helper *ret, struct err *e)
{
	autoarena a = { 0 };
	struct words w = { .a = &a };
	const int *fds = r->namespaces;
	struct helper_request req = { .fds = fds };

	/* what it watches; means the descriptor that only it has under this number */
	unlinkat(r->dir, "netns", 0);
	if (symlinkat(arena_printf(&a, "/proc/self/fd/%d", HELPER_FD), r->dir, "netns") < 0)
		return err_set(e, errno, "make the link netns in the container's folder");
	add(&w, r->pasta);
	add(&w, "--config-net");
	add(&w, "--quiet");
	add(&w, "--no-map-gw");
	add_two(&w, "--netns", arena_printf(&a, "%s/netns", r->path));
	if (fds[1] >= 0) {
		add_two(&w, "--userns", arena_printf(&a, "/proc/self/fd/%d", HELPER_FD + 1));
	} else {
		add(&w, "--netns-only");
		if (geteuid() == 0)
			add_two(&w, "--runas", "0");
	}
	add_two(&w, "-P", arena_printf(&a, "%s/pasta.pid", r->path));
	add_two(&w, "-I", "eth0");
	add_families(&w, r->want);
	if (r->forward_dns)
		add_two(&w, "--dns-forward", PASTA_DNS);
	add_ports(&w, r->want, false);
	add_ports(&w, r->want, true);
	add_two(&w, "-T", "none");
	add_two(&w, "-U", "none");
	add(&w, NULL);
	req.argv = w.list.items;
	req.n_fds = fds[1] >= 0 ? 2 : 1;
	return helper_start(&req, ret, e);
}

/* pasta chooses one itself. */
static int set_mac(const char *mac, const int fds[2], struct err *e)
{
	autoarena a = { 0 };
	autohelper h = HELPER_NONE;
	const char *argv[] = { NULL, "link", "set", "dev", "eth0", "address", mac, NULL };
	struct helper_request r = { .argv = argv, .userns = fds[1], .netns = fds[0] };
	int status;

	if (helper_find("ip", "iproute2", "--mac-address", &a, &argv[0], e) < 0 ||
		helper_start(&r, &h, e) < 0)
		return -e->code;
	status = helper_wait(&h, e);
	return status <= 0 ? status
			   : err_say(e, "--mac-address %s: ip: %s", mac, helper_said(&h, &a));
}

int pasta_ready(struct helper *h, const char *mac, const int fds[2], struct err *e)
{
	autoarena a = { 0 };
	int r = helper_wait(h, e);
	const char *said;

	if (r == 0 && mac)
		return set_mac(mac, fds, e);
	if (r <= 0)
		return r;
	said = helper_said(h, &a);
	return err_say(
		e, "pasta: %s", said[0] ? said : arena_printf(&a, "ended with status %d", r));
}

/*
 * Is it ours? Its command line names our folder; numbers are given away again. One that is just
 * dying has none any more.
 */
static bool is_ours(const struct proc_ref *p, const char *path)
{
	autofd procfs = procfs_open("/proc");
	char text[16384];
	ssize_t n = procfs < 0 ? -1 : procfs_read(procfs, p->pid, "cmdline", text, sizeof(text));
	size_t len = strlen(path);

	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(text + i) + 1)
		if (strncmp(text + i, path, len) == 0 && str_eq(text + i + len, "/netns"))
			return true;
	if (n == 0)
		proc_ref_wait(p, DYING_TIMEOUT_MS);
	return false;
}

void pasta_end(int dir, const char *path)
{
	char text[32];
	int pid = 0;
	struct proc_ref p = PROC_REF_NONE;

	if (unlinkat(dir, "netns", 0) < 0 && errno == ENOENT &&
		faccessat(dir, "pasta.pid", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (file_read(dir, "pasta.pid", text, sizeof(text)) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (str_int(text, &pid) == 0 && pid > 0 && proc_ref_open(pid, 0, &p) == 0 &&
			is_ours(&p, path)) {
			proc_ref_signal(&p, SIGKILL);
			proc_ref_wait(&p, END_TIMEOUT_MS);
		}
		proc_ref_done(&p);
	}
	unlinkat(dir, "pasta.pid", 0);
}
