/* SPDX-License-Identifier: Apache-2.0 */
/* state, list, ps, events, features, spec: what engines and people ask. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "oci/commands.h"

enum { TIME_ROOM = 64 };

static void time_text(int64_t ns, char text[TIME_ROOM])
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	snprintf(text, TIME_ROOM, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(ns % 1000000000));
}

static void add_time(struct json_writer *w, const char *name, int64_t ns)
{
	char text[TIME_ROOM];

	time_text(ns, text);
	json_string(w, name, text);
}

static void add_state(struct json_writer *w, const struct bundle_info *i)
{
	json_begin(w, NULL, '{');
	json_string(w, "ociVersion", i->oci_version);
	json_string(w, "id", i->id);
	json_int(w, "pid", i->pid);
	json_string(w, "status", bundle_status_word(i->status));
	json_string(w, "bundle", i->bundle);
	json_string(w, "rootfs", i->rootfs);
	add_time(w, "created", i->created_ns);
	if (i->annotations.n) {
		json_begin(w, "annotations", '{');
		for (size_t j = 0; j < i->annotations.n; j++)
			json_string(w, i->annotations.items[j].key, i->annotations.items[j].value);
		json_end(w, '}');
	}
	json_string(w, "owner", i->owner);
	json_end(w, '}');
}

static int state(const struct cmd_call *call, struct err *e)
{
	autobundles b = BUNDLES_NONE;
	struct bundle_info info;
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };

	if (oci_bundles(call, &b, e) < 0 ||
		bundle_state(&b, call->args[0], call->arena, &info, e) < 0)
		return -e->code;
	add_state(&w, &info);
	fputs(t.p, stdout);
	return 0;
}

struct list_opts {
	const char *format;
	bool quiet;
};

static const struct opt list_opts[] = {
	{ "format", 'f', OPT_STRING, offsetof(struct list_opts, format), "table|json",
		"how to print" },
	{ "quiet", 'q', OPT_FLAG, offsetof(struct list_opts, quiet), NULL, "IDs only" },
	{ 0 },
};

static int check_format(const char *format, bool *ret_json, struct err *e)
{
	*ret_json = format && str_eq(format, "json");
	return format && !*ret_json && !str_eq(format, "table")
		       ? err_say(e, "invalid format option: %s", format)
		       : 0;
}

/* Columns as Go's tabwriter sets runc's: at least 12 wide, 3 between them, the last as it is. */
static void add_table(struct text *t, const struct bundle_info *all, size_t n, struct arena *a)
{
	enum { COLUMNS = 6, WIDTH = 12, GAP = 3 };
	static const char *const heads[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED",
		"OWNER" };
	const char *(*rows)[COLUMNS] = arena_array(a, n + 1, sizeof(*rows));
	int width[COLUMNS];

	memcpy(rows[0], heads, sizeof(heads));
	for (size_t i = 0; i < n; i++) {
		char when[TIME_ROOM];

		time_text(all[i].created_ns, when);
		rows[i + 1][0] = all[i].id;
		rows[i + 1][1] = arena_printf(a, "%d", all[i].pid);
		rows[i + 1][2] = bundle_status_word(all[i].status);
		rows[i + 1][3] = all[i].bundle;
		rows[i + 1][4] = arena_strdup(a, when);
		rows[i + 1][5] = all[i].owner;
	}
	for (int c = 0; c < COLUMNS; c++) {
		width[c] = c < COLUMNS - 1 ? WIDTH : 0;
		for (size_t i = 0; c < COLUMNS - 1 && i <= n; i++)
			if ((int)strlen(rows[i][c]) + GAP > width[c])
				width[c] = (int)strlen(rows[i][c]) + GAP;
	}
	for (size_t i = 0; i <= n; i++)
		for (int c = 0; c < COLUMNS; c++)
			text_addf(t, c < COLUMNS - 1 ? "%-*s" : "%-*s\n", width[c], rows[i][c]);
}

static int list(const struct cmd_call *call, struct err *e)
{
	const struct list_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;
	struct bundle_info *all;
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	size_t n;
	bool json;

	if (check_format(o->format, &json, e) < 0 || oci_bundles(call, &b, e) < 0 ||
		bundle_list(&b, call->arena, &all, &n, e) < 0)
		return -e->code;
	if (json && !o->quiet) {
		json_begin(&w, NULL, '[');
		for (size_t i = 0; i < n; i++)
			add_state(&w, &all[i]);
		json_end(&w, ']');
		text_add(&t, "\n");
	} else if (o->quiet) {
		for (size_t i = 0; i < n; i++)
			text_addf(&t, "%s\n", all[i].id);
	} else {
		add_table(&t, all, n, call->arena);
	}
	fputs(t.p ? t.p : "", stdout);
	return 0;
}

static int ps(const struct cmd_call *call, struct err *e)
{
	const struct list_opts *o = call->opts;
	autobundles b = BUNDLES_NONE;
	const char *text;
	pid_t *pids;
	size_t n;
	bool json;

	if (check_format(o->format, &json, e) < 0 || oci_bundles(call, &b, e) < 0 ||
		bundle_pids(&b, call->args[0], call->arena, &pids, &n, e) < 0)
		return -e->code;
	if (json) {
		autotext t = { 0 };

		for (size_t i = 0; i < n; i++)
			text_addf(&t, "%s%d", i ? "," : "[", pids[i]);
		puts(n ? (text_add(&t, "]"), t.p) : "null");
		return 0;
	}
	if (bundle_ps(call->args + 1, pids, n, call->arena, &text, e) < 0)
		return -e->code;
	fputs(text, stdout);
	return 0;
}

void oci_add_words(struct json_writer *w, const char *name, const char *words)
{
	char word[128];

	json_begin(w, name, '[');
	while (*words) {
		size_t n = strcspn(words, " ");

		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		json_string(w, NULL, word);
		words += n + (words[n] == ' ');
	}
	json_end(w, ']');
}

static void add_enabled(struct json_writer *w, const char *name, bool enabled)
{
	json_begin(w, name, '{');
	json_bool(w, "enabled", enabled);
	json_end(w, '}');
}

static void add_linux_features(struct json_writer *w)
{
	static const char seccomp_flags[] =
		"SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW SECCOMP_FILTER_FLAG_TSYNC "
		"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV";

	json_begin(w, "linux", '{');
	oci_add_words(w, "namespaces", "cgroup ipc mount network pid time user uts");
	oci_add_words(w, "capabilities",
		"CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL "
		"CAP_SETGID "
		"CAP_SETUID CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST "
		"CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO "
		"CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT CAP_SYS_ADMIN CAP_SYS_BOOT "
		"CAP_SYS_NICE "
		"CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD CAP_LEASE "
		"CAP_AUDIT_WRITE "
		"CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG "
		"CAP_WAKE_ALARM "
		"CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE");
	json_begin(w, "cgroup", '{');
	json_bool(w, "v1", true);
	json_bool(w, "v2", true);
	json_bool(w, "systemd", true);
	json_bool(w, "systemdUser", true);
	json_bool(w, "rdma", true);
	json_end(w, '}');
	json_begin(w, "seccomp", '{');
	json_bool(w, "enabled", true);
	oci_add_words(w, "actions",
		"SCMP_ACT_ALLOW SCMP_ACT_ERRNO SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS "
		"SCMP_ACT_KILL_THREAD "
		"SCMP_ACT_LOG SCMP_ACT_NOTIFY SCMP_ACT_TRACE SCMP_ACT_TRAP");
	oci_add_words(w, "operators",
		"SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_LE SCMP_CMP_LT SCMP_CMP_MASKED_EQ "
		"SCMP_CMP_NE");
	oci_add_words(w, "archs",
		"SCMP_ARCH_AARCH64 SCMP_ARCH_ARM SCMP_ARCH_X32 SCMP_ARCH_X86 SCMP_ARCH_X86_64");
	oci_add_words(w, "knownFlags", seccomp_flags);
	oci_add_words(w, "supportedFlags", seccomp_flags);
	json_end(w, '}');
	/* what this program can do, not this host: features.md */
	add_enabled(w, "apparmor", true);
	add_enabled(w, "selinux", true);
	json_begin(w, "intelRdt", '{');
	json_bool(w, "enabled", true);
	json_bool(w, "schemata", true);
	json_bool(w, "monitoring", true);
	json_end(w, '}');
	json_begin(w, "memoryPolicy", '{');
	oci_add_words(w, "modes",
		"MPOL_BIND MPOL_DEFAULT MPOL_INTERLEAVE MPOL_LOCAL MPOL_PREFERRED "
		"MPOL_PREFERRED_MANY "
		"MPOL_WEIGHTED_INTERLEAVE");
	oci_add_words(
		w, "flags", "MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES");
	json_end(w, '}');
	json_begin(w, "mountExtensions", '{');
	add_enabled(w, "idmap", true);
	json_end(w, '}');
	add_enabled(w, "netDevices", true);
	json_end(w, '}');
}

static int features(const struct cmd_call *call, struct err *e)
{
	autobundles b = BUNDLES_NONE;
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };

	if (oci_bundles(call, &b, e) < 0 || bundles_probe(&b, HOST_ALL, e) < 0)
		return -e->code;
	json_begin(&w, NULL, '{');
	json_string(&w, "ociVersionMin", "1.0.0");
	json_string(&w, "ociVersionMax", "1.3.0");
	oci_add_words(&w, "hooks",
		"prestart createRuntime createContainer startContainer poststart poststop");
	oci_add_words(&w, "mountOptions",
		"acl async atime bind copy-symlink defaults dest-nofollow dev diratime dirsync "
		"exec "
		"idmap iversion "
		"lazytime loud mand noacl noatime nodev nodiratime noexec noiversion nolazytime "
		"nomand "
		"norelatime "
		"nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime relatime "
		"remount rexec "
		"ridmap rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid "
		"rnosymfollow ro "
		"rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow "
		"runbindable rw shared "
		"silent slave src-nofollow strictatime suid symfollow sync tmpcopyup unbindable");
	add_linux_features(&w);
	json_begin(&w, "annotations", '{');
	json_string(&w, "org.opencontainers.runc.checkpoint.enabled", "false");
	json_string(&w, "clade.version", CLADE_VERSION);
	json_end(&w, '}');
	oci_add_words(&w, "potentiallyUnsafeConfigAnnotations",
		"clade.init clade.reap org.systemd.property. run.oci.delegate-cgroup "
		"run.oci.hooks.stderr run.oci.hooks.stdout run.oci.keep_original_groups "
		"run.oci.systemd.subgroup");
	json_end(&w, '}');
	puts(t.p);
	return 0;
}

const struct cmd oci_state = { .name = "state",
	.args = "ID",
	.brief = "a container's state as JSON",
	.min_args = 1,
	.max_args = 1,
	.run = state };
const struct cmd oci_list = { .name = "list",
	.brief = "all containers of this state folder",
	.opts = list_opts,
	.opts_size = sizeof(struct list_opts),
	.run = list };
const struct cmd oci_ps = { .name = "ps",
	.args = "ID [ps's words...]",
	.brief = "the processes of a container",
	.min_args = 1,
	.max_args = -1,
	.opts = list_opts,
	.opts_size = sizeof(struct list_opts),
	.stops_at_word = true,
	.run = ps };
const struct cmd oci_features = {
	.name = "features", .brief = "what this runtime can do, as JSON", .run = features
};
