/* SPDX-License-Identifier: Apache-2.0 */
/* network create, ls, rm, inspect, prune, connect, disconnect; and port. */
#include <stdio.h>
#include <string.h>

#include "base/cols.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/go_format.h"

/* --- create ---------------------------------------------------------------------------------- */

#define CREATE(member) offsetof(struct life_network_create, member)

static const struct opt create_opts[] = {
	{ "driver", 'd', OPT_STRING, CREATE(driver), "bridge", "its kind" },
	{ "subnet", 0, OPT_LIST, CREATE(subnets), "NETWORK", "10.1.2.0/24; one of each family" },
	{ "gateway", 0, OPT_LIST, CREATE(gateways), "ADDRESS", "the host's own address on it" },
	{ "ip-range", 0, OPT_LIST, CREATE(ranges), "NETWORK",
		"containers' addresses come from it" },
	{ "internal", 0, OPT_FLAG, CREATE(internal), NULL, "no way out of it" },
	{ "ipv6", 0, OPT_FLAG, CREATE(ipv6), NULL, "with an IPv6 subnet" },
	{ "disable-dns", 0, OPT_FLAG, CREATE(disable_dns), NULL,
		"containers do not know each other's names" },
	{ "label", 0, OPT_LIST, CREATE(labels), "KEY=VALUE", "metadata" },
	{ 0 },
};

static int create(const struct cmd_call *call, struct err *e)
{
	struct life_network_create *o = call->opts;
	autolife life = LIFE_NONE;
	const char *id;

	o->name = call->args[0];
	if (cli_life(call, &life, e) < 0 || life_network_create(&life, o, call->arena, &id, e) < 0)
		return -e->code;
	puts(id);
	return 0;
}

static const struct cmd network_create = {
	.name = "create",
	.args = "NAME",
	.brief = "make a network with a bridge, whose containers know each other by name",
	.min_args = 1,
	.max_args = 1,
	.opts = create_opts,
	.opts_size = sizeof(struct life_network_create),
	.run = create,
};

/* --- ls -------------------------------------------------------------------------------------- */

struct ls_opts {
	bool quiet, no_trunc, json;
	const char *format;
	struct opt_list filters;
};

static const struct opt ls_opts[] = {
	{ "quiet", 'q', OPT_FLAG, offsetof(struct ls_opts, quiet), NULL, "IDs only" },
	{ "filter", 'f', OPT_LIST, offsetof(struct ls_opts, filters), "KEY=VALUE",
		"name, id, driver, label" },
	{ "format", 0, OPT_STRING, offsetof(struct ls_opts, format), "COLUMN,...|json|TEMPLATE",
		"columns: id name driver scope subnet gateway internal dns interface; or docker's "
		"{{.Name}}" },
	{ "json", 0, OPT_FLAG, offsetof(struct ls_opts, json), NULL, "an array of our columns" },
	{ "no-trunc", 0, OPT_FLAG, offsetof(struct ls_opts, no_trunc), NULL, "do not shorten" },
	{ 0 },
};

struct listing {
	struct life_net *items;
	size_t n;
	bool no_trunc;
};

static const struct life_net *at(const void *data, size_t row)
{
	return &((const struct listing *)data)->items[row];
}

static void cell_id(const void *data, size_t row, struct text *t)
{
	text_addf(t, "%.*s", ((const struct listing *)data)->no_trunc ? 64 : 12, at(data, row)->id);
}

/* Those that are always there have no ID: their name serves as one. */
static void cell_ref(const void *data, size_t row, struct text *t)
{
	if (*at(data, row)->id)
		cell_id(data, row, t);
	else
		text_add(t, at(data, row)->name);
}

static void cell_name(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->name);
}

static void cell_driver(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->driver);
}

static void cell_subnet(const void *data, size_t row, struct text *t)
{
	for (size_t i = 0; i < at(data, row)->n_subnets; i++)
		text_addf(t, "%s%s", i ? ", " : "", at(data, row)->subnets[i].subnet);
}

static void cell_gateway(const void *data, size_t row, struct text *t)
{
	for (size_t i = 0; i < at(data, row)->n_subnets; i++)
		text_addf(t, "%s%s", i ? ", " : "", at(data, row)->subnets[i].gateway);
}

static void cell_internal(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->internal ? "yes" : "");
}

static void cell_dns(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->dns ? "yes" : "");
}

static void cell_interface(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->interface ? at(data, row)->interface : "");
}

static void cell_scope(const void *data, size_t row, struct text *t)
{
	(void)data;
	(void)row;
	text_add(t, "local");
}

static void cell_created(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->created ? at(data, row)->created : "");
}

static void cell_bool_internal(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->internal ? "true" : "false");
}

static void cell_ipv6(const void *data, size_t row, struct text *t)
{
	text_add(t, at(data, row)->ipv6 ? "true" : "false");
}

static void cell_labels(const void *data, size_t row, struct text *t)
{
	format_labels(t, &at(data, row)->labels);
}

static void add_row_labels(const void *data, size_t row, struct json_writer *w)
{
	format_label_members(w, &at(data, row)->labels);
}

static const struct go_field fields[] = {
	{ "CreatedAt", "CREATED AT", cell_created, false },
	{ "Driver", "DRIVER", cell_driver, false },
	{ "ID", "NETWORK ID", cell_id, false },
	{ "IPv6", "IPV6", cell_ipv6, false },
	{ "Internal", "INTERNAL", cell_bool_internal, false },
	{ "Labels", "LABELS", cell_labels, false },
	{ "Name", "NAME", cell_name, false },
	{ "Scope", "SCOPE", cell_scope, false },
	{ "Subnet", "SUBNET", cell_subnet, true },
	{ "Gateway", "GATEWAY", cell_gateway, true },
	{ "Interface", "INTERFACE", cell_interface, true },
	{ 0 },
};

static const struct col cols[] = {
	{ "id", COL_TEXT, "the short ID", cell_id, "network id" },
	{ "ref", COL_TEXT, "its ID, or its name if it has none", cell_ref },
	{ "name", COL_TEXT, "its name", cell_name },
	{ "driver", COL_TEXT, "its kind", cell_driver },
	{ "scope", COL_TEXT, "local", cell_scope },
	{ "subnet", COL_TEXT, "its addresses", cell_subnet },
	{ "gateway", COL_TEXT, "the host's own address on it", cell_gateway },
	{ "internal", COL_BOOL, "no way out of it", cell_internal },
	{ "dns", COL_BOOL, "names are known on it", cell_dns },
	{ "interface", COL_TEXT, "the bridge on the host", cell_interface },
	{ 0 },
};

/* 1: fits, 0: does not. */
static int fits(const struct life_net *n, const char *filter, struct err *e)
{
	const char *value = strchr(filter, '=');

	if (!value++)
		return err_say(e, "--filter %s: key=value is wanted", filter);
	if (str_starts(filter, "name="))
		return strstr(n->name, value) != NULL;
	if (str_starts(filter, "id="))
		return str_starts(n->id, value);
	if (str_starts(filter, "driver="))
		return str_eq(n->driver, value);
	if (!str_starts(filter, "label="))
		return err_say(e, "--filter %s: name, id, driver and label are known", filter);
	for (size_t i = 0; i < n->labels.n; i++) {
		size_t len = strlen(n->labels.items[i].key);

		if (strncmp(n->labels.items[i].key, value, len) == 0 &&
			(!value[len] || (value[len] == '=' &&
						str_eq(n->labels.items[i].value, value + len + 1))))
			return 1;
	}
	return 0;
}

static int ls(const struct cmd_call *call, struct err *e)
{
	const struct ls_opts *o = call->opts;
	struct listing list = { .no_trunc = o->no_trunc || o->json };
	struct cols_style style = { .no_headings = o->quiet };
	const struct col **picked;
	autolife life = LIFE_NONE;
	autotext t = { 0 };
	size_t n = 0;

	if (cli_life(call, &life, e) < 0 ||
		life_network_list(&life, call->arena, &list.items, &list.n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < list.n; i++) {
		int all = 1;

		for (size_t j = 0; j < o->filters.n && all; j++) {
			all = fits(&list.items[i], o->filters.items[j], e);
			if (all < 0)
				return all;
		}
		if (all)
			list.items[n++] = list.items[i];
	}
	list.n = n;
	if (o->format && !o->quiet && !o->json && go_format_is(o->format)) {
		struct go_rows rows = { fields, &list, list.n, add_row_labels };

		if (go_format_print(o->format, &rows, call->arena, &t, e) < 0)
			return -e->code;
		fputs(t.p ? t.p : "", stdout);
		return 0;
	}
	if (cols_pick(cols,
		    o->quiet  ? "ref"
		    : o->json ? "id,name,driver,subnet,gateway,internal,dns,interface"
			      : "id,name,driver,scope,subnet",
		    o->format && !o->quiet && !go_format_is(o->format) &&
				    !str_eq(o->format, "table")
			    ? o->format
			    : NULL,
		    call->arena, &picked, e) < 0)
		return -e->code;
	if (o->json)
		cols_json(picked, &list, list.n, &t);
	else
		cols_table(picked, &list, list.n, &style, &t);
	if (t.p)
		fputs(t.p, stdout);
	return 0;
}

static const struct cmd network_ls = {
	.name = "ls",
	.brief = "list networks",
	.max_args = 0,
	.opts = ls_opts,
	.opts_size = sizeof(struct ls_opts),
	.run = ls,
};

/* --- inspect --------------------------------------------------------------------------------- */

static void add_ipam(struct json_writer *w, const struct life_net *n)
{
	json_begin(w, "IPAM", '{');
	json_string(w, "Driver", "default");
	json_begin(w, "Config", '[');
	for (size_t i = 0; i < n->n_subnets; i++) {
		const struct life_subnet *s = &n->subnets[i];

		json_begin(w, NULL, '{');
		json_string(w, "Subnet", s->subnet);
		json_string(w, "Gateway", s->gateway);
		if (s->first) {
			autotext range = { 0 };

			text_addf(&range, "%s-%s", s->first, s->last);
			json_string(w, "IPRange", range.p);
		}
		json_end(w, '}');
	}
	json_end(w, ']');
	json_end(w, '}');
}

static void add_containers(struct json_writer *w, const struct life_net *n)
{
	json_begin(w, "Containers", '{');
	for (size_t i = 0; i < n->n_containers; i++) {
		const struct life_link *c = &n->containers[i];

		json_begin(w, c->id, '{');
		json_string(w, "Name", c->name);
		json_string(w, "MacAddress", c->mac ? c->mac : "");
		json_string(w, "IPv4Address", c->ip ? c->ip : "");
		json_string(w, "IPv6Address", c->ip6 ? c->ip6 : "");
		json_end(w, '}');
	}
	json_end(w, '}');
}

static void add_net(struct json_writer *w, const struct life_net *n)
{
	json_begin(w, NULL, '{');
	json_string(w, "Name", n->name);
	json_string(w, "Id", n->id);
	json_string(w, "Created", n->created);
	json_string(w, "Scope", "local");
	json_string(w, "Driver", n->driver);
	json_bool(w, "EnableIPv6", n->ipv6);
	add_ipam(w, n);
	json_bool(w, "Internal", n->internal);
	json_bool(w, "DNS", n->dns);
	json_string(w, "Interface", n->interface ? n->interface : "");
	add_containers(w, n);
	json_begin(w, "Labels", '{');
	for (size_t i = 0; i < n->labels.n; i++)
		json_string(w, n->labels.items[i].key, n->labels.items[i].value);
	json_end(w, '}');
	json_end(w, '}');
}

int cli_inspect_network(const struct life *l, const char *ref, struct arena *a,
	struct json_writer *w, struct err *e)
{
	struct life_net net;

	if (life_network_inspect(l, ref, a, &net, e) < 0)
		return -e->code;
	add_net(w, &net);
	return 0;
}

static int inspect(const struct cmd_call *call, struct err *e)
{
	return cli_inspect_each(call, cli_inspect_network, e);
}

static const struct cmd network_inspect = {
	.name = "inspect",
	.args = "NETWORK...",
	.brief = "everything about networks, as JSON",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_format_opts,
	.opts_size = sizeof(struct inspect_format),
	.run = inspect,
};

/* --- rm, prune ------------------------------------------------------------------------------- */

struct rm_opts {
	bool force;
};

static const struct opt rm_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rm_opts, force), NULL,
		"one that is not there is no failure" },
	{ 0 },
};

static int rm_one(const struct life *l, const char *ref, const void *opts, struct err *e)
{
	int r = life_network_remove(l, ref, e);

	return r < 0 && e->code == ERR_ABSENT && ((const struct rm_opts *)opts)->force ? 0 : r;
}

static int rm(const struct cmd_call *call, struct err *e)
{
	return cli_each(call, rm_one, e);
}

static const struct cmd network_rm = {
	.name = "rm",
	.args = "NETWORK...",
	.brief = "remove networks that no running container has",
	.min_args = 1,
	.max_args = -1,
	.opts = rm_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = rm,
};

static const struct opt prune_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rm_opts, force), NULL, "do not ask" },
	{ 0 },
};

static int prune(const struct cmd_call *call, struct err *e)
{
	const struct rm_opts *o = call->opts;
	autolife life = LIFE_NONE;
	const char **names;
	char answer[16];
	size_t n;

	if (!o->force && life_stdin_is_tty()) {
		fputs("This removes all networks that no container has. Go on? [y/N] ", stdout);
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin) || (answer[0] != 'y' && answer[0] != 'Y'))
			return 0;
	}
	if (cli_life(call, &life, e) < 0 ||
		life_network_prune(&life, call->arena, &names, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++)
		puts(names[i]);
	return 0;
}

static const struct cmd network_prune = {
	.name = "prune",
	.brief = "remove all networks that no container has",
	.max_args = 0,
	.opts = prune_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = prune,
};

/* --- connect, disconnect --------------------------------------------------------------------- */

static const struct opt connect_opts[] = {
	{ "ip", 0, OPT_STRING, offsetof(struct life_connect, ip), "ADDRESS", "its address" },
	{ "ip6", 0, OPT_STRING, offsetof(struct life_connect, ip6), "ADDRESS", "its IPv6 address" },
	{ "mac-address", 0, OPT_STRING, offsetof(struct life_connect, mac), "MAC",
		"of its interface" },
	{ "alias", 0, OPT_LIST, offsetof(struct life_connect, aliases), "NAME",
		"a further name in the network" },
	{ 0 },
};

static int connect_one(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_network_connect(&life, call->args[0], call->args[1], call->opts, e);
}

static const struct cmd network_connect = {
	.name = "connect",
	.args = "NETWORK CONTAINER",
	.brief = "put a container on one more network",
	.min_args = 2,
	.max_args = 2,
	.opts = connect_opts,
	.opts_size = sizeof(struct life_connect),
	.run = connect_one,
};

static const struct opt disconnect_opts[] = {
	{ "force", 'f', OPT_FLAG, offsetof(struct rm_opts, force), NULL,
		"also where netavark says it cannot" },
	{ 0 },
};

static int disconnect(const struct cmd_call *call, struct err *e)
{
	autolife life = LIFE_NONE;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	return life_network_disconnect(&life, call->args[0], call->args[1],
		((const struct rm_opts *)call->opts)->force, e);
}

static const struct cmd network_disconnect = {
	.name = "disconnect",
	.args = "NETWORK CONTAINER",
	.brief = "take a container off a network",
	.min_args = 2,
	.max_args = 2,
	.opts = disconnect_opts,
	.opts_size = sizeof(struct rm_opts),
	.run = disconnect,
};

static int sub(const struct cmd_call *call, struct err *e)
{
	static const struct cmd *const list[] = { &network_create, &network_ls, &network_rm,
		&network_inspect, &network_prune, &network_connect, &network_disconnect, NULL };

	return cli_sub(call, list, e);
}

const struct cmd cmd_network = {
	.name = "network",
	.group = CMD_RUNNING,
	.args = "create|ls|rm|inspect|prune|connect|disconnect ...",
	.brief = "networks with a bridge, on which containers know each other by name",
	.min_args = 1,
	.max_args = -1,
	.stops_at_word = true,
	.run = sub,
};

/* --- port ------------------------------------------------------------------------------------ */

static int port(const struct cmd_call *call, struct err *e)
{
	const char *wanted = call->n_args > 1 ? call->args[1] : NULL;
	autolife life = LIFE_NONE;
	struct life_info info;
	bool any = false;

	if (cli_life(call, &life, e) < 0 ||
		life_inspect(&life, call->args[0], call->arena, &info, e) < 0)
		return -e->code;
	for (size_t i = 0; i < info.n_ports; i++) {
		const struct life_port *p = &info.ports[i];
		autotext own = { 0 }, at_host = { 0 };

		text_addf(&own, "%u/%s", p->container, p->protocol);
		text_addf(&at_host, strchr(p->host_ip, ':') ? "[%s]:%u" : "%s:%u", p->host_ip,
			p->host);
		if (!wanted)
			printf("%s -> %s\n", own.p, at_host.p);
		else if (str_eq(wanted, own.p) ||
			 (!strchr(wanted, '/') && str_eq(p->protocol, "tcp") &&
				 strncmp(own.p, wanted, strlen(wanted)) == 0 &&
				 own.p[strlen(wanted)] == '/'))
			puts(at_host.p);
		else
			continue;
		any = true;
	}
	if (wanted && !any) {
		err_say(e, "container %s publishes no port %s", info.name, wanted);
		log_err(e);
		return 1;
	}
	return 0;
}

const struct cmd cmd_port = {
	.name = "port",
	.group = CMD_RUNNING,
	.args = "CONTAINER [PORT[/udp]]",
	.brief = "published ports, and where they are on the host",
	.min_args = 1,
	.max_args = 2,
	.run = port,
};
