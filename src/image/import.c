/* SPDX-License-Identifier: Apache-2.0 */
#include "image/import.h"

#include <archive.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "image/pack.h"
#include "image/spool.h"

/* gzip and zstd stay as they are; what a layer may not be packed with is unpacked. */
static int take_layer(const struct staging *s, int from, struct digest *ret_blob,
	struct digest *ret_diff, struct err *e)
{
	autofd in = openat(s->fd, "in", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	autofd plain = openat(s->fd, "plain", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int filter;

	if (in < 0 || plain < 0)
		return err_set(e, errno, "make room for a layer");
	if (spool_copy(from, in, ret_blob, e) < 0)
		return err_wrap(e, "the archive");
	lseek(in, 0, SEEK_SET);
	if (pack_plain(in, FD_NONE, ret_diff, &filter, e) < 0)
		return -e->code;
	if (filter == ARCHIVE_FILTER_NONE || filter == ARCHIVE_FILTER_GZIP ||
		filter == ARCHIVE_FILTER_ZSTD)
		return blob_take(s, "in", in, ret_blob, e);
	lseek(in, 0, SEEK_SET);
	if (pack_plain(in, plain, ret_blob, NULL, e) < 0)
		return -e->code;
	return blob_take(s, "plain", plain, ret_blob, e);
}

static void now_text(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void write_step(struct json_writer *w, const char *created, const char *created_by,
	const char *comment, bool empty)
{
	json_begin(w, NULL, '{');
	json_string(w, "created", created);
	if (created_by[0])
		json_string(w, "created_by", created_by);
	if (comment[0])
		json_string(w, "comment", comment);
	if (empty)
		json_bool(w, "empty_layer", true);
	json_end(w, '}');
}

static int write_config(const struct image_make *how, const struct image_config *base,
	const char *diff_id, struct arena *a, struct text *t, struct err *e)
{
	struct json_writer w = { .t = t };
	struct platform p;
	char created[40];

	if (platform_parse(how->platform, a, &p, e) < 0)
		return -e->code;
	now_text(created, sizeof(created));
	json_begin(&w, NULL, '{');
	json_string(&w, "created", created);
	if (how->author[0])
		json_string(&w, "author", how->author);
	json_string(&w, "architecture", base ? base->architecture : p.architecture);
	json_string(&w, "os", base ? base->os : p.os);
	change_write(how->change, &w);
	json_begin(&w, "rootfs", '{');
	json_string(&w, "type", "layers");
	json_begin(&w, "diff_ids", '[');
	for (size_t i = 0; base && i < base->diff_ids.n; i++)
		json_string(&w, NULL, base->diff_ids.items[i]);
	json_string(&w, NULL, diff_id);
	json_end(&w, ']');
	json_end(&w, '}');
	json_begin(&w, "history", '[');
	for (size_t i = 0; base && i < base->n_steps; i++)
		write_step(&w, base->steps[i].created, base->steps[i].created_by,
			base->steps[i].comment, base->steps[i].empty_layer);
	write_step(&w, created, how->created_by, how->comment, false);
	json_end(&w, ']');
	json_end(&w, '}');
	return 0;
}

static void write_descriptor(const struct image_data *d, struct json_writer *w, const char *name,
	const char *media, const char *digest)
{
	json_begin(w, name, '{');
	json_string(w, "mediaType", media);
	json_int(w, "size", blob_size(d, digest));
	json_string(w, "digest", digest);
	json_end(w, '}');
}

static int write_manifest(const struct image_data *d, const struct image_make *how,
	const char *config, const char *layer, struct digest *ret, struct err *e)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t };

	json_begin(&w, NULL, '{');
	json_int(&w, "schemaVersion", 2);
	json_string(&w, "mediaType", MEDIA_DOCKER);
	write_descriptor(d, &w, "config", MEDIA_DOCKER_CONFIG, config);
	json_begin(&w, "layers", '[');
	for (size_t i = 0; how->base && i < how->base->n_layers; i++)
		write_descriptor(d, &w, NULL, MEDIA_DOCKER_LAYER, how->base->layers[i].blob);
	write_descriptor(d, &w, NULL, MEDIA_DOCKER_LAYER, layer);
	json_end(&w, ']');
	json_end(&w, '}');
	return blob_put(d, t.p, t.len, ret, e);
}

int image_make(const struct image_data *d, const struct image_make *how, struct arena *a,
	struct image *ret, struct err *e)
{
	autostaging staging = STAGING_NONE;
	autofd busy = data_lock(d, "busy", true, e);
	struct image_config base;
	struct image_add what = { 0 };
	struct digest blob, diff, config, manifest;
	autotext t = { 0 };

	if (busy < 0 || staging_make(d, &staging, e) < 0 ||
		(how->base && image_config_read(d, how->base, a, &base, e) < 0) ||
		take_layer(&staging, how->layer, &blob, &diff, e) < 0 ||
		write_config(how, how->base ? &base : NULL, diff.text, a, &t, e) < 0 ||
		blob_put(d, t.p, t.len, &config, e) < 0 ||
		write_manifest(d, how, config.text, blob.text, &manifest, e) < 0)
		return -e->code;
	what.manifest = manifest.text;
	what.names = (const char **)&how->name;
	what.n_names = how->name ? 1 : 0;
	return image_add(d, &what, a, ret, e);
}
