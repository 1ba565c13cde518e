/* SPDX-License-Identifier: Apache-2.0 */
/* clade-init-services(5): a table of keys, each with its reader. */
#include <arpa/inet.h>
#include <string.h>

#include "init/options.h"
#include "init/services/conf.h"

/* One key of a section being read. */
struct key {
	struct conf *c;
	const struct ini_section *s;
	const struct ini_key *k;
};

static bool bad(const struct key *at, const char *wanted)
{
	return conf_fail(at->c, at->k->file, at->k->line, at->s->name, at->k->name,
		"%s, not \"%s\"", wanted, at->k->value);
}

static bool words(const struct key *at, const char *text, const char ***ret)
{
	size_t n;

	*ret = (const char **)text_words(&at->c->pool, text, &n);
	if (!*ret)
		return conf_fail(at->c, at->k->file, at->k->line, at->s->name, at->k->name,
			"a quote is not closed");
	return n > 0 || conf_fail(at->c, at->k->file, at->k->line, at->s->name, at->k->name,
				"there is no command");
}

static const char *copy(const struct key *at, const char *s)
{
	return pool_text(&at->c->pool, s, strlen(s));
}

static bool duration(const struct key *at, const char *s, size_t n, int64_t *ret)
{
	*ret = text_duration(s, n);
	return *ret >= 0 || bad(at, "a time like 500ms, 10s or 2m");
}

static bool yes_no(const struct key *at, bool *ret)
{
	int yes = text_bool(at->k->value);

	*ret = yes > 0;
	return yes >= 0 || bad(at, "yes or no");
}

static bool run(const struct key *at, struct sv_def *d)
{
	return words(at, at->k->value, &d->argv);
}

static bool at_end(const struct key *at, struct sv_def *d)
{
	return words(at, at->k->value, &d->finish);
}

static bool type(const struct key *at, struct sv_def *d)
{
	d->rule.oneshot = strcmp(at->k->value, "oneshot") == 0;
	return d->rule.oneshot || strcmp(at->k->value, "daemon") == 0 ||
	       bad(at, "daemon or oneshot");
}

static bool start(const struct key *at, struct sv_def *d)
{
	return yes_no(at, &d->autostart);
}

static bool restart(const struct key *at, struct sv_def *d)
{
	static const char *const names[] = { "never", "on-failure", "always" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(at->k->value, names[i]) == 0) {
			d->rule.restart = (enum sv_restart)i;
			return true;
		}
	}
	return bad(at, "never, on-failure or always");
}

/* PORT, 10.0.0.1:PORT, [::1]:PORT, localhost:PORT: whoever resolves names would wait for others. */
static bool tcp(const struct key *at, const char *where, struct sv_def *d)
{
	const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;
	size_t n = colon ? (size_t)(colon - where) : 0;
	long number = text_number(port, strlen(port), 65535);
	struct in6_addr any;

	if (number <= 0)
		return bad(at, "tcp:[ADDRESS:]PORT");
	d->ready_port = (int)number;
	if (!colon || text_is(where, n, "localhost"))
		return true;
	if (n > 2 && where[0] == '[' && where[n - 1] == ']')
		d->ready_host = pool_text(&at->c->pool, where + 1, n - 2);
	else
		d->ready_host = pool_text(&at->c->pool, where, n);
	return inet_pton(*where == '[' ? AF_INET6 : AF_INET, d->ready_host, &any) == 1 ||
	       bad(at, "an address, [IPv6 address] or localhost before the port");
}

static bool ready(const struct key *at, struct sv_def *d)
{
	const char *v = at->k->value, *colon = strchr(v, ':');
	size_t n = colon ? (size_t)(colon - v) : strlen(v);
	long number = colon ? text_number(colon + 1, strlen(colon + 1), 65535) : -1;

	if (text_is(v, n, "notify") && !colon) {
		d->ready = READY_NOTIFY;
	} else if (text_is(v, n, "alive") && colon) {
		d->ready = READY_ALIVE;
		return duration(at, colon + 1, strlen(colon + 1), &d->ready_ms);
	} else if (text_is(v, n, "fd") && number >= 3 && number <= 1023) {
		d->ready = READY_FD;
		d->ready_fd = (int)number;
	} else if (text_is(v, n, "tcp") && colon) {
		d->ready = READY_TCP;
		return tcp(at, colon + 1, d);
	} else if (text_is(v, n, "exec") && colon) {
		d->ready = READY_EXEC;
		return words(at, colon + 1, &d->ready_argv);
	} else {
		return bad(at, "alive:TIME, fd:NUMBER (3 to 1023), notify, tcp:[ADDRESS:]PORT or "
			       "exec:COMMAND");
	}
	return true;
}

static bool ready_every(const struct key *at, struct sv_def *d)
{
	return duration(at, at->k->value, strlen(at->k->value), &d->ready_every_ms) &&
	       (d->ready_every_ms >= 10 || bad(at, "at least 10ms"));
}

static bool ready_timeout(const struct key *at, struct sv_def *d)
{
	return duration(at, at->k->value, strlen(at->k->value), &d->ready_timeout_ms);
}

static bool backoff(const struct key *at, struct sv_def *d)
{
	const char *v = at->k->value, *dots = strstr(v, "..");

	if (!dots)
		return bad(at, "two times like 1s..30s");
	return duration(at, v, (size_t)(dots - v), &d->rule.backoff_ms) &&
	       duration(at, dots + 2, strlen(dots + 2), &d->rule.cap_ms);
}

static bool steady(const struct key *at, struct sv_def *d)
{
	return duration(at, at->k->value, strlen(at->k->value), &d->rule.steady_ms);
}

static bool give_up(const struct key *at, struct sv_def *d)
{
	long n = text_number(at->k->value, strlen(at->k->value), 1000000);

	d->rule.retries = (int)n;
	return n >= 0 || strcmp(at->k->value, "never") == 0 ||
	       bad(at, "a number of failures in a row, or never");
}

static bool expect(const struct key *at, struct sv_def *d)
{
	memset(d->rule.expected, 0, sizeof(d->rule.expected));
	for (const char *v = at->k->value; *(v += strspn(v, ", \n"));) {
		size_t n = strcspn(v, ", \n");
		long code = text_number(v, n, 255);

		if (code < 0)
			return bad(at, "exit codes from 0 to 255");
		d->rule.expected[code] = true;
		v += n;
	}
	return true;
}

static bool stop(const struct key *at, struct sv_def *d)
{
	return conf_stop(d, at->k->value) || bad(at, "steps like TERM:10s,INT:5s,KILL");
}

static bool isolate(const struct key *at, struct sv_def *d)
{
	d->isolate_pid = strcmp(at->k->value, "pid") == 0;
	d->sweeps = strcmp(at->k->value, "none") != 0;
	return d->isolate_pid || strcmp(at->k->value, "group") == 0 || !d->sweeps ||
	       bad(at, "group, pid or none");
}

static bool user(const struct key *at, struct sv_def *d)
{
	char text[256];
	struct buf what = BUF(text);

	return conf_user(at->c, at->k->value, &d->user, &what) ||
	       conf_fail(at->c, at->k->file, at->k->line, at->s->name, at->k->name, "%s", text);
}

static bool dir(const struct key *at, struct sv_def *d)
{
	d->dir = copy(at, at->k->value);
	return *d->dir == '/' || bad(at, "a path from /");
}

static bool octal(const struct key *at, int max, int *ret)
{
	int value = 0;

	for (const char *c = at->k->value; *c; c++) {
		value = value * 8 + (*c - '0');
		if (*c < '0' || *c > '7' || value > max)
			return bad(at, "an octal number");
	}
	*ret = value;
	return true;
}

static bool umask_(const struct key *at, struct sv_def *d)
{
	return octal(at, 0777, &d->umask);
}

static bool env(const struct key *at, struct sv_def *d)
{
	if (!*at->k->value)
		return true;
	if (!words(at, at->k->value, &d->env))
		return false;
	for (const char **e = d->env; *e; e++)
		if (!strchr(*e, '=') || **e == '=')
			return bad(at, "words like NAME=value");
	return true;
}

static bool stream(const struct key *at, struct sv_def *d, struct sv_stream *s)
{
	static const struct {
		const char *word;
		enum sv_log kind;
	} kinds[] = { { "prefix", LOG_PREFIX }, { "json", LOG_JSON }, { "raw", LOG_RAW },
		{ "inherit", LOG_INHERIT }, { "none", LOG_NULL } };
	const char *v = at->k->value;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(v, kinds[i].word) == 0) {
			s->kind = kinds[i].kind;
			return true;
		}
	}
	if (strncmp(v, "file:/", 6) == 0) {
		s->kind = LOG_FILE;
		s->path = copy(at, v + 5);
		return true;
	}
	if (strncmp(v, "service:", 8) == 0) {
		s->kind = LOG_SERVICE;
		d->logger = copy(at, v + 8);
		return true;
	}
	return bad(at, "prefix, json, raw, inherit, none, file:/PATH or service:NAME");
}

static bool log_(const struct key *at, struct sv_def *d)
{
	return stream(at, d, &d->out);
}

static bool log_err(const struct key *at, struct sv_def *d)
{
	if (strncmp(at->k->value, "service:", 8) == 0)
		return bad(at, "prefix, json, raw, inherit, none or file:/PATH (log = service:NAME "
			       "takes both)");
	return stream(at, d, &d->err);
}

static bool log_size(const struct key *at, struct sv_def *d)
{
	d->out.max_bytes = d->err.max_bytes = text_bytes(at->k->value);
	return d->out.max_bytes >= 0 || bad(at, "a size like 10M");
}

static bool log_keep(const struct key *at, struct sv_def *d)
{
	d->out.backups = d->err.backups =
		(int)text_number(at->k->value, strlen(at->k->value), 1000);
	return d->out.backups >= 0 || bad(at, "a number up to 1000");
}

static const struct {
	const char *name;
	bool (*read)(const struct key *at, struct sv_def *d);
} service_keys[] = { { "run", run }, { "type", type }, { "start", start }, { "restart", restart },
	{ "ready", ready }, { "ready-every", ready_every }, { "ready-timeout", ready_timeout },
	{ "backoff", backoff }, { "steady", steady }, { "give-up", give_up }, { "expect", expect },
	{ "stop", stop }, { "isolate", isolate }, { "user", user }, { "dir", dir },
	{ "umask", umask_ }, { "env", env }, { "log", log_ }, { "log-err", log_err },
	{ "log-size", log_size }, { "log-keep", log_keep }, { "finish", at_end } };

static bool read_service_key(const struct key *at, struct sv_def *d)
{
	bool took;

	if (!conf_common_key(at->c, d, at->s, at->k, &took))
		return false;
	for (size_t i = 0; i < sizeof(service_keys) / sizeof(service_keys[0]) && !took; i++) {
		if (strcmp(service_keys[i].name, at->k->name) == 0) {
			if (!service_keys[i].read(at, d))
				return false;
			took = true;
		}
	}
	d->hash = text_hash(text_hash(d->hash, at->k->name), at->k->value);
	return took || conf_fail(at->c, at->k->file, at->k->line, at->s->name, at->k->name,
			       "there is no such key");
}

static bool read_service(struct conf *c, const struct ini_section *s, enum sv_log log)
{
	const char *name = s->name + strlen("service ");
	struct sv_def *d =
		conf_add(c, name + strspn(name, " "), name + strspn(name, " "), s->file, s->line);

	if (!d)
		return false;
	d->sweeps = true;
	d->out = (struct sv_stream){ log, 1, NULL, 10 << 20, 3 };
	d->err = (struct sv_stream){ LOG_SAME, 2, NULL, 10 << 20, 3 };
	d->rule = (struct sv_rule){ RESTART_ON_FAILURE, .retries = 10, .backoff_ms = 200,
		.cap_ms = 30000, .steady_ms = 10000 };
	d->rule.expected[0] = true;
	conf_stop(d, "TERM:10s,KILL");
	for (const struct ini_key *k = s->keys; k; k = k->next) {
		struct key at = { c, s, k };

		if (!read_service_key(&at, d))
			return false;
	}
	if (!d->argv)
		return conf_fail(
			c, s->file, s->line, s->name, "run", "is missing: what is to be run?");
	if (d->rule.oneshot && d->ready != READY_AT_ONCE)
		return conf_fail(c, s->file, s->line, s->name, "ready",
			"a oneshot is ready when it has ended well");
	if (d->rule.oneshot)
		d->ready = READY_ENDED;
	if (d->rule.oneshot && d->rule.restart == RESTART_ALWAYS)
		return conf_fail(c, s->file, s->line, s->name, "restart",
			"always would never let a oneshot end");
	/* both to one place, line by line; prefixed lines of standard error go to ours */
	if (d->err.kind == LOG_SAME &&
		(d->out.kind == LOG_PREFIX || d->out.kind == LOG_JSON || d->out.kind == LOG_RAW ||
			d->out.kind == LOG_INHERIT))
		d->err.kind = d->out.kind;
	return true;
}

static bool read_init(struct conf *c, const struct ini_section *s, enum sv_log *ret_log)
{
	for (const struct ini_key *k = s->keys; k; k = k->next) {
		struct key at = { c, s, k };
		struct sv_def d = { 0 };
		char text[256];
		struct buf what = BUF(text);

		if (strcmp(k->name, "socket") == 0) {
			c->set.socket = copy(&at, k->value);
			if (strcmp(k->value, "none") != 0 && *k->value != '/')
				return bad(&at, "a path from / or none");
		} else if (strcmp(k->name, "socket-mode") == 0) {
			if (!octal(&at, 0777, &c->set.socket_mode))
				return false;
		} else if (strcmp(k->name, "socket-owner") == 0) {
			if (!conf_user(c, k->value, &d.user, &what))
				return conf_fail(c, k->file, k->line, s->name, k->name, "%s", text);
			c->set.socket_uid = d.user.uid;
			c->set.socket_gid = d.user.gid;
		} else if (strcmp(k->name, "idle") == 0) {
			c->set.idle_exits = strcmp(k->value, "exit") == 0;
			if (!c->set.idle_exits && strcmp(k->value, "stay") != 0)
				return bad(&at, "exit or stay");
		} else if (strcmp(k->name, "log") == 0) {
			if (!log_(&at, &d) || d.out.kind > LOG_NULL)
				return bad(&at, "prefix, json, raw, inherit or none");
			*ret_log = d.out.kind;
		} else {
			return conf_fail(
				c, k->file, k->line, s->name, k->name, "there is no such key");
		}
	}
	return true;
}

bool conf_own(struct conf *c)
{
	enum sv_log log = LOG_PREFIX;

	c->set.idle_exits = true;
	for (const struct ini_section *s = c->ini.sections; s; s = s->next)
		if (strcmp(s->name, "init") == 0 && !read_init(c, s, &log))
			return false;
	for (const struct ini_section *s = c->ini.sections; s; s = s->next) {
		if (strcmp(s->name, "init") == 0)
			continue;
		if (strncmp(s->name, "service ", 8) != 0)
			return conf_fail(c, s->file, s->line, s->name, NULL,
				"sections are [init] and [service NAME]");
		if (!read_service(c, s, log))
			return false;
	}
	return true;
}
