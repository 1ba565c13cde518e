/* SPDX-License-Identifier: Apache-2.0 */
#include "life/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "life/files.h"
#include "life/image.h"
#include "os/copy_tree.h"
#include "os/root.h"

/* --- the command's verbs -----------------------------------------------------------------------
 */

/* docker's local driver: what is mounted, as mount(8) has it. */
static int take_options(const struct opt_list *options, struct volume *v, struct err *e)
{
	for (size_t i = 0; i < options->n; i++) {
		const char *text = options->items[i];

		if (str_starts(text, "type="))
			v->type = strchr(text, '=') + 1;
		else if (str_starts(text, "device="))
			v->device = strchr(text, '=') + 1;
		else if (str_starts(text, "o="))
			v->o = strchr(text, '=') + 1;
		else
			return err_say(
				e, "--opt %s: type=, device= and o= of mount(8) are known", text);
	}
	if (options->n && !v->type)
		return err_say(e, "--opt: type= is missing (none for a bind mount)");
	if (options->n && !v->device)
		return err_say(e, "--opt: device= is missing (tmpfs for a tmpfs)");
	return 0;
}

int life_volume_create(const struct life *l, const char *name, const struct opt_list *labels,
	const struct opt_list *options, struct arena *a, const char **ret_name, struct err *e)
{
	struct volume_label *all = arena_array(a, labels->n + 1, sizeof(*all));
	struct volume v = { .anonymous = !name, .labels = all, .n_labels = labels->n };
	autodata d = IMAGE_DATA_NONE;
	char id[STORE_ID_LEN + 1];

	for (size_t i = 0; i < labels->n; i++) {
		const char *equals = strchr(labels->items[i], '=');

		if (!labels->items[i][0] || equals == labels->items[i])
			return err_say(e,
				"--label \"%s\": there is no name before the =", labels->items[i]);
		all[i].key = equals ? arena_strndup(a, labels->items[i],
					      (size_t)(equals - labels->items[i]))
				    : labels->items[i];
		all[i].value = equals ? equals + 1 : "";
	}
	if (!name && store_new_id(id, e) < 0)
		return -e->code;
	*ret_name = v.name = name ? name : arena_strdup(a, id);
	if (take_options(options, &v, e) < 0 || life_data(l, &d, e) < 0 ||
		volume_make(&d, &v, e) < 0)
		return -e->code;
	return 0;
}

int life_volume_list(
	const struct life *l, struct arena *a, struct volume **ret, size_t *ret_n, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : volume_list(&d, a, ret, ret_n, e);
}

int life_volume_find(
	const struct life *l, const char *name, struct arena *a, struct volume *ret, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : volume_find(&d, name, a, ret, e);
}

int life_volume_remove(const struct life *l, const char *name, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;

	return life_data(l, &d, e) < 0 ? -e->code : volume_remove(&d, name, e);
}

bool life_volume_has(const struct volume *v, const char *label)
{
	size_t n = strcspn(label, "=");

	for (size_t i = 0; i < v->n_labels; i++)
		if (strncmp(v->labels[i].key, label, n) == 0 && !v->labels[i].key[n] &&
			(!label[n] || str_eq(v->labels[i].value, label + n + 1)))
			return true;
	return false;
}

int life_volume_prune(const struct life *l, bool all, const struct opt_list *labels,
	struct arena *a, const char ***ret, size_t *ret_n, int64_t *ret_bytes, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct volume *items;
	struct err ignored;
	size_t n;

	*ret = NULL;
	*ret_n = 0;
	*ret_bytes = 0;
	if (life_data(l, &d, e) < 0 || volume_list(&d, a, &items, &n, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n; i++) {
		bool wanted = !items[i].links && (all || items[i].anonymous);
		int64_t bytes;

		for (size_t j = 0; j < labels->n; j++)
			wanted &= life_volume_has(&items[i], labels->items[j]);
		if (!wanted)
			continue;
		bytes = volume_bytes(&d, items[i].name);
		if (volume_remove(&d, items[i].name, &ignored) < 0)
			continue;
		*ret_bytes += bytes;
		*(const char **)arena_grow(a, ret, ret_n, sizeof(**ret)) = items[i].name;
	}
	return 0;
}

/* --- a container's ------------------------------------------------------------------------------
 */

static struct spec_mount *mount_of(struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, destination))
			return &s->mounts[i];
	return NULL;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *s = list; s; s = strchr(s, ','), s = s ? s + 1 : NULL)
		if (strncmp(s, word, n) == 0 && (!s[n] || s[n] == ','))
			return true;
	return false;
}

static void add_option(struct spec *s, struct spec_mount *m, const char *word)
{
	*(const char **)arena_grow(&s->arena, &m->options.items, &m->options.n, sizeof(char *)) =
		word;
}

/*
 * A volume that is a mount. Each container has it in its own mount namespace: nothing stays
 * mounted on the host, and the kernel shares what is one file system.
 */
static void mount_device(
	const struct volume *of, struct docker_volume *v, struct spec_mount *m, struct spec *s)
{
	bool bind = has_word(of->o, "bind") || has_word(of->o, "rbind");
	struct spec_strings old = m->options;
	char *words = of->o ? arena_strdup(&s->arena, of->o) : NULL, *word;

	m->type = bind ? "bind" : arena_strdup(&s->arena, of->type);
	m->source = arena_strdup(&s->arena, of->device);
	m->options = (struct spec_strings){ 0 };
	for (size_t i = 0; i < old.n; i++)
		if (bind ||
			!(strstr(old.items[i], "bind") || strstr(old.items[i], "private") ||
				strstr(old.items[i], "shared") || strstr(old.items[i], "slave")))
			add_option(s, m, old.items[i]);
	while (words && (word = strsep(&words, ",")))
		if (*word && !str_eq(word, "bind") && !str_eq(word, "rbind"))
			add_option(s, m, word);
	v->device = bind ? m->source : NULL;
	v->nocopy |= !bind;
}

int volumes_resolve(const struct life *l, struct docker_rest *rest, struct spec *s, struct err *e)
{
	autodata d = IMAGE_DATA_NONE;
	struct err ignored;
	const char *data = life_data_path(l, &s->arena);

	for (size_t i = 0; i < rest->n_volumes; i++) {
		struct docker_volume *v = &rest->volumes[i];
		struct spec_mount *m = mount_of(s, v->destination);
		char id[STORE_ID_LEN + 1];
		struct volume found;

		v->anonymous = !v->name;
		if (v->name && !volume_name_fits(v->name))
			return err_say(e,
				"-v %s: a volume's name has letters, digits, _, . and -; a path "
				"begins with / or .",
				v->name);
		if (!v->name && store_new_id(id, e) < 0)
			return -e->code;
		if (!v->name)
			v->name = arena_strdup(&s->arena, id);
		if (m)
			m->source = volume_path(data, v->name, &s->arena);
		if (m && !v->anonymous && (d.fd >= 0 || life_data(l, &d, &ignored) == 0) &&
			volume_find(&d, v->name, &s->arena, &found, &ignored) == 0 && found.type)
			mount_device(&found, v, m, s);
	}
	return 0;
}

/* Is it one that the user asked for, and not what every container has? */
static bool is_users(const struct life *l, const struct spec_mount *m)
{
	static const char *const own[] = { "/proc", "/sys", "/dev", "/dev/", "/etc/hosts",
		"/etc/hostname", "/etc/resolv.conf" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_eq(m->destination, own[i]))
			return false;
	return m->type && str_eq(m->type, "bind") && m->source &&
	       !str_starts(m->destination, "/dev/") && !str_starts(m->source, l->root);
}

static int copy_from(const struct life *l, const char *text, struct spec *s,
	struct docker_rest *rest, struct err *e)
{
	const char *colon = strrchr(text, ':');
	const char *ref = colon ? arena_strndup(&s->arena, text, (size_t)(colon - text)) : text;
	const char *data = arena_printf(&s->arena, "%s/volumes/", life_data_path(l, &s->arena));
	autoheld h = HELD_NONE;
	struct spec other = { 0 };
	int r = 0;

	if (colon && !str_eq(colon, ":ro") && !str_eq(colon, ":rw"))
		return err_say(e, "--volumes-from %s: ro or rw is wanted", text);
	if (held_open(l, ref, &h, e) < 0)
		return err_wrap(e, "--volumes-from");
	if (spec_load(held_path(l, &h, "config.json", &s->arena), &other, e) < 0)
		return -e->code;
	for (size_t i = 0; i < other.n_mounts && r == 0; i++) {
		const struct spec_mount *from = &other.mounts[i];
		struct spec_mount *m;

		if (!is_users(l, from) || mount_of(s, from->destination))
			continue;
		m = arena_grow(&s->arena, &s->mounts, &s->n_mounts, sizeof(*m));
		*m = (struct spec_mount){ .type = "bind",
			.destination = arena_strdup(&s->arena, from->destination),
			.source = arena_strdup(&s->arena, from->source) };
		for (size_t k = 0; k < from->options.n; k++)
			*(const char **)arena_grow(&s->arena, &m->options.items, &m->options.n,
				sizeof(char *)) = arena_strdup(&s->arena, from->options.items[k]);
		if (colon && str_eq(colon, ":ro"))
			*(const char **)arena_grow(
				&s->arena, &m->options.items, &m->options.n, sizeof(char *)) = "ro";
		if (str_starts(m->source, data)) {
			struct docker_volume *v =
				arena_grow(&s->arena, &rest->volumes, &rest->n_volumes, sizeof(*v));
			const char *name = m->source + strlen(data);

			*v = (struct docker_volume){ .destination = m->destination,
				.name = arena_strndup(&s->arena, name, strcspn(name, "/")),
				.nocopy = true };
		}
	}
	spec_done(&other);
	return r;
}

int volumes_from(const struct life *l, const struct opt_list *refs, struct spec *s,
	struct docker_rest *rest, struct err *e)
{
	for (size_t i = 0; i < refs->n; i++)
		if (copy_from(l, refs->items[i], s, rest, e) < 0)
			return -e->code;
	return 0;
}

void volumes_record(const struct docker_rest *rest, struct arena *a, struct record *r)
{
	autotext all = { 0 }, anonymous = { 0 };

	for (size_t i = 0; i < rest->n_volumes; i++) {
		const struct docker_volume *v = &rest->volumes[i];

		text_addf(&all, "%s%s", all.len ? " " : "", v->name);
		if (v->anonymous)
			text_addf(&anonymous, "%s%s", anonymous.len ? " " : "", v->name);
	}
	r->volumes_used = all.p ? arena_strdup(a, all.p) : NULL;
	r->volumes_anonymous = anonymous.p ? arena_strdup(a, anonymous.p) : NULL;
}

static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool empty = true;

	if (!stream) {
		fd_close(&fd);
		return false;
	}
	while (empty && (entry = readdir(stream)))
		empty = str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..");
	closedir(stream);
	return empty;
}

/* In the container's files, as root of its ids. */
static int fill_work(const struct container_files *f, void *data, struct err *e)
{
	const struct docker_rest *rest = data;

	for (size_t i = 0; i < rest->n_volumes; i++) {
		const struct docker_volume *v = &rest->volumes[i];
		autofd from = FD_NONE, to = FD_NONE;
		struct stat st;
		int r;

		if (v->nocopy || !v->path)
			continue;
		from = root_open(f->root, v->destination, O_RDONLY | O_DIRECTORY);
		to = open(v->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (from < 0 || to < 0 || fstat(from, &st) < 0 || !is_empty(to))
			continue;
		r = copy_tree(from, to);
		if (r < 0)
			return err_set(e, -r, "fill volume %s from %s", v->name, v->destination);
		if (fchown(to, st.st_uid, st.st_gid) < 0 && errno != EPERM && errno != EINVAL)
			return err_set(e, errno, "set the owner of volume %s", v->name);
		fchmod(to, st.st_mode & 07777);
	}
	return 0;
}

int volumes_take(const struct life *l, const char *id, struct docker_rest *rest, struct err *e)
{
	autoarena a = { 0 };
	autodata d = IMAGE_DATA_NONE;

	if (!rest->n_volumes)
		return 0;
	if (life_data(l, &d, e) < 0)
		return -e->code;
	for (size_t i = 0; i < rest->n_volumes; i++) {
		struct docker_volume *v = &rest->volumes[i];

		if (volume_use(&d, v->name, v->anonymous, id,
			    arena_printf(&a, "%s/%s", l->root, id), e) < 0)
			return -e->code;
	}
	return 0;
}

int volumes_fill(
	const struct life *l, const char *id, bool is_host, struct docker_rest *rest, struct err *e)
{
	autoarena a = { 0 };
	bool any = false;

	/* the running system's own folders are nobody's template */
	if (is_host)
		return 0;
	for (size_t i = 0; i < rest->n_volumes; i++) {
		struct docker_volume *v = &rest->volumes[i];
		autofd fd = FD_NONE;

		v->path = v->device ? v->device : volume_path(life_data_path(l, &a), v->name, &a);
		fd = open(v->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		/* one that has files keeps them; one we may not read has */
		if (fd < 0 || v->nocopy || !is_empty(fd))
			v->path = NULL;
		any |= v->path != NULL;
	}
	return any ? files_run(l, id, FILES_BARE, false, fill_work, rest, e) : 0;
}

static void each_name(const char *names, struct arena *a,
	void (*one)(const struct image_data *d, const char *name, const char *id),
	const struct image_data *d, const char *id)
{
	char *copy = names ? arena_strdup(a, names) : NULL, *name;

	while (copy && (name = strsep(&copy, " ")))
		if (*name)
			one(d, name, id);
}

static void drop(const struct image_data *d, const char *name, const char *id)
{
	struct err ignored;

	(void)id;
	volume_remove(d, name, &ignored);
}

void volumes_release(const struct life *l, const struct record *r, const char *id, bool remove)
{
	autoarena a = { 0 };
	autodata d = IMAGE_DATA_NONE;
	struct err ignored;

	if (!r->volumes_used || life_data(l, &d, &ignored) < 0)
		return;
	each_name(r->volumes_used, &a, volume_release, &d, id);
	if (remove)
		each_name(r->volumes_anonymous, &a, drop, &d, id);
}
