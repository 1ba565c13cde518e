/* SPDX-License-Identifier: Apache-2.0 */
#include "net/want.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "os/file.h"

enum { WANT_MAX = 1 << 20 };

static const char *const mode_words[] = {
	[WANT_PRIVATE] = "private",
	[WANT_NONE] = "none",
	[WANT_HOST] = "host",
	[WANT_JOINED] = "joined",
	[WANT_BRIDGE] = "bridge",
};

const char *want_mode_word(enum want_mode m)
{
	return mode_words[m];
}

void want_word_add(struct arena *a, struct want_words *w, const char *word)
{
	const char **item = arena_grow(a, &w->items, &w->n, sizeof(*item));

	*item = word;
}

static const char *string(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);

	return v && v->kind == JSON_STRING ? v->text : NULL;
}

static uint16_t port(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);
	uint64_t n = 0;

	return v && json_u64(v, &n) == 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

static bool flag(const struct json *o, const char *name)
{
	const struct json *v = json_get(o, name);

	return v && v->kind == JSON_BOOL && v->is_true;
}

static void words(const struct json *o, const char *name, struct arena *a, struct want_words *ret)
{
	const struct json *v = json_get(o, name);

	if (!v || v->kind != JSON_ARRAY)
		return;
	for (const struct json *s = json_first(v); s; s = json_next(v, s))
		if (s->kind == JSON_STRING)
			want_word_add(a, ret, s->text);
}

static void read_ports(const struct json *list, struct arena *a, struct want *w)
{
	for (const struct json *v = json_first(list); v; v = json_next(list, v)) {
		struct want_port *p;

		if (v->kind != JSON_OBJECT)
			continue;
		p = arena_grow(a, &w->ports, &w->n_ports, sizeof(*p));
		p->host_ip = string(v, "hostIp") ? string(v, "hostIp") : "";
		p->host = port(v, "host");
		p->host_last = port(v, "hostLast");
		p->container = port(v, "container");
		p->count = port(v, "count");
		p->udp = flag(v, "udp");
	}
}

static void read_links(const struct json *list, struct arena *a, struct want *w)
{
	for (const struct json *v = json_first(list); v; v = json_next(list, v)) {
		struct want_link *k;

		if (v->kind != JSON_OBJECT || !string(v, "network"))
			continue;
		k = arena_grow(a, &w->links, &w->n_links, sizeof(*k));
		k->network = string(v, "network");
		k->interface = string(v, "interface");
		k->ip = string(v, "ip");
		k->ip6 = string(v, "ip6");
		k->mac = string(v, "mac");
		words(v, "aliases", a, &k->aliases);
	}
}

int want_read(int dir, const char *file, struct arena *a, struct want *ret, struct err *e)
{
	autofree char *text = NULL;
	ssize_t n = file_read_all(dir, file, WANT_MAX, &text);
	const struct json *all, *list;
	struct want w = { 0 };

	if (n < 0)
		return err_set(e, (int)-n, "read the container's file %s", file);
	if (json_parse(text, (size_t)n, a, &all, e) < 0)
		return err_wrap(e, "the container's file %s", file);
	if (all->kind != JSON_OBJECT || !string(all, "mode"))
		return err_say(e, "the container's file %s is damaged", file);
	for (size_t i = 0; i < ARRAY_LEN(mode_words); i++)
		if (str_eq(mode_words[i], string(all, "mode")))
			w.mode = (enum want_mode)i;
	w.asked = flag(all, "asked");
	w.publish_all = flag(all, "publishAll");
	w.hostname = string(all, "hostname");
	w.domainname = string(all, "domainname");
	w.mac = string(all, "mac");
	w.container = string(all, "container");
	list = json_get(all, "ports");
	if (list && list->kind == JSON_ARRAY)
		read_ports(list, a, &w);
	list = json_get(all, "links");
	if (list && list->kind == JSON_ARRAY)
		read_links(list, a, &w);
	words(all, "dns", a, &w.dns);
	words(all, "dnsSearch", a, &w.dns_search);
	words(all, "dnsOptions", a, &w.dns_options);
	words(all, "hosts", a, &w.hosts);
	*ret = w;
	return 0;
}

static void dump_string(struct json_writer *w, const char *name, const char *value)
{
	if (value)
		json_string(w, name, value);
}

static void dump_words(struct json_writer *w, const char *name, const struct want_words *list)
{
	if (!list->n)
		return;
	json_begin(w, name, '[');
	for (size_t i = 0; i < list->n; i++)
		json_string(w, NULL, list->items[i]);
	json_end(w, ']');
}

void want_dump(const struct want *w, struct text *t)
{
	struct json_writer j = { .t = t };

	json_begin(&j, NULL, '{');
	json_string(&j, "mode", mode_words[w->mode]);
	json_bool(&j, "asked", w->asked);
	if (w->publish_all)
		json_bool(&j, "publishAll", true);
	dump_string(&j, "hostname", w->hostname);
	dump_string(&j, "domainname", w->domainname);
	dump_string(&j, "mac", w->mac);
	dump_string(&j, "container", w->container);
	json_begin(&j, "ports", '[');
	for (size_t i = 0; i < w->n_ports; i++) {
		const struct want_port *p = &w->ports[i];

		json_begin(&j, NULL, '{');
		json_string(&j, "hostIp", p->host_ip);
		json_uint(&j, "host", p->host);
		json_uint(&j, "hostLast", p->host_last);
		json_uint(&j, "container", p->container);
		json_uint(&j, "count", p->count);
		json_bool(&j, "udp", p->udp);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_begin(&j, "links", '[');
	for (size_t i = 0; i < w->n_links; i++) {
		const struct want_link *k = &w->links[i];

		json_begin(&j, NULL, '{');
		json_string(&j, "network", k->network);
		dump_string(&j, "interface", k->interface);
		dump_string(&j, "ip", k->ip);
		dump_string(&j, "ip6", k->ip6);
		dump_string(&j, "mac", k->mac);
		dump_words(&j, "aliases", &k->aliases);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	dump_words(&j, "dns", &w->dns);
	dump_words(&j, "dnsSearch", &w->dns_search);
	dump_words(&j, "dnsOptions", &w->dns_options);
	dump_words(&j, "hosts", &w->hosts);
	json_end(&j, '}');
	text_add(t, "\n");
}
