/* SPDX-License-Identifier: Apache-2.0 */
#include "life/images.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "image/import.h"
#include "life/image.h"

int64_t life_time_of(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0, unit = 100000000, s;
	int hours = 0, minutes = 0;
	char sign = 'Z';

	if (!rest)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction += (*rest - '0') * unit;
	if (*rest == '+' || *rest == '-') {
		sign = *rest;
		hours = atoi(rest + 1);
		minutes = strlen(rest) >= 6 ? atoi(rest + 4) : 0;
	}
	s = timegm(&tm);
	if (sign != 'Z')
		s -= (sign == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
	return s <= 0 ? 0 : s * 1000000000 + fraction;
}

static void describe(const struct image_data *d, const struct image *i,
	const struct rootfs_use *uses, size_t n_uses, struct arena *a, struct life_image *ret)
{
	struct err e = { 0 };

	*ret = (struct life_image){ .image = *i, .bytes = image_bytes(i) };
	if (image_config_read(d, i, a, &ret->config, &e) < 0) {
		ret->error = arena_strdup(a, e.msg);
		ret->config = (struct image_config){ .os = "",
			.architecture = "",
			.variant = "",
			.author = "",
			.created = "",
			.user = "",
			.workdir = "",
			.stop_signal = "" };
	}
	ret->created_ns = life_time_of(ret->config.created);
	for (size_t j = 0; j < n_uses; j++)
		ret->containers += !uses[j].gone && str_eq(uses[j].image, i->id);
}

static int newest_first(const void *a, const void *b)
{
	const struct life_image *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns < y->created_ns ? 1 : -1;
	return strcmp(x->image.id, y->image.id);
}

int life_image_list(const struct life *l, struct arena *a, struct life_image **ret, size_t *ret_n,
	struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct image_index index;
	struct rootfs_use *uses;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	if (life_data(l, &d, e) < 0 || index_read(&d, a, &index, e) < 0 ||
		rootfs_uses(&d, a, &uses, &n, e) < 0)
		return -e->code;
	*ret = arena_array(a, index.n + 1, sizeof(**ret));
	*ret_n = index.n;
	for (size_t i = 0; i < index.n; i++)
		describe(&d, &index.items[i], uses, n, a, &(*ret)[i]);
	if (index.n)
		qsort(*ret, index.n, sizeof(**ret), newest_first);
	return 0;
}

int life_image_find(const struct life *l, const char *ref, struct arena *a, struct life_image *ret,
	struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct image_index index;
	struct rootfs_use *uses;
	struct image *i;
	size_t n;

	if (life_data(l, &d, e) < 0 || index_read(&d, a, &index, e) < 0 ||
		index_find(&index, ref, a, &i, NULL, e) < 0 || rootfs_uses(&d, a, &uses, &n, e) < 0)
		return -e->code;
	describe(&d, i, uses, n, a, ret);
	return 0;
}

static int parse_name(const char *name, struct arena *a, struct image_ref *ret, struct err *e)
{
	if (ref_parse(name, a, ret, e) < 0)
		return -e->code;
	if (ret->kind != REF_NAME)
		return err_say(e,
			"pull %s: a name in a registry is wanted (clade load reads archives)",
			name);
	return 0;
}

int life_image_tags(const struct life *l, const struct life_pull *p, struct arena *a,
	const char ***ret, size_t *ret_n, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct image_ref ref;

	if (parse_name(p->name, a, &ref, e) < 0)
		return -e->code;
	if (ref.tag || ref.digest)
		return err_say(
			e, "pull -a %s: all tags are asked for, and one of them is named", p->name);
	return life_data(l, &d, e) < 0 ? -e->code : image_tags(&d, &ref, &p->how, a, ret, ret_n, e);
}

int life_image_pull(const struct life *l, const struct life_pull *p, struct arena *a,
	struct pulled *ret, const char **ret_name, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct pull_how how = p->how;
	struct image_ref ref;

	if (parse_name(p->name, a, &ref, e) < 0)
		return -e->code;
	how.bars = !p->all_quiet && life_stdout_is_tty() ? STDOUT_FILENO : FD_NONE;
	if (life_data(l, &d, e) < 0 || image_pull(&d, &ref, &how, a, ret, e) < 0)
		return -e->code;
	*ret_name = ret->name;
	return 0;
}

static bool runs(void *data, const char *state)
{
	const struct life *l = data;
	const char *slash = strrchr(state, '/');
	autoarena a = { 0 };
	struct life_info info;
	struct err ignored;

	return slash && strncmp(state, l->root, (size_t)(slash - state)) == 0 &&
	       life_inspect(l, slash + 1, &a, &info, &ignored) == 0 && info.pid;
}

int life_image_remove(const struct life *l, const char *ref, bool force, struct arena *a,
	struct image_removed *ret, struct err *e)
{
	struct image_removal how = { .force = force, .runs = runs, .data = (void *)l };
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : image_remove(&d, ref, &how, a, ret, e);
}

int life_image_prune(const struct life *l, const struct image_pruning *how, struct arena *a,
	struct image_removed *ret, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : image_prune(&d, how, a, ret, e);
}

int life_image_tag(const struct life *l, const char *ref, const char *name, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : image_tag(&d, ref, name, e);
}

int life_image_save(const struct life *l, const char *const *refs, size_t n,
	enum save_format format, const char *path, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	autofd fd = FD_NONE;
	autotext beside = { 0 };
	int r;

	if (life_data(l, &d, e) < 0)
		return -e->code;
	if (!path && isatty(STDOUT_FILENO))
		return err_say(
			e, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
	if (!path)
		return image_save(&d, refs, n, format, STDOUT_FILENO, e);
	text_addf(&beside, "%s.%d", path, (int)getpid());
	fd = open(beside.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, errno, "write %s", path);
	r = image_save(&d, refs, n, format, fd, e);
	if (r == 0 && (fsync(fd) < 0 || rename(beside.p, path) < 0))
		r = err_set(e, errno, "write %s", path);
	if (r < 0)
		unlink(beside.p);
	return r;
}

int life_image_load(const struct life *l, const char *path, const char *platform, struct arena *a,
	struct image **ret, size_t *ret_n, struct err *e)
{
	struct layout_how how = {
		.kind = REF_NAME, .path = path, .fd = STDIN_FILENO, .platform = platform
	};
	autodata d = IMAGE_DATA_NONE;
	struct stat st;

	if (!path && isatty(STDIN_FILENO))
		return err_say(e, "requested load from stdin, but stdin is empty");
	if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		how.kind = REF_OCI;
	return life_data(l, &d, e) < 0 ? -e->code : image_load(&d, &how, a, ret, ret_n, e);
}

int life_image_import(const struct life *l, const struct life_import *i, struct arena *a,
	struct image *ret, struct err *e)
{
	struct image_change change = { 0 };
	struct image_make how = { .change = &change,
		.created_by = "",
		.author = "",
		.comment = i->message ? i->message : arena_printf(a, "Imported from %s", i->path),
		.platform = i->platform };
	autodata d = IMAGE_DATA_NONE;
	autofd fd = FD_NONE;
	struct image_ref ref;
	bool is_stdin = str_eq(i->path, "-");

	for (size_t j = 0; j < i->changes.n; j++)
		if (change_apply(&change, i->changes.items[j], a, e) < 0)
			return -e->code;
	if (i->name) {
		if (ref_parse_name(i->name, a, &ref, e) < 0)
			return -e->code;
		how.name = ref_canonical(&ref, a);
	}
	if (strstr(i->path, "://"))
		return err_say(e, "import %s: a file or - is wanted; fetch it first", i->path);
	if (is_stdin && isatty(STDIN_FILENO))
		return err_say(e, "import -: standard input is a terminal");
	how.layer = STDIN_FILENO;
	if (!is_stdin) {
		fd = open(i->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return err_set(e, errno, "open %s", i->path);
		how.layer = fd;
	}
	return life_data(l, &d, e) < 0 ? -e->code : image_make(&d, &how, a, ret, e);
}

int life_system_check(const struct life *l, const struct check_how *how, struct arena *a,
	struct check_found *ret, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : check_store(&d, how, a, ret, e);
}

int life_prune_containers(const struct life *l, int64_t before_ns, struct arena *a,
	const char ***ret, size_t *ret_n, struct err *e)
{
	struct life_info *all;
	struct err ignored;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	if (life_list(l, true, a, &all, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		if ((all[i].status != LIFE_EXITED && all[i].status != LIFE_CREATED) ||
			(before_ns && all[i].created_ns >= before_ns) ||
			life_remove(l, all[i].id, false, &ignored) < 0)
			continue;
		*(const char **)arena_grow(a, ret, ret_n, sizeof(**ret)) = all[i].id;
	}
	return 0;
}
