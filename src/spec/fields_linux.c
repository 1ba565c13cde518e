/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md, all but the resources */
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdio.h>

#include "base/str.h"
#include "spec/fields.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define AT(type, member) offsetof(struct type, member)

const struct word namespace_words[] = { { "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET },
	{ "mount", CLONE_NEWNS }, { "ipc", CLONE_NEWIPC }, { "uts", CLONE_NEWUTS },
	{ "user", CLONE_NEWUSER }, { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
	{ 0 } };

static const struct word mode_words[] = { { "MPOL_DEFAULT", 0 }, { "MPOL_PREFERRED", 1 },
	{ "MPOL_BIND", 2 }, { "MPOL_INTERLEAVE", 3 }, { "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED_MANY", 5 }, { "MPOL_WEIGHTED_INTERLEAVE", 6 }, { 0 } };

static const struct word mode_flag_words[] = { { "MPOL_F_NUMA_BALANCING", 1 << 13 },
	{ "MPOL_F_RELATIVE_NODES", 1 << 14 }, { "MPOL_F_STATIC_NODES", 1 << 15 }, { 0 } };

static const struct word propagation_words[] = { { "shared", PROPAGATION_SHARED },
	{ "slave", PROPAGATION_SLAVE }, { "private", PROPAGATION_PRIVATE },
	{ "unbindable", PROPAGATION_UNBINDABLE }, { 0 } };

const struct field idmap_fields[] = {
	{ "containerID", F_U32, AT(spec_idmap, container_id), .always = true },
	{ "hostID", F_U32, AT(spec_idmap, host_id), .always = true },
	{ "size", F_U32, AT(spec_idmap, size), .always = true },
	{ 0 },
};

static const struct field namespace_fields[] = {
	{ "type", F_WORD, AT(spec_namespace, flag), .words = namespace_words },
	{ "path", F_STRING, AT(spec_namespace, path) },
	{ 0 },
};

static const struct field device_fields[] = {
	{ "path", F_STRING, AT(spec_device, path) },
	{ "type", F_CHAR, AT(spec_device, type) },
	{ "major", F_I64, AT(spec_device, major), .always = true },
	{ "minor", F_I64, AT(spec_device, minor), .always = true },
	{ "fileMode", F_MAYBE_U64, AT(spec_device, file_mode) },
	{ "uid", F_U32, AT(spec_device, uid) },
	{ "gid", F_U32, AT(spec_device, gid) },
	{ 0 },
};

static const struct field offset_fields[] = {
	{ "secs", F_I64, AT(spec_time_offset, secs), .always = true },
	{ "nanosecs", F_U32, AT(spec_time_offset, nanosecs) },
	{ 0 },
};

static const struct field offsets_fields[] = {
	{ "monotonic", F_OBJECT, AT(spec_linux, monotonic), AT(spec_linux, monotonic.set),
		offset_fields },
	{ "boottime", F_OBJECT, AT(spec_linux, boottime), AT(spec_linux, boottime.set),
		offset_fields },
	{ 0 },
};

static const struct field rdt_fields[] = {
	{ "closID", F_STRING, AT(spec_linux, intel_rdt.clos_id) },
	{ "l3CacheSchema", F_STRING, AT(spec_linux, intel_rdt.l3_cache_schema) },
	{ "memBwSchema", F_STRING, AT(spec_linux, intel_rdt.mem_bw_schema) },
	{ "schemata", F_STRINGS, AT(spec_linux, intel_rdt.schemata) },
	{ "enableMonitoring", F_BOOL, AT(spec_linux, intel_rdt.enable_monitoring) },
	{ 0 },
};

static int read_domain(struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_linux *linux_ = object;

	if (v->kind != JSON_STRING || (!str_eq(v->text, "LINUX") && !str_eq(v->text, "LINUX32")))
		return load_say(l, "LINUX or LINUX32 is wanted here");
	linux_->personality.is_linux32 = str_eq(v->text, "LINUX32");
	return 0;
}

static void write_domain(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_linux *linux_ = object;

	json_string(w, f->name, linux_->personality.is_linux32 ? "LINUX32" : "LINUX");
}

/* config-linux.md#personality: "flags ... Currently no flag values are supported" */
static int read_no_flags(struct load *l, const struct json *v, void *object, const struct field *f)
{
	return v->kind == JSON_ARRAY && !v->n ? 0 : load_say(l, "there are no flags");
}

static void write_nothing(struct json_writer *w, const void *object, const struct field *f)
{
}

static const struct field personality_fields[] = {
	{ "domain", F_OWN, 0, .read = read_domain, .write = write_domain },
	{ "flags", F_OWN, 0, .read = read_no_flags, .write = write_nothing },
	{ 0 },
};

static int read_mode_flags(
	struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_linux *linux_ = object;

	if (v->kind != JSON_ARRAY)
		return load_say(l, "a list is wanted here");
	for (const struct json *s = json_first(v); s; s = json_next(v, s)) {
		int64_t flag = s->kind == JSON_STRING ? word_value(mode_flag_words, s->text) : -1;

		if (flag < 0)
			return load_say(
				l, "\"%s\" is not known", s->kind == JSON_STRING ? s->text : "?");
		linux_->memory_policy.flags |= (unsigned)flag;
	}
	return 0;
}

static void write_mode_flags(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_linux *linux_ = object;

	if (!linux_->memory_policy.flags)
		return;
	json_begin(w, f->name, '[');
	for (const struct word *m = mode_flag_words; m->word; m++)
		if (linux_->memory_policy.flags & (unsigned)m->value)
			json_string(w, NULL, m->word);
	json_end(w, ']');
}

static const struct field memory_policy_fields[] = {
	{ "mode", F_WORD, AT(spec_linux, memory_policy.mode), .words = mode_words },
	{ "nodes", F_STRING, AT(spec_linux, memory_policy.nodes) },
	{ "flags", F_OWN, 0, .read = read_mode_flags, .write = write_mode_flags },
	{ 0 },
};

static int read_propagation(
	struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_linux *linux_ = object;
	const char *word = v->kind == JSON_STRING ? v->text : "?";
	bool recursive = word[0] == 'r';
	int64_t value = word_value(propagation_words, word + recursive);

	if (v->kind == JSON_STRING && !word[0])
		return 0;
	if (value < 0)
		return load_say(l, "\"%s\" is not known", word);
	linux_->rootfs_propagation = (enum rootfs_propagation)value;
	linux_->rootfs_propagation_recursive = recursive;
	return 0;
}

static void write_propagation(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_linux *linux_ = object;
	const char *word = word_of(propagation_words, linux_->rootfs_propagation);
	char text[16];

	if (!word)
		return;
	snprintf(text, sizeof(text), "%s%s", linux_->rootfs_propagation_recursive ? "r" : "", word);
	json_string(w, f->name, text);
}

/* An object by the interface's name on the host, each with its name inside. */
static int read_net_devices(
	struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_linux *linux_ = object;

	if (v->kind != JSON_OBJECT)
		return load_say(l, "an object is wanted here");
	linux_->net_devices = arena_array(l->arena, v->n, sizeof(*linux_->net_devices));
	for (const struct json *m = json_first(v); m; m = json_next(v, m)) {
		const struct json *name = json_get(m, "name");

		if (m->kind != JSON_OBJECT || (name && name->kind != JSON_STRING))
			return load_say(l, "%s: an object with a name is wanted here", m->name);
		linux_->net_devices[linux_->n_net_devices++] =
			(struct spec_net_device){ .host_name = m->name,
				.name = name && name->n ? name->text : NULL };
	}
	return 0;
}

static void write_net_devices(struct json_writer *w, const void *object, const struct field *f)
{
	const struct spec_linux *linux_ = object;

	if (!linux_->n_net_devices)
		return;
	json_begin(w, f->name, '{');
	for (size_t i = 0; i < linux_->n_net_devices; i++) {
		json_begin(w, linux_->net_devices[i].host_name, '{');
		if (linux_->net_devices[i].name)
			json_string(w, "name", linux_->net_devices[i].name);
		json_end(w, '}');
	}
	json_end(w, '}');
}

static const struct field arg_fields[] = {
	{ "index", F_U32, AT(spec_seccomp_arg, index), .always = true },
	{ "value", F_U64, AT(spec_seccomp_arg, value), .always = true },
	{ "valueTwo", F_U64, AT(spec_seccomp_arg, value_two) },
	{ "op", F_STRING, AT(spec_seccomp_arg, op) },
	{ 0 },
};

static const struct field rule_fields[] = {
	{ "names", F_STRINGS, AT(spec_seccomp_rule, names) },
	{ "action", F_STRING, AT(spec_seccomp_rule, action) },
	{ "errnoRet", F_MAYBE_U64, AT(spec_seccomp_rule, errno_ret) },
	{ "args", F_ARRAY, AT(spec_seccomp_rule, args), AT(spec_seccomp_rule, n_args), arg_fields,
		sizeof(struct spec_seccomp_arg) },
	{ 0 },
};

const struct field seccomp_fields[] = {
	{ "defaultAction", F_STRING, AT(spec_seccomp, default_action) },
	{ "defaultErrnoRet", F_MAYBE_U64, AT(spec_seccomp, default_errno_ret) },
	{ "architectures", F_STRINGS, AT(spec_seccomp, architectures) },
	{ "flags", F_STRINGS, AT(spec_seccomp, flags) },
	{ "listenerPath", F_STRING, AT(spec_seccomp, listener_path) },
	{ "listenerMetadata", F_STRING, AT(spec_seccomp, listener_metadata) },
	{ "syscalls", F_ARRAY, AT(spec_seccomp, rules), AT(spec_seccomp, n_rules), rule_fields,
		sizeof(struct spec_seccomp_rule) },
	{ 0 },
};

const struct field linux_fields[] = {
	{ "namespaces", F_ARRAY, AT(spec_linux, namespaces), AT(spec_linux, n_namespaces),
		namespace_fields, sizeof(struct spec_namespace) },
	{ "uidMappings", F_ARRAY, AT(spec_linux, uid_mappings.items),
		AT(spec_linux, uid_mappings.n), idmap_fields, sizeof(struct spec_idmap) },
	{ "gidMappings", F_ARRAY, AT(spec_linux, gid_mappings.items),
		AT(spec_linux, gid_mappings.n), idmap_fields, sizeof(struct spec_idmap) },
	{ "timeOffsets", F_OBJECT, 0, NO_FLAG, offsets_fields },
	{ "devices", F_ARRAY, AT(spec_linux, devices), AT(spec_linux, n_devices), device_fields,
		sizeof(struct spec_device) },
	{ "netDevices", F_OWN, 0, .read = read_net_devices, .write = write_net_devices },
	{ "cgroupsPath", F_STRING, AT(spec_linux, cgroups_path) },
	{ "resources", F_OBJECT, AT(spec_linux, resources), NO_FLAG, resources_fields },
	{ "sysctl", F_PAIRS, AT(spec_linux, sysctl) },
	{ "seccomp", F_OBJECT, AT(spec_linux, seccomp), AT(spec_linux, seccomp.set),
		seccomp_fields },
	{ "rootfsPropagation", F_OWN, 0, .read = read_propagation, .write = write_propagation },
	{ "maskedPaths", F_STRINGS, AT(spec_linux, masked_paths) },
	{ "readonlyPaths", F_STRINGS, AT(spec_linux, readonly_paths) },
	{ "mountLabel", F_STRING, AT(spec_linux, mount_label) },
	{ "intelRdt", F_OBJECT, 0, AT(spec_linux, intel_rdt.set), rdt_fields },
	{ "personality", F_OBJECT, 0, AT(spec_linux, personality.set), personality_fields },
	{ "memoryPolicy", F_OBJECT, 0, AT(spec_linux, memory_policy.set), memory_policy_fields },
	{ 0 },
};
