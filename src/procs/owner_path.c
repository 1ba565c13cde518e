/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner_path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { ID_HEX = 64 };

enum part_kind {
	PART_HEX,     /* an ID of 64 hex digits */
	PART_NAME,    /* a name, and all of it */
	PART_FLATPAK, /* APP-NUMBER */
	PART_SNAP,    /* NAME.APP, with a random part behind in a scope */
};

/* Where a container's component begins, what is around its id or name. */
static const struct pattern {
	const char *prefix, *suffix, *runtime;
	enum part_kind kind;
} patterns[] = {
	{ "docker-", ".scope", "docker", PART_HEX },
	{ "libpod-payload-", "", "podman", PART_HEX }, /* --cgroups=split */
	{ "libpod-", ".scope", "podman", PART_HEX },
	{ "libpod-", "", "podman", PART_HEX },
	{ "cri-containerd-", ".scope", "containerd", PART_HEX },
	{ "crio-", ".scope", "cri-o", PART_HEX },
	{ "crio-", "", "cri-o", PART_HEX },
	{ "nerdctl-", ".scope", "nerdctl", PART_HEX },
	{ "lxc.payload.", "", "lxc", PART_NAME },
	{ "machine-", ".scope", "nspawn", PART_NAME },
	{ "systemd-nspawn@", ".service", "nspawn", PART_NAME },
	{ "clade-", ".scope", "clade", PART_NAME },
	{ "runc-", ".scope", "runc", PART_NAME },
	{ "crun-", ".scope", "crun", PART_NAME },
	{ "youki-", ".scope", "youki", PART_NAME },
	{ "app-flatpak-", ".scope", "flatpak", PART_FLATPAK },
	{ "flatpak-", ".scope", "flatpak", PART_FLATPAK },
	{ "snap.", ".scope", "snap", PART_SNAP },
	{ "snap.", ".service", "snap", PART_NAME },
};

/* A folder whose children are containers: ".../docker/ID". */
static const struct pattern parents[] = {
	{ "docker", "", "docker", PART_HEX },
	{ "lxc", "", "lxc", PART_NAME },
	{ "lxc.payload", "", "lxc", PART_NAME },
	{ "clade", "", "clade", PART_NAME },
	{ "crun", "", "crun", PART_NAME },
	{ "runc", "", "runc", PART_NAME },
	{ "youki", "", "youki", PART_NAME },
};

/* "SLICE:WORD:ID": what a kubelet told to use systemd asks of a runtime that was not. */
static const struct {
	const char *word, *runtime;
} colon_words[] = {
	{ "cri-containerd", "containerd" },
	{ "docker", "docker" },
	{ "crio", "cri-o" },
	{ "nerdctl", "nerdctl" },
	{ "libpod", "podman" },
};

struct part {
	const char *p;
	size_t n;
};

static bool is_hex_id(struct part s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!isxdigit((unsigned char)s.p[i]))
			return false;
	}
	return s.n == ID_HEX;
}

static bool part_is(struct part s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

/* "kubepods", "kubepods.slice", "kubepods-besteffort-podUID.slice", "kubelet-kubepods.slice" */
static bool is_kubepods(struct part s)
{
	return memmem(s.p, s.n, "kubepods", 8) != NULL;
}

/* "podUID" or "...-podUID.slice"; systemd's names have _ where the UID has -. NULL for none. */
static char *pod_uid(struct part s, struct arena *a)
{
	const char *at = s.n > 3 && memcmp(s.p, "pod", 3) == 0 ? s.p : memmem(s.p, s.n, "-pod", 4);
	size_t n;
	char *uid;

	if (!at)
		return NULL;
	at += *at == '-' ? 4 : 3;
	n = (size_t)(s.p + s.n - at);
	if (n > 6 && memcmp(at + n - 6, ".slice", 6) == 0)
		n -= 6;
	if (n < 32 || n > 36) /* a UID, or a static pod's hash */
		return NULL;
	uid = arena_strndup(a, at, n);
	for (char *c = uid; *c; c++) {
		if (*c == '_')
			*c = '-';
		else if (!isxdigit((unsigned char)*c) && *c != '-')
			return NULL;
	}
	return uid;
}

/* Cuts what is behind the last of these characters, if only digits (or hex and dashes) are. */
static void cut_behind(struct part *s, char mark, const char *accept)
{
	for (size_t i = s->n; i-- > 1;) {
		if (s->p[i] == mark) {
			s->n = i;
			return;
		}
		if (!strchr(accept, s->p[i]))
			return;
	}
}

static bool match_component(struct part s, const struct pattern *p, struct part *ret_id)
{
	size_t pre = strlen(p->prefix), post = strlen(p->suffix);

	if (s.n <= pre + post || memcmp(s.p, p->prefix, pre) != 0 ||
		memcmp(s.p + s.n - post, p->suffix, post) != 0)
		return false;
	*ret_id = (struct part){ s.p + pre, s.n - pre - post };
	if (p->kind == PART_FLATPAK) {
		cut_behind(ret_id, '-', "0123456789");
	} else if (p->kind == PART_SNAP && ret_id->n > 37) {
		/* a UUID of 36 behind a dash or a dot */
		struct part uuid = { ret_id->p + ret_id->n - 36, 36 };

		if (strspn(uuid.p, "0123456789abcdef-") >= 36 && strchr("-.", uuid.p[-1]))
			ret_id->n -= 37;
	}
	return p->kind != PART_HEX || is_hex_id(*ret_id);
}

/* systemd writes names escaped: "\x2d" for a dash. */
static char *unescaped(struct arena *a, struct part s)
{
	char *out = arena_strndup(a, s.p, s.n), *to = out;

	for (const char *c = out; *c; c++) {
		if (c[0] == '\\' && c[1] == 'x' && isxdigit((unsigned char)c[2]) &&
			isxdigit((unsigned char)c[3])) {
			char hex[3] = { c[2], c[3], 0 };

			*to++ = (char)strtol(hex, NULL, 16);
			c += 3;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return out;
}

static bool fill(struct owner *o, const char *runtime, struct part id, struct arena *a)
{
	char *text = unescaped(a, id);

	o->runtime = runtime;
	o->id = o->name = text;
	return true;
}

static bool match_colons(struct part s, struct arena *a, struct owner *ret)
{
	const char *first = memchr(s.p, ':', s.n), *second;
	struct part word, id;

	second = first ? memchr(first + 1, ':', s.n - (size_t)(first + 1 - s.p)) : NULL;
	if (!second)
		return false;
	word = (struct part){ first + 1, (size_t)(second - first - 1) };
	id = (struct part){ second + 1, (size_t)(s.p + s.n - second - 1) };
	for (size_t i = 0; is_hex_id(id) && i < ARRAY_LEN(colon_words); i++)
		if (part_is(word, colon_words[i].word))
			return fill(ret, colon_words[i].runtime, id, a);
	return false;
}

static bool match(struct part s, struct part before, struct arena *a, struct owner *ret)
{
	struct part id;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
		if (match_component(s, &patterns[i], &id))
			return fill(ret, patterns[i].runtime, id, a);
	for (size_t i = 0; i < ARRAY_LEN(parents); i++)
		if (part_is(before, parents[i].prefix) &&
			(parents[i].kind != PART_HEX || is_hex_id(s)))
			return fill(ret, parents[i].runtime, s, a);
	if (match_colons(s, a, ret))
		return true;
	/* /kubepods/.../podUID/ID, and containerd's /NAMESPACE/ID: the files say whose */
	return is_hex_id(s) && before.n > 0 && fill(ret, "oci", s, a);
}

bool owner_path_parse(const char *path, size_t n, struct arena *a, struct owner *ret)
{
	static const char gone[] = " (deleted)";
	struct part before = { "", 0 };
	struct owner o = { 0 };
	bool kube = false;

	/* so the kernel marks the path of a removed cgroup, which a zombie may still be in */
	if (n > sizeof(gone) - 1 &&
		memcmp(path + n - sizeof(gone) + 1, gone, sizeof(gone) - 1) == 0)
		n -= sizeof(gone) - 1;
	for (size_t at = 0; at < n;) {
		struct part s = { path + at, 0 };

		while (at + s.n < n && s.p[s.n] != '/')
			s.n++;
		at += s.n + 1;
		if (s.n == 0)
			continue;
		kube = kube || is_kubepods(s);
		if (kube && !o.pod)
			o.pod = pod_uid(s, a);
		if (match(s, before, a, &o)) {
			if (kube && str_eq(o.runtime, "oci"))
				o.runtime = "kubernetes";
			*ret = o;
			return true;
		}
		before = s;
	}
	return false;
}

uid_t owner_path_uid(const char *path)
{
	static const char *const marks[] = { "user-", "user@" };

	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		const char *at = strstr(path, marks[i]);
		char *end;
		unsigned long uid = at ? strtoul(at + 5, &end, 10) : 0;

		if (at && *end == '.' && uid > 0 && uid < (uid_t)-1)
			return (uid_t)uid;
	}
	return (uid_t)-1;
}

bool owner_path_is_unit(const char *name)
{
	static const char *const ends[] = { ".slice", ".service", ".scope", ".mount", ".socket",
		".swap" };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (str_ends(name, ends[i]))
			return true;
	return false;
}
