/* SPDX-License-Identifier: Apache-2.0 */
#include "image/ref.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

enum { NAME_MAX_BYTES = 255, TAG_MAX_BYTES = 128, DIGEST_MIN_HEX = 32, SHA256_HEX = 64 };

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* path-component: [a-z0-9]+ with one of "_", ".", "__" or any number of "-" between. */
static bool is_component(const char *s, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t from = i;

		while (i < n && is_lower(s[i]))
			i++;
		if (i == from)
			return false;
		if (i == n)
			return true;
		if (s[i] == '.') {
			i++;
		} else if (s[i] == '_') {
			i++;
			i += i < n && s[i] == '_';
		} else if (s[i] == '-') {
			while (i < n && s[i] == '-')
				i++;
		} else {
			return false;
		}
	}
}

static bool is_path(const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		if (!is_component(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

static bool is_port(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

/* A host name, or an IPv6 address in brackets; then perhaps a port. */
static bool is_domain(const char *s)
{
	if (*s == '[') {
		size_t n = strspn(s + 1, "0123456789abcdefABCDEF:");

		s += n + 1;
		if (!n || *s++ != ']')
			return false;
		return !*s || (*s == ':' && is_port(s + 1));
	}
	for (;;) {
		size_t n = 0;

		while (is_alnum(s[n]) || s[n] == '-')
			n++;
		if (!n || s[0] == '-' || s[n - 1] == '-')
			return false;
		s += n;
		if (!*s)
			return true;
		if (*s == ':')
			return is_port(s + 1);
		if (*s++ != '.')
			return false;
	}
}

static bool is_tag(const char *s)
{
	size_t n = 0;

	if (!is_alnum(s[0]) && s[0] != '_')
		return false;
	while (is_alnum(s[n]) || strchr("_.-", s[n] ? s[n] : '/'))
		n++;
	return !s[n] && n <= TAG_MAX_BYTES;
}

/* algorithm ":" hex; the algorithm's parts begin with a letter. */
static bool is_digest(const char *s)
{
	size_t n = 0, hex = 0;

	for (bool first = true; s[n] && s[n] != ':'; n++) {
		if (first && !((s[n] | 0x20) >= 'a' && (s[n] | 0x20) <= 'z'))
			return false;
		first = strchr("+._-", s[n]) != NULL;
		if (!first && !is_alnum(s[n]))
			return false;
	}
	if (!n || s[n] != ':' || !is_alnum(s[n - 1]))
		return false;
	for (s += n + 1; is_hex(s[hex]) || (s[hex] >= 'A' && s[hex] <= 'F');)
		hex++;
	if (s[hex] || hex < DIGEST_MIN_HEX)
		return false;
	return !str_starts(s - n - 1, "sha256:") ||
	       (hex == SHA256_HEX && strspn(s, "0123456789abcdef") == hex);
}

int ref_is_sha256(const char *text)
{
	return str_starts(text, "sha256:") && strlen(text + 7) == SHA256_HEX &&
	       strspn(text + 7, "0123456789abcdef") == SHA256_HEX;
}

int ref_is_hex(const char *text)
{
	return *text && strspn(text, "0123456789abcdef") == strlen(text);
}

static int invalid(const char *text, struct err *e)
{
	autotext shown = { 0 };

	text_add_escaped(&shown, text, strnlen(text, 128));
	return err_say(e, "invalid reference format: \"%s\"", shown.p ? shown.p : "");
}

/* Who is before the first slash: a registry, or a part of the path? docker's rule. */
static bool names_registry(const char *word)
{
	bool upper = false;

	for (const char *s = word; *s; s++)
		upper |= *s >= 'A' && *s <= 'Z';
	return upper || strpbrk(word, ".:") || str_eq(word, "localhost");
}

static int not_a_path(const char *text, const char *path, struct err *e)
{
	for (const char *s = path; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			return err_say(e,
				"invalid reference format: repository name (%.128s) must be "
				"lowercase",
				path);
	return invalid(text, e);
}

int ref_parse_name(const char *text, struct arena *a, struct image_ref *ret, struct err *e)
{
	char *name = arena_strdup(a, text), *at = strchr(name, '@'), *tag, *slash;
	struct image_ref r = { .kind = REF_NAME, .domain = "docker.io" };

	if (strlen(text) > 1024)
		return invalid(text, e);
	if (at) {
		*at = '\0';
		r.digest = at + 1;
		if (!is_digest(r.digest))
			return invalid(text, e);
	}
	slash = strrchr(name, '/');
	tag = strchr(slash ? slash : name, ':');
	if (tag) {
		*tag++ = '\0';
		if (!is_tag(tag))
			return invalid(text, e);
		r.tag = tag;
	}
	if (!slash && strlen(name) == SHA256_HEX && ref_is_hex(name))
		return err_say(e,
			"invalid repository name (%s), cannot specify 64-byte hexadecimal strings",
			name);
	slash = strchr(name, '/');
	r.path = r.short_name = name;
	if (slash) {
		*slash = '\0';
		if (names_registry(name)) {
			r.domain = str_eq(name, "index.docker.io") ? "docker.io" : name;
			r.path = slash + 1;
			r.short_name = NULL;
		} else {
			*slash = '/';
		}
	}
	if (!is_domain(r.domain))
		return invalid(text, e);
	if (!is_path(r.path))
		return not_a_path(text, r.path, e);
	if (str_eq(r.domain, "docker.io") && !strchr(r.path, '/'))
		r.path = arena_printf(a, "library/%s", r.path);
	if (strlen(r.path) > NAME_MAX_BYTES)
		return err_say(e, "invalid reference format: repository name must not be more "
				  "than 255 characters");
	*ret = r;
	return 0;
}

int ref_parse(const char *text, struct arena *a, struct image_ref *ret, struct err *e)
{
	static const struct {
		const char *prefix;
		enum ref_kind kind;
	} kinds[] = {
		{ "oci:", REF_OCI },
		{ "oci-archive:", REF_OCI_ARCHIVE },
		{ "docker-archive:", REF_DOCKER_ARCHIVE },
		{ "dir:", REF_DIR },
	};
	char *colon;

	if (str_eq(text, "host")) {
		*ret = (struct image_ref){ .kind = REF_HOST };
		return 0;
	}
	if (str_starts(text, "docker://"))
		text += strlen("docker://");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const char *path = text + strlen(kinds[i].prefix);
		struct image_ref r = { .kind = kinds[i].kind };

		if (!str_starts(text, kinds[i].prefix))
			continue;
		if (!*path || *path == ':')
			return err_say(e, "%s a path is wanted behind it", kinds[i].prefix);
		r.file = arena_strdup(a, path);
		if (r.kind != REF_DIR && (colon = strchr(r.file, ':'))) {
			*colon = '\0';
			r.member = colon + 1;
		}
		*ret = r;
		return 0;
	}
	return ref_parse_name(text, a, ret, e);
}

const char *ref_repository(const struct image_ref *r, struct arena *a)
{
	return arena_printf(a, "%s/%s", r->domain, r->path);
}

const char *ref_canonical(const struct image_ref *r, struct arena *a)
{
	if (r->digest && !r->tag)
		return arena_printf(a, "%s/%s@%s", r->domain, r->path, r->digest);
	return arena_printf(a, "%s/%s:%s", r->domain, r->path, r->tag ? r->tag : "latest");
}

const char *ref_familiar(const char *text)
{
	const char *whole = text;
	char first[64];

	if (!str_starts(text, "docker.io/"))
		return text;
	text += strlen("docker.io/");
	/* a path that begins like a registry's name would be taken for one */
	if (strchr(text, '/')) {
		snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "/"), text);
		if (names_registry(first))
			return whole;
	}
	/* 64 digits alone would be taken for an ID */
	if (str_starts(text, "library/") && !strchr(text + 8, '/') &&
		strspn(text + 8, "0123456789abcdef") != SHA256_HEX)
		text += strlen("library/");
	return text;
}
