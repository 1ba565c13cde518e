/* SPDX-License-Identifier: Apache-2.0 */
/* config.md#process */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>

#include "base/str.h"
#include "spec/fields.h"

#define AT(type, member) offsetof(struct type, member)

/* capabilities(7), in the order of their numbers */
const struct word capability_words[] = { { "CAP_CHOWN", 0 }, { "CAP_DAC_OVERRIDE", 1 },
	{ "CAP_DAC_READ_SEARCH", 2 }, { "CAP_FOWNER", 3 }, { "CAP_FSETID", 4 }, { "CAP_KILL", 5 },
	{ "CAP_SETGID", 6 }, { "CAP_SETUID", 7 }, { "CAP_SETPCAP", 8 },
	{ "CAP_LINUX_IMMUTABLE", 9 }, { "CAP_NET_BIND_SERVICE", 10 }, { "CAP_NET_BROADCAST", 11 },
	{ "CAP_NET_ADMIN", 12 }, { "CAP_NET_RAW", 13 }, { "CAP_IPC_LOCK", 14 },
	{ "CAP_IPC_OWNER", 15 }, { "CAP_SYS_MODULE", 16 }, { "CAP_SYS_RAWIO", 17 },
	{ "CAP_SYS_CHROOT", 18 }, { "CAP_SYS_PTRACE", 19 }, { "CAP_SYS_PACCT", 20 },
	{ "CAP_SYS_ADMIN", 21 }, { "CAP_SYS_BOOT", 22 }, { "CAP_SYS_NICE", 23 },
	{ "CAP_SYS_RESOURCE", 24 }, { "CAP_SYS_TIME", 25 }, { "CAP_SYS_TTY_CONFIG", 26 },
	{ "CAP_MKNOD", 27 }, { "CAP_LEASE", 28 }, { "CAP_AUDIT_WRITE", 29 },
	{ "CAP_AUDIT_CONTROL", 30 }, { "CAP_SETFCAP", 31 }, { "CAP_MAC_OVERRIDE", 32 },
	{ "CAP_MAC_ADMIN", 33 }, { "CAP_SYSLOG", 34 }, { "CAP_WAKE_ALARM", 35 },
	{ "CAP_BLOCK_SUSPEND", 36 }, { "CAP_AUDIT_READ", 37 }, { "CAP_PERFMON", 38 },
	{ "CAP_BPF", 39 }, { "CAP_CHECKPOINT_RESTORE", 40 }, { 0 } };

const struct word rlimit_words[] = { { "RLIMIT_AS", RLIMIT_AS }, { "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU }, { "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE }, { "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE }, { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC }, { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO }, { "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK }, { 0 } };

static const struct word policy_words[] = { { "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 },
	{ "SCHED_RR", 2 }, { "SCHED_BATCH", 3 }, { "SCHED_ISO", 4 }, { "SCHED_IDLE", 5 },
	{ "SCHED_DEADLINE", 6 }, { 0 } };

static const struct word sched_flag_words[] = { { "SCHED_FLAG_RESET_ON_FORK", 0x01 },
	{ "SCHED_FLAG_RECLAIM", 0x02 }, { "SCHED_FLAG_DL_OVERRUN", 0x04 },
	{ "SCHED_FLAG_KEEP_POLICY", 0x08 }, { "SCHED_FLAG_KEEP_PARAMS", 0x10 },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 }, { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, { 0 } };

static const struct word io_class_words[] = { { "IOPRIO_CLASS_RT", 1 }, { "IOPRIO_CLASS_BE", 2 },
	{ "IOPRIO_CLASS_IDLE", 3 }, { 0 } };

/* A set of capabilities: what is not known becomes a warning later, not an error. */
static int read_caps(struct load *l, const struct json *v, void *object, const struct field *f)
{
	struct spec_caps *caps = object;
	uint64_t *set = (uint64_t *)((char *)object + f->offset);

	if (v->kind != JSON_ARRAY)
		return load_say(l, "a list is wanted here");
	for (const struct json *s = json_first(v); s; s = json_next(v, s)) {
		int64_t cap;
		const char **unknown;

		if (s->kind != JSON_STRING)
			return load_say(l, "a list of strings is wanted here");
		cap = word_value(capability_words, s->text);
		if (cap >= 0) {
			*set |= UINT64_C(1) << cap;
			continue;
		}
		unknown = arena_grow(
			l->arena, &caps->unknown.items, &caps->unknown.n, sizeof(*unknown));
		*unknown = s->text;
	}
	return 0;
}

static void write_caps(struct json_writer *w, const void *object, const struct field *f)
{
	uint64_t set = *(const uint64_t *)((const char *)object + f->offset);

	json_begin(w, f->name, '[');
	for (const struct word *c = capability_words; c->word; c++)
		if (set & (UINT64_C(1) << c->value))
			json_string(w, NULL, c->word);
	json_end(w, ']');
}

#define CAPS(name)                                                                                 \
	{                                                                                          \
#name, F_OWN, AT(spec_caps, name), .read = read_caps, .write = write_caps          \
	}

static const struct field caps_fields[] = { CAPS(bounding), CAPS(effective), CAPS(inheritable),
	CAPS(permitted), CAPS(ambient), { 0 } };

static const struct field console_fields[] = {
	{ "height", F_U16, AT(spec_process, console_size.height) },
	{ "width", F_U16, AT(spec_process, console_size.width) },
	{ 0 },
};

static const struct field user_fields[] = {
	{ "uid", F_U32, AT(spec_user, uid), .always = true },
	{ "gid", F_U32, AT(spec_user, gid), .always = true },
	{ "umask", F_MAYBE_U64, AT(spec_user, umask) },
	{ "additionalGids", F_U32S, AT(spec_user, additional_gids),
		AT(spec_user, n_additional_gids) },
	{ 0 },
};

static const struct field rlimit_fields[] = {
	{ "type", F_WORD, AT(spec_rlimit, resource), .words = rlimit_words },
	{ "soft", F_U64, AT(spec_rlimit, soft), .always = true },
	{ "hard", F_U64, AT(spec_rlimit, hard), .always = true },
	{ 0 },
};

static void rlimit_init(void *item)
{
	((struct spec_rlimit *)item)->resource = -1;
}

static const struct field scheduler_fields[] = {
	{ "policy", F_WORD, AT(spec_scheduler, policy), .words = policy_words },
	{ "nice", F_INT, AT(spec_scheduler, nice) },
	{ "priority", F_INT, AT(spec_scheduler, priority) },
	{ "flags", F_BITS, AT(spec_scheduler, flags), .words = sched_flag_words },
	{ "runtime", F_U64, AT(spec_scheduler, runtime) },
	{ "deadline", F_U64, AT(spec_scheduler, deadline) },
	{ "period", F_U64, AT(spec_scheduler, period) },
	{ 0 },
};

static const struct field io_priority_fields[] = {
	{ "class", F_WORD, AT(spec_io_priority, class), .words = io_class_words },
	{ "priority", F_INT, AT(spec_io_priority, priority), .always = true },
	{ 0 },
};

static const struct field affinity_fields[] = {
	{ "initial", F_STRING, AT(spec_process, exec_cpu_affinity.initial) },
	{ "final", F_STRING, AT(spec_process, exec_cpu_affinity.final) },
	{ 0 },
};

const struct field process_fields[] = {
	{ "terminal", F_BOOL, AT(spec_process, terminal) },
	{ "consoleSize", F_OBJECT, 0, NO_FLAG, console_fields },
	{ "user", F_OBJECT, AT(spec_process, user), NO_FLAG, user_fields },
	{ "args", F_STRINGS, AT(spec_process, args) },
	{ "env", F_STRINGS, AT(spec_process, env) },
	{ "cwd", F_STRING, AT(spec_process, cwd) },
	{ "capabilities", F_OBJECT, AT(spec_process, capabilities),
		AT(spec_process, capabilities.set), caps_fields },
	{ "rlimits", F_ARRAY, AT(spec_process, rlimits), AT(spec_process, n_rlimits), rlimit_fields,
		sizeof(struct spec_rlimit), .init = rlimit_init },
	{ "noNewPrivileges", F_BOOL, AT(spec_process, no_new_privileges) },
	{ "apparmorProfile", F_STRING, AT(spec_process, apparmor_profile) },
	{ "selinuxLabel", F_STRING, AT(spec_process, selinux_label) },
	{ "oomScoreAdj", F_MAYBE_I64, AT(spec_process, oom_score_adj) },
	{ "scheduler", F_OBJECT, AT(spec_process, scheduler), AT(spec_process, scheduler.set),
		scheduler_fields },
	{ "ioPriority", F_OBJECT, AT(spec_process, io_priority), AT(spec_process, io_priority.set),
		io_priority_fields },
	{ "execCPUAffinity", F_OBJECT, 0, NO_FLAG, affinity_fields },
	{ 0 },
};
