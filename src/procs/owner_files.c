/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/owner_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "os/procfs.h"
#include "procs/owner_json.h"
#include "procs/owner_path.h"
#include "procs/scan.h"

/* One conmon: "-c ID -n NAME". */
struct owner_minder {
	const char *id, *name;
};

/* Where containerds keep their tasks. */
static const char *const containerd_states[] = {
	"/run/containerd",
	"/run/k3s/containerd",
	"/run/k0s/containerd",
	"/run/docker/containerd/daemon",
	"/var/snap/microk8s/common/run/containerd",
};
static const char *const task_folders[] = { "io.containerd.runtime.v2.task",
	"io.containerd.runtime.v1.linux" };

static const struct {
	const char *root, *runtime;
} plain_runtimes[] = {
	{ "/run/runc", "runc" },
	{ "/run/crun", "crun" },
	{ "/run/youki", "youki" },
	{ "/run/clade-oci", "clade" },
};

/* The word behind an option in words joined by blanks, or NULL: "-n NAME" and "--name=NAME". */
static const char *behind(const char *args, const char *option, struct arena *a)
{
	size_t n = strlen(option);

	for (const char *at = args; at && (at = strstr(at, option)); at += n) {
		if ((at > args && at[-1] != ' ') || (at[n] != ' ' && at[n] != '='))
			continue;
		return arena_strndup(a, at + n + 1, strcspn(at + n + 1, " "));
	}
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct owner_minder *)a)->id, ((const struct owner_minder *)b)->id);
}

static const char *args_of(struct owner_files *f, uint32_t i)
{
	struct proc *p = &f->s->procs[i];

	if (!p->args)
		p->args = scan_args(f->s->procfs, f->s->arena, p->pid);
	return p->args ? p->args : "";
}

static void add_root(struct owner_files *f, const char ***roots, size_t *n, const char *root)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq((*roots)[i], root))
			return;
	if (root[0] == '/')
		*(const char **)arena_grow(f->s->arena, roots, n, sizeof(**roots)) = root;
}

/* Once: who minds containers, and where daemons were told to keep theirs. */
static void look_around(struct owner_files *f)
{
	struct arena *a = f->s->arena;

	if (f->looked)
		return;
	f->looked = true;
	for (uint32_t i = 0; i < f->s->n; i++) {
		const char *comm = f->s->procs[i].comm, *root;

		if (proc_is_zombie(&f->s->procs[i]))
			continue;
		if (str_eq(comm, "conmon")) {
			const char *id = behind(args_of(f, i), "-c", a);
			const char *name = behind(args_of(f, i), "-n", a);

			if (id && name)
				*(struct owner_minder *)arena_grow(a, &f->minders, &f->n_minders,
					sizeof(*f->minders)) = (struct owner_minder){ id, name };
		} else if (str_eq(comm, "dockerd")) {
			root = behind(args_of(f, i), "--data-root", a);
			if (root)
				add_root(f, &f->docker_roots, &f->n_docker_roots, root);
		} else if (str_eq(comm, "runc") || str_eq(comm, "crun") || str_eq(comm, "youki") ||
			   str_eq(comm, "clade-oci")) {
			root = behind(args_of(f, i), "--root", a);
			if (root)
				add_root(f, &f->runtime_roots, &f->n_runtime_roots, root);
		}
	}
	if (f->n_minders)
		qsort(f->minders, f->n_minders, sizeof(*f->minders), by_id);
	owner_json_daemon(f->root, a, &f->docker_roots, &f->n_docker_roots);
}

/* An ID becomes part of a path: it must be nothing but one component. */
static bool is_plain(const char *id)
{
	return id[0] && id[0] != '.' && !strchr(id, '/') && strlen(id) < 256;
}

static bool exists(const char *root, const char *path)
{
	char whole[4096];

	return (size_t)snprintf(whole, sizeof(whole), "%s%s", root, path) < sizeof(whole) &&
	       access(whole, F_OK) == 0;
}

static void docker(struct owner_files *f, uid_t uid, struct owner *o)
{
	struct arena *a = f->s->arena;
	const char *home = owner_json_home(f->root, a, uid);

	if (home &&
		owner_json_docker(f->root, arena_printf(a, "%s/.local/share/docker", home), a, o))
		return;
	for (size_t i = 0; i < f->n_docker_roots; i++)
		if (owner_json_docker(f->root, f->docker_roots[i], a, o))
			return;
	owner_json_docker(f->root, "/var/lib/docker", a, o);
}

static void podman(struct owner_files *f, uid_t uid, struct owner *o)
{
	struct owner_minder key = { o->id, NULL }, *m = NULL;
	struct arena *a = f->s->arena;
	const char *home = owner_json_home(f->root, a, uid);
	const char *storage = home ? arena_printf(a, "%s/.local/share/containers/storage", home)
				   : "/var/lib/containers/storage";

	owner_json_podman(f, storage, o);
	/* any process can call itself conmon: the engine's file is believed first */
	if (f->n_minders && o->name == o->id)
		m = bsearch(&key, f->minders, f->n_minders, sizeof(key), by_id);
	if (m)
		o->name = m->name;
}

static bool containerd_task(struct owner_files *f, const char *state, const char *space,
	const char *id, struct owner *o)
{
	for (size_t k = 0; k < ARRAY_LEN(task_folders); k++) {
		const char *bundle =
			arena_printf(f->s->arena, "%s/%s/%s/%s", state, task_folders[k], space, id);

		if (exists(f->root, bundle)) {
			owner_json_bundle(f->root, bundle, f->s->arena, o);
			return true;
		}
	}
	return false;
}

/* The task of this ID in any of containerd's namespaces. */
static bool containerd(struct owner_files *f, struct owner *o)
{
	static const char *const usual[] = { "k8s.io", "moby", "default" };
	struct arena *a = f->s->arena;

	for (size_t i = 0; i < ARRAY_LEN(containerd_states); i++) {
		const char *path =
			arena_printf(a, "%s%s/%s", f->root, containerd_states[i], task_folders[0]);
		struct dirent *d;
		bool found = false;
		DIR *dir;

		for (size_t k = 0; k < ARRAY_LEN(usual) && !found; k++)
			found = containerd_task(f, containerd_states[i], usual[k], o->id, o);
		dir = found ? NULL : opendir(path);
		while (dir && !found && (d = readdir(dir)))
			found = d->d_name[0] != '.' &&
				containerd_task(f, containerd_states[i], d->d_name, o->id, o);
		if (dir)
			closedir(dir);
		if (found)
			return true;
	}
	return false;
}

static void cri_o(struct owner_files *f, struct owner *o)
{
	static const char *const places[] = { "/run/containers/storage",
		"/var/lib/containers/storage" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *bundle = arena_printf(
			f->s->arena, "%s/overlay-containers/%s/userdata", places[i], o->id);

		if (exists(f->root, bundle)) {
			owner_json_bundle(f->root, bundle, f->s->arena, o);
			return;
		}
	}
}

/* liblxc writes the same paths for all three. */
static void lxc(struct owner_files *f, struct owner *o)
{
	static const struct {
		const char *root, *runtime;
	} places[] = {
		{ "/var/lib/incus/containers", "incus" },
		{ "/var/snap/lxd/common/lxd/containers", "lxd" },
		{ "/var/lib/lxd/containers", "lxd" },
	};
	const char *cut;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!exists(f->root, arena_printf(f->s->arena, "%s/%s", places[i].root, o->id)))
			continue;
		o->runtime = places[i].runtime;
		/* PROJECT_NAME, where an instance's name is a host's and has no underscore */
		cut = strrchr(o->id, '_');
		if (cut && cut[1])
			o->name = cut + 1;
		return;
	}
}

/* Files that hold NAME=VALUE lines: whose machine is it? */
static void machine(struct owner_files *f, struct owner *o)
{
	const char *text = owner_json_text(
		f->root, arena_printf(f->s->arena, "/run/systemd/machines/%s", o->id), f->s->arena);
	const char *service = text ? strstr(text, "SERVICE=") : NULL;

	if (service && str_starts(service + 8, "libvirt"))
		o->runtime = "libvirt";
}

/* Whose ID it is nobody said: whoever has files of it. */
static void whoever(struct owner_files *f, uid_t uid, struct owner *o)
{
	struct owner trial = *o;

	if (containerd(f, o)) {
		o->runtime = str_eq(o->runtime, "oci") || str_eq(o->runtime, "kubernetes")
				     ? "containerd"
				     : o->runtime;
		return;
	}
	docker(f, uid, &trial);
	if (trial.name != trial.id) {
		*o = trial;
		o->runtime = "docker";
		return;
	}
	podman(f, uid, &trial);
	if (trial.name != trial.id) {
		*o = trial;
		o->runtime = "podman";
	}
}

void owner_files_name(struct owner_files *f, uid_t uid, struct owner *o)
{
	if (!is_plain(o->id))
		return;
	look_around(f);
	if (str_eq(o->runtime, "docker"))
		docker(f, uid, o);
	else if (str_eq(o->runtime, "podman"))
		podman(f, uid, o);
	else if (str_eq(o->runtime, "containerd") || str_eq(o->runtime, "nerdctl"))
		containerd(f, o);
	else if (str_eq(o->runtime, "cri-o"))
		cri_o(f, o);
	else if (str_eq(o->runtime, "lxc"))
		lxc(f, o);
	else if (str_eq(o->runtime, "nspawn"))
		machine(f, o);
	else if (str_eq(o->runtime, "oci") || str_eq(o->runtime, "kubernetes"))
		whoever(f, uid, o);
}

bool owner_files_find(struct owner_files *f, const char *path, struct owner *ret)
{
	struct arena *a = f->s->arena;
	const char *name = strrchr(path, '/');
	const char *before;
	struct owner o = { 0 };

	if (!name || !is_plain(++name) || owner_path_is_unit(name))
		return false;
	look_around(f);
	o.id = o.name = arena_strdup(a, name);
	for (before = name - 1; before > path && before[-1] != '/'; before--)
		;
	if (before < name - 1) {
		const char *space = arena_strndup(a, before, (size_t)(name - 1 - before));

		o.runtime = "containerd";
		for (size_t i = 0; is_plain(space) && i < ARRAY_LEN(containerd_states); i++)
			if (containerd_task(f, containerd_states[i], space, o.id, &o)) {
				*ret = o;
				return true;
			}
	}
	for (size_t i = 0; i < ARRAY_LEN(plain_runtimes) + f->n_runtime_roots; i++) {
		bool given = i >= ARRAY_LEN(plain_runtimes);
		const char *root = given ? f->runtime_roots[i - ARRAY_LEN(plain_runtimes)]
					 : plain_runtimes[i].root;

		if (!exists(f->root, arena_printf(a, "%s/%s", root, o.id)))
			continue;
		o.runtime = given ? "runc" : plain_runtimes[i].runtime;
		*ret = o;
		return true;
	}
	return false;
}

static bool by_environment(struct owner_files *f, uint32_t init, struct owner *ret)
{
	const struct proc *p = &f->s->procs[init];
	struct arena *a = f->s->arena;
	const char *value = scan_environment(f->s->procfs, a, p->pid, "container");
	static const struct {
		const char *value, *runtime;
	} words[] = { { "systemd-nspawn", "nspawn" }, { "oci", "oci" } };

	if (!value || !*value)
		return false;
	*ret = (struct owner){ .runtime = value, .name = p->comm };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].value, value))
			ret->runtime = words[i].runtime;
	return true;
}

bool owner_files_by_init(struct owner_files *f, uint32_t init, struct owner *ret)
{
	static const char *const wrappers[] = { "bwrap", "unshare", "firejail", "flatpak",
		"snap-confine", "chrome", "firefox", "systemd-nspawn", "nsjail", "minijail0" };
	const struct proc *p = &f->s->procs[init];
	struct arena *a = f->s->arena;
	const char *comm = p->parent == NO_PROC ? "" : f->s->procs[p->parent].comm;
	struct owner o = { 0 };
	uid_t uid = (uid_t)-1;

	if (str_eq(comm, "conmon")) {
		const char *args = args_of(f, p->parent);

		o.id = behind(args, "-c", a);
		o.name = behind(args, "-n", a);
		/* CRI-O names containers k8s_NAME_POD_NAMESPACE_UID_ATTEMPT */
		o.runtime = o.name && str_starts(o.name, "k8s_") ? "cri-o" : "podman";
	} else if (str_starts(comm, "containerd-shim")) {
		const char *args = args_of(f, p->parent), *space = behind(args, "-namespace", a);

		o.id = behind(args, "-id", a);
		o.runtime = space && str_eq(space, "moby") ? "docker" : "containerd";
	}
	if (o.id) {
		if (!o.name)
			o.name = o.id;
		procfs_uid(f->s->procfs, f->s->procs[p->parent].pid, &uid);
		owner_files_name(f, uid, &o);
		*ret = o;
		return true;
	}
	if (by_environment(f, init, &o)) {
		*ret = o;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(wrappers); i++) {
		if (!str_eq(comm, wrappers[i]))
			continue;
		*ret = (struct owner){ .runtime = wrappers[i], .name = p->comm };
		return true;
	}
	return false;
}
