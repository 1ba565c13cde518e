/* SPDX-License-Identifier: Apache-2.0 */
#include "image/save.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "image/pack.h"
#include "image/ref.h"

struct saving {
	const struct image_data *data;
	struct arena *arena;
	struct pack *out;
	struct staging staging;
	const char **written; /* members that are in already: layers are shared */
	size_t n_written;
};

static bool is_new(struct saving *s, const char *name)
{
	for (size_t i = 0; i < s->n_written; i++)
		if (str_eq(s->written[i], name))
			return false;
	*(const char **)arena_grow(s->arena, &s->written, &s->n_written, sizeof(*s->written)) =
		name;
	return true;
}

static int add_blob(struct saving *s, const char *digest, const char *name, struct err *e)
{
	autofd fd = FD_NONE;

	if (!is_new(s, name))
		return 0;
	fd = blob_open(s->data, digest);
	if (fd < 0)
		return err_set(e, -fd, "open blob %s", digest);
	return pack_fd(s->out, name, fd, e);
}

/* docker's archive has layers as plain tar: their diff IDs are what it knows them by. */
static int add_plain_layer(
	struct saving *s, const struct image_layer *l, const char *name, struct err *e)
{
	autofd blob = FD_NONE, plain = FD_NONE;
	struct digest found;

	if (!is_new(s, name))
		return 0;
	blob = blob_open(s->data, l->blob);
	if (blob < 0)
		return err_set(e, -blob, "open layer %.19s", l->blob);
	plain = openat(s->staging.fd, "layer", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (plain < 0)
		return err_set(e, errno, "make room for a layer");
	if (pack_plain(blob, plain, &found, NULL, e) < 0)
		return err_wrap(e, "layer %.19s", l->blob);
	if (!str_eq(found.text, l->diff_id))
		return err_say(e, "layer %.19s is damaged (clade system check --repair)", l->blob);
	lseek(plain, 0, SEEK_SET);
	return pack_fd(s->out, name, plain, e);
}

static int docker_image(struct saving *s, const struct image *i, const char *name,
	struct json_writer *w, struct err *e)
{
	const char *config = arena_printf(s->arena, "%s.json", digest_hex(i->id));

	if (add_blob(s, i->id, config, e) < 0)
		return -e->code;
	json_begin(w, NULL, '{');
	json_string(w, "Config", config);
	json_begin(w, "RepoTags", '[');
	if (name)
		json_string(w, NULL, ref_familiar(name));
	json_end(w, ']');
	json_begin(w, "Layers", '[');
	for (size_t j = 0; j < i->n_layers; j++) {
		const char *layer =
			arena_printf(s->arena, "%s.tar", digest_hex(i->layers[j].diff_id));

		if (add_plain_layer(s, &i->layers[j], layer, e) < 0)
			return -e->code;
		json_string(w, NULL, layer);
	}
	json_end(w, ']');
	json_end(w, '}');
	return 0;
}

static const char *oci_path(struct saving *s, const char *digest)
{
	return arena_printf(s->arena, "blobs/sha256/%s", digest_hex(digest));
}

static int oci_image(struct saving *s, const struct image *i, const char *name,
	struct json_writer *w, struct err *e)
{
	const struct json *all, *media;
	char *text;
	size_t n;

	if (blob_read(s->data, i->manifest, MANIFEST_MAX_BYTES, s->arena, &text, &n, e) < 0 ||
		json_parse(text, n, s->arena, &all, e) < 0 ||
		add_blob(s, i->manifest, oci_path(s, i->manifest), e) < 0 ||
		add_blob(s, i->id, oci_path(s, i->id), e) < 0)
		return -e->code;
	for (size_t j = 0; j < i->n_layers; j++)
		if (add_blob(s, i->layers[j].blob, oci_path(s, i->layers[j].blob), e) < 0)
			return -e->code;
	media = all->kind == JSON_OBJECT ? json_get(all, "mediaType") : NULL;
	json_begin(w, NULL, '{');
	json_string(w, "mediaType",
		media && media->kind == JSON_STRING ? media->text : MEDIA_OCI_MANIFEST);
	json_string(w, "digest", i->manifest);
	json_int(w, "size", (int64_t)n);
	if (name) {
		json_begin(w, "annotations", '{');
		json_string(w, "io.containerd.image.name", name);
		json_string(w, "org.opencontainers.image.ref.name", name);
		json_end(w, '}');
	}
	json_end(w, '}');
	return 0;
}

static int save_all(
	struct saving *s, const char *const *refs, size_t n, enum save_format format, struct err *e)
{
	static const char layout[] = "{\"imageLayoutVersion\": \"1.0.0\"}";
	struct image_index index;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };

	if (index_read(s->data, s->arena, &index, e) < 0)
		return -e->code;
	if (format == SAVE_OCI) {
		json_begin(&w, NULL, '{');
		json_int(&w, "schemaVersion", 2);
		json_string(&w, "mediaType", MEDIA_OCI_INDEX);
	}
	json_begin(&w, format == SAVE_OCI ? "manifests" : NULL, '[');
	for (size_t i = 0; i < n; i++) {
		struct image *image;
		const char *name;
		int r = index_find(&index, refs[i], s->arena, &image, &name, e);

		if (r == 0)
			r = format == SAVE_OCI ? oci_image(s, image, name, &w, e)
					       : docker_image(s, image, name, &w, e);
		if (r < 0)
			return r;
	}
	json_end(&w, ']');
	if (format == SAVE_DOCKER)
		return pack_text(s->out, "manifest.json", t.p, t.len, e);
	json_end(&w, '}');
	if (pack_text(s->out, "index.json", t.p, t.len, e) < 0)
		return -e->code;
	return pack_text(s->out, "oci-layout", layout, sizeof(layout) - 1, e);
}

int image_save(const struct image_data *d, const char *const *refs, size_t n,
	enum save_format format, int fd, struct err *e)
{
	autoarena a = { 0 };
	autostaging staging = STAGING_NONE;
	autofd busy = data_lock(d, "busy", true, e);
	struct saving s = { .data = d, .arena = &a };
	int r;

	if (busy < 0 || staging_make(d, &staging, e) < 0)
		return -e->code;
	s.staging = staging;
	s.out = pack_open(fd, e);
	if (!s.out)
		return -e->code;
	r = save_all(&s, refs, n, format, e);
	return pack_close(s.out, r, e);
}
