/* SPDX-License-Identifier: Apache-2.0 */
/* spec: a configuration to begin with, the one that runc's users know. */
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "oci/commands.h"

struct spec_opts {
	const char *bundle, *file;
	bool rootless;
};

static const struct opt spec_opts[] = {
	{ "bundle", 'b', OPT_STRING, offsetof(struct spec_opts, bundle), "DIR",
		"where (default: here)" },
	{ "file", 'f', OPT_STRING, offsetof(struct spec_opts, file), "NAME",
		"instead of config.json" },
	{ "rootless", 0, OPT_FLAG, offsetof(struct spec_opts, rootless), NULL,
		"with a user namespace" },
	{ 0 },
};

static const char caps[] = "CAP_AUDIT_WRITE CAP_KILL CAP_NET_BIND_SERVICE";

/* One mount a row; options are words. */
static const struct {
	const char *destination, *type, *source, *options;
	bool rootful, rootless;
} mounts[] = {
	{ "/proc", "proc", "proc", "", true, true },
	{ "/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k", true, true },
	/* group 5, tty, is not mapped without subordinate ids */
	{ "/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5",
		true, false },
	{ "/dev/pts", "devpts", "devpts", "nosuid noexec newinstance ptmxmode=0666 mode=0620",
		false, true },
	{ "/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k", true, true },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev", true, true },
	{ "/sys", "sysfs", "sysfs", "nosuid noexec nodev ro", true, false },
	/* sysfs belongs to the network namespace, which is the host's */
	{ "/sys", "none", "/sys", "rbind nosuid noexec nodev ro", false, true },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro", true, true },
};

static void add_process(struct json_writer *w)
{
	json_begin(w, "process", '{');
	json_bool(w, "terminal", true);
	json_begin(w, "user", '{');
	json_uint(w, "uid", 0);
	json_uint(w, "gid", 0);
	json_end(w, '}');
	oci_add_words(w, "args", "sh");
	oci_add_words(w, "env",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=xterm");
	json_string(w, "cwd", "/");
	json_begin(w, "capabilities", '{');
	oci_add_words(w, "bounding", caps);
	oci_add_words(w, "effective", caps);
	oci_add_words(w, "permitted", caps);
	json_end(w, '}');
	json_begin(w, "rlimits", '[');
	json_begin(w, NULL, '{');
	json_string(w, "type", "RLIMIT_NOFILE");
	json_uint(w, "hard", 1024);
	json_uint(w, "soft", 1024);
	json_end(w, '}');
	json_end(w, ']');
	json_bool(w, "noNewPrivileges", true);
	json_end(w, '}');
}

static void add_mounts(struct json_writer *w, bool rootless)
{
	json_begin(w, "mounts", '[');
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (rootless ? !mounts[i].rootless : !mounts[i].rootful)
			continue;
		json_begin(w, NULL, '{');
		json_string(w, "destination", mounts[i].destination);
		json_string(w, "type", mounts[i].type);
		json_string(w, "source", mounts[i].source);
		if (mounts[i].options[0])
			oci_add_words(w, "options", mounts[i].options);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void add_own_id(struct json_writer *w, const char *name, uint32_t id)
{
	json_begin(w, name, '[');
	json_begin(w, NULL, '{');
	json_uint(w, "containerID", 0);
	json_uint(w, "hostID", id);
	json_uint(w, "size", 1);
	json_end(w, '}');
	json_end(w, ']');
}

static void add_linux(struct json_writer *w, bool rootless)
{
	static const char *const types[] = { "pid", "network", "ipc", "uts", "mount", "cgroup",
		"user" };

	json_begin(w, "linux", '{');
	if (rootless) {
		add_own_id(w, "uidMappings", (uint32_t)geteuid());
		add_own_id(w, "gidMappings", (uint32_t)getegid());
	} else {
		json_begin(w, "resources", '{');
		json_begin(w, "devices", '[');
		json_begin(w, NULL, '{');
		json_bool(w, "allow", false);
		json_string(w, "access", "rwm");
		json_end(w, '}');
		json_end(w, ']');
		json_end(w, '}');
	}
	json_begin(w, "namespaces", '[');
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_eq(types[i], rootless ? "network" : "user"))
			continue;
		json_begin(w, NULL, '{');
		json_string(w, "type", types[i]);
		json_end(w, '}');
	}
	json_end(w, ']');
	oci_add_words(w, "maskedPaths",
		"/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats "
		"/proc/timer_list /proc/timer_stats /proc/sched_debug /sys/firmware /proc/scsi");
	oci_add_words(
		w, "readonlyPaths", "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger");
	json_end(w, '}');
}

static int spec(const struct cmd_call *call, struct err *e)
{
	const struct spec_opts *o = call->opts;
	autotext t = { 0 };
	struct json_writer w = { .t = &t, .indent = 2 };

	json_begin(&w, NULL, '{');
	json_string(&w, "ociVersion", "1.3.0");
	add_process(&w);
	json_begin(&w, "root", '{');
	json_string(&w, "path", "rootfs");
	json_bool(&w, "readonly", true);
	json_end(&w, '}');
	json_string(&w, "hostname", "clade");
	add_mounts(&w, o->rootless);
	add_linux(&w, o->rootless);
	json_end(&w, '}');
	text_add(&t, "\n");
	return bundle_write_new(
		o->bundle ? o->bundle : ".", o->file ? o->file : "config.json", t.p, e);
}

const struct cmd oci_spec = { .name = "spec",
	.brief = "write a config.json to begin with",
	.opts = spec_opts,
	.opts_size = sizeof(struct spec_opts),
	.run = spec };
