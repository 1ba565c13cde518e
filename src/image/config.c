/* SPDX-License-Identifier: Apache-2.0 */
#include "image/config.h"

#include "base/str.h"
#include "image/manifest.h"
#include "image/ref.h"

static const char *string_of(const struct json *object, const char *name)
{
	const struct json *v = object ? json_get(object, name) : NULL;

	return v && v->kind == JSON_STRING ? v->text : "";
}

static void add(struct arena *a, struct image_words *to, const char *word)
{
	*(const char **)arena_grow(a, &to->items, &to->n, sizeof(*to->items)) = word;
}

static void end(struct arena *a, struct image_words *to)
{
	add(a, to, NULL);
	to->n--;
}

/* A list of strings; null and nothing are an empty one. */
static int read_words(const struct json *object, const char *name, struct arena *a,
	struct image_words *to, struct err *e)
{
	const struct json *v = object ? json_get(object, name) : NULL;

	if (v && v->kind != JSON_NULL && v->kind != JSON_ARRAY)
		return err_say(e, "image configuration: %s is no list", name);
	for (const struct json *w = v && v->kind == JSON_ARRAY ? json_first(v) : NULL; w;
		w = json_next(v, w)) {
		if (w->kind != JSON_STRING)
			return err_say(e, "image configuration: %s is no list of strings", name);
		add(a, to, w->text);
	}
	end(a, to);
	return 0;
}

/* {"/data": {}}: the names. */
static void read_names(
	const struct json *object, const char *name, struct arena *a, struct image_words *to)
{
	const struct json *v = object ? json_get(object, name) : NULL;

	if (v && v->kind == JSON_OBJECT)
		for (const struct json *w = json_first(v); w; w = json_next(v, w))
			add(a, to, w->name);
	end(a, to);
}

static void read_labels(const struct json *object, struct arena *a, struct image_config *c)
{
	const struct json *v = object ? json_get(object, "Labels") : NULL;

	if (!v || v->kind != JSON_OBJECT)
		return;
	for (const struct json *w = json_first(v); w; w = json_next(v, w)) {
		struct image_label *label = arena_grow(a, &c->labels, &c->n_labels, sizeof(*label));

		*label = (struct image_label){ w->name, w->kind == JSON_STRING ? w->text : "" };
	}
}

/*
 * What has another type is no mistake to pass over: a User that is none would be root. null is as
 * good as nothing, as for Go.
 */
static int check_kinds(const struct json *own, struct err *e)
{
	static const struct {
		const char *name;
		enum json_kind kind;
	} known[] = {
		{ "User", JSON_STRING },
		{ "WorkingDir", JSON_STRING },
		{ "StopSignal", JSON_STRING },
		{ "Volumes", JSON_OBJECT },
		{ "ExposedPorts", JSON_OBJECT },
		{ "Labels", JSON_OBJECT },
		{ "Healthcheck", JSON_OBJECT },
	};
	const struct json *labels;

	for (size_t i = 0; own && i < ARRAY_LEN(known); i++) {
		const struct json *v = json_get(own, known[i].name);

		if (v && v->kind != JSON_NULL && v->kind != known[i].kind)
			return err_say(e, "image configuration: %s is no %s", known[i].name,
				known[i].kind == JSON_STRING ? "string" : "object");
	}
	labels = own ? json_get(own, "Labels") : NULL;
	for (const struct json *v = labels ? json_first(labels) : NULL; v; v = json_next(labels, v))
		if (v->kind != JSON_STRING)
			return err_say(e, "image configuration: a label is no string");
	return 0;
}

static void read_history(const struct json *all, struct arena *a, struct image_config *c)
{
	const struct json *v = json_get(all, "history");

	if (!v || v->kind != JSON_ARRAY)
		return;
	for (const struct json *w = json_first(v); w; w = json_next(v, w)) {
		struct image_step *step = arena_grow(a, &c->steps, &c->n_steps, sizeof(*step));
		const struct json *empty;

		*step = (struct image_step){ "", "", "", "", false };
		if (w->kind != JSON_OBJECT)
			continue;
		empty = json_get(w, "empty_layer");
		*step = (struct image_step){ string_of(w, "created"), string_of(w, "created_by"),
			string_of(w, "comment"), string_of(w, "author"),
			empty && empty->kind == JSON_BOOL && empty->is_true };
	}
}

int config_parse(
	const char *text, size_t n, struct arena *a, struct image_config *ret, struct err *e)
{
	struct image_config c = { 0 };
	const struct json *own, *rootfs;

	if (json_parse(text, n, a, &c.all, e) < 0)
		return err_wrap(e, "image configuration");
	if (c.all->kind != JSON_OBJECT)
		return err_say(e, "image configuration: is no object");
	own = json_get(c.all, "config");
	if (own && own->kind == JSON_NULL)
		own = NULL;
	if (own && own->kind != JSON_OBJECT)
		return err_say(e, "image configuration: config is no object");
	if (check_kinds(own, e) < 0)
		return -e->code;
	rootfs = json_get(c.all, "rootfs");
	if (!rootfs || rootfs->kind != JSON_OBJECT)
		return err_say(e, "image configuration: rootfs is missing");
	c.os = string_of(c.all, "os");
	c.architecture = string_of(c.all, "architecture");
	c.variant = string_of(c.all, "variant");
	c.author = string_of(c.all, "author");
	c.created = string_of(c.all, "created");
	c.user = string_of(own, "User");
	c.workdir = string_of(own, "WorkingDir");
	c.stop_signal = string_of(own, "StopSignal");
	c.healthcheck = own ? json_get(own, "Healthcheck") : NULL;
	if (c.healthcheck && c.healthcheck->kind != JSON_OBJECT)
		c.healthcheck = NULL;
	if (read_words(own, "Env", a, &c.env, e) < 0 ||
		read_words(own, "Entrypoint", a, &c.entrypoint, e) < 0 ||
		read_words(own, "Cmd", a, &c.cmd, e) < 0 ||
		read_words(rootfs, "diff_ids", a, &c.diff_ids, e) < 0)
		return -e->code;
	for (size_t i = 0; i < c.diff_ids.n; i++)
		if (!ref_is_sha256(c.diff_ids.items[i]))
			return err_say(e,
				"image configuration: rootfs.diff_ids[%zu] is no sha256 "
				"digest",
				i);
	read_names(own, "Volumes", a, &c.volumes);
	read_names(own, "ExposedPorts", a, &c.ports);
	read_labels(own, a, &c);
	read_history(c.all, a, &c);
	*ret = c;
	return 0;
}

void config_json(struct json_writer *w, const char *name, const struct json *v)
{
	switch (v->kind) {
	case JSON_NULL:
		json_null(w, name);
		break;
	case JSON_BOOL:
		json_bool(w, name, v->is_true);
		break;
	case JSON_NUMBER:
		if (v->is_integer && !v->is_negative)
			json_uint(w, name, v->magnitude);
		else if (v->is_integer)
			json_int(w, name, (int64_t)(0 - v->magnitude));
		else
			json_int(w, name, (int64_t)v->fraction);
		break;
	case JSON_STRING:
		json_string(w, name, v->text);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT: {
		bool list = v->kind == JSON_ARRAY;

		json_begin(w, name, list ? '[' : '{');
		for (const struct json *i = json_first(v); i; i = json_next(v, i))
			config_json(w, list ? NULL : i->name, i);
		json_end(w, list ? ']' : '}');
		break;
	}
	}
}
