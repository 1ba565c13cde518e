/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

/* mkdir -p: what lies above the root folder is made world-readable, as mkdir(1) does. */
static int make_parents(const char *path)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	strcpy(part, path);
	for (char *s = part + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return -errno;
		*s = '/';
	}
	return mkdir(part, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int store_open_folder(const char *root, struct err *e)
{
	autofd fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT) {
		r = make_parents(root);
		if (r < 0)
			return err_set(e, -r, "make state folder %s", root);
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_set(e, errno, "open state folder %s", root);
	/* somebody else's folder in /tmp could make us run what they like */
	if (fstat(fd, &st) < 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		return err_say(e, "state folder %s belongs to another user", root);
	return take_fd(&fd);
}

int store_open(const char *root, struct err *e)
{
	autofd fd = store_open_folder(root, e);

	if (fd >= 0 && mkdirat(fd, "names", 0700) < 0 && errno != EEXIST && errno != EROFS)
		return err_set(e, errno, "make %s/names", root);
	return fd < 0 ? -e->code : take_fd(&fd);
}

int store_new_id(char ret[STORE_ID_LEN + 1], struct err *e)
{
	unsigned char bytes[STORE_ID_LEN / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set(e, errno, "make an ID");
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int store_check_name(const char *name, struct err *e)
{
	bool good = is_word(name[0]) && name[1];
	size_t n = strlen(name);
	autotext shown = { 0 };

	for (const char *s = name; *s; s++)
		good &= is_word(*s) || (s > name && strchr("_.-", *s));
	if (good && n <= STORE_NAME_MAX)
		return 0;
	text_add_escaped(&shown, name, n > 64 ? 64 : n);
	if (n > STORE_NAME_MAX)
		return err_say(e,
			"invalid container name (%s...): %zu bytes; at most %d are allowed",
			shown.p, n, STORE_NAME_MAX);
	return err_say(e,
		"invalid container name (%s): only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed, at least "
		"2 "
		"characters",
		shown.p ? shown.p : "");
}

int store_make(int root, const char *id, struct err *e)
{
	int fd;

	if (mkdirat(root, id, 0700) < 0)
		return err_set(e, errno, "make the state folder of container %s", id);
	fd = openat(root, id, OPEN_DIR);
	return fd < 0 ? err_set(e, errno, "open the state folder of container %s", id) : fd;
}

int store_enter(int root, const char *id)
{
	int fd = openat(root, id, OPEN_DIR);

	return fd < 0 ? -errno : fd;
}

/* The ID a name belongs to; false: nobody's. */
static bool owner_of(int root, const char *name, char ret[STORE_ID_LEN + 1])
{
	char link[PATH_MAX], target[STORE_ID_LEN + 8];
	ssize_t n;

	snprintf(link, sizeof(link), "names/%s", name);
	n = readlinkat(root, link, target, sizeof(target) - 1);
	if (n != STORE_ID_LEN + 3)
		return false;
	memcpy(ret, target + 3, STORE_ID_LEN);
	ret[STORE_ID_LEN] = '\0';
	return true;
}

int store_take_name(int root, const char *name, const char *id, struct err *e)
{
	char link[PATH_MAX], target[STORE_ID_LEN + 8], owner[STORE_ID_LEN + 1];

	if (store_check_name(name, e) < 0)
		return -e->code;
	snprintf(link, sizeof(link), "names/%s", name);
	snprintf(target, sizeof(target), "../%s", id);
	for (int tries = 0; tries < 100; tries++) {
		autofd dir = FD_NONE;

		if (symlinkat(target, root, link) == 0)
			return 0;
		if (errno != EEXIST)
			return err_set(e, errno, "take the name %s", name);
		if (!owner_of(root, name, owner))
			continue;
		dir = store_enter(root, owner);
		if (dir != -ENOENT) {
			err_say(e, "the name \"%s\" is already in use by container %.12s", name,
				owner);
			return -EEXIST;
		}
		/* left behind by a container that is no more */
		store_drop_name(root, name, owner);
	}
	return err_set(e, EEXIST, "take the name %s", name);
}

void store_drop_name(int root, const char *name, const char *id)
{
	char link[PATH_MAX], owner[STORE_ID_LEN + 1];

	snprintf(link, sizeof(link), "names/%s", name);
	if (owner_of(root, name, owner) && str_eq(owner, id))
		unlinkat(root, link, 0);
}

void store_drop_names(int root, const char *id)
{
	int fd = openat(root, "names", OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			store_drop_name(root, entry->d_name, id);
	if (dir)
		closedir(dir);
}

static bool is_id(const char *s)
{
	return strlen(s) == STORE_ID_LEN && strspn(s, "0123456789abcdef") == STORE_ID_LEN;
}

static int no_such(const char *ref, struct err *e)
{
	autotext shown = { 0 };
	size_t n = strlen(ref);

	text_add_escaped(&shown, ref, n > 128 ? 128 : n);
	return err_absent(e, "no such container: %s", shown.p ? shown.p : "");
}

static int find_prefix(int root, const char *ref, char ret[STORE_ID_LEN + 1], struct err *e)
{
	autoarena arena = { 0 };
	size_t n = strlen(ref), found = 0, n_ids;
	char **ids;

	if (store_list(root, &arena, &ids, &n_ids, e) < 0)
		return -e->code;
	for (size_t i = 0; i < n_ids; i++) {
		if (strncmp(ids[i], ref, n) != 0)
			continue;
		memcpy(ret, ids[i], STORE_ID_LEN + 1);
		found++;
	}
	if (found > 1)
		return err_say(
			e, "%s is the beginning of %zu container IDs; give more of it", ref, found);
	return found ? 0 : no_such(ref, e);
}

int store_find(int root, const char *ref, char ret[STORE_ID_LEN + 1], struct err *e)
{
	size_t n = strlen(ref);
	struct err ignored;

	/* no name hides another container from who says its whole ID */
	if (is_id(ref)) {
		autofd dir = store_enter(root, ref);

		if (dir >= 0) {
			memcpy(ret, ref, STORE_ID_LEN + 1);
			return 0;
		}
	}
	if (n && n <= STORE_NAME_MAX && store_check_name(ref, &ignored) == 0 &&
		owner_of(root, ref, ret)) {
		autofd dir = store_enter(root, ret);

		if (dir >= 0)
			return 0;
	}
	if (!n || n >= STORE_ID_LEN || strspn(ref, "0123456789abcdef") != n)
		return no_such(ref, e);
	return find_prefix(root, ref, ret, e);
}

int store_list(int root, struct arena *a, char ***ret, size_t *ret_n, struct err *e)
{
	int fd = openat(root, ".", OPEN_DIR);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	*ret = NULL;
	*ret_n = 0;
	if (!dir) {
		err_set(e, errno, "read the state folder");
		if (fd >= 0)
			close(fd);
		return -e->code;
	}
	while ((entry = readdir(dir))) {
		char **id;

		if (!is_id(entry->d_name))
			continue;
		id = arena_grow(a, ret, ret_n, sizeof(*id));
		*id = arena_strdup(a, entry->d_name);
	}
	closedir(dir);
	return 0;
}

int store_lock(int dir)
{
	struct stat held, named;

	for (;;) {
		autofd fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd < 0)
			return -errno;
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				return -errno;
		/* whoever had it may have removed the container */
		if (fstat(fd, &held) < 0 || fstatat(dir, "lock", &named, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		if (held.st_ino == named.st_ino)
			return take_fd(&fd);
	}
}

enum { BESIDE_MAX = 64 };

static const char *beside_of(const char *name, char buf[BESIDE_MAX])
{
	snprintf(buf, BESIDE_MAX, ".%s.%d", name, (int)getpid());
	return buf;
}

/* flags: O_TRUNC or O_EXCL */
static int write_as(int dir, const char *file, int flags, const char *name, const void *data,
	size_t n, struct err *e)
{
	autofd fd = openat(dir, file, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	int r;

	if (fd < 0)
		return err_set(e, errno, "write %s of the container's state", name);
	r = file_write_all(fd, data, n);
	if (r == 0)
		return 0;
	unlinkat(dir, file, 0);
	return err_set(e, -r, "write %s of the container's state", name);
}

int store_prepare(int dir, const char *name, const void *data, size_t n, struct err *e)
{
	char beside[BESIDE_MAX];

	return write_as(dir, beside_of(name, beside), O_TRUNC, name, data, n, e);
}

int store_publish(int dir, const char *name, struct err *e)
{
	char beside[BESIDE_MAX];

	if (renameat(dir, beside_of(name, beside), dir, name) == 0)
		return 0;
	err_set(e, errno, "write %s of the container's state", name);
	unlinkat(dir, beside, 0);
	return -e->code;
}

int store_write_once(int dir, const char *name, const void *data, size_t n, struct err *e)
{
	return write_as(dir, name, O_EXCL, name, data, n, e);
}

int store_write(int dir, const char *name, const void *data, size_t n, struct err *e)
{
	int r = store_prepare(dir, name, data, n, e);

	return r < 0 ? r : store_publish(dir, name, e);
}

static int remove_below(int dir, const char *name)
{
	int fd = openat(dir, name, OPEN_DIR);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!stream) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		if (r == -ENOTDIR || r == -ELOOP)
			return unlinkat(dir, name, 0) < 0 ? -errno : 0;
		return r;
	}
	while ((entry = readdir(stream))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno == EISDIR || errno == EPERM || errno == ENOTEMPTY) {
			int inner = remove_below(fd, entry->d_name);

			r = r ? r : inner;
		} else {
			r = -errno;
		}
	}
	closedir(stream);
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT && r == 0)
		r = -errno;
	return r;
}

int store_remove(int root, const char *id)
{
	int r = remove_below(root, id);

	/* a process that was just ending may have written a file meanwhile */
	for (int tries = 0; tries < 10 && r == -ENOTEMPTY; tries++)
		r = remove_below(root, id);
	return r;
}

bool store_value(const char *text, const char *key, char *buf, size_t size)
{
	size_t n = strlen(key);

	for (const char *s = text; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		size_t len;

		if (strncmp(s, key, n) != 0 || s[n] != ' ')
			continue;
		s += n + 1;
		len = strcspn(s, "\n");
		if (len >= size)
			return false;
		memcpy(buf, s, len);
		buf[len] = '\0';
		return true;
	}
	return false;
}
