/* SPDX-License-Identifier: Apache-2.0 */
/* What people call a container, from the files in which its engine keeps it. No daemon is asked. */
#include <fcntl.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "os/file.h"
#include "procs/owner.h"

enum { FILE_MAX = 32 << 20 };

static const struct json *read_json(const char *path, struct arena *a)
{
	autofree char *text = NULL;
	ssize_t n = file_read_all(AT_FDCWD, path, FILE_MAX, &text);
	const struct json *v;
	struct err e;

	return n > 0 && json_parse(text, (size_t)n, a, &v, &e) == 0 ? v : NULL;
}

static const char *member(const struct json *object, const char *name, struct arena *a)
{
	const struct json *v =
		object && object->kind == JSON_OBJECT ? json_get(object, name) : NULL;

	return v && v->kind == JSON_STRING && v->text[0] ? arena_strdup(a, v->text) : NULL;
}

/* An ID becomes part of a path: it must be nothing but one. */
static bool is_plain(const char *id)
{
	return id[0] && id[0] != '.' && strspn(id, "0123456789abcdefABCDEF") == strlen(id);
}

static void docker(const char *root, struct arena *a, struct owner *o)
{
	autoarena scratch = { 0 };
	const struct json *v =
		read_json(arena_printf(&scratch, "%s/var/lib/docker/containers/%s/config.v2.json",
				  root, o->id),
			&scratch);
	const char *name = member(v, "Name", a);
	const struct json *config = v && v->kind == JSON_OBJECT ? json_get(v, "Config") : NULL;

	if (name)
		o->name = name[0] == '/' ? name + 1 : name;
	o->image = member(config, "Image", a);
}

static void podman(const char *root, struct arena *a, struct owner *o)
{
	autoarena scratch = { 0 };
	const struct json *all = read_json(
		arena_printf(&scratch,
			"%s/var/lib/containers/storage/overlay-containers/containers.json", root),
		&scratch);

	if (!all || all->kind != JSON_ARRAY)
		return;
	for (const struct json *v = json_first(all); v; v = json_next(all, v)) {
		const char *id = member(v, "id", &scratch);
		const struct json *names = id ? json_get(v, "names") : NULL;

		if (!id || !str_eq(id, o->id))
			continue;
		if (names && names->kind == JSON_ARRAY && names->n &&
			json_first(names)->kind == JSON_STRING)
			o->name = arena_strdup(a, json_first(names)->text);
		return;
	}
}

/* The CRI plugin writes pod, namespace and container into the bundle's annotations. */
static void containerd(const char *root, struct arena *a, struct owner *o)
{
	static const char *const spaces[] = { "k8s.io", "moby", "default" };
	autoarena scratch = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(spaces); i++) {
		const struct json *v = read_json(
			arena_printf(&scratch,
				"%s/run/containerd/io.containerd.runtime.v2.task/%s/%s/config.json",
				root, spaces[i], o->id),
			&scratch);
		const struct json *notes =
			v && v->kind == JSON_OBJECT ? json_get(v, "annotations") : NULL;
		const char *name;

		if (!notes)
			continue;
		name = member(notes, "io.kubernetes.cri.container-name", a);
		o->pod = member(notes, "io.kubernetes.cri.sandbox-name", a);
		o->kns = member(notes, "io.kubernetes.cri.sandbox-namespace", a);
		o->image = member(notes, "io.kubernetes.cri.image-name", a);
		if (name)
			o->name = name;
		return;
	}
}

void owner_name(const char *root, struct arena *a, struct owner *o)
{
	if (!o->id || !is_plain(o->id))
		return;
	if (str_eq(o->runtime, "docker"))
		docker(root, a, o);
	else if (str_eq(o->runtime, "podman"))
		podman(root, a, o);
	else
		containerd(root, a, o);
}
