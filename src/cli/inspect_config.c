/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/inspect_config.h"

#include "base/str.h"
#include "life/life.h"

static const struct json *get(const struct json *object, const char *name, enum json_kind kind)
{
	const struct json *v =
		object && object->kind == JSON_OBJECT ? json_get(object, name) : NULL;

	return v && v->kind == kind ? v : NULL;
}

static const char *string(const struct json *object, const char *name)
{
	const struct json *v = get(object, name, JSON_STRING);

	return v ? v->text : "";
}

static void add_strings(struct json_writer *w, const char *name, const struct json *list)
{
	if (!list) {
		json_null(w, name);
		return;
	}
	json_begin(w, name, '[');
	for (const struct json *v = json_first(list); v; v = json_next(list, v))
		if (v->kind == JSON_STRING)
			json_string(w, NULL, v->text);
	json_end(w, ']');
}

static int64_t number(const struct json *object, const char *name)
{
	const struct json *v = get(object, name, JSON_NUMBER);
	int64_t n = 0;

	return v && json_i64(v, &n) == 0 ? n : 0;
}

static bool is_true(const struct json *object, const char *name)
{
	const struct json *v = get(object, name, JSON_BOOL);

	return v && v->is_true;
}

void inspect_path_args(struct json_writer *w, const struct json *config)
{
	const struct json *args = get(get(config, "process", JSON_OBJECT), "args", JSON_ARRAY);
	const struct json *first = args ? json_first(args) : NULL;

	json_string(w, "Path", first && first->kind == JSON_STRING ? first->text : "");
	json_begin(w, "Args", '[');
	for (const struct json *v = first ? json_next(args, first) : NULL; v;
		v = json_next(args, v))
		if (v->kind == JSON_STRING)
			json_string(w, NULL, v->text);
	json_end(w, ']');
}

/* n words from at on; none: null, as docker has it. */
static void add_words(
	struct json_writer *w, const char *name, const struct json *args, size_t at, size_t n)
{
	size_t i = 0;
	bool begun = false;

	for (const struct json *v = args ? json_first(args) : NULL; v;
		v = json_next(args, v), i++) {
		if (i < at || i - at >= n || v->kind != JSON_STRING)
			continue;
		if (!begun)
			json_begin(w, name, '[');
		begun = true;
		json_string(w, NULL, v->text);
	}
	if (begun)
		json_end(w, ']');
	else
		json_null(w, name);
}

void inspect_config(struct json_writer *w, const struct json *config, const struct life_info *info)
{
	const struct json *args = get(get(config, "process", JSON_OBJECT), "args", JSON_ARRAY);
	/* --init's words are not the container's: "/dev/init --" */
	size_t at = info->use_init ? 2 : 0, n = (size_t)info->n_entrypoint;
	const struct json *process = get(config, "process", JSON_OBJECT);
	const struct json *user = get(process, "user", JSON_OBJECT);
	autotext who = { 0 };

	if (number(user, "uid") || number(user, "gid"))
		text_addf(&who, "%lld:%lld", (long long)number(user, "uid"),
			(long long)number(user, "gid"));
	json_string(w, "Hostname", string(config, "hostname"));
	json_string(w, "Domainname", string(config, "domainname"));
	json_string(w, "User", who.p ? who.p : "");
	add_strings(w, "Env", get(process, "env", JSON_ARRAY));
	add_words(w, "Cmd", args, at + n, SIZE_MAX);
	add_words(w, "Entrypoint", args, at, n);
	json_string(w, "WorkingDir", string(process, "cwd"));
}

/* docker's word for a kind of namespace: "host" without one of its own. */
static const char *mode(const struct json *config, const char *type)
{
	const struct json *list = get(get(config, "linux", JSON_OBJECT), "namespaces", JSON_ARRAY);

	for (const struct json *v = list ? json_first(list) : NULL; v; v = json_next(list, v))
		if (str_eq(string(v, "type"), type))
			return *string(v, "path") ? string(v, "path") : "private";
	return "host";
}

static void add_cpu(struct json_writer *w, const struct json *cpu)
{
	int64_t quota = number(cpu, "quota"), period = number(cpu, "period");

	json_int(w, "CpuShares", number(cpu, "shares"));
	json_int(w, "NanoCpus",
		quota > 0 && period > 0 ? (int64_t)((double)quota * 1e9 / (double)period) : 0);
	json_int(w, "CpuPeriod", period);
	json_int(w, "CpuQuota", quota);
	json_string(w, "CpusetCpus", string(cpu, "cpus"));
	json_string(w, "CpusetMems", string(cpu, "mems"));
}

void inspect_host_config(struct json_writer *w, const struct json *config)
{
	const struct json *process = get(config, "process", JSON_OBJECT);
	const struct json *linux_ = get(config, "linux", JSON_OBJECT);
	const struct json *resources = get(linux_, "resources", JSON_OBJECT);
	const struct json *memory = get(resources, "memory", JSON_OBJECT);
	const struct json *pids = get(resources, "pids", JSON_OBJECT);

	json_int(w, "Memory", number(memory, "limit"));
	json_int(w, "MemoryReservation", number(memory, "reservation"));
	json_int(w, "MemorySwap", number(memory, "swap"));
	json_bool(w, "OomKillDisable", is_true(memory, "disableOOMKiller"));
	json_int(w, "OomScoreAdj", number(process, "oomScoreAdj"));
	json_int(w, "PidsLimit", number(pids, "limit"));
	add_cpu(w, get(resources, "cpu", JSON_OBJECT));
	json_string(w, "PidMode", mode(config, "pid"));
	json_string(w, "IpcMode", mode(config, "ipc"));
	json_string(w, "UTSMode", mode(config, "uts"));
	json_string(w, "CgroupnsMode", mode(config, "cgroup"));
	json_bool(w, "ReadonlyRootfs", is_true(get(config, "root", JSON_OBJECT), "readonly"));
	add_strings(w, "MaskedPaths", get(linux_, "maskedPaths", JSON_ARRAY));
	add_strings(w, "ReadonlyPaths", get(linux_, "readonlyPaths", JSON_ARRAY));
}

static bool has_option(const struct json *mount, const char *word)
{
	const struct json *list = get(mount, "options", JSON_ARRAY);

	for (const struct json *v = list ? json_first(list) : NULL; v; v = json_next(list, v))
		if (v->kind == JSON_STRING && str_eq(v->text, word))
			return true;
	return false;
}

/* Those every container has are not the user's. */
static bool is_usual(const char *to)
{
	static const char *const usual[] = { "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
		"/dev", "/dev/pts", "/dev/mqueue", "/dev/shm", "/proc", "/sys", "/sys/fs/cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		if (str_eq(usual[i], to))
			return true;
	return false;
}

/* .../volumes/NAME/_data: where the data root keeps them; how long the name is, or 0. */
static int volume_name(const char *source, const char **ret)
{
	size_t n = strlen(source);
	const char *name = source + n - strlen("/_data");

	if (n < strlen("/volumes/x/_data") || !str_eq(name, "/_data"))
		return 0;
	while (name > source && name[-1] != '/')
		name--;
	*ret = name;
	if ((size_t)(name - source) < strlen("/volumes/") ||
		strncmp(name - strlen("/volumes/"), "/volumes/", strlen("/volumes/")) != 0)
		return 0;
	return (int)strcspn(name, "/");
}

void inspect_mounts(struct json_writer *w, const struct json *config)
{
	const struct json *list = get(config, "mounts", JSON_ARRAY);

	json_begin(w, "Mounts", '[');
	for (const struct json *v = list ? json_first(list) : NULL; v; v = json_next(list, v)) {
		bool tmpfs = str_eq(string(v, "type"), "tmpfs");
		autotext t = { 0 };
		const char *name;
		int named;

		if (is_usual(string(v, "destination")) ||
			(!tmpfs && !str_eq(string(v, "type"), "bind")))
			continue;
		json_begin(w, NULL, '{');
		named = tmpfs ? 0 : volume_name(string(v, "source"), &name);
		json_string(w, "Type", tmpfs ? "tmpfs" : named ? "volume" : "bind");
		if (named) {
			text_addf(&t, "%.*s", named, name);
			json_string(w, "Name", t.p);
			json_string(w, "Driver", "local");
		}
		json_string(w, "Source", tmpfs ? "" : string(v, "source"));
		json_string(w, "Destination", string(v, "destination"));
		json_string(w, "Mode", "");
		json_bool(w, "RW", !has_option(v, "ro"));
		json_string(w, "Propagation",
			has_option(v, "rshared")  ? "rshared"
			: has_option(v, "rslave") ? "rslave"
			: tmpfs			  ? ""
						  : "rprivate");
		json_end(w, '}');
	}
	json_end(w, ']');
}
