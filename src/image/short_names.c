/* SPDX-License-Identifier: Apache-2.0 */
#include "image/short_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"

enum { FILE_MAX_BYTES = 1 << 20 };

/* A "string" or 'string' at *s; NULL if there is none. *s then stands behind it. */
static const char *take_string(const char **s, struct arena *a)
{
	char quote = **s;
	const char *end;

	if (quote != '"' && quote != '\'')
		return NULL;
	end = strchr(*s + 1, quote);
	if (!end || memchr(*s + 1, '\n', (size_t)(end - *s - 1)))
		return NULL;
	quote = 0;
	end = arena_strndup(a, *s + 1, (size_t)(end - *s - 1));
	*s += strlen(end) + 2;
	return end;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r");
}

/* Blanks, line ends and comments, as they may stand in an array. */
static const char *skip_lines(const char *s)
{
	for (;;) {
		s += strspn(s, " \t\r\n");
		if (*s != '#')
			return s;
		s += strcspn(s, "\n");
	}
}

/* ["a", "b"], which may go over lines */
static const char *take_search(const char *s, struct arena *a, struct short_rules *ret)
{
	const char *word;

	if (*s++ != '[')
		return s - 1;
	ret->search = NULL;
	ret->n_search = 0;
	for (s = skip_lines(s); (word = take_string(&s, a)); s = skip_lines(s)) {
		if (*word)
			*(const char **)arena_grow(
				a, &ret->search, &ret->n_search, sizeof(*ret->search)) = word;
		s = skip_lines(s);
		if (*s == ',')
			s++;
	}
	return s;
}

static void add_alias(struct short_rules *to, const char *name, const char *value, struct arena *a)
{
	struct short_alias *alias = NULL;

	for (size_t i = 0; i < to->n_aliases; i++)
		if (str_eq(to->aliases[i].name, name))
			alias = &to->aliases[i];
	if (!alias)
		alias = arena_grow(a, &to->aliases, &to->n_aliases, sizeof(*alias));
	*alias = (struct short_alias){ name, value };
}

/* name = "value" of [aliases]; the name quoted or bare */
static void take_alias(const char *s, struct arena *a, struct short_rules *ret)
{
	const char *name = take_string(&s, a), *value;

	if (!name) {
		size_t n = strcspn(s, " \t\r\n=#\"'");

		name = arena_strndup(a, s, n);
		s += n;
	}
	s = skip_blanks(s);
	if (!*name || *s != '=')
		return;
	s = skip_blanks(s + 1);
	value = take_string(&s, a);
	if (value)
		add_alias(ret, name, value, a);
}

void short_rules_read(const char *s, struct arena *a, struct short_rules *ret)
{
	static const char search[] = "unqualified-search-registries";
	enum { AT_TOP, IN_ALIASES, ELSEWHERE } where = AT_TOP;

	while (*s) {
		s = skip_blanks(s);
		if (*s == '[') {
			const char *inside = skip_blanks(s + 1);

			where = str_starts(inside, "aliases") &&
						*skip_blanks(inside + strlen("aliases")) == ']'
					? IN_ALIASES
					: ELSEWHERE;
		} else if (where == AT_TOP && str_starts(s, search)) {
			const char *value = skip_blanks(s + strlen(search));

			if (*value == '=')
				s = take_search(skip_blanks(value + 1), a, ret);
		} else if (where == IN_ALIASES) {
			take_alias(s, a, ret);
		}
		s += strcspn(s, "\n");
		s += *s == '\n';
	}
}

/* True if it could be read. */
static bool read_one(const char *path, struct arena *a, struct short_rules *ret)
{
	autofree char *text = NULL;

	if (file_read_all(AT_FDCWD, path, FILE_MAX_BYTES, &text) < 0)
		return false;
	short_rules_read(text, a, ret);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The folder's *.conf by name. */
static void read_folder(const char *path, struct arena *a, struct short_rules *ret)
{
	DIR *dir = opendir(path);
	const char **names = NULL;
	struct dirent *d;
	size_t n = 0;

	while (dir && (d = readdir(dir)))
		if (str_ends(d->d_name, ".conf"))
			*(const char **)arena_grow(a, &names, &n, sizeof(*names)) =
				arena_printf(a, "%s/%s", path, d->d_name);
	if (dir)
		closedir(dir);
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		read_one(names[i], a, ret);
}

/* The user's file stands in for the system's; the folders' files come over it, the user's last. */
static void read_all(struct arena *a, struct short_rules *ret)
{
	const char *chosen = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
	const char *config = getenv("XDG_CONFIG_HOME");

	if (chosen && *chosen) {
		read_one(chosen, a, ret);
		return;
	}
	if (config && config[0] == '/')
		config = arena_printf(a, "%s/containers", config);
	else
		config = home && home[0] == '/' ? arena_printf(a, "%s/.config/containers", home)
						: NULL;
	if ((!config || !read_one(arena_printf(a, "%s/registries.conf", config), a, ret)) &&
		!read_one("/etc/containers/registries.conf", a, ret))
		read_one("/usr/share/containers/registries.conf", a, ret);
	read_folder("/etc/containers/registries.conf.d", a, ret);
	if (config)
		read_folder(arena_printf(a, "%s/registries.conf.d", config), a, ret);
}

static int add_name(const char *text, const struct image_ref *r, struct arena *a,
	struct image_ref **ret, size_t *ret_n, struct err *e)
{
	struct image_ref full;

	if (r->tag)
		text = arena_printf(a, "%s:%s", text, r->tag);
	if (r->digest)
		text = arena_printf(a, "%s@%s", text, r->digest);
	if (ref_parse_name(text, a, &full, e) < 0)
		return err_wrap(e, "registries.conf, for the short name %s", r->short_name);
	if (full.short_name)
		return err_say(e, "registries.conf, for the short name %s: %s has no registry",
			r->short_name, text);
	*(struct image_ref *)arena_grow(a, ret, ret_n, sizeof(**ret)) = full;
	return 0;
}

int short_names(const struct image_ref *r, struct arena *a, struct image_ref **ret, size_t *ret_n,
	struct err *e)
{
	struct short_rules rules = { 0 };

	*ret = NULL;
	*ret_n = 0;
	if (r->short_name)
		read_all(a, &rules);
	for (size_t i = 0; i < rules.n_aliases; i++)
		if (str_eq(rules.aliases[i].name, r->short_name) && *rules.aliases[i].value)
			return add_name(rules.aliases[i].value, r, a, ret, ret_n, e);
	for (size_t i = 0; i < rules.n_search; i++)
		if (add_name(arena_printf(a, "%s/%s", rules.search[i], r->short_name), r, a, ret,
			    ret_n, e) < 0)
			return -e->code;
	if (!*ret_n)
		*(struct image_ref *)arena_grow(a, ret, ret_n, sizeof(**ret)) = *r;
	return 0;
}
