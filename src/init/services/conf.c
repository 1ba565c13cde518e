/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration from its path to services in the order they start; what the three readers share
 * is in conf_read.c. */
#include "init/services/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sv_def *conf_add(
	struct conf *c, const char *name, const char *group, const char *file, int line)
{
	struct sv_def *d = &c->draft[c->n];

	if (c->n == SV_MAX) {
		conf_fail(c, file, line, name, NULL, "more than %d services", SV_MAX);
		return NULL;
	}
	if (!*name || strpbrk(name, " \t\n\r:,[]/*") || strlen(name) > 128) {
		conf_fail(c, file, line, name, NULL, "\"%s\" cannot be a service's name", name);
		return NULL;
	}
	for (int i = 0; i < c->n; i++) {
		if (strcmp(c->draft[i].name, name) == 0 && strcmp(c->draft[i].group, group) == 0) {
			conf_fail(c, file, line, name, NULL,
				"there is a service %s already (%s:%d)", name, c->draft[i].file,
				c->draft[i].line);
			return NULL;
		}
	}
	*d = (struct sv_def){ .name = pool_text(&c->pool, name, strlen(name)),
		.group = pool_text(&c->pool, group, strlen(group)),
		.file = pool_text(&c->pool, file, strlen(file)),
		.line = line,
		.umask = -1,
		.lock_fd = -1,
		.autostart = true,
		.own_session = true,
		.stop_group = true,
		.kill_group = true,
		.finish_ms = 5000,
		.ready_timeout_ms = -1,
		.ready_every_ms = 1000,
		.logger_at = -1,
		.at = -1,
		.out = { .target = 1 },
		.err = { .target = 2 } };
	d->hash = text_hash(text_hash(0, name), group);
	c->n++;
	return d;
}

/* --- dependencies ---------------------------------------------------------------------------- */

/* A service by its name, its group's name, or group:name. */
static bool is_named(const struct sv_def *d, const char *word)
{
	size_t group = strlen(d->group);

	if (strcmp(d->name, word) == 0)
		return true;
	return strncmp(word, d->group, group) == 0 &&
	       (!word[group] ||
		       (word[group] == ':' && (strcmp(word + group + 1, d->name) == 0 ||
						      strcmp(word + group + 1, "*") == 0)));
}

static bool find_all(
	struct conf *c, int at, const char **names, const char *key, uint16_t **ret, int *ret_n)
{
	const struct sv_def *d = &c->draft[at];
	int room = 0;

	for (const char **name = names; name && *name; name++) {
		int found = 0;

		for (int i = 0; i < c->n; i++)
			found += i != at && is_named(&c->draft[i], *name);
		if (!found)
			return conf_fail(c, d->file, d->line, d->name, key,
				strcmp(*name, d->name) == 0 ? "%s cannot wait for itself"
							    : "there is no service %s",
				*name);
		room += found;
	}
	if (room > SV_MAX)
		return conf_fail(c, d->file, d->line, d->name, key, "more than %d names", SV_MAX);
	*ret = pool_alloc(&c->pool, (size_t)room * sizeof(**ret));
	*ret_n = 0;
	for (const char **name = names; name && *name; name++)
		for (int i = 0; i < c->n; i++)
			if (i != at && is_named(&c->draft[i], *name))
				(*ret)[(*ret_n)++] = (uint16_t)i;
	return true;
}

static bool resolve(struct conf *c)
{
	for (int i = 0; i < c->n; i++) {
		struct sv_def *d = &c->draft[i];

		if (!find_all(c, i, d->needs_names, "needs", &d->needs, &d->n_needs) ||
			!find_all(c, i, d->after_names, "after", &d->after, &d->n_after))
			return false;
		if (!d->logger)
			continue;
		for (int k = 0; k < c->n && d->logger_at < 0; k++)
			if (strcmp(c->draft[k].name, d->logger) == 0)
				d->logger_at = k;
		if (d->logger_at < 0 || d->logger_at == i)
			return conf_fail(c, d->file, d->line, d->name, "log",
				"there is no service %s to log to", d->logger);
		c->draft[d->logger_at].is_logger = true;
	}
	return true;
}

/* What a service waits for, the i-th; -1: no more. */
static int waits_for(const struct sv_def *d, int i)
{
	if (i < d->n_needs)
		return d->needs[i];
	i -= d->n_needs;
	if (i < d->n_after)
		return d->after[i];
	return i == d->n_after ? d->logger_at : -1;
}

/* Depth first without recursion: a circle of a thousand services must not need a thousand frames of
 * stack. */
static bool no_circle(struct conf *c)
{
	unsigned char *seen = pool_alloc(&c->scratch, (size_t)c->n); /* 1: on the path, 2: done */
	uint16_t *path = pool_alloc(&c->scratch, (size_t)c->n * 2),
		 *next = pool_alloc(&c->scratch, (size_t)c->n * 2);

	for (int root = 0; root < c->n; root++) {
		int depth = 0;

		if (seen[root])
			continue;
		path[0] = (uint16_t)root;
		next[0] = 0;
		seen[root] = 1;
		while (depth >= 0) {
			const struct sv_def *d = &c->draft[path[depth]];
			int to = waits_for(d, next[depth]++);

			if (to >= 0 && seen[to] == 1) {
				char text[512];
				struct buf b = BUF(text);

				for (int i = 0; i <= depth; i++)
					if (b.len || path[i] == to)
						buf_add(&b, "%s -> ", c->draft[path[i]].name);
				buf_add(&b, "%s", c->draft[to].name);
				return conf_fail(c, d->file, d->line, d->name,
					next[depth] <= d->n_needs ? "needs" : "after",
					"services wait for each other in a circle: %s", text);
			}
			if (to >= 0 && !seen[to]) {
				seen[to] = 1;
				path[++depth] = (uint16_t)to;
				next[depth] = 0;
			} else if (to < 0 && next[depth] > d->n_needs + d->n_after) {
				seen[path[depth--]] = 2;
			}
		}
	}
	return true;
}

/* By rank, then priority; what is equal stays as it was written, or as supervisord has it: by group
 * name. */
static bool is_before(const struct conf *c, const struct sv_def *a, const struct sv_def *b)
{
	int names = c->set.dialect == DIALECT_SUPERVISOR ? strcmp(a->group, b->group) : 0;

	if (a->rank != b->rank)
		return a->rank < b->rank;
	return names ? names < 0 : a->priority < b->priority;
}

static void sort(struct conf *c)
{
	for (int i = 1; i < c->n; i++) {
		struct sv_def d = c->draft[i];
		int k = i;

		for (; k && is_before(c, &d, &c->draft[k - 1]); k--)
			c->draft[k] = c->draft[k - 1];
		c->draft[k] = d;
	}
}

static bool finish(struct conf *c)
{
	if (!c->n && c->set.dialect != DIALECT_SUPERVISOR)
		return conf_fail(c, c->path, 0, NULL, NULL, "there is no service in it");
	sort(c);
	if (!resolve(c) || !no_circle(c))
		return false;
	c->defs = pool_alloc(&c->pool, (size_t)c->n * sizeof(*c->defs));
	memcpy(c->defs, c->draft, (size_t)c->n * sizeof(*c->defs));
	return true;
}

/* --- loading --------------------------------------------------------------------------------- */

static bool load_file(struct conf *c, const char *path, bool is_supervisor)
{
	enum ini_style style = INI_OWN;
	size_t n;
	char *text = conf_read(c, path, &n, NULL);
	const char *first;

	if (!text)
		return false;
	/* whose format it is, the first section says */
	first = *text == '[' ? text : strstr(text, "\n[");
	if (first)
		first = strchr(first, '[') + 1;
	if (is_supervisor ||
		(first && strncmp(first, "service ", 8) != 0 && strncmp(first, "init]", 5) != 0)) {
		style = INI_SUPERVISOR;
		c->set.dialect = DIALECT_SUPERVISOR;
	}
	if (!ini_parse(&c->ini, &c->scratch, style, path, text, n))
		return conf_fail(c, NULL, 0, NULL, NULL, "%s", c->ini.error);
	return style == INI_OWN || conf_supervisor(c);
}

static bool load_folder(struct conf *c)
{
	const char **names;
	int n = conf_list(c, c->path, NULL, &names), s6 = 0;

	if (n < 0)
		return conf_fail(c, c->path, 0, NULL, NULL, "read the folder: %s", strerror(errno));
	c->set.dialect = DIALECT_S6;
	for (int i = 0; i < n; i++) {
		const char *path = conf_join(&c->scratch, c->path, names[i]),
			   *run = conf_join(&c->scratch, path, "run");
		size_t len = strlen(names[i]);
		struct stat st;

		if (stat(path, &st) < 0)
			continue;
		if (S_ISREG(st.st_mode) && len > 5 && strcmp(names[i] + len - 5, ".conf") == 0) {
			if (!load_file(c, path, false))
				return false;
			if (c->set.dialect == DIALECT_SUPERVISOR)
				return conf_fail(c, path, 0, NULL, NULL,
					"a supervisord.conf is given by its own name, not in a "
					"folder");
			c->set.dialect = DIALECT_OWN;
		} else if (S_ISDIR(st.st_mode) && names[i][0] != '.' && access(run, F_OK) == 0) {
			if (!conf_s6(c, path, names[i]))
				return false;
			s6++;
		} else if (strcmp(names[i], ".s6-svscan") == 0) {
			conf_warn(c, path, 0, NULL, NULL, "is not carried out");
		}
	}
	if (c->set.dialect == DIALECT_OWN && !s6)
		return conf_own(c);
	if (c->ini.sections && !conf_own(c))
		return false;
	return true;
}

static void find_here(struct conf *c)
{
	char path[PATH_MAX], *slash;

	if (!realpath(c->path, path))
		strcpy(path, ".");
	slash = strrchr(path, '/');
	if (slash)
		slash[slash == path] = '\0';
	c->here = pool_text(&c->pool, path, strlen(path));
}

static bool load(struct conf *c, bool is_supervisor)
{
	struct stat st;

	if (stat(c->path, &st) < 0)
		return conf_fail(c, c->path, 0, NULL, NULL, "%s", strerror(errno));
	find_here(c);
	if (S_ISDIR(st.st_mode) && !is_supervisor) {
		if (!load_folder(c))
			return false;
	} else if (!load_file(c, c->path, is_supervisor) ||
		   (c->set.dialect == DIALECT_OWN && !conf_own(c))) {
		return false;
	}
	return finish(c);
}

bool conf_load(struct conf *c, const char *path, bool is_supervisor)
{
	static char error[1024];
	jmp_buf full;
	volatile bool done = false; /* it lives across longjmp() */

	c->set = (struct sv_settings){ .socket_mode = 0700,
		.socket_uid = (uid_t)-1,
		.socket_gid = (gid_t)-1,
		.umask = -1,
		.loglevel = 20,
		.logfile_bytes = 50 << 20,
		.logfile_backups = 10 };
	c->n = c->n_files = 0;
	c->file_bytes = 0;
	c->error = error;
	error[0] = '\0';
	ini_init(&c->ini);
	if (!pool_open(&c->pool, CONF_POOL, &full))
		return conf_fail(c, path, 0, NULL, NULL, "no memory");
	if (!pool_open(&c->scratch, CONF_POOL * 4, &full)) {
		pool_close(&c->pool);
		return conf_fail(c, path, 0, NULL, NULL, "no memory");
	}
	if (setjmp(full) == 0) {
		c->path = pool_text(&c->pool, path, strlen(path));
		c->draft = pool_alloc(&c->scratch, SV_MAX * sizeof(*c->draft));
		done = load(c, is_supervisor);
	} else {
		conf_fail(c, path, 0, NULL, NULL, "it needs more than %d MiB of memory",
			CONF_POOL >> 20);
	}
	pool_close(&c->scratch);
	c->draft = NULL;
	ini_init(&c->ini);
	c->pool.full = NULL;
	if (!done)
		pool_close(&c->pool);
	return done;
}

void conf_close(struct conf *c)
{
	pool_close(&c->pool);
}
