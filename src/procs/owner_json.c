/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner_json.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "os/file.h"

enum { FILE_MAX = 32 << 20 };

/* What a containers.json says of one container. */
struct owner_entry {
	const char *id, *name, *image;
};

struct owner_store {
	const char *path;
	struct owner_entry *entries; /* by ID */
	size_t n;
};

const char *owner_json_text(const char *root, const char *path, struct arena *a)
{
	const char *whole = arena_printf(a, "%s%s", root, path);
	/* a user's file may be a fifo that would hold us for ever */
	autofd fd = open(whole, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	autofree char *text = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
		file_read_fd(fd, FILE_MAX, &text) <= 0)
		return NULL;
	return arena_strdup(a, text);
}

static const struct json *read_json(const char *root, const char *path, struct arena *a)
{
	const char *text = owner_json_text(root, path, a);
	const struct json *v;
	struct err e;

	return text && json_parse(text, strlen(text), a, &v, &e) == 0 ? v : NULL;
}

static const struct json *child(const struct json *object, const char *name)
{
	return object && object->kind == JSON_OBJECT ? json_get(object, name) : NULL;
}

static const char *word(const struct json *object, const char *name, struct arena *a)
{
	const struct json *v = child(object, name);

	return v && v->kind == JSON_STRING && v->text[0] ? arena_strdup(a, v->text) : NULL;
}

const char *owner_json_home(const char *root, struct arena *a, uid_t uid)
{
	const char *text;

	if (uid == 0 || uid == (uid_t)-1)
		return NULL;
	text = owner_json_text(root, "/etc/passwd", a);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *field[6] = { line += *line == '\n' };

		/* name:x:UID:GID:words:HOME:SHELL */
		for (int i = 1; i < 6; i++) {
			field[i] = field[i - 1] ? strpbrk(field[i - 1], ":\n") : NULL;
			field[i] = field[i] && *field[i] == ':' ? field[i] + 1 : NULL;
		}
		if (field[5] && strtoul(field[2], NULL, 10) == uid && field[5][0] == '/')
			return arena_strndup(a, field[5], strcspn(field[5], ":\n"));
	}
	return NULL;
}

/* A kubelet's words on a container, whoever keeps them: three keys. */
static void kubernetes(const struct json *notes, const char *container, const char *pod,
	const char *space, struct arena *a, struct owner *o)
{
	const char *name = word(notes, container, a), *p = word(notes, pod, a);

	if (name)
		o->name = name;
	if (p)
		o->pod = p;
	o->kns = word(notes, space, a) ?: o->kns;
}

bool owner_json_docker(const char *root, const char *data, struct arena *a, struct owner *o)
{
	autoarena scratch = { 0 };
	const struct json *v = read_json(root,
		arena_printf(&scratch, "%s/containers/%s/config.v2.json", data, o->id), &scratch);
	const struct json *config = child(v, "Config");
	const char *name = word(v, "Name", a);

	if (!v)
		return false;
	if (name)
		o->name = name[0] == '/' ? name + 1 : name;
	o->image = word(config, "Image", a);
	kubernetes(child(config, "Labels"), "io.kubernetes.container.name",
		"io.kubernetes.pod.name", "io.kubernetes.pod.namespace", a, o);
	return true;
}

void owner_json_daemon(const char *root, struct arena *a, const char ***ret_roots, size_t *ret_n)
{
	autoarena scratch = { 0 };
	const char *data =
		word(read_json(root, "/etc/docker/daemon.json", &scratch), "data-root", a);

	if (data && data[0] == '/')
		*(const char **)arena_grow(a, ret_roots, ret_n, sizeof(**ret_roots)) = data;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct owner_entry *)a)->id, ((const struct owner_entry *)b)->id);
}

static void read_store(struct owner_store *st, const char *root, struct arena *a)
{
	static const char *const files[] = { "containers.json", "volatile-containers.json" };
	autoarena scratch = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct json *all = read_json(root,
			arena_printf(&scratch, "%s/overlay-containers/%s", st->path, files[i]),
			&scratch);

		if (!all || all->kind != JSON_ARRAY)
			continue;
		for (const struct json *v = json_first(all); v; v = json_next(all, v)) {
			const char *id = word(v, "id", a), *meta = word(v, "metadata", &scratch);
			const struct json *names = child(v, "names"), *m;
			struct owner_entry *entry;
			struct err e;

			if (!id)
				continue;
			entry = arena_grow(a, &st->entries, &st->n, sizeof(*entry));
			entry->id = id;
			if (names && names->kind == JSON_ARRAY && names->n &&
				json_first(names)->kind == JSON_STRING)
				entry->name = arena_strdup(a, json_first(names)->text);
			if (meta && json_parse(meta, strlen(meta), &scratch, &m, &e) == 0)
				entry->image = word(m, "image-name", a);
		}
	}
	if (st->n)
		qsort(st->entries, st->n, sizeof(*st->entries), by_id);
}

void owner_json_podman(struct owner_files *f, const char *storage, struct owner *o)
{
	struct owner_entry key = { .id = o->id }, *found;
	struct arena *a = f->s->arena;
	struct owner_store *st = NULL;

	for (size_t i = 0; i < f->n_stores && !st; i++)
		if (str_eq(f->stores[i].path, storage))
			st = &f->stores[i];
	if (!st) {
		st = arena_grow(a, &f->stores, &f->n_stores, sizeof(*st));
		st->path = arena_strdup(a, storage);
		read_store(st, f->root, a);
	}
	found = st->n ? bsearch(&key, st->entries, st->n, sizeof(key), by_id) : NULL;
	if (!found)
		return;
	if (found->name && found->name[0])
		o->name = found->name;
	o->image = found->image;
}

void owner_json_bundle(const char *root, const char *bundle, struct arena *a, struct owner *o)
{
	autoarena scratch = { 0 };
	const struct json *v =
		read_json(root, arena_printf(&scratch, "%s/config.json", bundle), &scratch);
	const struct json *notes = child(v, "annotations");
	const char *name, *kind;

	if (!notes)
		return;
	/* containerd's CRI plugin */
	kubernetes(notes, "io.kubernetes.cri.container-name", "io.kubernetes.cri.sandbox-name",
		"io.kubernetes.cri.sandbox-namespace", a, o);
	/* CRI-O */
	kubernetes(notes, "io.kubernetes.container.name", "io.kubernetes.pod.name",
		"io.kubernetes.pod.namespace", a, o);
	o->image = word(notes, "io.kubernetes.cri.image-name", a)
			   ?: word(notes, "io.kubernetes.cri-o.ImageName", a);
	/* a pod's own, which kubelets call so */
	kind = word(notes, "io.kubernetes.cri.container-type", &scratch);
	if (kind && str_eq(kind, "sandbox"))
		o->name = "POD";
	name = word(notes, "nerdctl/name", a);
	if (name) {
		o->name = name;
		o->runtime = "nerdctl";
	}
}
