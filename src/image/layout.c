/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "image/spool.h"
#include "os/file.h"
#include "os/root.h"

struct layout {
	const struct image_data *data;
	const struct layout_how *how;
	struct arena *arena;
	int root; /* owned: of a folder; FD_NONE: an archive, whose blobs are in the store */
	struct spool spool;
	struct found_image *items;
	size_t n;
};

static int copy_blob(struct layout *l, int from, const char *digest, struct err *e)
{
	autostaging staging = STAGING_NONE;
	autofd to = FD_NONE;
	struct digest found;

	if (staging_make(l->data, &staging, e) < 0)
		return -e->code;
	to = openat(staging.fd, "blob", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return err_set(e, errno, "make a blob");
	if (spool_copy(from, to, &found, e) < 0)
		return err_wrap(e, "copy blob %.19s", digest);
	if (!str_eq(found.text, digest))
		return err_say(e, "blob %s is damaged: its digest is %s", digest, found.text);
	return blob_take(&staging, "blob", to, &found, e);
}

/* A blob of the layout comes into the store, if it is not there. */
static int fetch(struct layout *l, const char *digest, struct err *e)
{
	autofd fd = FD_NONE;
	struct stat st;

	if (blob_size(l->data, digest) >= 0)
		return 0;
	if (l->root < 0)
		return err_say(e, "the archive has no blob %s", digest);
	fd = root_open(l->root, arena_printf(l->arena, "blobs/sha256/%s", digest_hex(digest)),
		O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(e, -fd, "open blob %s", digest);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_say(e, "blob %s is no file", digest);
	return copy_blob(l, fd, digest, e);
}

static int add_found(struct layout *l, const char *manifest, const char *name, struct err *e)
{
	struct found_image *f = NULL;
	struct image_ref r;

	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->items[i].manifest, manifest))
			f = &l->items[i];
	if (!f)
		f = arena_grow(l->arena, &l->items, &l->n, sizeof(*f));
	f->manifest = manifest;
	if (!name)
		return 0;
	if (ref_parse_name(name, l->arena, &r, e) < 0)
		return -e->code;
	*(const char **)arena_grow(l->arena, &f->names, &f->n_names, sizeof(*f->names)) =
		ref_canonical(&r, l->arena);
	return 0;
}

/* A manifest and all that it names; an index leads to the one for the platform. */
static int take_manifest(
	struct layout *l, const char *digest, int depth, const char **ret, struct err *e)
{
	const struct descriptor *chosen;
	struct platform platform;
	struct manifest m;
	char *text;
	size_t n;

	if (fetch(l, digest, e) < 0 ||
		blob_read(l->data, digest, MANIFEST_MAX_BYTES, l->arena, &text, &n, e) < 0 ||
		manifest_parse(text, n, l->arena, &m, e) < 0)
		return -e->code;
	if (m.is_index) {
		if (platform_parse(l->how->platform, l->arena, &platform, e) < 0)
			return -e->code;
		chosen = manifest_choose(&m, &platform);
		if (!chosen || depth > 2)
			return err_say(e, "no image for platform %s/%s%s%s in it", platform.os,
				platform.architecture, platform.variant[0] ? "/" : "",
				platform.variant);
		return take_manifest(l, chosen->digest, depth + 1, ret, e);
	}
	if (fetch(l, m.config.digest, e) < 0)
		return -e->code;
	for (size_t i = 0; i < m.n; i++)
		if (fetch(l, m.items[i].digest, e) < 0)
			return -e->code;
	*ret = arena_strdup(l->arena, digest);
	return 0;
}

/* What an index.json calls an image: a whole name, or a tag alone, which names nothing here. */
static const char *name_of(const struct descriptor *d)
{
	if (d->full_name)
		return d->full_name;
	return d->ref_name && strpbrk(d->ref_name, "/:") ? d->ref_name : NULL;
}

static bool is_wanted(const struct layout *l, const struct descriptor *d)
{
	const char *member = l->how->member;

	return !member || (d->ref_name && str_eq(d->ref_name, member)) ||
	       (d->full_name && str_eq(d->full_name, member)) || str_eq(d->digest, member);
}

static int read_index(struct layout *l, const char *text, size_t n, struct err *e)
{
	const char *digest;
	struct manifest m;

	if (manifest_parse(text, n, l->arena, &m, e) < 0)
		return err_wrap(e, "index.json");
	if (!m.is_index)
		return err_say(e, "index.json: has no manifests");
	for (size_t i = 0; i < m.n; i++) {
		if (!is_wanted(l, &m.items[i]))
			continue;
		if (take_manifest(l, m.items[i].digest, 0, &digest, e) < 0 ||
			add_found(l, digest, name_of(&m.items[i]), e) < 0)
			return -e->code;
	}
	return 0;
}

/* docker's manifest.json names files of the archive; the image's manifest is made from that. */
static int make_manifest(struct layout *l, const struct json *v, const char **ret, struct err *e)
{
	const struct json *config = json_get(v, "Config"), *layers = json_get(v, "Layers");
	const char *digest = config && config->kind == JSON_STRING
				     ? spool_find(&l->spool, config->text, l->arena)
				     : NULL;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct digest made;

	if (!digest || !layers || layers->kind != JSON_ARRAY)
		return err_say(e, "manifest.json: the configuration or the layers are missing");
	json_begin(&w, NULL, '{');
	json_int(&w, "schemaVersion", 2);
	json_string(&w, "mediaType", MEDIA_DOCKER);
	json_begin(&w, "config", '{');
	json_string(&w, "mediaType", MEDIA_DOCKER_CONFIG);
	json_int(&w, "size", blob_size(l->data, digest));
	json_string(&w, "digest", digest);
	json_end(&w, '}');
	json_begin(&w, "layers", '[');
	for (const struct json *s = json_first(layers); s; s = json_next(layers, s)) {
		const char *layer =
			s->kind == JSON_STRING ? spool_find(&l->spool, s->text, l->arena) : NULL;

		if (!layer)
			return err_say(e, "manifest.json: layer %.100s is not in the archive",
				s->kind == JSON_STRING ? s->text : "?");
		json_begin(&w, NULL, '{');
		json_string(&w, "mediaType", MEDIA_DOCKER_LAYER);
		json_int(&w, "size", blob_size(l->data, layer));
		json_string(&w, "digest", layer);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	if (blob_put(l->data, t.p, t.len, &made, e) < 0)
		return -e->code;
	*ret = arena_strdup(l->arena, made.text);
	return 0;
}

static bool tag_is_wanted(const struct layout *l, const char *tag)
{
	struct image_ref a, b;
	struct err ignored;

	if (!l->how->member)
		return true;
	return ref_parse_name(tag, l->arena, &a, &ignored) == 0 &&
	       ref_parse_name(l->how->member, l->arena, &b, &ignored) == 0 &&
	       str_eq(ref_canonical(&a, l->arena), ref_canonical(&b, l->arena));
}

static int read_docker(struct layout *l, const char *text, size_t n, struct err *e)
{
	const struct json *all, *tags;

	if (json_parse(text, n, l->arena, &all, e) < 0)
		return err_wrap(e, "manifest.json");
	if (all->kind != JSON_ARRAY)
		return err_say(e, "manifest.json: is no list");
	for (const struct json *v = json_first(all); v; v = json_next(all, v)) {
		const char *manifest = NULL;
		bool any = false;

		if (v->kind != JSON_OBJECT)
			return err_say(e, "manifest.json: is no list of images");
		tags = json_get(v, "RepoTags");
		if (make_manifest(l, v, &manifest, e) < 0)
			return -e->code;
		for (const struct json *s = tags && tags->kind == JSON_ARRAY ? json_first(tags)
									     : NULL;
			s; s = json_next(tags, s)) {
			if (s->kind != JSON_STRING || !tag_is_wanted(l, s->text))
				continue;
			any = true;
			if (add_found(l, manifest, s->text, e) < 0)
				return -e->code;
		}
		if (!any && !l->how->member && add_found(l, manifest, NULL, e) < 0)
			return -e->code;
	}
	return 0;
}

static int read_folder(struct layout *l, struct err *e)
{
	autofree char *text = NULL;
	autofd fd = FD_NONE;
	ssize_t n;

	l->root = open(l->how->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (l->root < 0)
		return err_set(e, errno, "open %s", l->how->path);
	fd = root_open(l->root, "index.json", O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(e, -fd, "%s is no image layout: index.json", l->how->path);
	n = file_read_fd(fd, MANIFEST_MAX_BYTES, &text);
	if (n < 0)
		return err_set(e, (int)-n, "read index.json");
	return read_index(l, arena_strndup(l->arena, text, (size_t)n), (size_t)n, e);
}

/* A file of the archive that the spool has put among the blobs. */
static int read_member(struct layout *l, const char *digest,
	int (*read)(struct layout *l, const char *text, size_t n, struct err *e), struct err *e)
{
	char *text;
	size_t n;

	if (blob_read(l->data, digest, MANIFEST_MAX_BYTES, l->arena, &text, &n, e) < 0)
		return -e->code;
	return read(l, text, n, e);
}

static int read_archive(struct layout *l, struct err *e)
{
	autofd own = FD_NONE;
	const char *oci, *docker;
	int fd = l->how->fd;

	if (l->how->path) {
		own = open(l->how->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (own < 0)
			return err_set(e, errno, "open %s", l->how->path);
		fd = own;
	}
	if (spool_archive(l->data, fd, l->arena, &l->spool, e) < 0)
		return -e->code;
	oci = spool_find(&l->spool, "index.json", l->arena);
	docker = spool_find(&l->spool, "manifest.json", l->arena);
	if (docker && l->how->kind != REF_OCI_ARCHIVE)
		return read_member(l, docker, read_docker, e);
	if (oci && l->how->kind != REF_DOCKER_ARCHIVE)
		return read_member(l, oci, read_index, e);
	return err_say(e, "it is no image: there is no %s in it",
		l->how->kind == REF_OCI_ARCHIVE	     ? "index.json"
		: l->how->kind == REF_DOCKER_ARCHIVE ? "manifest.json"
						     : "manifest.json or index.json");
}

int layout_read(const struct image_data *d, const struct layout_how *how, struct arena *a,
	struct found_image **ret, size_t *ret_n, struct err *e)
{
	struct layout l = { .data = d, .how = how, .arena = a, .root = FD_NONE };
	int r = how->kind == REF_OCI ? read_folder(&l, e) : read_archive(&l, e);

	fd_close(&l.root);
	if (r < 0)
		return how->path ? err_wrap(e, "%s", how->path) : r;
	if (!l.n)
		return err_say(e, "%s: there is no image %s in it",
			how->path ? how->path : "archive", how->member ? how->member : "");
	*ret = l.items;
	*ret_n = l.n;
	return 0;
}
