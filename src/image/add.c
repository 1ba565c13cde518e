/* SPDX-License-Identifier: Apache-2.0 */
#include "image/add.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "image/unpack.h"
#include "os/file.h"

struct adding {
	const struct image_data *data;
	struct staging staging;
	struct image *image;
	struct arena *arena;
};

static const char *layer_path(const struct image_layer *l, struct arena *a)
{
	return arena_printf(a, "layers/%s", l->chain);
}

static bool is_there(const struct image_data *d, const struct image_layer *l, struct arena *a)
{
	return faccessat(d->fd, arena_printf(a, "%s/info", layer_path(l, a)), F_OK, 0) == 0;
}

/* A layer's folder: in layers/, or in the staging folder while it is new. */
static int open_diff(const struct adding *ad, const struct image_layer *l)
{
	int fd = openat(ad->staging.fd, arena_printf(ad->arena, "%s/diff", l->chain),
		O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0)
		return fd;
	fd = openat(ad->data->fd, arena_printf(ad->arena, "layers/%s/diff", l->chain),
		O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static void tell_skipped(const struct unpacked *u)
{
	if (u->skipped_devices)
		log_warn("%u device nodes of a layer were left out: this user may not make them",
			u->skipped_devices);
	if (u->other_owners)
		log_warn("%u files of a layer belong to users this one has no ids for (see "
			 "/etc/subuid)",
			u->other_owners);
	if (u->lost_xattrs)
		log_warn("%u extended attributes of a layer could not be set", u->lost_xattrs);
}

/* Says what is wrong with a layer; a blob that is not what it should be makes room for another. */
static int blame(const struct adding *ad, const struct image_layer *l, struct err *e)
{
	autofd blob = blob_open(ad->data, l->blob);
	struct digest found;

	if (blob >= 0 && digest_of_fd(blob, &found, NULL) == 0 && !str_eq(found.text, l->blob)) {
		blob_drop(ad->data, l->blob);
		return err_say(e,
			"layer %.19s is damaged: its digest is %.19s; it was removed, pull it "
			"again",
			l->blob, found.text);
	}
	return err_wrap(e, "layer %.19s", l->blob);
}

static int make_layer_folder(const struct adding *ad, const struct image_layer *l,
	const struct stack *below, struct err *e)
{
	const char *path = arena_printf(ad->arena, "%s/diff", l->chain);
	autofd fd = FD_NONE;
	struct stat st;

	if (mkdirat(ad->staging.fd, l->chain, 0700) < 0 || mkdirat(ad->staging.fd, path, 0755) < 0)
		return err_set(e, errno, "make a folder for layer %.12s", l->chain);
	fd = openat(ad->staging.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return err_set(e, errno, "open the folder of layer %.12s", l->chain);
	/* a layer need not speak of the root: then it is as below */
	if (below->n && fstat(below->layers[0], &st) == 0) {
		if (fchown(fd, st.st_uid, st.st_gid) == 0)
			fchmod(fd, st.st_mode & 07777);
	}
	return take_fd(&fd);
}

static int unpack_one(const struct adding *ad, const struct image_layer *l,
	const struct stack *below, struct err *e)
{
	autofd blob = blob_open(ad->data, l->blob), diff = FD_NONE, dir = FD_NONE;
	struct unpack u = { .below = below, .blob = l->blob, .diff_id = l->diff_id };
	autotext info = { 0 };

	if (blob < 0)
		return err_set(e, -blob, "open layer %.19s", l->blob);
	diff = make_layer_folder(ad, l, below, e);
	if (diff < 0)
		return diff;
	u.archive = blob;
	u.layer = diff;
	if (unpack_layer(&u, e) < 0)
		return blame(ad, l, e);
	tell_skipped(&u.ret);
	dir = openat(ad->staging.fd, l->chain, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text_addf(&info, "{\"bytes\": %llu, \"diffId\": \"%s\", \"blob\": \"%s\"}\n",
		(unsigned long long)u.ret.bytes, l->diff_id, l->blob);
	return dir < 0 ? err_set(e, errno, "open layer %.12s", l->chain)
		       : data_write(dir, "info", info.p, info.len, e);
}

/* For a user without privileges in a child that is root over its subordinate ids. */
static int unpack_all(void *data, struct err *e)
{
	const struct adding *ad = data;
	autostack view = { .userxattr = ad->data->userxattr };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ad->image->n_layers; i++) {
		const struct image_layer *l = &ad->image->layers[i];
		int diff;

		if (!is_there(ad->data, l, ad->arena) &&
			faccessat(ad->staging.fd, l->chain, F_OK, 0) < 0)
			r = unpack_one(ad, l, &view, e);
		diff = r < 0 ? FD_NONE : open_diff(ad, l);
		if (r == 0 && diff < 0)
			r = err_set(e, -diff, "open layer %.12s", l->chain);
		if (diff >= 0)
			stack_push(&view, diff);
	}
	return r;
}

/* All of a sudden they are there, and stay so over a power cut. */
static int publish(const struct adding *ad, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < ad->image->n_layers; i++)
		any |= faccessat(ad->staging.fd, ad->image->layers[i].chain, F_OK, 0) == 0;
	if (any && syncfs(ad->staging.fd) < 0)
		return err_set(e, errno, "write the layers to disk");
	for (size_t i = 0; any && i < ad->image->n_layers; i++) {
		const struct image_layer *l = &ad->image->layers[i];

		if (renameat(ad->staging.fd, l->chain, ad->data->fd, layer_path(l, ad->arena)) ==
				0 ||
			errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY)
			continue;
		return err_set(e, errno, "keep layer %.12s", l->chain);
	}
	return 0;
}

static int read_sizes(const struct adding *ad, struct err *e)
{
	for (size_t i = 0; i < ad->image->n_layers; i++) {
		struct image_layer *l = &ad->image->layers[i];
		const struct json *all, *bytes;
		char text[1024];
		ssize_t n = file_read(ad->data->fd,
			arena_printf(ad->arena, "%s/info", layer_path(l, ad->arena)), text,
			sizeof(text));

		if (n < 0)
			return err_set(e, (int)-n, "read layer %.12s", l->chain);
		if (json_parse(arena_strndup(ad->arena, text, (size_t)n), (size_t)n, ad->arena,
			    &all, e) < 0 ||
			all->kind != JSON_OBJECT || !(bytes = json_get(all, "bytes")) ||
			json_i64(bytes, &l->bytes) < 0)
			return err_say(e, "layer %.12s is damaged (clade system check --repair)",
				l->chain);
	}
	return 0;
}

/* What the manifest and the configuration say of the layers must agree. */
static int read_layers(const struct image_data *d, const char *manifest, struct arena *a,
	struct image *ret, struct err *e)
{
	struct image_config config;
	struct manifest m;
	char *text;
	size_t n;

	if (blob_read(d, manifest, MANIFEST_MAX_BYTES, a, &text, &n, e) < 0 ||
		manifest_parse(text, n, a, &m, e) < 0)
		return -e->code;
	if (m.is_index)
		return err_say(e, "manifest %.19s is an index", manifest);
	*ret = (struct image){ .id = m.config.digest, .manifest = arena_strdup(a, manifest) };
	if (image_config_read(d, ret, a, &config, e) < 0)
		return -e->code;
	if (config.diff_ids.n != m.n)
		return err_say(e, "the image has %zu layers, and its configuration speaks of %zu",
			m.n, config.diff_ids.n);
	ret->layers = arena_array(a, m.n + 1, sizeof(*ret->layers));
	ret->n_layers = m.n;
	for (size_t i = 0; i < m.n; i++) {
		struct image_layer *l = &ret->layers[i];

		l->diff_id = config.diff_ids.items[i];
		l->blob = m.items[i].digest;
		l->chain = chain_id(i ? l[-1].chain : NULL, l->diff_id, a);
	}
	return 0;
}

/* Into images.json; an image that is there already keeps its names. */
static int enter(const struct image_data *d, const struct image_add *what, struct arena *a,
	struct image *image, struct err *e)
{
	autofd lock = data_lock(d, "lock", false, e);
	struct image_index index;
	struct image *place = NULL;
	struct timespec now;

	if (lock < 0 || index_read(d, a, &index, e) < 0)
		return -e->code;
	for (size_t i = 0; i < what->n_names; i++)
		index_take_name(&index, what->names[i]);
	for (size_t i = 0; i < index.n; i++)
		if (str_eq(index.items[i].id, image->id))
			place = &index.items[i];
	if (!place) {
		struct image *all = arena_array(a, index.n + 1, sizeof(*all));

		for (size_t i = 0; i < index.n; i++)
			all[i] = index.items[i];
		index.items = all;
		place = &all[index.n++];
		clock_gettime(CLOCK_REALTIME, &now);
		image->added_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
		*place = *image;
	}
	place->manifest = image->manifest;
	place->layers = image->layers;
	place->n_layers = image->n_layers;
	for (size_t i = 0; i < what->n_names; i++)
		image_add_name(place, what->names[i], a);
	if (what->digest)
		image_add_digest(place, what->digest, a);
	*image = *place;
	return index_write(d, &index, e);
}

int image_add(const struct image_data *d, const struct image_add *what, struct arena *a,
	struct image *ret, struct err *e)
{
	autostaging staging = STAGING_NONE;
	struct image image;
	struct adding ad = { .data = d, .image = &image, .arena = a };
	bool all_there = true;

	if (read_layers(d, what->manifest, a, &image, e) < 0)
		return -e->code;
	for (size_t i = 0; i < image.n_layers; i++)
		all_there &= is_there(d, &image.layers[i], a);
	if (!all_there) {
		if (staging_make(d, &staging, e) < 0)
			return -e->code;
		ad.staging = staging;
		if (userns_run(&d->maps, unpack_all, &ad, e) < 0 || publish(&ad, e) < 0)
			return -e->code;
	}
	if (read_sizes(&ad, e) < 0 || enter(d, what, a, &image, e) < 0)
		return -e->code;
	*ret = image;
	return 0;
}
