/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supervisord.conf (supervisor 4.2's configuration manual): [program:x] and [group:x] to services.
 * [supervisord] and its like are in conf_supervisord.c. What is not carried out is named in a
 * warning with its place.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/conf_supervisor.h"

bool sup_bad(struct sup *x, const char *key, const char *wanted)
{
	const struct ini_key *k = ini_get(x->s, key);

	return conf_fail(
		x->c, k->file, k->line, x->s->name, k->name, "%s, not \"%s\"", wanted, k->value);
}

const char *sup_text(struct sup *x, const char *key, const char *otherwise)
{
	struct ini_key *k = ini_get(x->s, key);
	char text[512];
	struct buf what = BUF(text);
	const char *value;

	x->key = k;
	if (!k)
		return otherwise;
	text[0] = '\0';
	value = expand(&x->c->pool, k->value, x->names, &what);
	if (!value)
		x->failed = !conf_fail(x->c, k->file, k->line, x->s->name, key, "%s", text);
	else
		x->hash = text_hash(text_hash(x->hash, key), value);
	return value;
}

long sup_number(struct sup *x, const char *key, long otherwise)
{
	const char *v = sup_text(x, key, NULL);
	bool minus = v && *v == '-';
	long n = v ? text_number(v + minus, strlen(v) - minus, 1000000000) : otherwise;

	if (v && n < 0)
		x->failed = !sup_bad(x, key, "a number");
	return v && minus ? -n : n;
}

bool sup_bool(struct sup *x, const char *key, bool otherwise)
{
	const char *v = sup_text(x, key, NULL);
	int yes = v ? text_bool(v) : otherwise;

	if (yes < 0)
		x->failed = !sup_bad(x, key, "true or false");
	return yes > 0;
}

int64_t sup_bytes(struct sup *x, const char *key, int64_t otherwise)
{
	const char *v = sup_text(x, key, NULL);
	int64_t n = v ? text_bytes(v) : otherwise;

	if (n < 0)
		x->failed = !sup_bad(x, key, "a size like 50MB");
	return n;
}

int sup_octal(struct sup *x, const char *key, int otherwise)
{
	const char *v = sup_text(x, key, NULL);
	int n = 0;

	if (!v)
		return otherwise;
	for (const char *c = v; *c; c++) {
		n = n * 8 + (*c - '0');
		if (*c < '0' || *c > '7' || n > 07777) {
			x->failed = !sup_bad(x, key, "an octal number");
			return otherwise;
		}
	}
	return n;
}

void sup_user(struct sup *x, const char *key, struct sv_user *ret)
{
	const char *v = sup_text(x, key, NULL);
	char text[256];
	struct buf what = BUF(text);

	if (v && !conf_user(x->c, v, ret, &what))
		x->failed =
			!conf_fail(x->c, x->key->file, x->key->line, x->s->name, key, "%s", text);
}

void sup_rest(struct conf *c, const struct ini_section *s)
{
	for (const struct ini_key *k = s->keys; k; k = k->next)
		if (!k->used)
			conf_warn(c, k->file, k->line, s->name, k->name, "is not carried out");
}

/* --- environment ----------------------------------------------------------------------------- */

/* A="b c",D=e: each to "A=b c". Bare values end at a comma. */
const char **sup_environment(struct sup *x, const char *key, int extra)
{
	const char *v = sup_text(x, key, "");
	size_t n = 1;
	const char **env;
	int at = 0;

	for (const char *c = v ? v : ""; *c; c++)
		n += *c == '=';
	env = pool_alloc(&x->c->pool, (n + (size_t)extra) * sizeof(*env));
	for (const char *c = v ? v : ""; *(c += strspn(c, ", \t\n"));) {
		size_t name = strcspn(c, "= \t\n"), room = strlen(c) + 2;
		char *item = pool_alloc(&x->c->pool, room);
		struct buf b = { item, 0, room };

		buf_add(&b, "%.*s=", (int)name, c);
		c += name;
		c += strspn(c, " \t\n");
		if (*c++ != '=' || !name) {
			x->failed = !sup_bad(x, key, "pairs like A=\"b\",C=\"d\"");
			return env;
		}
		c += strspn(c, " \t\n");
		if (*c == '"' || *c == '\'') {
			const char *end = strchr(c + 1, *c);

			if (!end) {
				x->failed = !sup_bad(x, key, "a closed quote");
				return env;
			}
			buf_bytes(&b, c + 1, (size_t)(end - c - 1));
			c = end + 1;
		} else {
			size_t bare = strcspn(c, ",\n\t ");

			buf_bytes(&b, c, bare);
			c += bare;
		}
		env[at++] = item;
	}
	return env;
}

/* --- logs ------------------------------------------------------------------------------------ */

static const char *auto_log(struct sup *x, const char *which)
{
	char text[4096];
	struct buf b = BUF(text);

	buf_add(&b, "%s/%s-%s---%s-%d.log", x->c->set.childlogdir, x->process_name, which,
		x->c->set.identifier, (int)getpid());
	return pool_text(&x->c->pool, b.text, b.len);
}

static void log_stream(struct sup *x, const char *which, struct sv_stream *s)
{
	char key[40];
	struct buf b = BUF(key);
	const char *v;

	buf_add(&b, "%s_logfile", which);
	v = sup_text(x, key, "AUTO");
	s->target = strcmp(which, "stdout") == 0 ? 1 : 2;
	if (!v)
		return;
	if (strcasecmp(v, "none") == 0 || strcasecmp(v, "off") == 0 ||
		strcmp(v, "/dev/null") == 0) {
		s->kind = LOG_NULL;
	} else if (strcasecmp(v, "auto") == 0) {
		s->kind = LOG_FILE;
		s->path = auto_log(x, which);
		s->is_auto = true;
	} else if (strcmp(v, "/dev/stdout") == 0 || strcmp(v, "/dev/fd/1") == 0 ||
		   strcmp(v, "/proc/self/fd/1") == 0) {
		*s = (struct sv_stream){ .kind = LOG_RAW, .target = 1 };
	} else if (strcmp(v, "/dev/stderr") == 0 || strcmp(v, "/dev/fd/2") == 0 ||
		   strcmp(v, "/proc/self/fd/2") == 0) {
		*s = (struct sv_stream){ .kind = LOG_RAW, .target = 2 };
	} else if (strcasecmp(v, "syslog") == 0) {
		s->kind = LOG_RAW;
		conf_warn(x->c, x->key->file, x->key->line, x->s->name, key,
			"syslog is not carried out; it goes to clade-init's own output");
	} else {
		s->kind = LOG_FILE;
		s->path = *v == '/' ? v : conf_join(&x->c->pool, x->c->here, v);
	}
	key[0] = '\0';
	b.len = 0;
	buf_add(&b, "%s_logfile_maxbytes", which);
	s->max_bytes = sup_bytes(x, key, 50 << 20);
	b.len = 0;
	buf_add(&b, "%s_logfile_backups", which);
	s->backups = (int)sup_number(x, key, 10);
}

static void logs(struct sup *x, struct sv_def *d)
{
	bool to_stdout = sup_bool(x, "redirect_stderr", false);

	log_stream(x, "stdout", &d->out);
	log_stream(x, "stderr", &d->err);
	if (to_stdout)
		d->err.kind = LOG_SAME;
}

/* --- programs -------------------------------------------------------------------------------- */

static void exit_codes(struct sup *x, struct sv_def *d)
{
	const char *v = sup_text(x, "exitcodes", "0");

	for (; v && *(v += strspn(v, ", \t\n"));) {
		size_t n = strcspn(v, ", \t\n");
		long code = text_number(v, n, 255);

		if (code < 0) {
			x->failed = !sup_bad(x, "exitcodes", "exit codes from 0 to 255");
			return;
		}
		d->rule.expected[code] = true;
		v += n;
	}
}

static void restarts(struct sup *x, struct sv_def *d)
{
	const char *v = sup_text(x, "autorestart", "unexpected");
	long seconds = sup_number(x, "startsecs", 1);
	int yes = v ? text_bool(v) : -1;

	d->rule.counts_starts = true;
	d->rule.linear = true;
	d->rule.backoff_ms = 1000;
	d->rule.cap_ms = 3600000;
	d->rule.retries = (int)sup_number(x, "startretries", 3);
	d->rule.restart = yes > 0 ? RESTART_ALWAYS : yes == 0 ? RESTART_NEVER : RESTART_ON_FAILURE;
	if (v && yes < 0 && strcasecmp(v, "unexpected") != 0)
		x->failed = !sup_bad(x, "autorestart", "true, false or unexpected");
	d->ready = seconds > 0 ? READY_ALIVE : READY_AT_ONCE;
	d->ready_ms = seconds * 1000;
	exit_codes(x, d);
}

static void stops(struct sup *x, struct sv_def *d)
{
	const char *v = sup_text(x, "stopsignal", "TERM");
	int signo = v ? options_signal(v) : SIGTERM;
	long wait = sup_number(x, "stopwaitsecs", 10);

	if (signo <= 0)
		x->failed = !sup_bad(x, "stopsignal", "a signal");
	d->stop[0] = (struct sv_stop){ signo, wait * 1000 };
	d->stop[1] = (struct sv_stop){ SIGKILL, -1 };
	d->n_stop = 2;
	d->stop_group = sup_bool(x, "stopasgroup", false);
	d->kill_group = sup_bool(x, "killasgroup", d->stop_group);
	if (d->stop_group && !d->kill_group)
		x->failed = !conf_fail(x->c, x->s->file, x->s->line, x->s->name, "killasgroup",
			"cannot be false where stopasgroup is true");
}

static const char *reserved(struct sup *x, const char *name, const char *value)
{
	size_t n = strlen(name) + strlen(value) + 2;
	struct buf b = { pool_alloc(&x->c->pool, n), 0, n };

	buf_add(&b, "%s=%s", name, value);
	return b.text;
}

static void command(struct sup *x, struct sv_def *d)
{
	const char *v = sup_text(x, "command", NULL), *url;
	size_t n = 0;
	int at = 0;

	if (x->failed)
		return;
	d->argv = v ? (const char **)text_words(&x->c->pool, v, &n) : NULL;
	d->command = v ? pool_text(&x->c->pool, v, strlen(v)) : NULL;
	if (!d->argv || !n) {
		x->failed = !conf_fail(x->c, x->key ? x->key->file : x->s->file,
			x->key ? x->key->line : x->s->line, x->s->name, "command",
			!v	  ? "is missing"
			: d->argv ? "there is no command"
				  : "a quote is not closed");
		return;
	}
	d->env = sup_environment(x, "environment", 4);
	while (d->env[at])
		at++;
	url = sup_text(x, "serverurl", "AUTO");
	if (url && strcasecmp(url, "auto") == 0)
		url = x->c->set.serverurl;
	d->env[at++] = "SUPERVISOR_ENABLED=1";
	d->env[at++] = reserved(x, "SUPERVISOR_PROCESS_NAME", d->name);
	d->env[at++] = reserved(x, "SUPERVISOR_GROUP_NAME", d->group);
	if (url)
		d->env[at++] = reserved(x, "SUPERVISOR_SERVER_URL", url);
}

static bool one_process(struct sup *x, const char *group, int rank)
{
	struct sv_def *d = conf_add(x->c, x->process_name, group, x->s->file, x->s->line);

	if (!d)
		return false;
	d->own_session = false;
	d->own_stdin = true;
	d->rank = rank;
	x->hash = d->hash;
	d->priority = (int)sup_number(x, "priority", 999);
	d->autostart = sup_bool(x, "autostart", true);
	d->dir = sup_text(x, "directory", NULL);
	d->umask = sup_octal(x, "umask", -1);
	sup_user(x, "user", &d->user);
	restarts(x, d);
	stops(x, d);
	command(x, d);
	logs(x, d);
	for (struct ini_key *k = x->s->keys; k && !x->failed; k = k->next) {
		bool took = false;

		if (!k->used && !conf_common_key(x->c, d, x->s, k, &took))
			x->failed = true;
		if (strcmp(k->name, "needs") == 0 || strcmp(k->name, "after") == 0 ||
			strcmp(k->name, "essential") == 0) {
			if (k->used && !conf_common_key(x->c, d, x->s, k, &took))
				x->failed = true;
			x->hash = text_hash(text_hash(x->hash, k->name), k->value);
		}
		k->used |= took;
	}
	d->hash = x->hash;
	return !x->failed;
}

bool sup_program(struct conf *c, struct ini_section *s, const char *group, int rank)
{
	static char host[256];
	const char *name = s->name + strlen("program:");
	struct expand_name names[] = { { "program_name", name, 0 }, { "group_name", group, 0 },
		{ "here", c->here, 0 }, { "host_node_name", host, 0 }, { "process_num", NULL, 0 },
		{ "numprocs", NULL, 1 }, { NULL, NULL, 0 } };
	struct sup x = { .c = c, .s = s, .names = names };
	long count, first;

	if (gethostname(host, sizeof(host)) < 0)
		host[0] = '\0';
	count = sup_number(&x, "numprocs", 1);
	first = sup_number(&x, "numprocs_start", 0);
	names[5].number = count;
	for (long i = first; !x.failed && i < first + count; i++) {
		names[4].number = i;
		x.process_name = sup_text(&x, "process_name", name);
		if (x.failed)
			break;
		if (count > 1 && i == first && !(x.key && strstr(x.key->value, "%(process_num)")))
			return conf_fail(c, s->file, s->line, s->name, "process_name",
				"must have %%(process_num)d in it where numprocs is more than 1");
		if (!one_process(&x, group, rank))
			return false;
	}
	return !x.failed;
}
