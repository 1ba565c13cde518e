/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "os/file.h"
#include "store/store.h"

enum { RECORD_MAX = 4 << 20 };

enum kind { STRING, NUMBER, BOOL };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
} fields[] = {
	{ "id", STRING, offsetof(struct record, id) },
	{ "name", STRING, offsetof(struct record, name) },
	{ "image", STRING, offsetof(struct record, image) },
	{ "user", STRING, offsetof(struct record, user) },
	{ "pidOf", STRING, offsetof(struct record, pid_of) },
	{ "netOf", STRING, offsetof(struct record, net_of) },
	{ "ipcOf", STRING, offsetof(struct record, ipc_of) },
	{ "utsOf", STRING, offsetof(struct record, uts_of) },
	{ "stopSignal", STRING, offsetof(struct record, stop_signal) },
	{ "detachKeys", STRING, offsetof(struct record, detach_keys) },
	{ "pidFile", STRING, offsetof(struct record, pidfile) },
	{ "restart", STRING, offsetof(struct record, restart) },
	{ "imageId", STRING, offsetof(struct record, image_id) },
	{ "dataRoot", STRING, offsetof(struct record, data_root) },
	{ "exposedPorts", STRING, offsetof(struct record, exposed) },
	{ "volumes", STRING, offsetof(struct record, volumes) },
	{ "healthcheck", STRING, offsetof(struct record, healthcheck) },
	{ "volumesUsed", STRING, offsetof(struct record, volumes_used) },
	{ "volumesAnonymous", STRING, offsetof(struct record, volumes_anonymous) },
	{ "error", STRING, offsetof(struct record, error) },
	{ "createdNs", NUMBER, offsetof(struct record, created_ns) },
	{ "stopTimeoutMs", NUMBER, offsetof(struct record, stop_timeout_ms) },
	{ "entrypointWords", NUMBER, offsetof(struct record, n_entrypoint) },
	{ "restartMax", NUMBER, offsetof(struct record, restart_max) },
	{ "autoRemove", BOOL, offsetof(struct record, auto_remove) },
	{ "interactive", BOOL, offsetof(struct record, interactive) },
	{ "tty", BOOL, offsetof(struct record, tty) },
	{ "init", BOOL, offsetof(struct record, use_init) },
	{ "privileged", BOOL, offsetof(struct record, privileged) },
};

static bool read_field(const struct json *v, enum kind kind, void *place)
{
	switch (kind) {
	case STRING:
		*(const char **)place = v->kind == JSON_STRING ? v->text : NULL;
		return v->kind == JSON_STRING;
	case NUMBER:
		return json_i64(v, place) == 0;
	case BOOL:
		*(bool *)place = v->kind == JSON_BOOL && v->is_true;
		return v->kind == JSON_BOOL;
	}
	return false;
}

static bool read_labels(const struct json *labels, struct arena *a, struct record *r)
{
	if (labels->kind != JSON_OBJECT)
		return false;
	for (const struct json *v = json_first(labels); v; v = json_next(labels, v)) {
		struct record_label *label =
			arena_grow(a, &r->labels, &r->n_labels, sizeof(*label));

		if (v->kind != JSON_STRING)
			return false;
		*label = (struct record_label){ v->name, v->text };
	}
	return true;
}

int record_read(int dir, struct arena *a, struct record *ret, struct err *e)
{
	autofree char *text = NULL;
	ssize_t n = file_read_all(dir, "record", RECORD_MAX, &text);
	struct record r = { 0 };
	const struct json *all;

	if (n < 0)
		return err_set(e, (int)-n, "read the container's record");
	if (json_parse(text, (size_t)n, a, &all, e) < 0)
		return err_wrap(e, "the container's record");
	if (all->kind != JSON_OBJECT)
		return err_say(e, "the container's record is damaged");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const struct json *v = json_get(all, fields[i].name);

		if (v && !read_field(v, fields[i].kind, (char *)&r + fields[i].offset))
			return err_say(e, "the container's record is damaged: %s", fields[i].name);
	}
	if (json_get(all, "labels") && !read_labels(json_get(all, "labels"), a, &r))
		return err_say(e, "the container's record is damaged: labels");
	if (!r.id || !r.name)
		return err_say(e, "the container's record is damaged: it names no container");
	*ret = r;
	return 0;
}

int record_write(int dir, const struct record *r, struct err *e)
{
	autotext text = { 0 };
	struct json_writer w = { .t = &text, .indent = 2 };

	json_begin(&w, NULL, '{');
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const void *place = (const char *)r + fields[i].offset;

		if (fields[i].kind == STRING && *(const char *const *)place)
			json_string(&w, fields[i].name, *(const char *const *)place);
		else if (fields[i].kind == NUMBER && *(const int64_t *)place)
			json_int(&w, fields[i].name, *(const int64_t *)place);
		else if (fields[i].kind == BOOL && *(const bool *)place)
			json_bool(&w, fields[i].name, true);
	}
	json_begin(&w, "labels", '{');
	for (size_t i = 0; i < r->n_labels; i++)
		json_string(&w, r->labels[i].key, r->labels[i].value);
	json_end(&w, '}');
	json_end(&w, '}');
	text_add(&text, "\n");
	return store_write(dir, "record", text.p, text.len, e);
}
