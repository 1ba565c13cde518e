/* SPDX-License-Identifier: Apache-2.0 */
/* What a container changed: told (diff), as an archive (export), as an image (commit). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "image/import.h"
#include "image/tree.h"
#include "life/copy.h"
#include "life/files.h"
#include "life/image.h"
#include "os/file.h"

/* --- diff --------------------------------------------------------------------------------------
 */

/* Where something is mounted, and what clade makes itself. */
static const char *const *places(const struct spec *s, struct arena *a, size_t *ret_n)
{
	static const char *const own[] = { "dev", "proc", "sys", "dev/init", "etc/hosts",
		"etc/hostname", "etc/resolv.conf" };
	const char **all = arena_array(a, s->n_mounts + ARRAY_LEN(own), sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		all[n++] = own[i];
	for (size_t i = 0; i < s->n_mounts; i++) {
		const char *at = s->mounts[i].destination;
		size_t len;

		at += strspn(at, "/");
		len = strlen(at);
		while (len && at[len - 1] == '/')
			len--;
		all[n++] = arena_strndup(a, at, len);
	}
	*ret_n = n;
	return all;
}

static int find_changes(const struct life *l, const struct container_files *f, struct arena *a,
	struct change **ret, size_t *ret_n, struct err *e)
{
	autostack lower = STACK_NONE;
	struct changes_how how = { .upper = f->upper, .lower = &lower };

	(void)l;
	lower.userxattr = f->userxattr;
	/* pushed on top of each other: the lowest first */
	for (size_t i = f->spec->overlay.n_lower; i-- > 0;) {
		int fd = open(f->spec->overlay.lower[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			return err_set(e, errno, "open layer %s", f->spec->overlay.lower[i]);
		stack_push(&lower, fd);
	}
	how.places = places(f->spec, a, &how.n_places);
	return changes_find(&how, a, ret, ret_n, e);
}

struct diffing {
	const struct life *l;
	int to; /* a pipe's end */
};

/* In a process of its own: what it found crosses as "KIND PATH" and a NUL. */
static int diff_work(const struct container_files *f, void *data, struct err *e)
{
	struct diffing *d = data;
	autoarena a = { 0 };
	autotext t = { 0 };
	struct change *all;
	size_t n;
	int r;

	if (f->upper < 0)
		return err_say(e,
			"container %s is not of an image of the store: there is nothing to "
			"compare its files with",
			f->record->name);
	if (find_changes(d->l, f, &a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		text_add_n(&t, &all[i].kind, 1);
		text_add_n(&t, all[i].path, strlen(all[i].path) + 1);
	}
	r = file_write_all(d->to, t.p, t.len);
	return r < 0 ? err_set(e, -r, "hand the changes over") : 0;
}

enum { CHANGES_MAX = 256 << 20 };

/* A file without a name, for what one process writes and the other reads. */
static int scratch(const struct life *l, struct err *e)
{
	autoarena a = { 0 };
	autodata d = IMAGE_DATA_NONE;
	int fd;

	if (life_data(l, &d, e) < 0)
		return -e->code;
	fd = open(arena_printf(&a, "%s/tmp", d.path), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		char *name = arena_printf(&a, "%s/tmp/scratch-%d", d.path, (int)getpid());

		fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		unlink(name);
	}
	return fd < 0 ? err_set(e, errno, "make a file in %s/tmp", d.path) : fd;
}

int life_diff(const struct life *l, const char *ref, struct arena *a, struct change **ret,
	size_t *ret_n, struct err *e)
{
	autofd fd = scratch(l, e);
	struct diffing d = { .l = l, .to = fd };
	autofree char *text = NULL;
	ssize_t n;

	if (fd < 0 || files_run(l, ref, FILES_UPPER, false, diff_work, &d, e) < 0)
		return -e->code;
	lseek(fd, 0, SEEK_SET);
	n = file_read_fd(fd, CHANGES_MAX, &text);
	if (n < 0)
		return err_set(e, (int)-n, "read the changes");
	*ret = NULL;
	*ret_n = 0;
	for (const char *s = text; s < text + n && *s; s += strlen(s) + 1)
		*(struct change *)arena_grow(a, ret, ret_n, sizeof(**ret)) =
			(struct change){ *s, arena_strdup(a, s + 1) };
	return 0;
}

/* --- export ------------------------------------------------------------------------------------
 */

static int export_work(const struct container_files *f, void *data, struct err *e)
{
	const struct tree_out out = {
		.to = *(int *)data, .file = f->root, .name = "", .mounts = TREE_MOUNTS_EMPTY
	};

	return tree_pack(&out, e);
}

int life_export(const struct life *l, const char *ref, const char *path, struct err *e)
{
	autotext beside = { 0 };
	autofd fd = FD_NONE;
	int to = STDOUT_FILENO, r;

	if (!path && life_stdout_is_tty())
		return err_say(
			e, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
	if (!path)
		return files_run(l, ref, FILES_BARE, false, export_work, &to, e);
	text_addf(&beside, "%s.%d", path, (int)getpid());
	fd = open(beside.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, errno, "write %s", path);
	to = fd;
	r = files_run(l, ref, FILES_BARE, false, export_work, &to, e);
	if (r == 0 && rename(beside.p, path) < 0)
		r = err_set(e, errno, "write %s", path);
	if (r < 0)
		unlink(beside.p);
	return r;
}

/* --- commit ------------------------------------------------------------------------------------
 */

struct layering {
	const struct life *l;
	int to;
	struct change *all;
	size_t n;
};

static bool is_change(void *data, const char *path)
{
	const struct layering *w = data;

	return changes_have(w->all, w->n, path);
}

/* What it changed; one that is of no image: all of it. */
static int layer_work(const struct container_files *f, void *data, struct err *e)
{
	struct layering *w = data;
	struct tree_out out = { .to = w->to,
		.file = f->upper >= 0 ? f->upper : f->root,
		.name = "",
		.mounts = TREE_MOUNTS_EMPTY,
		.layer = f->upper >= 0,
		.userxattr = f->userxattr };
	autoarena a = { 0 };

	if (f->upper >= 0) {
		if (find_changes(w->l, f, &a, &w->all, &w->n, e) < 0)
			return -e->code;
		out.wanted = is_change;
		out.data = w;
	}
	return tree_pack(&out, e);
}

static void push(struct arena *a, struct image_words *to, const char *word)
{
	const char **all = arena_array(a, to->n + 2, sizeof(*all));

	for (size_t i = 0; i < to->n; i++)
		all[i] = to->items[i];
	all[to->n++] = word;
	to->items = all;
}

/* Its own words, as they were when it was made: entry point and command become one again. */
static void take_process(const struct spec *s, struct arena *a, struct image_change *c)
{
	const struct spec_strings *args = &s->process.args;
	struct image_words cmd = { 0 }, entry = { 0 }, env = { 0 };
	size_t at = 0, n = 0;

	if (args->n > 2 && str_eq(args->items[0], "/dev/init"))
		at = 2;
	while (n < c->entrypoint.n && at + n < args->n &&
		str_eq(args->items[at + n], c->entrypoint.items[n]))
		n++;
	if (n == c->entrypoint.n)
		at += n;
	else
		push(a, &entry, arena_strdup(a, args->items[at++]));
	if (n != c->entrypoint.n)
		c->entrypoint = entry;
	for (; at < args->n; at++)
		push(a, &cmd, arena_strdup(a, args->items[at]));
	c->cmd = cmd;
	for (size_t i = 0; i < s->process.env.n; i++)
		if (!str_starts(s->process.env.items[i], "HOSTNAME=") &&
			!str_starts(s->process.env.items[i], "HOME=") &&
			!str_starts(s->process.env.items[i], "TERM=xterm"))
			push(a, &env, arena_strdup(a, s->process.env.items[i]));
	c->env = env;
	if (s->process.cwd && !str_eq(s->process.cwd, "/"))
		c->workdir = arena_strdup(a, s->process.cwd);
}

static const char *command_of(const struct spec *s, struct arena *a)
{
	autotext t = { 0 };

	for (size_t i = 0; i < s->process.args.n; i++)
		text_addf(&t, "%s%s", i ? " " : "", s->process.args.items[i]);
	return arena_strdup(a, t.p ? t.p : "");
}

/* The configuration: the image's, the container's own words, then --change. */
static int make_change(const struct image_data *d, const struct life *l, const struct held *h,
	const struct image *base, const struct life_commit *c, struct arena *a,
	struct image_change *ret, const char **ret_command, struct err *e)
{
	struct image_config config;
	struct spec spec = { 0 };
	int r;

	*ret = (struct image_change){ 0 };
	if (base) {
		if (image_config_read(d, base, a, &config, e) < 0)
			return -e->code;
		change_from(ret, &config, a);
	}
	r = spec_load(held_path(l, h, "config.json", a), &spec, e);
	if (r == 0) {
		take_process(&spec, a, ret);
		*ret_command = command_of(&spec, a);
	}
	spec_done(&spec);
	if (r < 0)
		return r;
	if (h->record.user)
		ret->user = h->record.user;
	if (h->record.n_labels) {
		ret->labels = arena_array(a, h->record.n_labels, sizeof(*ret->labels));
		ret->n_labels = h->record.n_labels;
		for (size_t i = 0; i < h->record.n_labels; i++)
			ret->labels[i] = (struct image_label){ h->record.labels[i].key,
				h->record.labels[i].value };
	}
	for (size_t i = 0; i < c->changes.n; i++)
		if (change_apply(ret, c->changes.items[i], a, e) < 0)
			return -e->code;
	return 0;
}

static int find_base(const struct image_data *d, const struct held *h, struct arena *a,
	struct image **ret, struct err *e)
{
	struct image_index index;

	*ret = NULL;
	if (!h->record.image_id)
		return 0;
	if (index_read(d, a, &index, e) < 0)
		return -e->code;
	return index_find(&index, h->record.image_id, a, ret, NULL, e);
}

int life_commit(const struct life *l, const char *ref, const struct life_commit *c, struct arena *a,
	struct image *ret, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	autofd fd = FD_NONE;
	autoheld h = HELD_NONE;
	struct layering w = { .l = l };
	struct image_change change;
	struct image_make how = { .change = &change,
		.author = c->author ? c->author : "",
		.comment = c->message ? c->message : "" };
	struct image *base;
	struct image_ref name;

	if (c->name) {
		if (ref_parse_name(c->name, a, &name, e) < 0)
			return -e->code;
		how.name = ref_canonical(&name, a);
	}
	if (held_open(l, ref, &h, e) < 0 || life_data(l, &d, e) < 0 ||
		find_base(&d, &h, a, &base, e) < 0 ||
		make_change(&d, l, &h, base, c, a, &change, &how.created_by, e) < 0)
		return -e->code;
	how.base = base;
	fd = scratch(l, e);
	if (fd < 0)
		return -e->code;
	w.to = fd;
	if (files_run(l, h.id, base ? FILES_UPPER : FILES_BARE, c->pause, layer_work, &w, e) < 0)
		return -e->code;
	lseek(fd, 0, SEEK_SET);
	how.layer = fd;
	return image_make(&d, &how, a, ret, e);
}
