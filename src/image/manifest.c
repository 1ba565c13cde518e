/* SPDX-License-Identifier: Apache-2.0 */
#include "image/manifest.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "image/ref.h"

static const char *string_of(const struct json *object, const char *name)
{
	const struct json *v =
		object && object->kind == JSON_OBJECT ? json_get(object, name) : NULL;

	return v && v->kind == JSON_STRING ? v->text : "";
}

static int read_descriptor(
	const struct json *v, const char *what, struct descriptor *ret, struct err *e)
{
	const struct json *size, *platform, *notes;

	if (!v || v->kind != JSON_OBJECT)
		return err_say(e, "manifest: %s is missing", what);
	*ret = (struct descriptor){ .media_type = string_of(v, "mediaType"),
		.digest = string_of(v, "digest") };
	if (!ref_is_sha256(ret->digest))
		return err_say(
			e, "manifest: %s: \"%.100s\" is no sha256 digest", what, ret->digest);
	size = json_get(v, "size");
	if (size && (json_i64(size, &ret->size) < 0 || ret->size < 0))
		return err_say(e, "manifest: %s: its size is no number of bytes", what);
	platform = json_get(v, "platform");
	ret->os = string_of(platform, "os");
	ret->architecture = string_of(platform, "architecture");
	ret->variant = string_of(platform, "variant");
	notes = json_get(v, "annotations");
	ret->ref_name = string_of(notes, "org.opencontainers.image.ref.name");
	ret->full_name = string_of(notes, "io.containerd.image.name");
	if (!ret->ref_name[0])
		ret->ref_name = NULL;
	if (!ret->full_name[0])
		ret->full_name = NULL;
	return 0;
}

static int read_list(const struct json *list, const char *what, struct arena *a,
	struct manifest *ret, struct err *e)
{
	if (list->kind != JSON_ARRAY)
		return err_say(e, "manifest: %ss are no list", what);
	if (list->n > MANIFEST_MAX_LAYERS)
		return err_say(e, "manifest: %u %ss; at most %d are possible", list->n, what,
			MANIFEST_MAX_LAYERS);
	for (const struct json *v = json_first(list); v; v = json_next(list, v)) {
		struct descriptor *d = arena_grow(a, &ret->items, &ret->n, sizeof(*d));

		if (read_descriptor(v, what, d, e) < 0)
			return -e->code;
	}
	return 0;
}

int manifest_parse(const char *text, size_t n, struct arena *a, struct manifest *ret, struct err *e)
{
	const struct json *all, *schema, *list;
	struct manifest m = { 0 };
	uint64_t version = 2;

	if (json_parse(text, n, a, &all, e) < 0)
		return err_wrap(e, "manifest");
	if (all->kind != JSON_OBJECT)
		return err_say(e, "manifest: is no object");
	schema = json_get(all, "schemaVersion");
	if (schema && (json_u64(schema, &version) < 0 || version != 2))
		return err_say(e, "manifest: schema %llu is not one that is in use any more",
			(unsigned long long)version);
	list = json_get(all, "manifests");
	m.is_index = list != NULL;
	if (list) {
		if (read_list(list, "manifest", a, &m, e) < 0)
			return -e->code;
		*ret = m;
		return 0;
	}
	list = json_get(all, "layers");
	if (!list)
		return err_say(e, "manifest: has neither layers nor manifests");
	if (read_descriptor(json_get(all, "config"), "config", &m.config, e) < 0 ||
		read_list(list, "layer", a, &m, e) < 0)
		return -e->code;
	*ret = m;
	return 0;
}

/* Go's names of what uname(2) says. */
static const char *go_architecture(const char *machine, const char **ret_variant)
{
	static const struct {
		const char *machine, *go, *variant;
	} rows[] = {
		{ "x86_64", "amd64", "" },
		{ "aarch64", "arm64", "v8" },
		{ "i386", "386", "" },
		{ "i686", "386", "" },
		{ "armv7l", "arm", "v7" },
		{ "armv6l", "arm", "v6" },
		{ "ppc64le", "ppc64le", "" },
		{ "s390x", "s390x", "" },
		{ "riscv64", "riscv64", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!str_eq(rows[i].machine, machine))
			continue;
		*ret_variant = rows[i].variant;
		return rows[i].go;
	}
	return machine;
}

int platform_parse(const char *text, struct arena *a, struct platform *ret, struct err *e)
{
	struct platform p = { .os = "linux", .variant = "" };
	struct utsname host;
	char *copy, *word;
	int n = 0;

	uname(&host);
	p.architecture = arena_strdup(a, go_architecture(host.machine, &p.variant));
	if (text) {
		copy = arena_strdup(a, text);
		p.variant = "";
		while ((word = strsep(&copy, "/"))) {
			if (!*word || strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_.") !=
					      strlen(word))
				return err_say(e,
					"--platform %s: os[/architecture[/variant]] is wanted",
					text);
			if (n == 0 && !copy && !str_eq(word, "linux"))
				p.architecture = go_architecture(word, &p.variant);
			else if (n == 0)
				p.os = word;
			else if (n == 1)
				p.architecture = go_architecture(word, &p.variant);
			else
				p.variant = word;
			n++;
		}
		if (n > 3)
			return err_say(
				e, "--platform %s: os[/architecture[/variant]] is wanted", text);
	}
	*ret = p;
	return 0;
}

const struct descriptor *manifest_choose(const struct manifest *index, const struct platform *p)
{
	const struct descriptor *other = NULL;

	for (size_t i = 0; i < index->n; i++) {
		const struct descriptor *d = &index->items[i];

		/* an index that says nothing of platforms has one for all */
		if (!d->architecture[0] && index->n == 1)
			return d;
		if (!str_eq(d->os, p->os) || !str_eq(d->architecture, p->architecture))
			continue;
		if (str_eq(d->variant, p->variant) || !p->variant[0])
			return d;
		if (!other && (!d->variant[0] || str_eq(p->architecture, "arm64")))
			other = d;
	}
	return other;
}
