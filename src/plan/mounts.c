/* SPDX-License-Identifier: Apache-2.0 */
/* What is mounted where, and what every word of a mount's options means. */
#include <linux/mount.h>
#include <sched.h>

#include "base/str.h"
#include "plan/decide.h"

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

enum word_kind {
	W_ATTR,	       /* set and clear this mount's attributes */
	W_RATTR,       /* the same for it and all beneath */
	W_PROPAGATION, /* value: MS_* */
	W_RPROPAGATION,
	W_SUPER, /* a flag of the filesystem, known to every one: passed on as a word */
	W_NONE,	 /* asks for what is there anyway */
	W_BIND,
	W_RBIND,
	W_REMOUNT,
	W_IDMAP,
	W_RIDMAP,
	W_TMPCOPYUP,
	W_COPY_SYMLINK,
	W_NOFOLLOW_SOURCE,
	W_NOFOLLOW_TARGET,
	W_NOFAIL,
};

struct word {
	const char *word;
	enum word_kind kind;
	uint64_t set, clear;
};

/* Each attribute has a word for this mount and, with an r before it, one for the whole tree. */
#define ATTR(word, set, clear)                                                                     \
	{ word, W_ATTR, set, clear },                                                              \
	{                                                                                          \
		"r" word, W_RATTR, set, clear                                                      \
	}
#define ATIME MOUNT_ATTR__ATIME

/* config.md#mounts, "Linux mount options"; the last three are crun's. */
static const struct word words[] = {
	ATTR("ro", MOUNT_ATTR_RDONLY, 0), ATTR("rw", 0, MOUNT_ATTR_RDONLY),
	ATTR("nosuid", MOUNT_ATTR_NOSUID, 0), ATTR("suid", 0, MOUNT_ATTR_NOSUID),
	ATTR("nodev", MOUNT_ATTR_NODEV, 0), ATTR("dev", 0, MOUNT_ATTR_NODEV),
	ATTR("noexec", MOUNT_ATTR_NOEXEC, 0), ATTR("exec", 0, MOUNT_ATTR_NOEXEC),
	ATTR("nodiratime", MOUNT_ATTR_NODIRATIME, 0), ATTR("diratime", 0, MOUNT_ATTR_NODIRATIME),
	ATTR("nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0),
	ATTR("symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW),
	/* Three states of one field; what is not noatime nor strictatime is relatime. */
	ATTR("noatime", MOUNT_ATTR_NOATIME, ATIME),
	ATTR("strictatime", MOUNT_ATTR_STRICTATIME, ATIME),
	ATTR("relatime", MOUNT_ATTR_RELATIME, ATIME), ATTR("atime", MOUNT_ATTR_RELATIME, ATIME),
	ATTR("norelatime", MOUNT_ATTR_RELATIME, ATIME),
	ATTR("nostrictatime", MOUNT_ATTR_RELATIME, ATIME),
	{ "shared", W_PROPAGATION, MS_SHARED, 0 }, { "slave", W_PROPAGATION, MS_SLAVE, 0 },
	{ "private", W_PROPAGATION, MS_PRIVATE, 0 },
	{ "unbindable", W_PROPAGATION, MS_UNBINDABLE, 0 },
	{ "rshared", W_RPROPAGATION, MS_SHARED, 0 }, { "rslave", W_RPROPAGATION, MS_SLAVE, 0 },
	{ "rprivate", W_RPROPAGATION, MS_PRIVATE, 0 },
	{ "runbindable", W_RPROPAGATION, MS_UNBINDABLE, 0 }, { "sync", W_SUPER, 0, 0 },
	{ "async", W_SUPER, 0, 0 }, { "dirsync", W_SUPER, 0, 0 }, { "lazytime", W_SUPER, 0, 0 },
	{ "nolazytime", W_SUPER, 0, 0 }, { "mand", W_SUPER, 0, 0 }, { "nomand", W_SUPER, 0, 0 },
	{ "iversion", W_SUPER, 0, 0 }, { "noiversion", W_NONE, 0, 0 }, { "silent", W_NONE, 0, 0 },
	{ "loud", W_NONE, 0, 0 }, { "defaults", W_NONE, 0, 0 }, { "bind", W_BIND, 0, 0 },
	/* runc's, a flag of old mount(2) that filesystems set by themselves */
	{ "acl", W_NONE, 0, 0 }, { "noacl", W_NONE, 0, 0 }, { "rbind", W_RBIND, 0, 0 },
	{ "remount", W_REMOUNT, 0, 0 }, { "idmap", W_IDMAP, 0, 0 }, { "ridmap", W_RIDMAP, 0, 0 },
	{ "tmpcopyup", W_TMPCOPYUP, 0, 0 }, { "copy-symlink", W_COPY_SYMLINK, 0, 0 },
	{ "src-nofollow", W_NOFOLLOW_SOURCE, 0, 0 }, { "dest-nofollow", W_NOFOLLOW_TARGET, 0, 0 },
	{ "nofail", W_NOFAIL, 0, 0 }, /* mount(8)'s, of our own files in a container */
};

static void change(uint64_t *set, uint64_t *clear, const struct word *w)
{
	*set = (*set & ~w->clear) | w->set;
	*clear = (*clear | w->clear) & ~(w->set & ~(uint64_t)ATIME);
}

static void add_data(const struct decide *d, struct plan_mount *m, const char *option)
{
	struct spec_pair *pair = arena_grow(d->arena, &m->data.items, &m->data.n, sizeof(*pair));
	const char *equals = strchr(option, '=');

	pair->key = equals ? arena_strndup(d->arena, option, (size_t)(equals - option)) : option;
	pair->value = equals ? equals + 1 : NULL;
}

static void apply(const struct decide *d, struct plan_mount *m, const struct word *w)
{
	switch (w->kind) {
	case W_ATTR:
		change(&m->attr_set, &m->attr_clear, w);
		break;
	case W_RATTR:
		change(&m->attr_set_recursive, &m->attr_clear_recursive, w);
		break;
	case W_PROPAGATION:
	case W_RPROPAGATION:
		m->propagation = w->set;
		m->propagation_recursive = w->kind == W_RPROPAGATION;
		break;
	case W_SUPER:
		add_data(d, m, w->word);
		break;
	case W_NONE:
		break;
	case W_BIND:
	case W_RBIND:
		m->kind = m->kind == MOUNT_REMOUNT ? MOUNT_REMOUNT : MOUNT_BIND;
		m->recursive = m->recursive || w->kind == W_RBIND;
		break;
	case W_REMOUNT:
		m->kind = MOUNT_REMOUNT;
		break;
	case W_IDMAP:
	case W_RIDMAP:
		m->idmap = true;
		m->idmap_recursive = m->idmap_recursive || w->kind == W_RIDMAP;
		break;
	case W_TMPCOPYUP:
		m->tmpcopyup = true;
		break;
	case W_COPY_SYMLINK:
		m->copy_symlink = true;
		break;
	case W_NOFOLLOW_SOURCE:
		m->nofollow_source = true;
		break;
	case W_NOFOLLOW_TARGET:
		m->nofollow_target = true;
		break;
	case W_NOFAIL:
		m->optional = true;
		break;
	}
}

static const struct word *find_word(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(words[i].word, option))
			return &words[i];
	return NULL;
}

/* The filesystem under a bind has its flags already: as with mount(2) they are none of the bind's.
 */
static void drop_flags(struct plan_mount *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->data.n; i++) {
		const struct word *w = find_word(m->data.items[i].key);

		if (!w || w->kind != W_SUPER || m->data.items[i].value)
			m->data.items[kept++] = m->data.items[i];
	}
	m->data.n = kept;
}

static void read_options(const struct decide *d, const struct spec_mount *s, struct plan_mount *m)
{
	for (size_t i = 0; i < s->options.n; i++) {
		const char *option = s->options.items[i];
		const struct word *found = find_word(option);

		if (found)
			apply(d, m, found);
		else if (option[0])
			add_data(d, m, option);
	}
	if (m->kind == MOUNT_BIND)
		drop_flags(m);
}

/*
 * /proc must stay a procfs that nobody can lay a file of his own over: labels, sysctls and the
 * like are written through it (CVE-2019-16884, CVE-2025-52881). These files below it are known
 * to be replaced by lxcfs and the like, and nothing is written to them.
 */
static int check_proc(const struct plan_mount *m, struct err *e)
{
	static const char *const harmless[] = { "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",
		"/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg", "/proc/slabinfo",
		"/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled" };

	if (str_eq(m->target, "/proc")) {
		if (m->kind == MOUNT_NEW && str_eq(m->fstype, "proc"))
			return 0;
		if (m->kind == MOUNT_BIND && str_eq(m->source, "/proc"))
			return 0;
		if (m->kind == MOUNT_REMOUNT)
			return 0;
		return err_say(e, "%s: only a proc filesystem can be mounted on /proc", m->name);
	}
	if (!str_starts(m->target, "/proc/"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (str_eq(m->target, harmless[i]))
			return 0;
	return err_say(e, "%s: %s lies inside /proc", m->name, m->target);
}

static int check(
	const struct decide *d, const struct spec_mount *s, struct plan_mount *m, struct err *e)
{
	if (str_eq(m->target, "/"))
		return err_say(e, "%s: the destination is the root itself", m->name);
	if (m->kind == MOUNT_BIND && m->data.n)
		return err_say(e, "%s: a bind mount takes no filesystem option (%s)", m->name,
			m->data.items[0].key);
	if (m->kind == MOUNT_BIND && !s->source)
		return err_say(e, "%s: a bind mount needs a source", m->name);
	if (m->kind == MOUNT_NEW && !m->fstype)
		return err_say(e, "%s: neither a type nor bind is given", m->name);
	if (m->tmpcopyup && (m->kind != MOUNT_NEW || !str_eq(m->fstype, "tmpfs")))
		return err_say(e, "%s: tmpcopyup is for tmpfs alone", m->name);
	if (m->copy_symlink && m->kind != MOUNT_BIND)
		return err_say(e, "%s: copy-symlink is for bind mounts alone", m->name);
	if (m->idmap && m->kind != MOUNT_BIND)
		return err_say(e, "%s: an idmapped mount is a bind mount", m->name);
	if (m->idmap && !d->host->has_mount_idmap)
		return err_say(e, "%s: this kernel has no idmapped mounts", m->name);
	if (m->idmap_of_container && !namespaces_has(&d->plan->namespaces, CLONE_NEWUSER))
		return err_say(e,
			"%s: idmap without mappings needs a user namespace of the container",
			m->name);
	return check_proc(m, e);
}

static const char *bind_source(const struct decide *d, const char *source)
{
	if (!source || source[0] == '/')
		return source;
	return arena_printf(d->arena, "%s/%s", d->req->bundle, source);
}

static int decide_one(const struct decide *d, size_t i, struct plan_mount *m, struct err *e)
{
	const struct spec_mount *s = &d->spec->mounts[i];
	const char *type = s->type && !str_eq(s->type, "none") && s->type[0] ? s->type : NULL;

	if (!s->destination || !s->destination[0])
		return err_say(e, "mounts[%zu]: no destination", i);
	m->name = arena_printf(d->arena, "mounts[%zu]", i);
	m->target = decide_clean_path(d, s->destination);
	m->kind = type && str_eq(type, "bind") ? MOUNT_BIND : MOUNT_NEW;
	if (s->destination[0] != '/')
		decide_warn(d, "%s: the destination %s is relative, which is deprecated", m->name,
			s->destination);
	read_options(d, s, m);
	if (m->kind == MOUNT_NEW && type && (str_eq(type, "cgroup") || str_eq(type, "cgroup2")))
		m->kind = MOUNT_CGROUP;
	m->fstype = m->kind == MOUNT_BIND ? NULL : type;
	m->source = m->kind == MOUNT_BIND ? bind_source(d, s->source)
		    : s->source		  ? s->source
		    : type		  ? type
					  : "none";
	m->uid_mappings = s->uid_mappings;
	m->gid_mappings = s->gid_mappings;
	if (!s->uid_mappings.n != !s->gid_mappings.n)
		return err_say(e, "%s: uidMappings and gidMappings are only set together", m->name);
	m->idmap = m->idmap || s->uid_mappings.n;
	m->idmap_of_container = m->idmap && !s->uid_mappings.n;
	if (d->host->selinux && m->kind == MOUNT_NEW)
		m->label = d->spec->linux_.mount_label;
	/* What is made beneath a fresh tmpfs must be made before it is read-only. */
	if ((m->attr_set & MOUNT_ATTR_RDONLY) &&
		(m->kind == MOUNT_CGROUP ||
			(m->kind == MOUNT_NEW && m->fstype && str_eq(m->fstype, "tmpfs")))) {
		m->attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
		m->ro_after = true;
	}
	return check(d, s, m, e);
}

int mounts_decide(const struct decide *d, struct err *e)
{
	struct plan *p = d->plan;

	if (!p->root.has_mount_ns) {
		if (d->spec->n_mounts)
			return err_say(
				e, "mounts: the container has no mount namespace of its own");
		return 0;
	}
	p->mounts = arena_array(d->arena, d->spec->n_mounts, sizeof(*p->mounts));
	p->n_mounts = d->spec->n_mounts;
	for (size_t i = 0; i < p->n_mounts; i++) {
		int r = decide_one(d, i, &p->mounts[i], e);

		if (r < 0)
			return r;
	}
	return 0;
}
