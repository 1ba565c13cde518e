/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --systemd, as podman has it: what systemd expects of who runs it in a container
 * (https://systemd.io/CONTAINER_INTERFACE): tmpfs where it keeps what does not last, a cgroup tree
 * it may write, $container. Its stop signal and $container_uuid are life/'s to say.
 */
#include <errno.h>

#include "base/str.h"
#include "spec/docker.h"

static const struct {
	const char *destination, *mode;
} fresh[] = {
	{ "/run", "mode=755" },
	{ "/run/lock", "mode=1777" },
	{ "/tmp", "mode=1777" },
	{ "/var/log/journal", "mode=755" },
};

static struct spec_mount *find(const struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (str_eq(s->mounts[i].destination, destination))
			return &s->mounts[i];
	return NULL;
}

static struct spec_mount *add(struct spec *s, const char *destination, const char *const *options)
{
	struct spec_mount *m = arena_grow(&s->arena, &s->mounts, &s->n_mounts, sizeof(*m));

	*m = (struct spec_mount){ .destination = destination };
	for (; *options; options++)
		*(const char **)arena_grow(
			&s->arena, &m->options.items, &m->options.n, sizeof(*options)) = *options;
	return m;
}

/* systemd by one of the names it goes by as PID 1 */
static bool is_systemd(const char *program)
{
	const char *slash = strrchr(program, '/');

	return str_eq(program, "/sbin/init") || str_eq(program, "/usr/sbin/init") ||
	       str_eq(program, "/usr/local/sbin/init") ||
	       str_eq(slash ? slash + 1 : program, "systemd");
}

int docker_systemd_wanted(
	const struct docker_run *run, const char *program, bool *ret, struct err *e)
{
	const char *word = run->systemd ? run->systemd : "true";

	if (!str_eq(word, "true") && !str_eq(word, "false") && !str_eq(word, "always"))
		return err_say(e, "--systemd %s: true, false or always is wanted", word);
	if (run->init && str_eq(word, "always"))
		return err_say(e, "--systemd always: with --init systemd would not be PID 1");
	*ret = str_eq(word, "always") || (str_eq(word, "true") && is_systemd(program));
	return 0;
}

/* Of v1's hierarchies only those that limit nothing: systemd's own, and v2's beside them. */
static void writable_cgroup(const struct docker_run *run, struct spec *s)
{
	static const char *const again[] = { "remount", "bind", "rw", "nosuid", "noexec", "nodev",
		"nofail", NULL };
	struct spec_mount *m = find(s, "/sys/fs/cgroup");
	size_t kept = 0;

	if (!m || !str_eq(m->type, "cgroup"))
		return; /* the user's own */
	if (!run->cgroup_v2) {
		add(s, "/sys/fs/cgroup/systemd", again);
		add(s, "/sys/fs/cgroup/unified", again);
		return;
	}
	for (size_t i = 0; i < m->options.n; i++)
		if (!str_eq(m->options.items[i], "ro"))
			m->options.items[kept++] = m->options.items[i];
	m->options.n = kept;
}

void docker_systemd(const struct docker_run *run, struct spec *s)
{
	writable_cgroup(run, s);
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++) {
		const char *const options[] = { "nosuid", "nodev", "tmpcopyup", fresh[i].mode,
			NULL };
		struct spec_mount *m;

		if (find(s, fresh[i].destination))
			continue;
		m = add(s, fresh[i].destination, options);
		m->type = m->source = "tmpfs";
	}
}
