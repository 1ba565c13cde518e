/* SPDX-License-Identifier: Apache-2.0 */
/* config.md: the top of the configuration, read, checked and written. */
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "spec/fields.h"

#define AT(type, member) offsetof(struct type, member)

enum { CONFIG_MAX = 64 << 20, RESERVE_MAX = 64 << 10 };

static const struct field root_fields[] = {
	{ "path", F_STRING, AT(spec, root_path) },
	{ "readonly", F_BOOL, AT(spec, root_readonly) },
	{ 0 },
};

static const struct field mount_fields[] = {
	{ "destination", F_STRING, AT(spec_mount, destination) },
	{ "type", F_STRING, AT(spec_mount, type) },
	{ "source", F_STRING, AT(spec_mount, source) },
	{ "options", F_STRINGS, AT(spec_mount, options) },
	{ "uidMappings", F_ARRAY, AT(spec_mount, uid_mappings.items),
		AT(spec_mount, uid_mappings.n), idmap_fields, sizeof(struct spec_idmap) },
	{ "gidMappings", F_ARRAY, AT(spec_mount, gid_mappings.items),
		AT(spec_mount, gid_mappings.n), idmap_fields, sizeof(struct spec_idmap) },
	{ 0 },
};

static const struct field hook_fields[] = {
	{ "path", F_STRING, AT(spec_hook, path) },
	{ "args", F_STRINGS, AT(spec_hook, args) },
	{ "env", F_STRINGS, AT(spec_hook, env) },
	{ "timeout", F_MAYBE_I64, AT(spec_hook, timeout_s) },
	{ 0 },
};

#define HOOKS(name, point)                                                                         \
	{                                                                                          \
		name, F_ARRAY, AT(spec, hooks[point].items), AT(spec, hooks[point].n),             \
			hook_fields, sizeof(struct spec_hook)                                      \
	}

static const struct field hooks_fields[] = {
	HOOKS("prestart", HOOK_PRESTART),
	HOOKS("createRuntime", HOOK_CREATE_RUNTIME),
	HOOKS("createContainer", HOOK_CREATE_CONTAINER),
	HOOKS("startContainer", HOOK_START_CONTAINER),
	HOOKS("poststart", HOOK_POSTSTART),
	HOOKS("poststop", HOOK_POSTSTOP),
	{ 0 },
};

static const struct field spec_fields[] = {
	{ "ociVersion", F_STRING, AT(spec, oci_version) },
	{ "process", F_OBJECT, AT(spec, process), AT(spec, has_process), process_fields },
	{ "root", F_OBJECT, 0, NO_FLAG, root_fields },
	{ "hostname", F_STRING, AT(spec, hostname) },
	{ "domainname", F_STRING, AT(spec, domainname) },
	{ "mounts", F_ARRAY, AT(spec, mounts), AT(spec, n_mounts), mount_fields,
		sizeof(struct spec_mount) },
	{ "hooks", F_OBJECT, 0, NO_FLAG, hooks_fields },
	{ "annotations", F_PAIRS, AT(spec, annotations) },
	{ "linux", F_OBJECT, AT(spec, linux_), NO_FLAG, linux_fields },
	{ 0 },
};

const char *spec_annotation(const struct spec *s, const char *key)
{
	for (size_t i = 0; i < s->annotations.n; i++)
		if (str_eq(s->annotations.items[i].key, key))
			return s->annotations.items[i].value;
	return NULL;
}

/* The annotations clade.overlay.* become what they stand for, and are no annotations then. */
static void take_overlay(struct spec *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->annotations.n; i++) {
		struct spec_pair *a = &s->annotations.items[i];

		if (str_starts(a->key, "clade.overlay.lower")) {
			const char **lower = arena_grow(
				&s->arena, &s->overlay.lower, &s->overlay.n_lower, sizeof(*lower));

			*lower = a->value;
		} else if (str_eq(a->key, "clade.overlay.upper")) {
			s->overlay.upper = a->value;
		} else if (str_eq(a->key, "clade.overlay.volatile")) {
			s->overlay.is_volatile = true;
		} else {
			s->annotations.items[kept++] = *a;
		}
	}
	s->annotations.n = kept;
}

static int check_hooks(const struct spec *s, struct err *e)
{
	for (size_t p = 0; p < HOOK_POINTS; p++)
		for (size_t i = 0; i < s->hooks[p].n; i++) {
			const struct spec_hook *h = &s->hooks[p].items[i];

			if (!h->path || h->path[0] != '/')
				return err_say(e, "hooks.%s[%zu].path: an absolute path is wanted",
					hooks_fields[p].name, i);
			if (h->timeout_s.set &&
				(h->timeout_s.value <= 0 || h->timeout_s.value > INT_MAX / 1000))
				return err_say(e,
					"hooks.%s[%zu].timeout: a number of seconds above 0 is "
					"wanted",
					hooks_fields[p].name, i);
		}
	return 0;
}

/* "1.2.3", "-" and "+" with identifiers behind it (semver.org); *ret_major: the first number */
static bool is_semver(const char *s, unsigned long *ret_major)
{
	for (int i = 0; i < 3; i++) {
		char *end;
		unsigned long n = strtoul(s, &end, 10);

		if (*s < '0' || *s > '9' || (*s == '0' && end != s + 1))
			return false;
		if (i == 0)
			*ret_major = n;
		if (i < 2 && *end != '.')
			return false;
		s = end + (i < 2);
	}
	return !*s || ((*s == '-' || *s == '+') && s[1] &&
			      !s[1 + strspn(s + 1, "0123456789abcdefghijklmnopqrstuvwxyz"
						   "ABCDEFGHIJKLMNOPQRSTUVWXYZ.+-")]);
}

/* The specification's version: 1.0.0 to 1.x; a later major one may mean anything. */
static int check_version(const struct spec *s, struct err *e)
{
	unsigned long major;

	if (!s->oci_version)
		return err_say(e, "ociVersion: is missing");
	if (!is_semver(s->oci_version, &major))
		return err_say(e, "ociVersion: \"%s\" is no semantic version", s->oci_version);
	if (major != 1)
		return err_say(e, "ociVersion: \"%s\" is not 1.x", s->oci_version);
	return 0;
}

static int check_seccomp(const struct spec_seccomp *s, struct err *e)
{
	if (!s->set)
		return 0;
	if (!s->default_action)
		return err_say(e, "linux.seccomp.defaultAction: is missing");
	if (s->listener_metadata && s->listener_metadata[0] &&
		!(s->listener_path && s->listener_path[0]))
		return err_say(e, "linux.seccomp.listenerMetadata: is set without listenerPath");
	for (size_t i = 0; i < s->n_rules; i++)
		if (!s->rules[i].names.n)
			return err_say(e, "linux.seccomp.syscalls[%zu].names: are missing", i);
	return 0;
}

static int check_process(const struct spec_process *p, struct err *e)
{
	for (size_t i = 0; i < p->n_rlimits; i++)
		if (p->rlimits[i].resource < 0)
			return err_say(e, "process.rlimits[%zu].type: is missing", i);
	if (p->io_priority.set && (p->io_priority.priority < 0 || p->io_priority.priority > 7))
		return err_say(e, "process.ioPriority.priority: %d is not in 0..7",
			p->io_priority.priority);
	return 0;
}

int spec_check(const struct spec *s, struct err *e)
{
	const struct spec_linux *l = &s->linux_;

	if (check_version(s, e) < 0 || check_hooks(s, e) < 0)
		return -e->code;
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (!l->namespaces[i].flag)
			return err_say(e, "linux.namespaces[%zu].type: is missing", i);
	for (size_t i = 0; i < s->annotations.n; i++)
		if (!s->annotations.items[i].key[0])
			return err_say(e, "annotations: a key is empty");
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!s->mounts[i].destination || !s->mounts[i].destination[0])
			return err_say(e, "mounts[%zu].destination: is missing", i);
	return check_process(&s->process, e) < 0 ? -e->code : check_seccomp(&l->seccomp, e);
}

int spec_parse(const char *text, size_t n, struct spec *ret, struct err *e)
{
	struct spec s = { 0 };
	struct load l = { .arena = &s.arena, .e = e };
	const struct json *v;

	/* the text once more, its values, and what is made of them: most often in one block */
	arena_reserve(&s.arena, n < RESERVE_MAX ? n * 9 / 2 : 0);
	if (json_parse(text, n, &s.arena, &v, e) < 0 || fields_load(&l, v, spec_fields, &s) < 0 ||
		spec_check(&s, e) < 0) {
		spec_done(&s);
		return -e->code;
	}
	take_overlay(&s);
	*ret = s;
	return 0;
}

int spec_parse_process(
	const char *text, size_t n, struct arena *a, struct spec_process *ret, struct err *e)
{
	struct load l = { .arena = a, .e = e };
	const struct json *v;

	if (json_parse(text, n, a, &v, e) < 0 || fields_load(&l, v, process_fields, ret) < 0)
		return -e->code;
	return check_process(ret, e);
}

int spec_parse_resources(
	const char *text, size_t n, struct arena *a, struct spec_resources *ret, struct err *e)
{
	struct load l = { .arena = a, .e = e };
	const struct json *v;

	if (json_parse(text, n, a, &v, e) < 0)
		return -e->code;
	return fields_load(&l, v, resources_fields, ret);
}

int spec_parse_seccomp(
	const char *text, size_t n, struct arena *a, struct spec_seccomp *ret, struct err *e)
{
	struct load l = { .arena = a, .e = e };
	const struct json *v;

	if (json_parse(text, n, a, &v, e) < 0)
		return -e->code;
	ret->set = true;
	return fields_load(&l, v, seccomp_fields, ret);
}

int spec_read_file(const char *path, struct arena *a, char **ret, size_t *ret_n, struct err *e)
{
	/* what somebody put in a bundle may be a fifo, whose opening would wait */
	autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t len = 0;
	char *text;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "open %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > CONFIG_MAX)
		return err_say(e, "%s is not a file of at most %d MiB", path, CONFIG_MAX >> 20);
	text = arena_alloc(a, (size_t)st.st_size + 1);
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0)
			return err_set(e, errno, "read %s", path);
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = text;
	*ret_n = len;
	return 0;
}

int spec_load(const char *path, struct spec *ret, struct err *e)
{
	autoarena a = { 0 };
	char *text;
	size_t n;

	if (spec_read_file(path, &a, &text, &n, e) < 0)
		return -e->code;
	return spec_parse(text, n, ret, e) < 0 ? err_wrap(e, "%s", path) : 0;
}

/* The overlay goes among the annotations, where a runtime that does not know it ignores it. */
static struct spec_pairs with_overlay(const struct spec *s, struct arena *a)
{
	struct spec_pairs all = { 0 };

	all.items = arena_array(a, s->annotations.n + s->overlay.n_lower + 2, sizeof(*all.items));
	for (size_t i = 0; i < s->annotations.n; i++)
		all.items[all.n++] = s->annotations.items[i];
	for (size_t i = 0; i < s->overlay.n_lower; i++)
		all.items[all.n++] =
			(struct spec_pair){ arena_printf(a, "clade.overlay.lower.%zu", i),
				s->overlay.lower[i] };
	if (s->overlay.upper)
		all.items[all.n++] = (struct spec_pair){ "clade.overlay.upper", s->overlay.upper };
	if (s->overlay.is_volatile)
		all.items[all.n++] = (struct spec_pair){ "clade.overlay.volatile", "true" };
	return all;
}

void spec_dump(const struct spec *s, struct text *t)
{
	struct json_writer w = { .t = t, .indent = 2 };
	autoarena a = { 0 };
	struct spec copy = *s;

	copy.annotations = with_overlay(s, &a);
	json_begin(&w, NULL, '{');
	fields_dump(&w, spec_fields, &copy);
	json_end(&w, '}');
	text_add(t, "\n");
}

void spec_dump_exec(const struct spec *s, bool has_filter, struct text *t)
{
	struct json_writer w = { .t = t };
	struct spec some = {
		.oci_version = s->oci_version,
		.process = s->process,
		.has_process = s->has_process,
		.annotations = s->annotations,
		.linux_ = {
			.namespaces = s->linux_.namespaces,
			.n_namespaces = s->linux_.n_namespaces,
			.uid_mappings = s->linux_.uid_mappings,
			.gid_mappings = s->linux_.gid_mappings,
			.intel_rdt = s->linux_.intel_rdt,
			.personality = s->linux_.personality,
			.memory_policy = s->linux_.memory_policy,
		},
	};

	some.process.args = (struct spec_strings){ 0 };
	if (!has_filter)
		some.linux_.seccomp = s->linux_.seccomp;
	json_begin(&w, NULL, '{');
	fields_dump(&w, spec_fields, &some);
	json_end(&w, '}');
}

void spec_done(struct spec *s)
{
	if (s)
		arena_done(&s->arena);
}
