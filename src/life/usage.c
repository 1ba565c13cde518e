/* SPDX-License-Identifier: Apache-2.0 */
/* What is on disk: of images, of what containers have changed, of volumes. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "life/image.h"
#include "life/images.h"
#include "life/volumes.h"

/* A layer of several images counts once. */
static int64_t layers_of(const struct life_image *all, size_t n, bool only_used)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < all[i].image.n_layers; j++) {
			bool seen = only_used && !all[i].containers;

			for (size_t k = 0; k < i && !seen; k++)
				for (size_t m = 0; m < all[k].image.n_layers && !seen; m++)
					seen = (!only_used || all[k].containers) &&
					       str_eq(all[k].image.layers[m].chain,
						       all[i].image.layers[j].chain);
			bytes += seen ? 0 : all[i].image.layers[j].bytes;
		}
	}
	return bytes;
}

static int64_t shared_of(const struct life_image *all, size_t n, size_t of)
{
	const struct image *image = &all[of].image;
	int64_t bytes = 0;

	for (size_t j = 0; j < image->n_layers; j++) {
		bool seen = false;

		for (size_t k = 0; k < n && !seen; k++)
			for (size_t m = 0; k != of && m < all[k].image.n_layers && !seen; m++)
				seen = str_eq(all[k].image.layers[m].chain, image->layers[j].chain);
		bytes += seen ? image->layers[j].bytes : 0;
	}
	return bytes;
}

static size_t words_of(const char *text)
{
	size_t n = text && *text;

	for (; text && *text; text++)
		n += *text == ' ';
	return n;
}

int life_add_sizes(const struct life *l, struct life_info *all, size_t n, struct err *e)
{
	autoarena a = { 0 };
	autodata d = IMAGE_DATA_NONE;
	struct life_image *images;
	size_t n_images;

	if (life_data(l, &d, e) < 0 || life_image_list(l, &a, &images, &n_images, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		struct life_info *c = &all[i];

		c->n_volumes = words_of(c->volumes);
		c->own_bytes = data_bytes(d.fd, arena_printf(&a, "containers/%s/upper", c->id));
		c->all_bytes = c->own_bytes;
		for (size_t j = 0; c->image_id && j < n_images; j++)
			if (str_eq(images[j].image.id, c->image_id))
				c->all_bytes += images[j].bytes;
	}
	return 0;
}

static int add_volumes(const struct life *l, struct life_usage *u, struct arena *a, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct volume *all;
	size_t n;

	if (life_data(l, &d, e) < 0 || volume_list(&d, a, &all, &n, e) < 0)
		return -e->code;
	u->volume_items = arena_array(a, n + 1, sizeof(*u->volume_items));
	u->volumes = n;
	for (size_t i = 0; i < n; i++) {
		int64_t bytes = volume_bytes(&d, all[i].name);

		u->volume_items[i] = (struct life_volume_usage){ all[i], bytes };
		u->volumes_used += all[i].links > 0;
		u->volume_bytes += bytes;
		u->volume_reclaimable += all[i].links ? 0 : bytes;
	}
	return 0;
}

int life_system_df(const struct life *l, struct arena *a, struct life_usage *ret, struct err *e)
{
	struct life_usage u = { 0 };

	if (life_image_list(l, a, &u.image_items, &u.images, e) < 0 ||
		life_list(l, true, a, &u.container_items, &u.containers, e) < 0 ||
		life_add_sizes(l, u.container_items, u.containers, e) < 0 ||
		add_volumes(l, &u, a, e) < 0)
		return -e->code;
	u.image_shared = arena_array(a, u.images + 1, sizeof(*u.image_shared));
	for (size_t i = 0; i < u.images; i++) {
		u.images_used += u.image_items[i].containers > 0;
		u.image_shared[i] = shared_of(u.image_items, u.images, i);
	}
	u.image_bytes = layers_of(u.image_items, u.images, false);
	u.image_reclaimable = u.image_bytes - layers_of(u.image_items, u.images, true);
	for (size_t i = 0; i < u.containers; i++) {
		const struct life_info *c = &u.container_items[i];

		u.containers_running += c->pid != 0;
		u.container_bytes += c->own_bytes;
		u.container_reclaimable += c->pid ? 0 : c->own_bytes;
	}
	*ret = u;
	return 0;
}
