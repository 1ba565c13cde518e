/* SPDX-License-Identifier: Apache-2.0 */
/* The state of bundles: where it lies, what it says, what follows from it now. */
#include "life/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "life/bundle_internal.h"
#include "life/internal.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/probe.h"
#include "os/seal.h"
#include "store/store.h"

enum { STATE_MAX = 1 << 20, CONFIG_MAX = 128 << 20 };

/*
 * Where runc would look, too: root of a user namespace that a normal user made (a rootless engine
 * runs as that) has the user's runtime folder, root of a container that says so with USER has /run.
 */
static const char *default_root(struct bundles *b)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR"), *user = getenv("USER");
	bool is_root = geteuid() == 0 &&
		       (!runtime || (user && str_eq(user, "root")) || host_is_initial_userns());

	if (is_root)
		return "/run/clade-oci";
	return runtime ? arena_printf(&b->arena, "%s/clade-oci", runtime)
		       : arena_printf(&b->arena, "/tmp/clade-oci-%u", geteuid());
}

int bundles_init(struct bundles *b, const char *root, struct err *e)
{
	*b = (struct bundles){ .root_fd = FD_NONE, .cgroup_manager = CGROUP_FS };
	b->root = root ? arena_strdup(&b->arena, root) : default_root(b);
	b->root_fd = open(b->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->root_fd < 0 && errno != ENOENT)
		return err_set(e, errno, "open the state folder %s", b->root);
	return 0;
}

const char *bundle_helper(struct arena *a, const char *name)
{
	char self[PATH_MAX];

	return seal_exe_path(self, sizeof(self)) == 0
		       ? life_helper(a, self, name)
		       : arena_printf(a, "%s/%s", CLADE_LIBEXECDIR, name);
}

int bundles_probe(struct bundles *b, unsigned wants, struct err *e)
{
	bool is_known = b->is_probed && (wants & ~b->probed) == 0;
	int r = is_known ? 0 : host_probe(&b->host, wants);

	b->is_probed = true;
	b->probed |= wants;
	return r < 0 ? err_set(e, -r, "look at this machine through /proc") : 0;
}

void bundles_probe_process(struct bundles *b, unsigned wants)
{
	host_probe_process(&b->host, wants);
}

void bundles_done(struct bundles *b)
{
	fd_close(&b->root_fd);
	arena_done(&b->host.arena);
	arena_done(&b->arena);
}

const char *bundle_status_word(enum bundle_status s)
{
	static const char *const words[] = { "creating", "created", "running", "paused",
		"stopped" };

	return words[s];
}

/* runc's rule; what is a path or hides from ls is none. */
int bundle_check_id(const char *id, struct err *e)
{
	bool good = id[0] && strlen(id) <= 1024 && !str_eq(id, ".") && !str_eq(id, "..");
	autotext shown = { 0 };

	for (const char *s = id; *s; s++)
		good &= (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			(*s >= '0' && *s <= '9') || strchr("_+-.", *s);
	if (good)
		return 0;
	text_add_escaped(&shown, id, strlen(id) > 100 ? 100 : strlen(id));
	return err_say(e, "invalid container ID \"%s\": only [A-Za-z0-9_+.-] are allowed",
		shown.p ? shown.p : "");
}

static int absent(const char *id, struct err *e)
{
	return err_absent(e, "container \"%s\" does not exist", id);
}

static const char *json_text(const struct json *all, const char *name)
{
	const struct json *v = json_get(all, name);

	return v && v->kind == JSON_STRING ? v->text : NULL;
}

static int64_t json_number(const struct json *all, const char *name)
{
	const struct json *v = json_get(all, name);
	int64_t n;

	return v && json_i64(v, &n) == 0 ? n : 0;
}

static void json_texts(const struct json *all, const char *name, struct arena *a, const char ***ret)
{
	const struct json *v = json_get(all, name);
	size_t n = 0;

	*ret = arena_array(a, v ? v->n + 1 : 1, sizeof(**ret));
	for (const struct json *w = v ? json_first(v) : NULL; w; w = json_next(v, w))
		if (w->kind == JSON_STRING)
			(*ret)[n++] = w->text;
}

static void json_pairs(
	const struct json *all, const char *name, struct arena *a, struct spec_pairs *ret)
{
	const struct json *v = json_get(all, name);

	if (!v || v->kind != JSON_OBJECT)
		return;
	ret->items = arena_array(a, v->n, sizeof(*ret->items));
	for (const struct json *w = json_first(v); w; w = json_next(v, w))
		if (w->kind == JSON_STRING)
			ret->items[ret->n++] = (struct spec_pair){ w->name, w->text };
}

enum bundle_status kept_status(const struct kept *k)
{
	if (k->creating)
		return BUNDLE_CREATING;
	if (k->init.pidfd < 0)
		return BUNDLE_STOPPED;
	if (k->freezer && cgroup_is_frozen(k->freezer))
		return BUNDLE_PAUSED;
	return faccessat(k->dir, "exec.fifo", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? BUNDLE_CREATED
									      : BUNDLE_RUNNING;
}

int kept_open_half(const struct bundles *b, const char *id, struct kept *k, struct err *e)
{
	char small[4096], *text = small;
	autofree char *large = NULL;
	const struct json *all;
	ssize_t n;

	*k = (struct kept)KEPT_NONE;
	if (bundle_check_id(id, e) < 0)
		return -e->code;
	k->dir = b->root_fd < 0
			 ? -ENOENT
			 : openat(b->root_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (k->dir < 0)
		return b->root_fd < 0 || errno == ENOENT || errno == ENOTDIR
			       ? absent(id, e)
			       : err_set(e, errno, "open the state of container %s", id);
	k->id = arena_strdup(&k->arena, id);
	k->folders = arena_array(&k->arena, 1, sizeof(*k->folders));
	n = file_read(k->dir, "state", small, sizeof(small));
	if (n == -EFBIG) {
		n = file_read_all(k->dir, "state", STATE_MAX, &large);
		text = large;
	}
	if (n == -ENOENT) {
		/* being made just now, or whoever made it was killed */
		k->creating = true;
		return 0;
	}
	if (n < 0)
		return err_set(e, (int)-n, "read the state of container %s", id);
	if (json_parse(text, (size_t)n, &k->arena, &all, e) < 0 || all->kind != JSON_OBJECT)
		return err_say(e, "the state of container %s is damaged", id);
	k->bundle = json_text(all, "bundle");
	k->rootfs = json_text(all, "rootfs");
	k->oci_version = json_text(all, "ociVersion");
	k->cgroup_path = json_text(all, "cgroup");
	k->freezer = json_text(all, "freezer");
	k->unit = json_text(all, "unit");
	k->clos = json_text(all, "clos");
	k->clos_made = json_number(all, "closMade");
	k->monitored = json_number(all, "monitored");
	k->user_bus = json_number(all, "userBus");
	json_texts(all, "cgroups", &k->arena, &k->folders);
	json_pairs(all, "annotations", &k->arena, &k->annotations);
	k->hooks = (unsigned)json_number(all, "hooks");
	k->n_v1 = json_get(all, "v1") ? json_number(all, "v1") : -1;
	k->filter_flags = json_get(all, "filterFlags") ? json_number(all, "filterFlags") : -1;
	k->pid = (pid_t)json_number(all, "pid");
	k->created_ns = json_number(all, "created");
	k->own_pidns = json_number(all, "ownPidns");
	if (!k->bundle || k->pid <= 0)
		return err_say(e, "the state of container %s is damaged", id);
	if (proc_ref_open(k->pid, (uint64_t)json_number(all, "start"), &k->init) == 0 &&
		!proc_ref_alive(&k->init))
		proc_ref_done(&k->init);
	return 0;
}

int kept_open(const struct bundles *b, const char *id, struct kept *k, struct err *e)
{
	if (kept_open_half(b, id, k, e) < 0)
		return -e->code;
	return k->creating ? absent(id, e) : 0;
}

void kept_done(struct kept *k)
{
	fd_close(&k->dir);
	proc_ref_done(&k->init);
	arena_done(&k->arena);
}

/* By its names, without looking what is there: what else somebody laid beside them goes then. */
int kept_remove(const struct bundles *b, const struct kept *k)
{
	static const char *const files[] = { "exec.json", "filter", "config.json", "exec.fifo",
		"state" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlinkat(k->dir, files[i], 0);
	if (unlinkat(b->root_fd, k->id, AT_REMOVEDIR) == 0)
		return 0;
	/* gone already, and the name may be another one's by now */
	if (fstat(k->dir, &st) == 0 && st.st_nlink == 0)
		return -ENOENT;
	return store_remove(b->root_fd, k->id);
}

int kept_spec(const struct bundles *b, const struct kept *k, struct spec *ret, struct err *e)
{
	autoarena arena = { 0 };

	return spec_load(arena_printf(&arena, "%s/%s/config.json", b->root, k->id), ret, e);
}

int kept_exec_spec(const struct bundles *b, const struct kept *k, struct spec *ret, struct err *e)
{
	autoarena arena = { 0 };

	if (faccessat(k->dir, "exec.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return kept_spec(b, k, ret, e);
	return spec_load(arena_printf(&arena, "%s/%s/exec.json", b->root, k->id), ret, e);
}

char *kept_state_json(
	const char *id, const char *bundle, const char *status, pid_t pid, const struct spec *spec)
{
	struct text t = { 0 };
	struct json_writer w = { .t = &t };

	json_begin(&w, NULL, '{');
	json_string(&w, "ociVersion", spec->oci_version ? spec->oci_version : "1.0.0");
	json_string(&w, "id", id);
	json_string(&w, "status", status);
	if (pid > 0)
		json_int(&w, "pid", pid);
	json_string(&w, "bundle", bundle);
	if (spec->annotations.n) {
		json_begin(&w, "annotations", '{');
		for (size_t i = 0; i < spec->annotations.n; i++)
			json_string(&w, spec->annotations.items[i].key,
				spec->annotations.items[i].value);
		json_end(&w, '}');
	}
	json_end(&w, '}');
	return text_take(&t);
}

static const char *owner_of(int dir, struct arena *a)
{
	struct stat st;
	struct passwd *pw;

	if (fstat(dir, &st) < 0)
		return "";
	if (st.st_uid == 0)
		return "root";
	pw = getpwuid(st.st_uid);
	return pw ? arena_strdup(a, pw->pw_name) : "";
}

int bundle_state(const struct bundles *b, const char *id, struct arena *a, struct bundle_info *ret,
	struct err *e)
{
	autokept k = KEPT_NONE;

	if (kept_open(b, id, &k, e) < 0)
		return -e->code;
	*ret = (struct bundle_info){ .id = arena_strdup(a, id),
		.bundle = arena_strdup(a, k.bundle),
		.rootfs = arena_strdup(a, k.rootfs ? k.rootfs : ""),
		.oci_version = arena_strdup(a, k.oci_version ? k.oci_version : "1.0.0"),
		.cgroup_path = k.cgroup_path ? arena_strdup(a, k.cgroup_path) : NULL,
		.status = kept_status(&k),
		.pid = k.init.pidfd >= 0 ? k.pid : 0,
		.created_ns = k.created_ns,
		.owner = owner_of(k.dir, a) };
	for (size_t i = 0; i < k.annotations.n; i++) {
		struct spec_pair *pair =
			arena_grow(a, &ret->annotations.items, &ret->annotations.n, sizeof(*pair));

		*pair = (struct spec_pair){ arena_strdup(a, k.annotations.items[i].key),
			arena_strdup(a, k.annotations.items[i].value) };
	}
	return 0;
}

int bundle_list(const struct bundles *b, struct arena *a, struct bundle_info **ret, size_t *ret_n,
	struct err *e)
{
	int fd = b->root_fd < 0 ? -1 : openat(b->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*ret = NULL;
	*ret_n = 0;
	(void)e;
	while (dir && (entry = readdir(dir))) {
		struct bundle_info info, *place;
		struct err gone;

		if (entry->d_name[0] == '.')
			continue;
		if (bundle_state(b, entry->d_name, a, &info, &gone) < 0) {
			if (faccessat(fd, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
				log_warn("container %s is left out: %s", entry->d_name,
					gone.code == ERR_ABSENT ? "it is half made" : gone.msg);
			continue;
		}
		place = arena_grow(a, ret, ret_n, sizeof(*place));
		*place = info;
	}
	if (dir)
		closedir(dir);
	return 0;
}

int bundle_connect(const char *socket_path, int *ret, struct err *e)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autofd sock = FD_NONE;

	if (!socket_path)
		return 0;
	if (strlen(socket_path) >= sizeof(to.sun_path))
		return err_set(e, ENAMETOOLONG, "connect to %s", socket_path);
	strcpy(to.sun_path, socket_path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, errno, "connect to %s", socket_path);
	*ret = take_fd(&sock);
	return 0;
}

int bundle_send_fd(int sock, const char *socket_path, const char *what, int fd, struct err *e)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { (void *)what, strlen(what) };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	if (sendmsg(sock, &h, MSG_NOSIGNAL) < 0)
		return err_set(e, errno, "send %s to %s", what, socket_path);
	/* an init that waits for its start has the socket, too: its reader is not to wait for that
	 */
	shutdown(sock, SHUT_WR);
	return 0;
}

static void beside_pid(const char *path, struct text *t)
{
	text_addf(t, "%s.%d.tmp", path, (int)getpid());
}

/* By rename, so that a reader finds the whole number; without a newline, as engines read it. */
int bundle_prepare_pid(const char *path, pid_t pid, struct err *e)
{
	autotext beside = { 0 };
	char text[16];
	autofd fd = FD_NONE;
	int r;

	beside_pid(path, &beside);
	snprintf(text, sizeof(text), "%d", pid);
	fd = open(beside.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, errno, "write pid file %s", path);
	r = file_write_all(fd, text, strlen(text));
	if (r < 0)
		unlink(beside.p);
	return r < 0 ? err_set(e, -r, "write pid file %s", path) : 0;
}

int bundle_publish_pid(const char *path, struct err *e)
{
	autotext beside = { 0 };

	beside_pid(path, &beside);
	if (rename(beside.p, path) == 0)
		return 0;
	err_set(e, errno, "write pid file %s", path);
	unlink(beside.p);
	return -e->code;
}

int bundle_write_pid(const char *path, pid_t pid, struct err *e)
{
	int r = bundle_prepare_pid(path, pid, e);

	return r < 0 ? r : bundle_publish_pid(path, e);
}

void bundle_forget_pid(const char *path)
{
	autotext beside = { 0 };

	beside_pid(path, &beside);
	unlink(beside.p);
	unlink(path);
}

struct spec_strings bundle_env(
	const struct spec_strings *env, const struct bundle_listen *listen, struct arena *a)
{
	struct spec_strings all = { arena_array(a, env->n + 4, sizeof(*all.items)), env->n };

	if (env->n)
		memcpy(all.items, env->items, env->n * sizeof(*all.items));
	if (!listen->n)
		return all;
	all.items[all.n++] = arena_printf(a, "LISTEN_FDS=%u", listen->n);
	all.items[all.n++] = "LISTEN_PID=1";
	if (listen->names)
		all.items[all.n++] = arena_printf(a, "LISTEN_FDNAMES=%s", listen->names);
	return all;
}

/* Ours are closed on exec: an engine's are not, and they were there first. */
int bundle_check_fds(unsigned n, struct err *e)
{
	for (unsigned i = 0; i < n; i++) {
		int flags = fcntl((int)(3 + i), F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			return err_say(e, "please check that preserved-fd %u (of %u) is present",
				i + 3, n);
	}
	return 0;
}

int bundle_log_open(const char *path, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? err_set(e, errno, "open log file %s", path) : fd;
}

int bundle_read(const char *path, struct arena *a, char **ret, size_t *ret_n, struct err *e)
{
	autofree char *text = NULL;
	ssize_t n;

	if (!str_eq(path, "-"))
		return spec_read_file(path, a, ret, ret_n, e);
	n = file_read_fd(STDIN_FILENO, CONFIG_MAX, &text);
	if (n < 0)
		return err_set(e, (int)-n, "read standard input");
	*ret = arena_strndup(a, text, (size_t)n);
	*ret_n = (size_t)n;
	return 0;
}

int bundle_write_new(const char *folder, const char *name, const char *text, struct err *e)
{
	autofd dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = FD_NONE;
	int r;

	if (dir < 0)
		return err_set(e, errno, "open %s", folder);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_set(e, errno, "write %s/%s", folder, name);
	r = file_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(e, -r, "write %s/%s", folder, name) : 0;
}
