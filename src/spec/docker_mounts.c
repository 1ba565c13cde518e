/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts every container has, as docker makes them, then -v, --mount and --tmpfs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/str.h"
#include "spec/docker.h"

struct usual {
	const char *destination, *type, *source, *options;
};

static const struct usual usual[] = {
	{ "/proc", "proc", "proc", "nosuid,noexec,nodev" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k" },
	{ "/dev/pts", "devpts", "devpts",
		"nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "ro,nosuid,noexec,nodev" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777" },
};

static struct spec_mount *add(struct spec *s, const char *destination)
{
	struct spec_mount *m;

	for (size_t i = 0; i < s->n_mounts; i++) {
		if (!str_eq(s->mounts[i].destination, destination))
			continue;
		s->mounts[i] = (struct spec_mount){ .destination = destination };
		return &s->mounts[i];
	}
	m = arena_grow(&s->arena, &s->mounts, &s->n_mounts, sizeof(*m));
	m->destination = destination;
	return m;
}

static void add_option(struct spec *s, struct spec_mount *m, const char *option)
{
	const char **item = arena_grow(&s->arena, &m->options.items, &m->options.n, sizeof(*item));

	*item = option;
}

/* "a,b,c" */
static void add_options(struct spec *s, struct spec_mount *m, const char *list)
{
	char *copy = arena_strdup(&s->arena, list), *word;

	while ((word = strsep(&copy, ",")))
		if (*word)
			add_option(s, m, word);
}

static bool is_host(const char *word)
{
	return word && str_eq(word, "host");
}

/* gid 5 is no id of a user namespace that has only one. */
static const char *pts_options(const struct docker_run *run)
{
	return run->rootless ? "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"
			     : "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5";
}

static void add_usual(const struct docker_run *run, struct spec *s)
{
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		const struct usual *u = &usual[i];
		const char *options = u->options;
		struct spec_mount *m = add(s, u->destination);
		bool ipc =
			str_eq(u->destination, "/dev/mqueue") || str_eq(u->destination, "/dev/shm");

		m->type = u->type;
		m->source = u->source;
		if (str_eq(u->type, "devpts"))
			options = pts_options(run);
		else if (str_eq(u->type, "cgroup") && run->privileged)
			options = "nosuid,noexec,nodev";
		else if (str_eq(u->type, "sysfs") && run->privileged)
			options = "nosuid,noexec,nodev";
		if ((ipc && is_host(run->ipc)) ||
			(str_eq(u->type, "sysfs") && (run->rootless || run->in_userns) &&
				is_host(run->net)) ||
			(str_eq(u->type, "proc") && (run->rootless || run->in_userns) &&
				is_host(run->pid))) {
			/* the host's own: a user namespace may not mount what it does not own */
			m->source = u->destination;
			m->type = "bind";
			add_option(s, m, "rbind");
			if (str_eq(u->type, "sysfs"))
				options = "rro,nosuid,noexec,nodev";
			else
				options = "nosuid,noexec,nodev";
		}
		add_options(s, m, options);
		if (str_eq(u->destination, "/dev/shm") && !str_eq(m->type, "bind"))
			add_option(s, m,
				arena_printf(&s->arena, "size=%lld",
					(long long)(run->shm_size ? run->shm_size : 64 << 20)));
	}
}

/* What a person names on the host: absolute, or relative to where they stand. */
static const char *host_path(const struct docker_run *run, struct spec *s, const char *path)
{
	if (path[0] == '/')
		return path;
	return arena_printf(&s->arena, "%s/%s", run->cwd ? run->cwd : "", path);
}

static int check_destination(const char *flag, const char *text, const char *path, struct err *e)
{
	if (!path || path[0] != '/')
		return err_say(e, "%s %s: the path in the container is not absolute", flag, text);
	if (strspn(path, "/.") == strlen(path) && !strstr(path, "..."))
		return err_say(
			e, "%s %s: the root of the container cannot be mounted over", flag, text);
	return 0;
}

static void bind(struct spec *s, struct spec_mount *m, const char *source)
{
	m->type = "bind";
	m->source = source;
}

static void want_volume(struct spec *s, struct docker_rest *rest, const char *name,
	const char *destination, bool nocopy)
{
	struct docker_volume *v = NULL;

	/* of two at one place the later counts */
	for (size_t i = 0; i < rest->n_volumes; i++)
		if (str_eq(rest->volumes[i].destination, destination))
			v = &rest->volumes[i];
	if (!v)
		v = arena_grow(&s->arena, &rest->volumes, &rest->n_volumes, sizeof(*v));
	*v = (struct docker_volume){ .name = name, .destination = destination, .nocopy = nocopy };
}

static void forget_volume(struct docker_rest *rest, const char *destination)
{
	for (size_t i = 0; i < rest->n_volumes; i++)
		if (str_eq(rest->volumes[i].destination, destination))
			rest->volumes[i] = rest->volumes[--rest->n_volumes];
}

/* name NULL: one without, as of -v DESTINATION and the image's VOLUME. */
static struct spec_mount *mount_volume(struct spec *s, struct docker_rest *rest, const char *name,
	const char *destination, bool nocopy)
{
	struct spec_mount *m = add(s, destination);

	bind(s, m, "");
	add_option(s, m, "rbind");
	add_option(s, m, "rprivate");
	want_volume(s, rest, name, destination, nocopy);
	return m;
}

/* -v SOURCE:DESTINATION[:OPTIONS]; a source that is missing is made, as a folder. */
static int volume(const struct docker_run *run, struct spec *s, struct docker_rest *rest,
	const char *text, struct err *e)
{
	static const char *const known[] = { "ro", "rw", "z", "Z", "nocopy", "consistent", "cached",
		"delegated", "shared", "rshared", "slave", "rslave", "private", "rprivate", "bind",
		"rbind", "noexec", "exec", "nosuid", "suid", "nodev", "dev", NULL };
	char *source = arena_strdup(&s->arena, text), *to = strchr(source, ':'), *options, *word;
	bool recursive = true, has_propagation = false, nocopy = false, named;
	struct spec_mount *m;
	const char **folder;

	if (!to) {
		if (check_destination("-v", text, source, e) < 0)
			return -e->code;
		mount_volume(s, rest, NULL, source, false);
		return 0;
	}
	*to++ = '\0';
	options = strchr(to, ':');
	if (options)
		*options++ = '\0';
	if (check_destination("-v", text, to, e) < 0)
		return -e->code;
	if (!source[0])
		return err_say(e, "-v %s: there is nothing before the :", text);
	named = source[0] != '/' && source[0] != '.';
	m = add(s, to);
	bind(s, m, named ? "" : host_path(run, s, source));
	while (options && (word = strsep(&options, ","))) {
		size_t i = 0;

		while (known[i] && !str_eq(known[i], word))
			i++;
		if (!known[i])
			return err_say(e, "-v %s: option %s is not known", text, word);
		has_propagation |=
			strstr(word, "shared") || strstr(word, "slave") || strstr(word, "private");
		recursive &= !str_eq(word, "bind");
		nocopy |= str_eq(word, "nocopy");
		if (i < 2 || (i >= 8 && !strstr(word, "bind")))
			add_option(s, m, word);
	}
	add_option(s, m, recursive ? "rbind" : "bind");
	if (!has_propagation)
		add_option(s, m, "rprivate");
	if (named) {
		want_volume(s, rest, source, to, nocopy);
		return 0;
	}
	forget_volume(rest, to);
	folder = arena_grow(
		&s->arena, &rest->make_folders.items, &rest->make_folders.n, sizeof(*folder));
	*folder = m->source;
	return 0;
}

struct mount_words {
	const char *type, *source, *destination, *propagation, *size, *mode;
	bool readonly, nonrecursive, nocopy;
};

static int mount_word(struct mount_words *w, const char *text, char *word, struct err *e)
{
	char *value = strchr(word, '=');
	bool is_true = !value || str_eq(value + 1, "true") || str_eq(value + 1, "1");

	if (value)
		*value++ = '\0';
	if (str_eq(word, "type"))
		w->type = value;
	else if (str_eq(word, "source") || str_eq(word, "src"))
		w->source = value;
	else if (str_eq(word, "target") || str_eq(word, "destination") || str_eq(word, "dst"))
		w->destination = value;
	else if (str_eq(word, "readonly") || str_eq(word, "ro"))
		w->readonly = is_true;
	else if (str_eq(word, "bind-propagation"))
		w->propagation = value;
	else if (str_eq(word, "bind-nonrecursive"))
		w->nonrecursive = is_true;
	else if (str_eq(word, "volume-nocopy"))
		w->nocopy = is_true;
	else if (str_eq(word, "tmpfs-size"))
		w->size = value;
	else if (str_eq(word, "tmpfs-mode"))
		w->mode = value;
	else if (!str_eq(word, "consistency")) /* says nothing on Linux, to docker too */
		return err_say(e, "--mount %s: %s is not known", text, word);
	return 0;
}

static int mount_bind(const struct docker_run *run, struct spec *s, const char *text,
	const struct mount_words *w, struct err *e)
{
	static const char *const propagations[] = { "private", "rprivate", "shared", "rshared",
		"slave", "rslave", NULL };
	struct spec_mount *m;
	struct stat st;
	size_t i = 0;

	if (!w->source || !w->source[0])
		return err_say(e, "--mount %s: source is missing", text);
	while (w->propagation && propagations[i] && !str_eq(propagations[i], w->propagation))
		i++;
	if (w->propagation && !propagations[i])
		return err_say(
			e, "--mount %s: bind-propagation=%s is not known", text, w->propagation);
	m = add(s, w->destination);
	bind(s, m, host_path(run, s, w->source));
	if (stat(m->source, &st) < 0)
		return err_set(e, errno, "--mount %s: source %s", text, m->source);
	add_option(s, m, w->nonrecursive ? "bind" : "rbind");
	add_option(s, m, w->propagation ? w->propagation : "rprivate");
	if (w->readonly)
		add_option(s, m, "ro");
	return 0;
}

static int mount_tmpfs(struct spec *s, const char *text, const struct mount_words *w, struct err *e)
{
	struct spec_mount *m;
	int64_t size;

	if (w->source)
		return err_say(e, "--mount %s: a tmpfs has no source", text);
	m = add(s, w->destination);
	m->type = m->source = "tmpfs";
	add_options(s, m, "noexec,nosuid,nodev");
	if (w->size) {
		if (str_bytes(w->size, &size) < 0)
			return err_say(e, "--mount %s: tmpfs-size=%s is no size", text, w->size);
		add_option(s, m, arena_printf(&s->arena, "size=%lld", (long long)size));
	}
	if (w->mode) {
		if (strspn(w->mode, "01234567") != strlen(w->mode) || !w->mode[0])
			return err_say(e, "--mount %s: tmpfs-mode=%s is no mode", text, w->mode);
		add_option(s, m, arena_printf(&s->arena, "mode=%s", w->mode));
	}
	if (w->readonly)
		add_option(s, m, "ro");
	return 0;
}

/* --mount type=bind,source=/a,target=/b,readonly */
static int mount_flag(const struct docker_run *run, struct spec *s, struct docker_rest *rest,
	const char *text, struct err *e)
{
	struct mount_words w = { 0 };
	char *copy = arena_strdup(&s->arena, text), *word;

	while ((word = strsep(&copy, ",")))
		if (mount_word(&w, text, word, e) < 0)
			return -e->code;
	if (check_destination("--mount", text, w.destination, e) < 0)
		return -e->code;
	if (w.type && str_eq(w.type, "bind"))
		return mount_bind(run, s, text, &w, e);
	if (w.type && str_eq(w.type, "tmpfs"))
		return mount_tmpfs(s, text, &w, e);
	if (!w.type || str_eq(w.type, "volume")) {
		struct spec_mount *m = mount_volume(s, rest,
			w.source && w.source[0] ? w.source : NULL, w.destination, w.nocopy);

		if (w.readonly)
			add_option(s, m, "ro");
		return 0;
	}
	return err_say(e, "--mount %s: type=%s is not known", text, w.type);
}

/* --tmpfs /path[:options] */
static int tmpfs_flag(struct spec *s, const char *text, struct err *e)
{
	char *path = arena_strdup(&s->arena, text), *options = strchr(path, ':');
	struct spec_mount *m;

	if (options)
		*options++ = '\0';
	if (check_destination("--tmpfs", text, path, e) < 0)
		return -e->code;
	m = add(s, path);
	m->type = m->source = "tmpfs";
	add_options(s, m, "noexec,nosuid,nodev");
	if (options)
		add_options(s, m, options);
	return 0;
}

static int depth_of(const char *path)
{
	int depth = 0;

	for (; *path; path++)
		depth += path[0] == '/' && path[1] && path[1] != '/';
	return depth;
}

/* A mount below another's target comes after it; else the order stays. */
static void sort_mounts(struct spec *s, size_t from)
{
	for (size_t i = from + 1; i < s->n_mounts; i++) {
		struct spec_mount m = s->mounts[i];
		size_t j = i;

		for (; j > from && depth_of(s->mounts[j - 1].destination) > depth_of(m.destination);
			j--)
			s->mounts[j] = s->mounts[j - 1];
		s->mounts[j] = m;
	}
}

int docker_mounts(
	const struct docker_run *run, struct spec *s, struct docker_rest *rest, struct err *e)
{
	size_t first;

	if (run->shm_size < 0)
		return err_say(e, "--shm-size: a size of at least 0 is wanted");
	add_usual(run, s);
	first = s->n_mounts;
	for (size_t i = 0; i < run->tmpfs.n; i++)
		if (tmpfs_flag(s, run->tmpfs.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < run->volumes.n; i++)
		if (volume(run, s, rest, run->volumes.items[i], e) < 0)
			return -e->code;
	for (size_t i = 0; i < run->mounts.n; i++)
		if (mount_flag(run, s, rest, run->mounts.items[i], e) < 0)
			return -e->code;
	if (rest->systemd)
		docker_systemd(run, s);
	for (size_t i = 0; i < run->image_volumes.n; i++) {
		const char *at = run->image_volumes.items[i];
		bool there = check_destination("VOLUME", at, at, e) < 0;

		for (size_t j = 0; j < s->n_mounts; j++)
			there |= str_eq(s->mounts[j].destination, at);
		if (!there)
			mount_volume(s, rest, NULL, at, false);
	}
	sort_mounts(s, first);
	return 0;
}
