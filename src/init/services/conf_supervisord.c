/* SPDX-License-Identifier: Apache-2.0 */
/* supervisord.conf besides its programs: [supervisord], its sockets, [include], [group:x]. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "init/services/conf_supervisor.h"

/* --- [include] ------------------------------------------------------------------------------- */

static bool include_file(struct conf *c, const char *path)
{
	size_t n;
	char *text = conf_read(c, path, &n, NULL);
	const char *kept = pool_text(&c->pool, path, strlen(path));

	if (!text)
		return false;
	return ini_parse(&c->ini, &c->scratch, INI_SUPERVISOR, kept, text, n) ||
	       conf_fail(c, NULL, 0, NULL, NULL, "%s", c->ini.error);
}

/* rest: what of the pattern lies below dir, which has no pattern in it any more. */
static bool include_below(struct conf *c, const char *dir, const char *rest, int depth)
{
	const char *slash = strchr(rest, '/'), **names;
	const char *part =
		pool_text(&c->scratch, rest, slash ? (size_t)(slash - rest) : strlen(rest));
	int n;

	if (depth > 32)
		return true;
	if (!*part)
		return !slash || include_below(c, dir, slash + 1, depth + 1);
	if (!strpbrk(part, "*?[")) {
		const char *path = conf_join(&c->scratch, dir, part);

		if (slash)
			return include_below(c, path, slash + 1, depth + 1);
		/* a name that is not there matches nothing, as with a pattern */
		return access(path, F_OK) < 0 || include_file(c, path);
	}
	n = conf_list(c, dir, part, &names);
	for (int i = 0; i < n; i++) {
		const char *path = conf_join(&c->scratch, dir, names[i]);

		if (!(slash ? include_below(c, path, slash + 1, depth + 1) : include_file(c, path)))
			return false;
	}
	return true;
}

static bool include(struct conf *c, const struct expand_name *names)
{
	struct ini_section *s = ini_find(&c->ini, "include");
	struct sup x = { .c = c, .s = s, .names = names };
	const char *files;

	if (!s)
		return true;
	files = sup_text(&x, "files", NULL);
	if (x.failed || !files)
		return x.failed ? false
				: conf_fail(c, s->file, s->line, "include", "files", "is missing");
	sup_rest(c, s);
	while (*(files += strspn(files, " \t\n"))) {
		size_t n = strcspn(files, " \t\n");
		const char *pattern = pool_text(&c->scratch, files, n);

		if (!include_below(
			    c, *pattern == '/' ? "/" : c->here, pattern + (*pattern == '/'), 0))
			return false;
		files += n;
	}
	return true;
}

/* --- [supervisord] and its sockets ----------------------------------------------------------- */

static int level(const char *word)
{
	static const struct {
		const char *name;
		int level;
	} levels[] = { { "critical", 50 }, { "crit", 50 }, { "error", 40 }, { "erro", 40 },
		{ "warn", 30 }, { "info", 20 }, { "debug", 10 }, { "debg", 10 }, { "trace", 5 },
		{ "trac", 5 }, { "blather", 3 }, { "blat", 3 } };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcasecmp(levels[i].name, word) == 0)
			return levels[i].level;
	return -1;
}

static void at_least(struct sup *x, const char *key, int resource, long otherwise)
{
	long wanted = sup_number(x, key, otherwise);
	struct rlimit r;

	if (x->failed || !x->key || getrlimit(resource, &r) < 0 || r.rlim_cur >= (rlim_t)wanted)
		return;
	r.rlim_cur = (rlim_t)wanted;
	if (r.rlim_max < r.rlim_cur)
		r.rlim_max = r.rlim_cur;
	if (setrlimit(resource, &r) < 0)
		conf_warn(x->c, x->key->file, x->key->line, x->s->name, key,
			"the limit cannot be raised to %ld", wanted);
}

static void itself(struct sup *x)
{
	struct sv_settings *set = &x->c->set;
	const char *word;

	set->nodaemon = sup_bool(x, "nodaemon", false);
	set->silent = sup_bool(x, "silent", false);
	set->strip_ansi = sup_bool(x, "strip_ansi", false);
	set->logfile = sup_text(x, "logfile", "supervisord.log");
	set->logfile_bytes = sup_bytes(x, "logfile_maxbytes", 50 << 20);
	set->logfile_backups = (int)sup_number(x, "logfile_backups", 10);
	set->pidfile = sup_text(x, "pidfile", "supervisord.pid");
	set->childlogdir = sup_text(x, "childlogdir", "/tmp");
	set->identifier = sup_text(x, "identifier", "supervisor");
	set->dir = sup_text(x, "directory", NULL);
	set->umask = sup_octal(x, "umask", 022);
	word = sup_text(x, "loglevel", "info");
	set->loglevel = word ? level(word) : 20;
	if (set->loglevel < 0)
		x->failed = !sup_bad(
			x, "loglevel", "critical, error, warn, info, debug, trace or blather");
	sup_user(x, "user", &set->user);
	set->nocleanup = sup_bool(x, "nocleanup", false);
	at_least(x, "minfds", RLIMIT_NOFILE, 1024);
	at_least(x, "minprocs", RLIMIT_NPROC, 200);
	set->env = sup_environment(x, "environment", 0);
}

static void password(struct sup *x, struct sv_http *h)
{
	h->username = sup_text(x, "username", NULL);
	h->password = sup_text(x, "password", NULL);
	if (x->failed || (!h->username && !h->password))
		return;
	if (!h->username || !h->password)
		x->failed = !sup_bad(x, h->username ? "username" : "password",
			"username and password together, not one of them");
	else if (strncmp(h->password, "{SHA}", 5) == 0) {
		const struct ini_key *k = ini_get(x->s, "password");

		conf_warn(x->c, k->file, k->line, x->s->name, k->name,
			"its SHA sum is not carried out: nobody is let in by HTTP");
		h->password = NULL;
	}
}

/* PORT, HOST:PORT, *:PORT */
static void inet(struct sup *x)
{
	struct sv_http *h = &x->c->set.http[1];
	const char *where = sup_text(x, "port", NULL), *colon = where ? strrchr(where, ':') : NULL;
	const char *port = colon ? colon + 1 : where;
	size_t n = colon ? (size_t)(colon - where) : 0;
	struct in_addr address;

	if (!where)
		return;
	h->port = (int)text_number(port, strlen(port), 65535);
	h->any = !n || text_is(where, n, "*");
	if (!h->any && !text_is(where, n, "localhost"))
		h->host = pool_text(&x->c->pool, where, n);
	if (h->port <= 0 || (h->host && inet_pton(AF_INET, h->host, &address) != 1)) {
		h->port = 0;
		x->failed = !sup_bad(x, "port", "PORT or ADDRESS:PORT, * for every address");
		return;
	}
	password(x, h);
}

static void socket_of(struct sup *x)
{
	struct sv_settings *set = &x->c->set;
	const char *path = sup_text(x, "file", NULL), *owner;
	struct sv_user u = { 0 };

	if (!path)
		return;
	set->socket = *path == '/' ? path : conf_join(&x->c->pool, x->c->here, path);
	set->socket_mode = sup_octal(x, "chmod", 0700);
	owner = sup_text(x, "chown", NULL);
	if (owner)
		sup_user(x, "chown", &u);
	if (u.set) {
		set->socket_uid = u.uid;
		set->socket_gid = u.gid;
	}
	password(x, &set->http[0]);
}

static void client(struct sup *x)
{
	x->c->set.serverurl = sup_text(x, "serverurl", NULL);
	x->c->set.prompt = sup_text(x, "prompt", "supervisor");
	/* for those who speak HTTP: ours is known by its user */
	sup_text(x, "username", NULL);
	sup_text(x, "password", NULL);
}

static bool settings(struct conf *c, const struct expand_name *names)
{
	static const struct {
		const char *name;
		void (*read)(struct sup *x);
	} sections[] = { { "supervisord", itself }, { "unix_http_server", socket_of },
		{ "inet_http_server", inet }, { "supervisorctl", client } };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		struct ini_section none = { .name = sections[i].name },
				   *s = ini_find(&c->ini, sections[i].name);
		struct sup x = { .c = c, .s = s ? s : &none, .names = names };

		if (i == 0 && c->only_client)
			continue;
		sections[i].read(&x);
		if (x.failed)
			return false;
		if (s)
			sup_rest(c, s);
	}
	/* what its programs are told, and where its supervisorctl looks, is where it listens */
	if (c->set.socket) {
		size_t n = strlen(c->set.socket) + 8;
		struct buf b = { pool_alloc(&c->pool, n), 0, n };

		buf_add(&b, "unix://%s", c->set.socket);
		c->set.serverurl = b.text;
	}
	return true;
}

/* --- programs and groups --------------------------------------------------------------------- */

static bool group(
	struct conf *c, struct ini_section *s, const struct expand_name *names, bool *grouped)
{
	struct sup x = { .c = c, .s = s, .names = names };
	const char *programs = sup_text(&x, "programs", NULL), *name = s->name + strlen("group:");
	long priority = sup_number(&x, "priority", 999);

	if (x.failed || !programs)
		return x.failed ? false
				: conf_fail(c, s->file, s->line, s->name, "programs", "is missing");
	while (*(programs += strspn(programs, ", \t\n"))) {
		size_t n = strcspn(programs, ", \t\n"), at = 0;
		char wanted[160];
		struct buf b = BUF(wanted);
		struct ini_section *p;

		buf_add(&b, "program:%.*s", (int)n, programs);
		for (p = c->ini.sections; p && strcmp(p->name, wanted) != 0; p = p->next)
			at++;
		if (!p)
			return conf_fail(c, s->file, s->line, s->name, "programs",
				"there is no [%s]", wanted);
		grouped[at] = true;
		if (!sup_program(c, p, name, (int)priority))
			return false;
		programs += n;
	}
	sup_rest(c, s);
	return true;
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Options count more than the file. */
static bool command_line(struct conf *c)
{
	size_t n = c->extra ? strlen(c->extra) : 0;

	return !n ||
	       ini_parse(&c->ini, &c->scratch, INI_SUPERVISOR, "command line",
		       pool_text(&c->scratch, c->extra, n), n) ||
	       conf_fail(c, NULL, 0, NULL, NULL, "%s", c->ini.error);
}

bool conf_supervisor(struct conf *c)
{
	static const char *const known[] = { "supervisord", "unix_http_server", "inet_http_server",
		"supervisorctl", "include", "rpcinterface:supervisor" };
	const struct expand_name names[] = { { "here", c->here, 0 }, { NULL, NULL, 0 } };
	bool *grouped;
	size_t n = 0;

	if (!include(c, names) || !command_line(c) || !settings(c, names))
		return false;
	if (c->only_client)
		return true;
	for (struct ini_section *s = c->ini.sections; s; s = s->next)
		n++;
	grouped = pool_alloc(&c->scratch, n + 1);
	for (struct ini_section *s = c->ini.sections; s; s = s->next)
		if (starts(s->name, "group:") && !group(c, s, names, grouped))
			return false;
	n = 0;
	for (struct ini_section *s = c->ini.sections; s; s = s->next, n++) {
		bool is_known = starts(s->name, "group:");

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			is_known |= strcmp(s->name, known[i]) == 0;
		if (!starts(s->name, "program:")) {
			if (!is_known)
				conf_warn(c, s->file, s->line, s->name, NULL,
					"the section is not carried out");
			continue;
		}
		if (!grouped[n]) {
			struct sup x = { .c = c, .s = s, .names = names };
			long priority = sup_number(&x, "priority", 999);

			if (x.failed ||
				!sup_program(c, s, s->name + strlen("program:"), (int)priority))
				return false;
		}
		sup_rest(c, s);
	}
	return true;
}
