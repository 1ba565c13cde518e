/* SPDX-License-Identifier: Apache-2.0 */
#include "life/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/capability.h>

#include "base/str.h"
#include "os/file.h"
#include "plan/plan.h"

enum { USER_FILE_MAX = 16 << 20 };

const char *life_data_path(const struct life *l, struct arena *a)
{
	const char *home = getenv("XDG_DATA_HOME"), *own = getenv("HOME");

	if (l->data_root)
		return l->data_root;
	if (l->host.euid == 0)
		return "/var/lib/clade";
	if (home && home[0] == '/')
		return arena_printf(a, "%s/clade", home);
	return arena_printf(a, "%s/.local/share/clade", own && own[0] == '/' ? own : "/tmp");
}

static int open_data(const struct life *l, const char *path, struct image_data *ret, struct err *e)
{
	bool privileged = l->host.caps & (UINT64_C(1) << CAP_SYS_ADMIN);
	/* what the maps' texts lie in lives as long as the process */
	struct arena *a = (struct arena *)&l->host.arena;

	if (data_open(path, ret, e) < 0)
		return -e->code;
	ret->userxattr = !privileged || !l->host.in_initial_userns;
	if (privileged)
		return 0;
	ret->maps.helper = ids_of_user(&l->host, a, &ret->maps.uids, &ret->maps.gids);
	ret->maps.deny_setgroups = !ret->maps.helper;
	return 0;
}

int life_data(const struct life *l, struct image_data *ret, struct err *e)
{
	autoarena a = { 0 };

	return open_data(l, life_data_path(l, &a), ret, e);
}

int template_find(const struct life *l, const struct life_create *c, bool only_look,
	struct arena *a, struct template *ret, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct pull_how how = { .platform = c->platform,
		.authfile = c->authfile,
		.tls_verify = c->tls_verify,
		.bars = c->pull_line && life_stderr_is_tty() ? STDERR_FILENO : FD_NONE,
		.line = c->pull_line };
	struct template o = { 0 };

	if (ref_parse(c->image, a, &o.ref, e) < 0) {
		/* the beginning of an ID is no name */
		if (!ref_is_hex(c->image) && !str_starts(c->image, "sha256:"))
			return -e->code;
		o.ref = (struct image_ref){ .kind = REF_NAME };
	}
	*ret = o;
	if (o.ref.kind == REF_HOST || o.ref.kind == REF_DIR)
		return c->platform ? err_say(e, "--platform %s: %s is of this machine's kind",
					     c->platform, c->image)
				   : 0;
	if (life_data(l, &d, e) < 0)
		return -e->code;
	if (o.ref.file && o.ref.file[0] != '/')
		o.ref.file = arena_printf(a, "%s/%s", l->cwd ? l->cwd : "", o.ref.file);
	if (image_get(&d, c->image, &o.ref, only_look || !o.ref.path ? PULL_NEVER : c->pull, &how,
		    a, &o.image, e) < 0 ||
		image_config_read(&d, &o.image, a, &o.config, e) < 0)
		return -e->code;
	o.data_path = arena_strdup(a, d.path);
	*ret = o;
	return 0;
}

void template_defaults(const struct template *o, struct docker_run *run)
{
	if (!o->data_path)
		return;
	run->image_args = (struct spec_strings){ o->config.cmd.items, o->config.cmd.n };
	run->image_entrypoint =
		(struct spec_strings){ o->config.entrypoint.items, o->config.entrypoint.n };
	run->image_env = (struct spec_strings){ o->config.env.items, o->config.env.n };
	run->image_volumes = (struct spec_strings){ o->config.volumes.items, o->config.volumes.n };
	run->image_workdir = o->config.workdir;
}

void template_overlay(const struct template *o, const char *id, bool thrown_away, struct spec *s)
{
	struct image_data d = { .path = (char *)o->data_path, .fd = FD_NONE };
	struct rootfs r;

	rootfs_of(&d, &o->image, &s->arena, &r);
	s->overlay = (struct spec_overlay){ .lower = r.lower,
		.n_lower = r.n_lower,
		.is_volatile = thrown_away,
		.upper = arena_printf(&s->arena, "%s/containers/%s", o->data_path, id) };
	/* an image without layers (FROM scratch) has its own folder alone */
	if (!r.n_lower) {
		s->root_path = arena_printf(&s->arena, "%s/upper", s->overlay.upper);
		s->overlay = (struct spec_overlay){ 0 };
	}
}

static char *read_file(const struct stack *v, const char *path, struct arena *a)
{
	autofd fd = stack_open(v, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	autofree char *text = NULL;

	if (fd < 0 || file_read_fd(fd, USER_FILE_MAX, &text) < 0)
		return NULL;
	return arena_strdup(a, text);
}

int template_user_files(const struct life *l, const struct template *o, struct arena *a,
	char **ret_passwd, char **ret_group, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	autostack v = STACK_NONE;

	if (life_data(l, &d, e) < 0 || rootfs_stack(&d, &o->image, &v, e) < 0)
		return -e->code;
	*ret_passwd = read_file(&v, "/etc/passwd", a);
	*ret_group = read_file(&v, "/etc/group", a);
	return 0;
}

static const char *joined(const struct image_words *words, struct arena *a)
{
	autotext t = { 0 };

	for (size_t i = 0; i < words->n; i++)
		text_addf(&t, "%s%s", i ? " " : "", words->items[i]);
	return t.p ? arena_strdup(a, t.p) : NULL;
}

void template_record(const struct template *o, struct arena *a, struct record *r)
{
	const struct image_config *c = &o->config;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };

	if (!o->data_path)
		return;
	r->image_id = o->image.id;
	r->data_root = o->data_path;
	if (!r->user && c->user[0])
		r->user = c->user;
	r->exposed = joined(&c->ports, a);
	r->volumes = joined(&c->volumes, a);
	if (c->healthcheck) {
		config_json(&w, NULL, c->healthcheck);
		r->healthcheck = arena_strdup(a, t.p);
	}
	for (size_t i = 0; i < c->n_labels; i++) {
		struct record_label *label =
			arena_grow(a, &r->labels, &r->n_labels, sizeof(*label));

		*label = (struct record_label){ c->labels[i].key, c->labels[i].value };
	}
}

int template_claim(const struct life *l, const struct template *o, const char *id, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	autoarena a = { 0 };
	struct rootfs ignored;

	if (!o->data_path)
		return 0;
	if (life_data(l, &d, e) < 0)
		return -e->code;
	return rootfs_make(
		&d, o->image.id, id, arena_printf(&a, "%s/%s", l->root, id), &a, &ignored, e);
}

int template_release(const struct life *l, const char *data_path, const char *id, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	if (!data_path || access(data_path, F_OK) < 0)
		return 0;
	return open_data(l, data_path, &d, e) < 0 ? -e->code : rootfs_remove(&d, id, e);
}
