/* SPDX-License-Identifier: Apache-2.0 */
#include "image/index.h"

#include <string.h>

#include "base/str.h"
#include "image/ref.h"
#include "image/short_names.h"
#include "os/file.h"

enum { INDEX_MAX_BYTES = 64 << 20, CONFIG_MAX_BYTES = 8 << 20 };

static const char *string_of(const struct json *v, const char *name)
{
	const struct json *s = json_get(v, name);

	return s && s->kind == JSON_STRING ? s->text : "";
}

static int64_t number_of(const struct json *v, const char *name)
{
	const struct json *s = json_get(v, name);
	int64_t n = 0;

	return s && json_i64(s, &n) == 0 ? n : 0;
}

static void read_strings(
	const struct json *v, const char *name, struct arena *a, const char ***ret, size_t *ret_n)
{
	const struct json *list = json_get(v, name);

	if (!list || list->kind != JSON_ARRAY)
		return;
	for (const struct json *s = json_first(list); s; s = json_next(list, s))
		if (s->kind == JSON_STRING)
			*(const char **)arena_grow(a, ret, ret_n, sizeof(**ret)) = s->text;
}

static bool read_layers(const struct json *v, struct arena *a, struct image *i)
{
	const struct json *list = json_get(v, "layers");

	if (!list || list->kind != JSON_ARRAY)
		return false;
	for (const struct json *s = json_first(list); s; s = json_next(list, s)) {
		struct image_layer *l = arena_grow(a, &i->layers, &i->n_layers, sizeof(*l));

		if (s->kind != JSON_OBJECT)
			return false;
		*l = (struct image_layer){ string_of(s, "chain"), string_of(s, "diffId"),
			string_of(s, "blob"), number_of(s, "bytes") };
		if (strlen(l->chain) != DIGEST_HEX || !ref_is_hex(l->chain) ||
			!ref_is_sha256(l->diff_id) || !ref_is_sha256(l->blob))
			return false;
	}
	return true;
}

static bool read_image(const struct json *v, struct arena *a, struct image *i)
{
	if (v->kind != JSON_OBJECT)
		return false;
	i->id = string_of(v, "id");
	i->manifest = string_of(v, "manifest");
	i->added_ns = number_of(v, "addedNs");
	read_strings(v, "names", a, &i->names, &i->n_names);
	read_strings(v, "digests", a, &i->digests, &i->n_digests);
	return ref_is_sha256(i->id) && ref_is_sha256(i->manifest) && read_layers(v, a, i);
}

int index_read(const struct image_data *d, struct arena *a, struct image_index *ret, struct err *e)
{
	autofree char *text = NULL;
	struct image_index index = { 0 };
	ssize_t n = file_read_all(d->fd, "images.json", INDEX_MAX_BYTES, &text);
	const struct json *all;

	*ret = index;
	if (n == -ENOENT)
		return 0;
	if (n < 0)
		return err_set(e, (int)-n, "read %s/images.json", d->path);
	if (json_parse(text, (size_t)n, a, &all, e) < 0 || all->kind != JSON_ARRAY)
		return err_say(e,
			"%s/images.json is damaged; clade system check --repair makes it "
			"anew",
			d->path);
	for (const struct json *v = json_first(all); v; v = json_next(all, v)) {
		struct image image = { 0 };

		/* a damaged one is as good as none: system check says so */
		if (read_image(v, a, &image))
			*(struct image *)arena_grow(a, &index.items, &index.n, sizeof(image)) =
				image;
	}
	*ret = index;
	return 0;
}

static void write_strings(struct json_writer *w, const char *name, const char **items, size_t n)
{
	json_begin(w, name, '[');
	for (size_t i = 0; i < n; i++)
		json_string(w, NULL, items[i]);
	json_end(w, ']');
}

int index_write(const struct image_data *d, const struct image_index *index, struct err *e)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 1 };

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < index->n; i++) {
		const struct image *image = &index->items[i];

		json_begin(&w, NULL, '{');
		json_string(&w, "id", image->id);
		json_string(&w, "manifest", image->manifest);
		json_int(&w, "addedNs", image->added_ns);
		write_strings(&w, "names", image->names, image->n_names);
		write_strings(&w, "digests", image->digests, image->n_digests);
		json_begin(&w, "layers", '[');
		for (size_t j = 0; j < image->n_layers; j++) {
			json_begin(&w, NULL, '{');
			json_string(&w, "chain", image->layers[j].chain);
			json_string(&w, "diffId", image->layers[j].diff_id);
			json_string(&w, "blob", image->layers[j].blob);
			json_int(&w, "bytes", image->layers[j].bytes);
			json_end(&w, '}');
		}
		json_end(&w, ']');
		json_end(&w, '}');
	}
	json_end(&w, ']');
	text_add(&t, "\n");
	return data_write(d->fd, "images.json", t.p, t.len, e);
}

static bool has(const char **list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], word))
			return true;
	return false;
}

static struct image *by_id(struct image_index *index, const char *hex, size_t *ret_found)
{
	struct image *found = NULL;

	*ret_found = 0;
	for (size_t i = 0; i < index->n; i++) {
		if (strncmp(digest_hex(index->items[i].id), hex, strlen(hex)) != 0)
			continue;
		found = &index->items[i];
		++*ret_found;
	}
	return found;
}

/* name@digest: the manifest's, or the ID as docker also takes it. */
static struct image *by_digest(
	struct image_index *index, const struct image_ref *r, struct arena *a)
{
	const char *full = arena_printf(a, "%s@%s", ref_repository(r, a), r->digest);

	for (size_t i = 0; i < index->n; i++)
		if (has(index->items[i].digests, index->items[i].n_digests, full))
			return &index->items[i];
	return NULL;
}

/* registries.conf may have had a short name pulled from elsewhere. */
static struct image *by_short_name(
	struct image_index *index, const struct image_ref *r, struct arena *a, const char **name)
{
	struct image_ref *refs;
	struct err ignored;
	size_t n;

	if (short_names(r, a, &refs, &n, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		const char *full = ref_canonical(&refs[i], a);

		for (size_t j = 0; j < index->n; j++) {
			if (!has(index->items[j].names, index->items[j].n_names, full))
				continue;
			*name = full;
			return &index->items[j];
		}
	}
	return NULL;
}

int index_find(struct image_index *index, const char *ref, struct arena *a, struct image **ret,
	const char **ret_name, struct err *e)
{
	const char *hex = str_starts(ref, "sha256:") ? ref + 7 : ref, *name = NULL;
	struct image *found = NULL;
	struct image_ref r;
	size_t n = 0;
	int parsed;

	/* a name comes before the beginning of an ID that reads the same, as for docker */
	parsed = ref_parse_name(ref, a, &r, e);
	if (parsed == 0 && r.digest) {
		found = by_digest(index, &r, a);
	} else if (parsed == 0) {
		name = ref_canonical(&r, a);
		for (size_t i = 0; i < index->n && !found; i++)
			if (has(index->items[i].names, index->items[i].n_names, name))
				found = &index->items[i];
		if (!found && r.short_name)
			found = by_short_name(index, &r, a, &name);
	}
	if (!found && ref_is_hex(hex) && strlen(hex) <= DIGEST_HEX) {
		name = NULL;
		found = by_id(index, hex, &n);
		if (n > 1)
			return err_say(
				e, "%s is the beginning of %zu image IDs; give more of it", ref, n);
	}
	if (!found && parsed < 0 && !ref_is_hex(hex))
		return parsed;
	if (!found)
		return err_absent(e, "No such image: %s", ref);
	*ret = found;
	if (ret_name)
		*ret_name = name;
	return 0;
}

int64_t image_bytes(const struct image *i)
{
	int64_t n = 0;

	for (size_t j = 0; j < i->n_layers; j++)
		n += i->layers[j].bytes;
	return n;
}

int image_config_read(const struct image_data *d, const struct image *i, struct arena *a,
	struct image_config *ret, struct err *e)
{
	char *text;
	size_t n;

	if (blob_read(d, i->id, CONFIG_MAX_BYTES, a, &text, &n, e) < 0)
		return err_wrap(e, "configuration of image %.19s", i->id);
	return config_parse(text, n, a, ret, e);
}

const char *chain_id(const char *parent_hex, const char *diff_id, struct arena *a)
{
	struct digest d;
	const char *text;

	if (!parent_hex)
		return arena_strdup(a, digest_hex(diff_id));
	text = arena_printf(a, "sha256:%s %s", parent_hex, diff_id);
	digest_of(text, strlen(text), &d);
	return arena_strdup(a, digest_hex(d.text));
}

void index_take_name(struct image_index *index, const char *name)
{
	for (size_t i = 0; i < index->n; i++) {
		struct image *image = &index->items[i];
		size_t kept = 0;

		for (size_t j = 0; j < image->n_names; j++)
			if (!str_eq(image->names[j], name))
				image->names[kept++] = image->names[j];
		image->n_names = kept;
	}
}

static void add_word(const char ***list, size_t *n, const char *word, struct arena *a)
{
	const char **all;

	if (has(*list, *n, word))
		return;
	all = arena_array(a, *n + 1, sizeof(*all));
	if (*n)
		memcpy(all, *list, *n * sizeof(*all));
	all[(*n)++] = arena_strdup(a, word);
	*list = all;
}

void image_add_name(struct image *i, const char *name, struct arena *a)
{
	add_word(&i->names, &i->n_names, name, a);
}

void image_add_digest(struct image *i, const char *digest, struct arena *a)
{
	add_word(&i->digests, &i->n_digests, digest, a);
}
