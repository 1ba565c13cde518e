/* SPDX-License-Identifier: Apache-2.0 */
#include "os/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/str.h"
#include "os/caps.h"
#include "os/file.h"
#include "os/mount_template.h"

enum { MOUNTINFO_MAX = 16 << 20, SUBID_MAX = 1 << 20 };

static void probe_kernel(struct host *h)
{
	struct utsname u;

	uname(&u);
	h->machine = arena_strdup(&h->arena, u.machine);
	sscanf(u.release, "%u.%u", &h->kernel_major, &h->kernel_minor);
	h->page_size = (unsigned long)sysconf(_SC_PAGESIZE);
	h->has_mount_idmap = h->kernel_major > 5 || (h->kernel_major == 5 && h->kernel_minor >= 12);
	h->has_overlay_userxattr =
		h->kernel_major > 5 || (h->kernel_major == 5 && h->kernel_minor >= 11);
}

/* The initial user namespace has the number the kernel gives it at boot (PROC_USER_INIT_INO). */
bool host_is_initial_userns(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == 0xEFFFFFFDU;
}

/* A line of mountinfo (proc_pid_mountinfo(5)): "36 35 98:0 /root /mount opts - type source super".
 */
struct mount_line {
	char *mount_point, *type, *super;
};

static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static bool split(char *line, struct mount_line *ret)
{
	char *dash = strstr(line, " - "), *save = NULL, *word = strtok_r(line, " ", &save);

	for (int i = 0; word && i < 4; i++)
		word = strtok_r(NULL, " ", &save);
	if (!dash || !word)
		return false;
	ret->mount_point = word;
	unescape(word);
	ret->type = strtok_r(dash + 3, " ", &save);
	strtok_r(NULL, " ", &save);
	ret->super = strtok_r(NULL, " \n", &save);
	return ret->type && ret->super;
}

/* "rw,cpu,cpuacct" to "cpu,cpuacct"; other words of a v1 hierarchy are its options. */
static const char *controllers_of(struct arena *a, char *super)
{
	static const char *const options[] = { "rw", "ro", "xattr", "clone_children", "noprefix",
		"release_agent=", "cpuset_v2_mode", "seclabel" };
	const char *all = NULL;
	char *save = NULL;

	for (char *w = strtok_r(super, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		bool is_option = false;

		for (size_t i = 0; i < ARRAY_LEN(options); i++)
			is_option |= str_starts(w, options[i]);
		if (!is_option)
			all = all ? arena_printf(a, "%s,%s", all, w) : arena_strdup(a, w);
	}
	return all;
}

static bool already_there(const struct host *h, const char *controllers)
{
	for (size_t i = 0; i < h->n_v1; i++)
		if (str_eq(h->v1[i].controllers, controllers))
			return true;
	return false;
}

static void take_mount(struct host *h, struct mount_line *m)
{
	struct host_hierarchy *v1;
	const char *controllers;

	if (str_eq(m->type, "cgroup2") && !h->v2_mount_point) {
		h->v2_mount_point = arena_strdup(&h->arena, m->mount_point);
		return;
	}
	if (!str_eq(m->type, "cgroup"))
		return;
	controllers = controllers_of(&h->arena, m->super);
	if (!controllers || already_there(h, controllers))
		return;
	v1 = arena_grow(&h->arena, &h->v1, &h->n_v1, sizeof(*v1));
	v1->controllers = controllers;
	v1->mount_point = arena_strdup(&h->arena, m->mount_point);
	v1->own_path = "/";
}

static bool same_controllers(const char *a, const char *b)
{
	size_t n = strcspn(a, ",");

	/* the order is the kernel's in both files: the first one tells */
	return strncmp(a, b, n) == 0 && (b[n] == ',' || b[n] == '\0' || b[n] == ':');
}

/* /proc/self/cgroup (cgroups(7)): "4:cpu,cpuacct:/path", v2 "0::/path" */
static void read_own_paths(struct host *h)
{
	char text[8192], *save = NULL;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		names++;
		if (!names[0])
			h->v2_own_path = arena_strdup(&h->arena, path);
		for (size_t i = 0; i < h->n_v1 && names[0]; i++)
			if (same_controllers(h->v1[i].controllers, names))
				h->v1[i].own_path = arena_strdup(&h->arena, path);
	}
}

static void read_v2_controllers(struct host *h)
{
	char text[512], *save = NULL;
	autotext name = { 0 };

	text_addf(&name, "%s/cgroup.controllers", h->v2_mount_point);
	if (file_read(AT_FDCWD, name.p, text, sizeof(text)) < 0)
		return;
	for (char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		const char **item = arena_grow(
			&h->arena, &h->v2_controllers, &h->n_v2_controllers, sizeof(*item));

		*item = arena_strdup(&h->arena, w);
	}
}

static bool owns_all_cgroups(const struct host *h)
{
	return h->euid == 0 && h->in_initial_userns;
}

/*
 * Can this user make folders where containers go? Root in the first user namespace: at the
 * hierarchy's root, if that is not mounted read-only (as in a container). Others: below their
 * own v2 cgroup, if it was delegated.
 */
static bool is_writable(const struct host *h)
{
	autotext path = { 0 };
	struct statvfs st;
	const char *top = h->v2_mount_point ? h->v2_mount_point
			  : h->n_v1	    ? h->v1[0].mount_point
					    : NULL;

	if (!top)
		return false;
	if (owns_all_cgroups(h)) {
		if (h->n_v1 && (statvfs(h->v1[0].mount_point, &st) < 0 || (st.f_flag & ST_RDONLY)))
			return false;
		return access(top, W_OK) == 0;
	}
	if (h->cgroup_mode != CGROUP_MODE_V2)
		return false;
	text_addf(&path, "%s%s", top, h->v2_own_path);
	return access(path.p, W_OK) == 0;
}

/* Where cgroup file systems are mounted, as the list of all mounts has it. */
static void find_cgroups(struct host *h)
{
	autofree char *text = NULL;
	char *save = NULL;

	if (file_read_all(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mount_line m;

		if (strstr(line, " - cgroup") && split(line, &m))
			take_mount(h, &m);
	}
}

static void probe_cgroups(struct host *h, unsigned wants)
{
	struct statfs st;

	/* where everybody has it; the list of mounts may be long */
	if (statfs("/sys/fs/cgroup", &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
		h->v2_mount_point = "/sys/fs/cgroup";
	else
		find_cgroups(h);
	h->cgroup_mode = h->n_v1 ? (h->v2_mount_point ? CGROUP_MODE_HYBRID : CGROUP_MODE_V1)
			 : h->v2_mount_point ? CGROUP_MODE_V2
					     : CGROUP_MODE_NONE;
	h->v2_own_path = "/";
	/* who may use them all puts a container anywhere, wherever we are */
	h->cgroup_writable = owns_all_cgroups(h) && is_writable(h);
	if ((wants & HOST_OWN_CGROUP) || !h->cgroup_writable)
		read_own_paths(h);
	h->cgroup_writable = h->cgroup_writable || is_writable(h);
	if (h->v2_mount_point && (wants & HOST_CONTROLLERS))
		read_v2_controllers(h);
}

/* subuid(5): "name:start:count", by name or by number */
static void read_subids(struct host *h, const char *file, const char *name,
	struct host_idrange **ret, size_t *ret_n)
{
	autofree char *text = NULL;
	char *save = NULL, number[16];

	if (file_read_all(AT_FDCWD, file, SUBID_MAX, &text) < 0)
		return;
	snprintf(number, sizeof(number), "%u", h->euid);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strchr(line, ':');
		struct host_idrange range, *item;

		if (!colon || sscanf(colon + 1, "%u:%u", &range.start, &range.count) != 2)
			continue;
		*colon = '\0';
		if (!str_eq(line, number) && (!name || !str_eq(line, name)))
			continue;
		item = arena_grow(&h->arena, ret, ret_n, sizeof(*item));
		*item = range;
	}
}

static bool is_in_path(const char *program)
{
	static const char *const dirs[] = { "/usr/bin", "/bin", "/usr/sbin", "/usr/local/bin" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", dirs[i], program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void probe_user(struct host *h)
{
	uint64_t permitted, inheritable;
	struct passwd *pw;

	h->euid = geteuid();
	h->egid = getegid();
	caps_get(&h->caps, &permitted, &inheritable);
	h->last_cap = caps_last();
	if (h->euid == 0)
		return;
	pw = getpwuid(h->euid);
	read_subids(h, "/etc/subuid", pw ? pw->pw_name : NULL, &h->subuids, &h->n_subuids);
	read_subids(h, "/etc/subgid", pw ? pw->pw_name : NULL, &h->subgids, &h->n_subgids);
	h->has_newuidmap = is_in_path("newuidmap") && is_in_path("newgidmap");
}

static void probe_lsm(struct host *h)
{
	char text[8];

	h->selinux = access("/sys/fs/selinux/enforce", F_OK) == 0;
	h->apparmor = file_read(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", text,
			      sizeof(text)) > 0 &&
		      text[0] == 'Y';
}

void host_probe_process(struct host *ret, unsigned wants)
{
	struct host h = { 0 };

	probe_kernel(&h);
	probe_user(&h);
	if (wants & HOST_LSM)
		probe_lsm(&h);
	*ret = h;
}

int host_probe(struct host *ret, unsigned wants)
{
	struct host h;

	host_probe_process(&h, wants);
	h.in_initial_userns = host_is_initial_userns();
	/* is it that, or is there nobody to say so? */
	if (!h.in_initial_userns && access("/proc/self/status", R_OK) < 0) {
		arena_done(&h.arena);
		return -ENOTSUP;
	}
	probe_cgroups(&h, wants);
	h.has_time_ns = (wants & HOST_TIME) && access("/proc/self/ns/time", F_OK) == 0;
	h.systemd_booted = (wants & HOST_SYSTEMD) && access("/run/systemd/system", F_OK) == 0;
	h.n_tasks = mount_template_tasks();
	*ret = h;
	return 0;
}
