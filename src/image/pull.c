/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "image/short_names.h"
#include "image/gc.h"
#include "os/file.h"
#include "os/run.h"

enum { WORDS_MAX = 24, SAID_MAX = 1 << 16, CONFIG_MAX_BYTES = 8 << 20 };

struct pull {
	const struct image_data *data;
	const struct image_ref *ref;
	const struct pull_how *how;
	struct arena *arena;
	const char *repository; /* "docker.io/library/busybox" */
	const char *words[WORDS_MAX];
	int n;
};

static void word(struct pull *p, const char *text)
{
	p->words[p->n++] = text;
	p->words[p->n] = NULL;
}

static void option(struct pull *p, const char *name, const char *value)
{
	if (value)
		word(p, arena_printf(p->arena, "%s=%s", name, value));
}

/* The common beginning; "src-" where skopeo's copy has an option for either side. */
static void begin(struct pull *p, const char *verb, const char *side)
{
	p->n = 0;
	word(p, "skopeo");
	word(p, verb);
	option(p, "--authfile", p->how->authfile);
	option(p, arena_printf(p->arena, "--%screds", side), p->how->creds);
	option(p, arena_printf(p->arena, "--%scert-dir", side), p->how->cert_dir);
	option(p, arena_printf(p->arena, "--%stls-verify", side), p->how->tls_verify);
}

/* skopeo's log line: time="..." level=fatal msg="what we want" */
static const char *reason(struct pull *p, int said)
{
	autofree char *text = NULL;
	char *msg, *out;
	ssize_t n;

	lseek(said, 0, SEEK_SET);
	n = file_read_fd(said, SAID_MAX, &text);
	if (n <= 0)
		return "it says nothing";
	msg = strstr(text, "level=fatal msg=\"");
	if (!msg) {
		text[strcspn(text, "\n")] = '\0';
		return arena_strdup(p->arena, text);
	}
	msg += strlen("level=fatal msg=\"");
	out = arena_strdup(p->arena, msg);
	n = 0;
	for (; *msg && *msg != '"'; msg++) {
		if (*msg == '\\' && msg[1])
			msg++;
		out[n++] = *msg;
	}
	out[n] = '\0';
	return out;
}

static int failed(struct pull *p, int code, int said, struct err *e)
{
	autotext shown = { 0 };
	const char *why;

	if (code == -ENOENT)
		return err_say(e, "pulling from registries needs skopeo, which is not installed "
				  "(package skopeo)");
	if (code < 0)
		return err_set(e, -code, "run skopeo");
	why = reason(p, said);
	text_add_escaped(&shown, why, strlen(why));
	return err_say(e, "%s: skopeo: %.400s", ref_canonical(p->ref, p->arena), shown.p);
}

/* What skopeo says to standard output, whole. */
static int ask(struct pull *p, size_t max, char **ret, size_t *ret_n, struct err *e)
{
	autofd said = memfd_create("skopeo", MFD_CLOEXEC),
	       out = memfd_create("skopeo", MFD_CLOEXEC);
	struct run_streams streams = { FD_NONE, out, said };
	autofree char *text = NULL;
	ssize_t n;
	int r;

	if (said < 0 || out < 0)
		return err_set(e, errno, "make room for what skopeo says");
	r = run_program(p->words, &streams);
	if (r)
		return failed(p, r, said, e);
	lseek(out, 0, SEEK_SET);
	n = file_read_fd(out, max, &text);
	if (n < 0)
		return err_set(e, (int)-n, "read what skopeo says");
	*ret = arena_strndup(p->arena, text, (size_t)n);
	*ret_n = (size_t)n;
	return 0;
}

static const char *source_of(struct pull *p, const char *digest)
{
	if (digest)
		return arena_printf(p->arena, "docker://%s@%s", p->repository, digest);
	return arena_printf(
		p->arena, "docker://%s:%s", p->repository, p->ref->tag ? p->ref->tag : "latest");
}

/* A manifest as its bytes are; wanted: the digest it must have, or NULL. */
static int get_manifest(struct pull *p, const char *wanted, char **ret, size_t *ret_n,
	struct digest *ret_digest, struct err *e)
{
	begin(p, "inspect", "");
	word(p, "--raw");
	word(p, source_of(p, wanted));
	if (ask(p, MANIFEST_MAX_BYTES, ret, ret_n, e) < 0)
		return -e->code;
	digest_of(*ret, *ret_n, ret_digest);
	if (wanted && str_starts(wanted, "sha256:") && !str_eq(wanted, ret_digest->text))
		return err_say(e,
			"%s: the registry sent a manifest whose digest is %s instead of %s",
			p->repository, ret_digest->text, wanted);
	return 0;
}

/* The image's manifest, for the platform where the name is an index's. */
static int choose(struct pull *p, struct manifest *m, struct digest *digest, const char **ret_top,
	char **ret_text, size_t *ret_n, struct err *e)
{
	const struct descriptor *chosen;
	struct platform platform;

	if (platform_parse(p->how->platform, p->arena, &platform, e) < 0 ||
		get_manifest(p, p->ref->digest, ret_text, ret_n, digest, e) < 0 ||
		manifest_parse(*ret_text, *ret_n, p->arena, m, e) < 0)
		return -e->code;
	*ret_top = arena_strdup(p->arena, digest->text);
	if (!m->is_index)
		return 0;
	chosen = manifest_choose(m, &platform);
	if (!chosen)
		return err_say(e, "no matching manifest for %s/%s%s%s in the manifest list entries",
			platform.os, platform.architecture, platform.variant[0] ? "/" : "",
			platform.variant);
	if (get_manifest(p, chosen->digest, ret_text, ret_n, digest, e) < 0 ||
		manifest_parse(*ret_text, *ret_n, p->arena, m, e) < 0)
		return -e->code;
	return m->is_index ? err_say(e, "an index within an index") : 0;
}

static int get_config(struct pull *p, const struct manifest *m, const char *manifest, struct err *e)
{
	struct digest found;
	char *text;
	size_t n;

	if (blob_size(p->data, m->config.digest) >= 0)
		return 0;
	begin(p, "inspect", "");
	word(p, "--config");
	word(p, "--raw");
	word(p, source_of(p, manifest));
	if (ask(p, CONFIG_MAX_BYTES, &text, &n, e) < 0)
		return -e->code;
	digest_of(text, n, &found);
	if (!str_eq(found.text, m->config.digest))
		return err_say(e, "the configuration's digest is %s instead of %s", found.text,
			m->config.digest);
	return blob_put(p->data, text, n, &found, e);
}

static bool has_blob(const struct pull *p, const struct descriptor *d)
{
	int64_t size = blob_size(p->data, d->digest);

	if (size >= 0 && d->size && size != d->size)
		blob_drop(p->data, d->digest);
	return size >= 0 && (!d->size || size == d->size);
}

static int copy(struct pull *p, const char *manifest, const char *to, struct err *e)
{
	autofd said = memfd_create("skopeo", MFD_CLOEXEC), nowhere = FD_NONE;
	struct run_streams streams = { FD_NONE, p->how->bars, said };
	int r;

	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (said < 0 || nowhere < 0)
		return err_set(e, errno, "make room for what skopeo says");
	if (streams.out < 0)
		streams.out = nowhere;
	begin(p, "copy", "src-");
	if (str_starts(to, "oci:"))
		option(p, "--dest-shared-blob-dir",
			arena_printf(p->arena, "%s/blobs", p->data->path));
	word(p, source_of(p, manifest));
	word(p, to);
	r = run_program(p->words, &streams);
	return r ? failed(p, r, said, e) : 0;
}

/*
 * What copying to a layout had to change (a layer that came uncompressed): as it is, from a
 * folder that has the files under their digests.
 */
static int get_unchanged(struct pull *p, const struct staging *s, const struct manifest *m,
	const char *manifest, struct err *e)
{
	if (copy(p, manifest, arena_printf(p->arena, "dir:%s/dir", staging_path(s, p->arena)), e) <
		0)
		return -e->code;
	for (size_t i = 0; i < m->n; i++) {
		const char *name = arena_printf(p->arena, "dir/%s", digest_hex(m->items[i].digest));
		autofd fd = FD_NONE;
		struct digest found;
		int r;

		if (has_blob(p, &m->items[i]))
			continue;
		fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		r = fd < 0 ? -errno : digest_of_fd(fd, &found, NULL);
		if (r < 0)
			return err_set(e, -r, "layer %.19s", m->items[i].digest);
		if (!str_eq(found.text, m->items[i].digest))
			return err_say(
				e, "layer %s has the digest %s", m->items[i].digest, found.text);
		if (blob_take(s, name, fd, &found, e) < 0)
			return -e->code;
	}
	return 0;
}

static int get_layers(struct pull *p, const struct manifest *m, const char *manifest, struct err *e)
{
	autostaging staging = STAGING_NONE;
	bool all = true;

	if (staging_make(p->data, &staging, e) < 0)
		return -e->code;
	for (size_t i = 0; i < m->n; i++)
		has_blob(p, &m->items[i]);
	/* also when nothing is missing: it is what asks the signature policy */
	if (copy(p, manifest,
		    arena_printf(p->arena, "oci:%s/oci", staging_path(&staging, p->arena)), e) < 0)
		return -e->code;
	for (size_t i = 0; i < m->n; i++)
		all &= has_blob(p, &m->items[i]);
	return all ? 0 : get_unchanged(p, &staging, m, manifest, e);
}

static void tell(struct pull *p, const char *fmt, const char *what)
{
	char line[256];

	if (!p->how->line)
		return;
	snprintf(line, sizeof(line), fmt, what);
	p->how->line(p->how->data, line);
}

/* Is exactly this here already, with all it needs? Then it only may need its name. */
static bool is_here(struct pull *p, const char *manifest)
{
	struct image_index index;
	struct err ignored;

	if (index_read(p->data, p->arena, &index, &ignored) < 0)
		return false;
	for (size_t i = 0; i < index.n; i++)
		if (str_eq(index.items[i].manifest, manifest))
			return true;
	return false;
}

static int add(
	struct pull *p, const char *manifest, const char *top, struct pulled *ret, struct err *e)
{
	const char *name = ref_canonical(p->ref, p->arena);
	struct image_add what = { .manifest = manifest,
		.names = &name,
		.n_names = p->ref->digest ? 0 : 1,
		.digest = arena_printf(p->arena, "%s@%s", p->repository, top) };

	return image_add(p->data, &what, p->arena, &ret->image, e);
}

static int pull_locked(struct pull *p, struct pulled *ret, struct err *e)
{
	struct digest manifest, stored;
	struct manifest m;
	const char *top = NULL;
	bool *had;
	char *text;
	size_t n;

	if (choose(p, &m, &manifest, &top, &text, &n, e) < 0)
		return -e->code;
	had = arena_array(p->arena, m.n + 1, sizeof(*had));
	for (size_t i = 0; i < m.n; i++)
		had[i] = has_blob(p, &m.items[i]);
	ret->digest = top;
	ret->is_new = !is_here(p, manifest.text);
	if (blob_put(p->data, text, n, &stored, e) < 0 || get_config(p, &m, manifest.text, e) < 0)
		return -e->code;
	if (ret->is_new && get_layers(p, &m, manifest.text, e) < 0)
		return -e->code;
	if (add(p, manifest.text, top, ret, e) < 0)
		return -e->code;
	for (size_t i = 0; i < m.n && ret->is_new; i++)
		tell(p, had[i] ? "%.12s: Already exists" : "%.12s: Pull complete",
			digest_hex(m.items[i].digest));
	return 0;
}

static int pull_one(const struct image_data *d, const struct image_ref *r,
	const struct pull_how *how, struct arena *a, struct pulled *ret, struct err *e)
{
	struct pull p = { .data = d, .ref = r, .how = how, .arena = a };
	const char *name = ref_canonical(r, a);
	autofd own = FD_NONE, busy = FD_NONE;
	struct digest key;
	int result;

	p.repository = ref_repository(r, a);
	if (!r->tag && !r->digest)
		tell(&p, "Using default tag: %s", "latest");
	tell(&p, "%s",
		arena_printf(a, "%s: Pulling from %s",
			r->digest ? r->digest
			: r->tag  ? r->tag
				  : "latest",
			str_eq(r->domain, "docker.io") ? r->path : p.repository));
	/* who pulls the same at the same time waits, and then finds it here */
	digest_of(name, strlen(name), &key);
	own = data_lock(d, arena_printf(a, "locks/%.32s", digest_hex(key.text)), false, e);
	if (own < 0)
		return own;
	gc_sweep(d);
	busy = data_lock(d, "busy", true, e);
	if (busy < 0)
		return busy;
	*ret = (struct pulled){ 0 };
	result = pull_locked(&p, ret, e);
	if (result < 0)
		gc_after_failure(d, &busy, e);
	return result;
}

int image_pull(const struct image_data *d, const struct image_ref *r, const struct pull_how *how,
	struct arena *a, struct pulled *ret, struct err *e)
{
	struct image_ref *names;
	size_t n;
	int result = -ERR_SAID;

	if (short_names(r, a, &names, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n && result < 0; i++) {
		if (i && how->line)
			how->line(how->data, e->msg);
		result = pull_one(d, &names[i], how, a, ret, e);
		ret->name = ref_canonical(&names[i], a);
	}
	return result;
}

/* {"Repository": "...", "Tags": ["a", "b"]} */
static int list_tags(struct pull *p, const char ***ret, size_t *ret_n, struct err *e)
{
	const struct json *all, *tags;
	char *text;
	size_t n;

	begin(p, "list-tags", "");
	word(p, arena_printf(p->arena, "docker://%s", p->repository));
	if (ask(p, CONFIG_MAX_BYTES, &text, &n, e) < 0 ||
		json_parse(text, n, p->arena, &all, e) < 0)
		return -e->code;
	tags = all->kind == JSON_OBJECT ? json_get(all, "Tags") : NULL;
	if (!tags || tags->kind != JSON_ARRAY)
		return err_say(e, "%s: skopeo lists no tags", p->repository);
	*ret = NULL;
	*ret_n = 0;
	for (const struct json *v = json_first(tags); v; v = json_next(tags, v))
		if (v->kind == JSON_STRING)
			*(const char **)arena_grow(p->arena, ret, ret_n, sizeof(**ret)) =
				arena_printf(p->arena, "%s:%s", p->repository, v->text);
	return *ret_n ? 0 : err_say(e, "%s: it has no tags", p->repository);
}

int image_tags(const struct image_data *d, const struct image_ref *r, const struct pull_how *how,
	struct arena *a, const char ***ret, size_t *ret_n, struct err *e)
{
	struct image_ref *names;
	size_t n;
	int result = -ERR_SAID;

	if (short_names(r, a, &names, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n && result < 0; i++) {
		struct pull p = { .data = d, .ref = &names[i], .how = how, .arena = a };

		p.repository = ref_repository(&names[i], a);
		result = list_tags(&p, ret, ret_n, e);
	}
	return result;
}
