/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: docker's names for what docker has, and the OCI configuration as it is. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/go_format.h"
#include "cli/inspect_config.h"
#include "life/images.h"

/* What is printed of a container, and where it comes from. */
struct seen {
	const struct life_info *info;
	const struct json *config; /* NULL: cannot be read */
};

const struct opt inspect_format_opts[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_format, format), "TEMPLATE|json",
		"docker's: {{.State.Pid}}, {{json .Config}}" },
	{ 0 },
};

int cli_inspect_each(const struct cmd_call *call,
	int (*one)(const struct life *l, const char *ref, struct arena *a, struct json_writer *w,
		struct err *e),
	struct err *e)
{
	const struct inspect_format *o = call->opts;
	autolife life = LIFE_NONE;
	autotext t = { 0 }, out = { 0 };
	struct json_writer w = { .t = &t, .indent = 4 };
	int code = 0;

	if (cli_life(call, &life, e) < 0)
		return -e->code;
	json_begin(&w, NULL, '[');
	for (int i = 0; i < call->n_args; i++) {
		struct err own = { 0 };

		if (one(&life, call->args[i], call->arena, &w, &own) == 0)
			continue;
		log_err(&own);
		code = 1;
	}
	json_end(&w, ']');
	if (go_format_inspect(o->format, &t, &out, call->arena, e) < 0)
		return -e->code;
	fputs(out.p ? out.p : "", stdout);
	return code;
}

static void add_time(struct json_writer *w, const char *name, int64_t ns)
{
	autotext t = { 0 };

	format_time(&t, ns);
	json_string(w, name, t.p);
}

/* A text that is JSON already. */
static void add_json(struct json_writer *w, const char *name, const char *text)
{
	autoarena a = { 0 };
	const struct json *v;
	struct err ignored;

	if (json_parse(text, strlen(text), &a, &v, &ignored) == 0)
		config_json(w, name, v);
}

static void add_state(struct json_writer *w, const struct life_info *i)
{
	json_begin(w, "State", '{');
	json_string(w, "Status", life_status_word(i->status));
	json_bool(w, "Running", i->status == LIFE_RUNNING || i->status == LIFE_PAUSED);
	json_bool(w, "Paused", i->status == LIFE_PAUSED);
	json_bool(w, "Restarting", i->status == LIFE_RESTARTING);
	json_bool(w, "OOMKilled", i->oom_killed);
	json_bool(w, "Dead", false);
	json_bool(w, "Lost", i->lost);
	json_int(w, "Pid", i->pid);
	json_int(w, "ExitCode", i->exit_code);
	json_int(w, "ExitSignal", i->exit_signal);
	json_string(w, "Error", i->error ? i->error : "");
	add_time(w, "StartedAt", i->started_ns);
	add_time(w, "FinishedAt", i->finished_ns);
	if (i->health) {
		add_json(w, "Health", i->health);
	} else if (i->health_status) {
		json_begin(w, "Health", '{');
		json_string(w, "Status", i->health_status);
		json_int(w, "FailingStreak", 0);
		json_begin(w, "Log", '[');
		json_end(w, ']');
		json_end(w, '}');
	}
	json_end(w, '}');
}

static void add_config(struct json_writer *w, const struct seen *s)
{
	const struct life_info *i = s->info;
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped" };

	json_begin(w, "HostConfig", '{');
	json_bool(w, "AutoRemove", i->auto_remove);
	json_string(w, "NetworkMode", i->network_mode);
	json_begin(w, "RestartPolicy", '{');
	json_string(w, "Name", policies[i->restart]);
	json_int(w, "MaximumRetryCount", i->restart_max);
	json_end(w, '}');
	json_string(w, "CgroupPath", i->cgroup_path ? i->cgroup_path : "");
	inspect_host_config(w, s->config);
	json_end(w, '}');
	json_begin(w, "Config", '{');
	inspect_config(w, s->config, i);
	json_string(w, "Image", i->image);
	json_bool(w, "Tty", i->tty);
	json_bool(w, "OpenStdin", i->interactive);
	json_string(w, "StopSignal", i->stop_signal);
	if (i->healthcheck)
		add_json(w, "Healthcheck", i->healthcheck);
	json_int(w, "StopTimeout", i->stop_timeout_ms / 1000);
	json_begin(w, "Labels", '{');
	for (size_t j = 0; j < i->labels.n; j++)
		json_string(w, i->labels.items[j].key, i->labels.items[j].value);
	json_end(w, '}');
	json_end(w, '}');
}

/* The configuration's own text, moved to where it stands now. */
static void add_spec(struct json_writer *w, const struct life_info *i)
{
	size_t n = i->config ? strlen(i->config) : 0;

	while (n && (i->config[n - 1] == '\n' || i->config[n - 1] == ' '))
		n--;
	if (!n)
		return;
	json_string(w, "Spec", "");
	w->t->len -= 2; /* the empty string gives way to the object */
	for (size_t j = 0; j < n; j++) {
		text_add_n(w->t, i->config + j, 1);
		if (i->config[j] == '\n')
			text_add(w->t, "    ");
	}
}

/* docker's: ranges one by one, and every container port once with all it has on the host. */
static void add_ports(struct json_writer *w, const struct life_info *i)
{
	json_begin(w, "Ports", '{');
	for (size_t j = 0; j < i->n_ports; j++) {
		const struct life_port *p = &i->ports[j];
		autotext name = { 0 };
		bool first = true;

		for (size_t k = 0; k < j; k++)
			first &= i->ports[k].container != p->container ||
				 !str_eq(i->ports[k].protocol, p->protocol);
		if (!first)
			continue;
		text_addf(&name, "%u/%s", p->container, p->protocol);
		json_begin(w, name.p, '[');
		for (size_t k = j; k < i->n_ports; k++) {
			autotext host = { 0 };

			if (i->ports[k].container != p->container ||
				!str_eq(i->ports[k].protocol, p->protocol))
				continue;
			text_addf(&host, "%u", i->ports[k].host);
			json_begin(w, NULL, '{');
			json_string(w, "HostIp", i->ports[k].host_ip);
			json_string(w, "HostPort", host.p);
			json_end(w, '}');
		}
		json_end(w, ']');
	}
	json_end(w, '}');
}

static void add_link(struct json_writer *w, const struct life_link *k)
{
	json_begin(w, k->name, '{');
	json_string(w, "NetworkID", k->id ? k->id : "");
	json_string(w, "Interface", k->interface ? k->interface : "");
	json_string(w, "IPAddress", k->ip ? k->ip : "");
	json_uint(w, "IPPrefixLen", k->bits);
	json_string(w, "Gateway", k->gateway ? k->gateway : "");
	json_string(w, "GlobalIPv6Address", k->ip6 ? k->ip6 : "");
	json_string(w, "MacAddress", k->mac ? k->mac : "");
	json_begin(w, "Aliases", '[');
	for (size_t i = 0; i < k->aliases.n; i++)
		json_string(w, NULL, k->aliases.items[i]);
	json_end(w, ']');
	json_end(w, '}');
}

static void add_network(struct json_writer *w, const struct life_info *i)
{
	json_begin(w, "NetworkSettings", '{');
	add_ports(w, i);
	json_string(w, "IPAddress", i->n_links && i->links[0].ip ? i->links[0].ip : "");
	json_begin(w, "Networks", '{');
	for (size_t j = 0; j < i->n_links; j++)
		add_link(w, &i->links[j]);
	json_end(w, '}');
	json_end(w, '}');
}

static void add_one(struct json_writer *w, const struct seen *s)
{
	const struct life_info *i = s->info;
	autotext name = { 0 };

	text_addf(&name, "/%s", i->name);
	json_begin(w, NULL, '{');
	json_string(w, "Id", i->id);
	add_time(w, "Created", i->created_ns);
	inspect_path_args(w, s->config);
	json_string(w, "Command", i->command);
	add_state(w, i);
	json_string(w, "Image", i->image_id ? i->image_id : i->image);
	json_string(w, "Name", name.p);
	json_int(w, "RestartCount", i->restart_count);
	json_string(w, "LogPath", i->log_path);
	json_string(w, "Bundle", i->bundle);
	add_config(w, s);
	inspect_mounts(w, s->config);
	add_network(w, i);
	add_spec(w, i);
	json_end(w, '}');
}

struct inspect_opts {
	struct inspect_format format; /* first */
	const char *type;
};

static const struct opt inspect_opts[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct inspect_opts, format.format), "TEMPLATE|json",
		"docker's: {{.State.Pid}}, {{json .Config}}" },
	{ "type", 0, OPT_STRING, offsetof(struct inspect_opts, type), "container|image|network",
		"only such; else the first that has the name" },
	{ 0 },
};

static int inspect_container(const struct life *l, const char *ref, struct arena *a,
	struct json_writer *w, struct err *e)
{
	struct life_info info;
	struct seen s = { .info = &info };
	struct err unread;

	if (life_inspect(l, ref, a, &info, e) < 0)
		return -e->code;
	if (info.config)
		json_parse(info.config, strlen(info.config), a, &s.config, &unread);
	add_one(w, &s);
	return 0;
}

/* docker: a word is a container, else an image, else a network. What is none is no container. */
static int inspect_any(const struct life *l, const char *ref, struct arena *a,
	struct json_writer *w, struct err *e)
{
	struct err other = { 0 };
	int r = inspect_container(l, ref, a, w, e);

	if (r == -ERR_ABSENT)
		r = cli_inspect_image(l, ref, a, w, &other);
	if (r < 0 && e->code == ERR_ABSENT)
		r = cli_inspect_network(l, ref, a, w, &other);
	return r;
}

static int inspect(const struct cmd_call *call, struct err *e)
{
	const char *type = ((const struct inspect_opts *)call->opts)->type;

	if (!type)
		return cli_inspect_each(call, inspect_any, e);
	if (str_eq(type, "container"))
		return cli_inspect_each(call, inspect_container, e);
	if (str_eq(type, "image"))
		return cli_inspect_each(call, cli_inspect_image, e);
	if (str_eq(type, "network"))
		return cli_inspect_each(call, cli_inspect_network, e);
	return err_say(e, "--type %s: container, image or network is wanted", type);
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.group = CMD_RUNNING,
	.args = "NAME|ID...",
	.brief = "everything about containers, images, networks, as JSON",
	.min_args = 1,
	.max_args = -1,
	.opts = inspect_opts,
	.opts_size = sizeof(struct inspect_opts),
	.run = inspect,
};
