/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image.h"

#include "base/str.h"
#include "image/gc.h"

static int load_all(const struct image_data *d, const struct layout_how *how, struct arena *a,
	struct image **ret, size_t *ret_n, struct err *e)
{
	struct found_image *found;
	struct image *images;
	size_t n;

	if (layout_read(d, how, a, &found, &n, e) < 0)
		return -e->code;
	images = arena_array(a, n, sizeof(*images));
	for (size_t i = 0; i < n; i++) {
		struct image_add what = { .manifest = found[i].manifest,
			.names = found[i].names,
			.n_names = found[i].n_names };

		if (image_add(d, &what, a, &images[i], e) < 0)
			return -e->code;
	}
	*ret = images;
	*ret_n = n;
	return 0;
}

int image_load(const struct image_data *d, const struct layout_how *how, struct arena *a,
	struct image **ret, size_t *ret_n, struct err *e)
{
	autofd busy = FD_NONE;
	int r;

	gc_sweep(d);
	busy = data_lock(d, "busy", true, e);
	r = busy < 0 ? busy : load_all(d, how, a, ret, ret_n, e);
	if (r < 0)
		gc_after_failure(d, &busy, e);
	return r;
}

/* `run oci:...`: the one image of it, under no name of its own. */
static int from_file(const struct image_data *d, const struct image_ref *ref, const char *platform,
	struct arena *a, struct image *ret, struct err *e)
{
	struct layout_how how = { .kind = ref->kind,
		.path = ref->file,
		.fd = FD_NONE,
		.member = ref->member,
		.platform = platform };
	struct found_image *found;
	struct image_add what = { 0 };
	autofd busy = data_lock(d, "busy", true, e);
	size_t n;
	int r;

	r = busy < 0 ? busy : layout_read(d, &how, a, &found, &n, e);
	if (r == 0 && n > 1)
		return err_say(e, "%s has %zu images; say which one behind a colon", ref->file, n);
	if (r == 0) {
		what.manifest = found[0].manifest;
		r = image_add(d, &what, a, ret, e);
	}
	if (r < 0)
		gc_after_failure(d, &busy, e);
	return r;
}

/* Does what is here run on the platform that was asked for? */
static int fits(const struct image_data *d, const struct image *i, const char *text,
	struct arena *a, struct err *e)
{
	struct image_config config;
	struct platform p;

	if (!text)
		return 0;
	if (platform_parse(text, a, &p, e) < 0 || image_config_read(d, i, a, &config, e) < 0)
		return -e->code;
	return str_eq(p.os, config.os) && str_eq(p.architecture, config.architecture) ? 0 : 1;
}

int image_get(const struct image_data *d, const char *text, const struct image_ref *ref,
	enum pull_policy policy, const struct pull_how *how, struct arena *a, struct image *ret,
	struct err *e)
{
	struct image_index index;
	struct image *found;
	struct pulled pulled;
	int r;

	if (ref->kind != REF_NAME)
		return from_file(d, ref, how->platform, a, ret, e);
	if (policy != PULL_ALWAYS) {
		if (index_read(d, a, &index, e) < 0)
			return -e->code;
		r = index_find(&index, text, a, &found, NULL, e);
		if (r < 0 && e->code != ERR_ABSENT)
			return r;
		if (r == 0) {
			r = fits(d, found, how->platform, a, e);
			if (r < 0)
				return r;
			if (r == 0) {
				*ret = *found;
				return 0;
			}
			if (policy == PULL_NEVER)
				return err_say(e, "image %s is here for another platform than %s",
					text, how->platform);
		} else if (policy == PULL_NEVER) {
			return r;
		}
	}
	if (how->line && policy == PULL_MISSING)
		how->line(how->data, arena_printf(a, "Unable to find image '%s' locally",
					     ref_familiar(ref_canonical(ref, a))));
	if (image_pull(d, ref, how, a, &pulled, e) < 0)
		return -e->code;
	if (how->line) {
		how->line(how->data, arena_printf(a, "Digest: %s", pulled.digest));
		how->line(how->data,
			arena_printf(a, "Status: %s for %s",
				pulled.is_new ? "Downloaded newer image" : "Image is up to date",
				ref_familiar(pulled.name)));
	}
	*ret = pulled.image;
	return 0;
}
