/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/ini.h"

#include <string.h>
#include <strings.h>

void ini_init(struct ini *ini)
{
	*ini = (struct ini){ 0 };
	ini->end = &ini->sections;
}

static bool fail(struct ini *ini, const char *file, int line, const char *what)
{
	struct buf b = BUF(ini->error);

	buf_add(&b, "%s:%d: %s", file, line, what);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *s)
{
	size_t n;

	while (is_blank(*s) || *s == '\n')
		s++;
	n = strlen(s);
	while (n && (is_blank(s[n - 1]) || s[n - 1] == '\n'))
		s[--n] = '\0';
	return s;
}

static void cut_comment(char *line)
{
	for (char *c = line; *c; c++) {
		if ((*c == ';' || *c == '#') && (c == line || is_blank(c[-1]))) {
			*c = '\0';
			return;
		}
	}
}

static struct ini_section *add_section(
	struct ini *ini, struct pool *p, const char *file, int line, char *name)
{
	struct ini_section *s = ini_find(ini, name);

	if (s || ++ini->n > INI_MOST)
		return s;
	s = pool_alloc(p, sizeof(*s));
	s->name = name;
	s->file = file;
	s->line = line;
	s->end = &s->keys;
	*ini->end = s;
	ini->end = &s->next;
	return s;
}

static struct ini_key *add_key(
	struct ini_section *s, struct pool *p, const char *file, int line, char *name, char *value)
{
	struct ini_key *k;

	for (k = s->keys; k && strcmp(k->name, name) != 0; k = k->next)
		;
	if (!k && ++s->n > INI_MOST)
		return NULL;
	if (!k) {
		k = pool_alloc(p, sizeof(*k));
		k->name = name;
		*s->end = k;
		s->end = &k->next;
	}
	k->value = value;
	k->file = file;
	k->line = line;
	return k;
}

static void join(struct pool *p, struct ini_key *k, const char *more)
{
	size_t n = strlen(k->value), m = strlen(more);
	char *both = pool_alloc(p, n + m + 2);

	memcpy(both, k->value, n);
	both[n] = '\n';
	memcpy(both + n + 1, more, m);
	k->value = both;
}

struct place {
	struct ini *ini;
	struct pool *pool;
	enum ini_style style;
	const char *file;
	int line;
	struct ini_section *section;
	struct ini_key *key;
};

static bool take_line(struct place *at, char *line)
{
	bool indented = is_blank(*line);
	char *words, *split;

	words = trim(line);
	if (*words == '#' || *words == ';')
		return true;
	if (at->style == INI_SUPERVISOR) {
		cut_comment(words);
		words = trim(words);
	}
	if (!*words)
		return true;
	if (indented && at->key) {
		join(at->pool, at->key, words);
		return true;
	}
	if (*words == '[') {
		char *close = strchr(words, ']');

		if (!close || (close[1] && at->style == INI_OWN))
			return fail(at->ini, at->file, at->line,
				"a section is [NAME] on a line of its own");
		*close = '\0';
		at->section = add_section(at->ini, at->pool, at->file, at->line, trim(words + 1));
		at->key = NULL;
		return at->section || fail(at->ini, at->file, at->line, "too many sections");
	}
	if (!at->section)
		return fail(at->ini, at->file, at->line, "a line before the first [section]");
	split = strpbrk(words, at->style == INI_OWN ? "=" : "=:");
	if (!split || split == words)
		return fail(at->ini, at->file, at->line, "neither [section] nor key = value");
	*split = '\0';
	words = trim(words);
	for (char *c = words; *c && at->style == INI_SUPERVISOR; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	at->key = add_key(at->section, at->pool, at->file, at->line, words, trim(split + 1));
	return at->key || fail(at->ini, at->file, at->line, "too many keys in this section");
}

bool ini_parse(struct ini *ini, struct pool *p, enum ini_style style, const char *file, char *text,
	size_t n)
{
	struct place at = { ini, p, style, file, 0, NULL, NULL };

	for (char *end = text + n, *next; text < end; text = next) {
		char *newline = memchr(text, '\n', (size_t)(end - text));

		at.line++;
		next = newline ? newline + 1 : end;
		if (memchr(text, '\0', (size_t)((newline ? newline : end) - text)))
			return fail(ini, file, at.line, "a NUL byte");
		if (newline)
			*newline = '\0';
		if (!take_line(&at, text))
			return false;
	}
	return true;
}

struct ini_section *ini_find(const struct ini *ini, const char *name)
{
	for (struct ini_section *s = ini->sections; s; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}

struct ini_key *ini_get(struct ini_section *s, const char *name)
{
	for (struct ini_key *k = s ? s->keys : NULL; k; k = k->next) {
		if (strcmp(k->name, name) == 0) {
			k->used = true;
			return k;
		}
	}
	return NULL;
}
