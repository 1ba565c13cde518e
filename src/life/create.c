/* SPDX-License-Identifier: Apache-2.0 */
/* create: from what was typed to a folder with a configuration and a record. No process yet. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "life/health.h"
#include "life/image.h"
#include "life/internal.h"
#include "os/file.h"

enum { NAME_ATTEMPTS = 50, DEFAULT_STOP_MS = 10000 };

struct made {
	struct spec spec; /* owned */
	struct docker_rest rest;
	struct arena arena; /* of what the image says, which the spec lends */
	struct template template;
	struct want want; /* its memory is the spec's */
};

static void made_done(struct made *m)
{
	spec_done(&m->spec);
	arena_done(&m->arena);
}

static struct spec_mount *add_mount(struct spec *s)
{
	return arena_grow(&s->arena, &s->mounts, &s->n_mounts, sizeof(struct spec_mount));
}

static void add_word(struct spec *s, struct spec_strings *list, const char *word)
{
	const char **item = arena_grow(&s->arena, &list->items, &list->n, sizeof(*item));

	*item = word;
}

/* First of all: what the user mounts may lie below. */
static void mount_first(struct spec *s, const char *where, const char *mode)
{
	struct spec_mount m = { .destination = where, .type = "tmpfs", .source = "tmpfs" };

	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, where))
			return;
	add_word(s, &m.options, "nosuid");
	add_word(s, &m.options, "nodev");
	add_word(s, &m.options, mode);
	add_mount(s);
	memmove(s->mounts + 1, s->mounts, (s->n_mounts - 1) * sizeof(m));
	s->mounts[0] = m;
}

/* The running system's own files below a layer that is thrown away; /run and /tmp are fresh. */
static void image_host(struct spec *s, const char *bundle)
{
	const char **lower = arena_alloc(&s->arena, sizeof(*lower));

	*lower = "/";
	s->overlay = (struct spec_overlay){ .lower = lower, .n_lower = 1 };
	s->root_path = arena_printf(&s->arena, "%s/rootfs", bundle);
	mount_first(s, "/tmp", "mode=1777");
	mount_first(s, "/run", "mode=755");
}

static int image_dir(const struct life *l, struct spec *s, const char *path, struct err *e)
{
	char real[PATH_MAX];
	struct stat st;
	const char *full = path[0] == '/'
				   ? path
				   : arena_printf(&s->arena, "%s/%s", l->cwd ? l->cwd : "", path);

	if (!path[0])
		return err_say(e, "dir: a folder is wanted behind it");
	if (!realpath(full, real) || stat(real, &st) < 0)
		return err_set(e, errno, "image dir:%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "image dir:%s", path);
	if (str_eq(real, "/"))
		return err_say(e,
			"image dir:%s is the running system itself; that image is called host",
			path);
	s->root_path = arena_strdup(&s->arena, real);
	return 0;
}

static int add_image(const struct life *l, const struct life_create *c, const char *id,
	const char *bundle, struct made *m, struct err *e)
{
	struct spec *s = &m->spec;

	switch (m->template.ref.kind) {
	case REF_HOST:
		image_host(s, bundle);
		return 0;
	case REF_DIR:
		return image_dir(l, s, m->template.ref.file, e);
	default:
		s->root_path = arena_printf(&s->arena, "%s/rootfs", bundle);
		template_overlay(&m->template, id, c->auto_remove, s);
		return 0;
	}
}

/* Where the user's name is looked up: the image's own files. */
static int open_image(const struct spec *s)
{
	return open(s->overlay.n_lower ? s->overlay.lower[0] : s->root_path,
		O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool has_env(const struct spec *s, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < s->process.env.n; i++)
		if (strncmp(s->process.env.items[i], name, n) == 0 &&
			s->process.env.items[i][n] == '=')
			return true;
	return false;
}

static void add_env(struct spec *s, const char *name, const char *value)
{
	if (has_env(s, name))
		return;
	add_word(s, &s->process.env, arena_printf(&s->arena, "%s=%s", name, value));
	add_word(s, &s->process.env, NULL);
	s->process.env.n--;
}

/* Has a user namespace of one id no room for groups? */
static bool single_id(const struct life *l, const struct spec *s)
{
	bool own = false;

	for (size_t i = 0; i < s->linux_.n_namespaces; i++)
		own |= s->linux_.namespaces[i].flag == CLONE_NEWUSER;
	return own && !(l->host.has_newuidmap && l->host.n_subuids && l->host.n_subgids);
}

static int find_user(const struct life *l, const struct life_create *c, struct made *m,
	const char **ret_home, struct err *e)
{
	const struct template *o = &m->template;
	struct spec *s = &m->spec;
	char *passwd = NULL, *group = NULL;

	if (!o->data_path) {
		autofd root = open_image(s);

		if (root < 0)
			return err_set(e, errno, "open the files of image %s", c->image);
		return user_resolve(
			root, c->user, &m->rest.groups, &s->arena, &s->process.user, ret_home, e);
	}
	if (template_user_files(l, o, &s->arena, &passwd, &group, e) < 0)
		return -e->code;
	return user_resolve_in(passwd, group, c->user ? c->user : o->config.user, &m->rest.groups,
		&s->arena, &s->process.user, ret_home, e);
}

static int add_user(
	const struct life *l, const struct life_create *c, struct made *m, struct err *e)
{
	struct spec *s = &m->spec;
	const char *home = NULL;

	if (find_user(l, c, m, &home, e) < 0)
		return -e->code;
	if (single_id(l, s) && !m->rest.groups.n)
		s->process.user.n_additional_gids = 0;
	add_env(s, "HOME", home ? home : "/");
	return 0;
}

/* docker: a container that has a name of its own has its short ID. */
static void add_hostname(struct spec *s, const struct docker_rest *rest, const char *id)
{
	bool own = false;

	for (size_t i = 0; i < s->linux_.n_namespaces; i++)
		own |= s->linux_.namespaces[i].flag == CLONE_NEWUTS &&
		       !s->linux_.namespaces[i].path;
	if (own && !s->hostname && !rest->uts_of)
		s->hostname = arena_printf(&s->arena, "%.12s", id);
	if (s->hostname)
		add_env(s, "HOSTNAME", s->hostname);
}

static int add_init(const struct life *l, struct spec *s, struct err *e)
{
	struct spec_mount *m;

	if (access(l->init_exe, X_OK) < 0)
		return err_set(e, errno, "--init: %s", l->init_exe);
	m = add_mount(s);
	*m = (struct spec_mount){
		.destination = "/dev/init", .type = "bind", .source = l->init_exe
	};
	add_word(s, &m->options, "bind");
	add_word(s, &m->options, "ro");
	return 0;
}

static int add_cgroup(struct spec *s, const char *parent, const char *id, struct err *e)
{
	if (!parent)
		return 0;
	if (parent[0] != '/')
		parent = arena_printf(&s->arena, "/%s", parent);
	if (strstr(parent, ".."))
		return err_say(e, "--cgroup-parent %s: \"..\" is not allowed", parent);
	s->linux_.cgroups_path = arena_printf(&s->arena, "%s/%s", parent, id);
	return 0;
}

static int make_spec(const struct life *l, const struct life_create *c, struct made *m,
	const char *id, const char *bundle, struct err *e)
{
	struct docker_run run = *c->run;
	int r;

	run.net = network_namespace_word(&c->network, e);
	if (!run.net)
		return -e->code;
	run.cwd = l->cwd;
	run.in_userns = !l->host.in_initial_userns;
	run.cgroup_v2 = l->host.cgroup_mode == CGROUP_MODE_V2;
	run.rootless = !(l->host.caps & (UINT64_C(1) << CAP_SYS_ADMIN));
	/* a user namespace of its own gives all there are */
	run.caps = run.rootless ? 0 : l->host.caps;
	template_defaults(&m->template, &run);
	r = docker_spec(&run, &m->spec, &m->rest, e);
	if (r == 0)
		r = volumes_resolve(l, &m->rest, &m->spec, e);
	if (r == 0)
		r = volumes_from(l, &c->volumes_from, &m->spec, &m->rest, e);
	if (r == 0)
		r = add_image(l, c, id, bundle, m, e);
	if (r == 0)
		r = add_user(l, c, m, e);
	if (r == 0) {
		add_hostname(&m->spec, &m->rest, id);
		if (m->rest.systemd)
			add_env(&m->spec, "container_uuid",
				arena_printf(&m->spec.arena, "%.32s", id));
		r = add_cgroup(&m->spec, c->cgroup_parent, id, e);
	}
	if (r == 0)
		r = network_want(l, &c->network, &m->template.config.ports, &m->spec,
			&m->spec.arena, &m->want, e);
	if (r == 0)
		network_mount_files(l, m->rest.net_of, bundle, &m->spec);
	if (r == 0 && run.init)
		r = add_init(l, &m->spec, e);
	return r < 0 ? r : spec_check(&m->spec, e);
}

static int spec_make(const struct life *l, const struct life_create *c, bool only_look,
	const char *id, const char *bundle, struct made *ret, struct err *e)
{
	struct made m = { 0 };
	int r = template_find(l, c, only_look, &m.arena, &m.template, e);

	if (r == 0)
		r = make_spec(l, c, &m, id, bundle, e);
	if (r < 0) {
		made_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

/* Whose namespace is joined is known by ID from here on: names may change hands. */
static int resolve_other(const struct life *l, const char *flag, const char *ref, struct arena *a,
	const char **ret_id, struct err *e)
{
	char id[STORE_ID_LEN + 1];

	*ret_id = NULL;
	if (!ref)
		return 0;
	if (store_find(l->root_fd, ref, id, e) < 0)
		return err_wrap(e, "%s container:%s", flag, ref);
	*ret_id = arena_strdup(a, id);
	return 0;
}

/* -v HOST:...: docker makes what is missing. */
static int make_folders(const struct spec_strings *folders, struct err *e)
{
	for (size_t i = 0; i < folders->n; i++) {
		char path[PATH_MAX];

		if (access(folders->items[i], F_OK) == 0)
			continue;
		if (strlen(folders->items[i]) >= sizeof(path))
			return err_set(e, ENAMETOOLONG, "-v");
		strcpy(path, folders->items[i]);
		for (char *s = path + 1; (s = strchr(s, '/')); s++) {
			*s = '\0';
			mkdir(path, 0755);
			*s = '/';
		}
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_set(e, errno, "-v: make folder %s", path);
	}
	return 0;
}

static const char *restart_word(const struct life_create *c)
{
	switch (c->restart) {
	case RESTART_ON_FAILURE:
		return "on-failure";
	case RESTART_ALWAYS:
		return "always";
	case RESTART_UNLESS_STOPPED:
		return "unless-stopped";
	case RESTART_NO:
		break;
	}
	return "no";
}

static int make_record(const struct life *l, const struct life_create *c, const struct made *m,
	const char *id, struct arena *a, struct record *ret, struct err *e)
{
	struct timespec now;
	int signal;

	clock_gettime(CLOCK_REALTIME, &now);
	*ret = (struct record){ .id = id,
		.image = c->image,
		.user = c->user,
		.stop_signal = c->stop_signal	 ? c->stop_signal
			       : m->rest.systemd ? "SIGRTMIN+3"
						 : "SIGTERM",
		.detach_keys = c->detach_keys,
		.pidfile = c->pidfile,
		.restart = restart_word(c),
		.restart_max = c->restart_max,
		.created_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
		.stop_timeout_ms = c->stop_timeout_ms ? c->stop_timeout_ms : DEFAULT_STOP_MS,
		.n_entrypoint = (int64_t)m->rest.n_entrypoint,
		.auto_remove = c->auto_remove,
		.interactive = c->interactive,
		.tty = c->run->tty,
		.use_init = c->run->init,
		.privileged = c->run->privileged };
	if (!c->stop_signal && m->template.data_path && m->template.config.stop_signal[0])
		ret->stop_signal = m->template.config.stop_signal;
	if (life_signal_parse(ret->stop_signal, &signal, e) < 0)
		return err_wrap(e, c->stop_signal ? "--stop-signal" : "the image's stop signal");
	template_record(&m->template, a, ret);
	volumes_record(&m->rest, a, ret);
	if (health_wanted(&c->health, ret->healthcheck, a, &ret->healthcheck, e) < 0)
		return -e->code;
	if (c->auto_remove && c->restart != RESTART_NO)
		return err_say(e, "--restart and --rm cannot be used together");
	if (c->pidfile && c->pidfile[0] != '/')
		ret->pidfile = arena_printf(a, "%s/%s", l->cwd ? l->cwd : "", c->pidfile);
	for (size_t i = 0; i < c->labels.n; i++) {
		const char *text = c->labels.items[i], *equals = strchr(text, '=');
		struct record_label *label =
			arena_grow(a, &ret->labels, &ret->n_labels, sizeof(*label));

		if (!text[0] || equals == text)
			return err_say(e, "--label \"%s\": there is no name before the =", text);
		label->key = equals ? arena_strndup(a, text, (size_t)(equals - text)) : text;
		label->value = equals ? equals + 1 : "";
		for (size_t j = 0; j + 1 < ret->n_labels; j++) {
			if (!str_eq(ret->labels[j].key, label->key))
				continue;
			ret->labels[j] = *label;
			ret->n_labels--;
			break;
		}
	}
	if (resolve_other(l, "--pid", m->rest.pid_of, a, &ret->pid_of, e) < 0 ||
		resolve_other(l, "--net", m->rest.net_of, a, &ret->net_of, e) < 0 ||
		resolve_other(l, "--ipc", m->rest.ipc_of, a, &ret->ipc_of, e) < 0 ||
		resolve_other(l, "--uts", m->rest.uts_of, a, &ret->uts_of, e) < 0)
		return -e->code;
	return 0;
}

static int take_name(const struct life *l, const struct life_create *c, struct arena *a,
	const char *id, const char **ret, struct err *e)
{
	int r;

	if (c->name) {
		*ret = c->name[0] == '/' ? c->name + 1
					 : c->name; /* docker shows them with a slash */
		return store_take_name(l->root_fd, *ret, id, e);
	}
	for (unsigned i = 0; i < NAME_ATTEMPTS; i++) {
		*ret = name_make(a, i);
		r = store_take_name(l->root_fd, *ret, id, e);
		if (r != -EEXIST)
			return r;
	}
	return -EEXIST;
}

static int write_cidfile(const char *path, const char *id, struct err *e)
{
	autofd fd = FD_NONE;
	int r;

	if (!path)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "--cidfile %s", path);
	r = file_write_all(fd, id, strlen(id));
	return r < 0 ? err_set(e, -r, "--cidfile %s", path) : 0;
}

/* The record comes last: a container without one is not there yet. */
static int write_all(int dir, struct made *m, const struct record *record, struct err *e)
{
	autotext config = { 0 }, network = { 0 };

	m->want.container = record->name;
	want_dump(&m->want, &network);
	if (store_write(dir, "network", network.p, network.len, e) < 0)
		return -e->code;
	spec_dump(&m->spec, &config);
	if (m->spec.overlay.n_lower && mkdirat(dir, "rootfs", 0755) < 0)
		return err_set(e, errno, "make a folder for the root filesystem");
	if (store_write(dir, "config.json", config.p, config.len, e) < 0)
		return -e->code;
	return record_write(dir, record, e);
}

int life_create(const struct life *l, const struct life_create *c, struct arena *a,
	const char **ret_id, struct err *e)
{
	char id[STORE_ID_LEN + 1];
	struct record record = { 0 };
	struct made m;
	autofd dir = FD_NONE;
	int r;

	if (store_new_id(id, e) < 0)
		return -e->code;
	if (spec_make(l, c, false, id, arena_printf(a, "%s/%s", l->root, id), &m, e) < 0)
		return -e->code;
	r = make_record(l, c, &m, id, a, &record, e);
	if (r == 0) {
		struct plan plan;

		/* what cannot be on this host is said now, before anything is made */
		r = plan_of(l, &m.spec, id, arena_printf(a, "%s/%s", l->root, id), &plan, e);
		plan_done(&plan);
	}
	if (r == 0)
		r = make_folders(&m.rest.make_folders, e);
	if (r == 0) {
		dir = store_make(l->root_fd, id, e);
		r = dir < 0 ? dir : take_name(l, c, a, id, &record.name, e);
	}
	if (r == 0)
		r = template_claim(l, &m.template, id, e);
	if (r == 0)
		r = volumes_take(l, id, &m.rest, e);
	if (r == 0)
		r = write_all(dir, &m, &record, e);
	if (r == 0)
		r = volumes_fill(l, id, m.template.ref.kind == REF_HOST, &m.rest, e);
	if (r == 0)
		r = write_cidfile(c->cidfile, id, e);
	if (r < 0 && dir >= 0) {
		struct err ignored;

		if (record.name)
			store_drop_name(l->root_fd, record.name, id);
		template_release(l, m.template.data_path, id, &ignored);
		volumes_release(l, &record, id, true);
		store_remove(l->root_fd, id);
	}
	made_done(&m);
	if (r == 0)
		*ret_id = arena_strdup(a, id);
	return r;
}

int life_dry_run(const struct life *l, const struct life_create *c, struct arena *a,
	const char **ret_text, struct err *e)
{
	static const char id[] = "0000000000000000000000000000000000000000000000000000000000000000";
	const char *bundle = arena_printf(a, "%s/%s", l->root, id);
	struct record record;
	autotext text = { 0 };
	struct plan plan;
	struct made m;
	int r;

	if (spec_make(l, c, true, id, bundle, &m, e) < 0)
		return -e->code;
	r = make_record(l, c, &m, id, a, &record, e);
	if (r == 0) {
		r = plan_of(l, &m.spec, id, bundle, &plan, e);
		if (r == 0) {
			plan_dump(&plan, &text);
			*ret_text = arena_strdup(a, text.p);
		}
		plan_done(&plan);
	}
	made_done(&m);
	return r;
}
