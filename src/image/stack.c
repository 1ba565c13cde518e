/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stack.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fd.h"
#include "base/str.h"
#include "os/file.h"
#include "os/root.h"

enum { LINKS_MAX = 40 };

void stack_done(struct stack *v)
{
	for (size_t i = 0; i < v->n; i++)
		fd_close(&v->layers[i]);
	mem_freep(&v->layers);
	v->n = 0;
}

void stack_push(struct stack *v, int layer)
{
	v->layers = mem_resize(v->layers, v->n + 1, sizeof(int));
	memmove(v->layers + 1, v->layers, v->n * sizeof(int));
	v->layers[0] = layer;
	v->n++;
}

const char *stack_opaque_name(bool userxattr)
{
	return userxattr ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

bool stack_is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool stack_is_opaque(int fd, bool userxattr)
{
	char path[FILE_FD_PATH], value[4];

	return getxattr(file_fd_path(fd, path), stack_opaque_name(userxattr), value,
		       sizeof(value)) == 1 &&
	       value[0] == 'y';
}

bool stack_layer_hides(int layer, const char *path, bool userxattr)
{
	char part[PATH_MAX];

	if (strlen(path) >= sizeof(part))
		return true;
	strcpy(part, path);
	for (char *s = part; (s = strchr(s, '/')); *s++ = '/') {
		autofd fd = FD_NONE;
		struct stat st;

		*s = '\0';
		fd = root_open_nolinks(layer, part, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			return fd != -ENOENT;
		if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode) || stack_is_opaque(fd, userxattr))
			return true;
	}
	return false;
}

int stack_find(const struct stack *v, const char *path, struct stat *st)
{
	struct stat own;

	for (size_t i = 0; i < v->n; i++) {
		autofd fd =
			root_open_nolinks(v->layers[i], path[0] ? path : ".", O_PATH | O_NOFOLLOW);

		if (fd >= 0) {
			if (fstat(fd, st ? st : &own) < 0)
				return -errno;
			return stack_is_whiteout(st ? st : &own) ? -ENOENT : take_fd(&fd);
		}
		if (fd != -ENOENT || stack_layer_hides(v->layers[i], path, v->userxattr))
			return -ENOENT;
	}
	return -ENOENT;
}

/* "a/b" and ".." is "a"; the root stays the root. */
static void up(struct text *at)
{
	while (at->len && at->p[at->len - 1] != '/')
		at->len--;
	if (at->len)
		at->len--;
	if (at->p)
		at->p[at->len] = '\0';
}

int stack_open(const struct stack *v, const char *path, int flags)
{
	autofree char *rest = mem_strdup(path);
	autotext at = { 0 };
	char *next = rest;
	int links = 0;

	text_add(&at, "");
	for (;;) {
		char target[PATH_MAX], fd_path[FILE_FD_PATH];
		autofd fd = FD_NONE;
		size_t before = at.len, n;
		struct stat st;
		ssize_t len;

		next += strspn(next, "/");
		n = strcspn(next, "/");
		if (n == 0 || (n == 1 && next[0] == '.')) {
			if (n) {
				next += n;
				continue;
			}
			fd = stack_find(v, at.p, &st);
			if (fd < 0)
				return fd;
			if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
				return -EINVAL;
			len = open(file_fd_path(fd, fd_path), flags | O_CLOEXEC);
			return len < 0 ? -errno : (int)len;
		}
		if (n == 2 && next[0] == '.' && next[1] == '.') {
			up(&at);
			next += n;
			continue;
		}
		text_addf(&at, "%s%.*s", at.len ? "/" : "", (int)n, next);
		fd = stack_find(v, at.p, &st);
		if (fd < 0)
			return fd;
		next += n;
		if (!S_ISLNK(st.st_mode))
			continue;
		len = readlinkat(fd, "", target, sizeof(target) - 1);
		if (len < 0 || ++links > LINKS_MAX)
			return -ELOOP;
		target[len] = '\0';
		at.len = target[0] == '/' ? 0 : before;
		at.p[at.len] = '\0';
		{
			autotext joined = { 0 };

			text_addf(&joined, "%s/%s", target, next);
			free(rest);
			rest = next = text_take(&joined);
		}
	}
}
