/* SPDX-License-Identifier: Apache-2.0 */
#include "net/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "net/addr.h"
#include "os/file.h"

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* The rest of a line "keyword value", or NULL. */
static const char *value_of(const char *line, const char *keyword)
{
	size_t n = strlen(keyword);

	line = skip_blanks(line);
	return strncmp(line, keyword, n) == 0 && (line[n] == ' ' || line[n] == '\t')
		       ? skip_blanks(line + n)
		       : NULL;
}

static bool is_loopback(const char *ip)
{
	struct addr a;
	static const uint8_t one[16] = { [15] = 1 };
	char copy[ADDR_TEXT];
	size_t n = strcspn(ip, "% \t");

	if (n >= sizeof(copy))
		return false;
	memcpy(copy, ip, n);
	copy[n] = '\0';
	if (addr_parse(copy, &a) < 0)
		return false;
	return a.family == AF_INET ? a.bytes[0] == 127 : memcmp(a.bytes, one, 16) == 0;
}

static void add_list(const char *keyword, const struct want_words *list, struct text *t)
{
	if (!list->n)
		return;
	text_add(t, keyword);
	for (size_t i = 0; i < list->n; i++)
		text_addf(t, " %s", list->items[i]);
	text_add(t, "\n");
}

/* The host's lines of a keyword; servers that cannot be reached are left out. Returns how many. */
static size_t add_host_lines(
	const char *host, const char *keyword, bool no_loopback, struct text *t)
{
	autofree char *copy = mem_strdup(host);
	char *rest = copy, *line;
	size_t n = 0;

	while ((line = strsep(&rest, "\n"))) {
		const char *value = value_of(line, keyword);

		if (!value || !*value || (no_loopback && is_loopback(value)))
			continue;
		text_addf(t, "%s %s\n", keyword, value);
		n++;
	}
	return n;
}

bool files_resolv(const struct want *w, const char *host, bool shares_host, const char *forwarder,
	const struct want_words *servers, struct text *t)
{
	bool forwarded = false;

	/* --dns-search . means none at all */
	if (w->dns_search.n)
		add_list("search",
			str_eq(w->dns_search.items[0], ".") ? &(struct want_words){ 0 }
							    : &w->dns_search,
			t);
	else
		add_host_lines(host, "search", false, t);
	if (servers->n || w->dns.n) {
		const struct want_words *list = servers->n ? servers : &w->dns;

		for (size_t i = 0; i < list->n; i++)
			text_addf(t, "nameserver %s\n", list->items[i]);
	} else if (!add_host_lines(host, "nameserver", !shares_host, t)) {
		forwarded = forwarder != NULL;
		text_addf(t, "nameserver %s\n", forwarder ? forwarder : "8.8.8.8");
	}
	if (w->dns_options.n)
		add_list("options", &w->dns_options, t);
	else
		add_host_lines(host, "options", false, t);
	return forwarded;
}

static void add_self(const char *ip, const struct want *w, struct text *t)
{
	if (!ip || !w->hostname)
		return;
	text_addf(t, "%s\t", ip);
	if (w->domainname)
		text_addf(t, "%s.%s ", w->hostname, w->domainname);
	text_addf(t, "%s\n", w->hostname);
}

int files_hosts(const struct want *w, const char *host, const struct files_self *selves, size_t n,
	const char *host_gateway, struct text *t, struct err *e)
{
	static const char usual[] = "127.0.0.1\tlocalhost\n"
				    "::1\tlocalhost ip6-localhost ip6-loopback\n"
				    "fe00::0\tip6-localnet\n"
				    "ff00::0\tip6-mcastprefix\n"
				    "ff02::1\tip6-allnodes\n"
				    "ff02::2\tip6-allrouters\n";

	text_add(t, host ? host : usual);
	if (t->len && t->p[t->len - 1] != '\n')
		text_add(t, "\n");
	for (size_t i = 0; i < w->hosts.n; i++) {
		const char *name = w->hosts.items[i], *ip = strchr(name, ' ');
		size_t len = (size_t)(ip - name);

		ip++;
		if (str_eq(ip, "host-gateway")) {
			ip = host_gateway;
			if (!ip)
				return err_say(e,
					"--add-host %.*s:host-gateway: the host has no address "
					"that "
					"this container could reach",
					(int)len, name);
		}
		text_addf(t, "%s\t%.*s\n", ip, (int)len, name);
	}
	for (size_t i = 0; i < n; i++) {
		add_self(selves[i].ip, w, t);
		add_self(selves[i].ip6, w, t);
	}
	return 0;
}

int files_write(int dir, const char *name, const char *text, struct err *e)
{
	autofd fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	size_t n = strlen(text);
	int r;

	if (fd < 0)
		return err_set(e, errno, "write the container's %s", name);
	/* whatever the umask says: everybody in the container reads these */
	fchmod(fd, 0644);
	r = file_write_all(fd, text, n);
	if (r == 0 && ftruncate(fd, (off_t)n) < 0)
		r = -errno;
	return r < 0 ? err_set(e, -r, "write the container's %s", name) : 0;
}
