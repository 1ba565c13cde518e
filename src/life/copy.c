/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cp. Two processes with a tar stream between them: one reads, the other writes; the one at the
 * container's end is root of the container and nothing else, the one at ours is the user.
 *
 * Paths are walked in the same way at both ends, below a root: the host's is "/".
 */
#include "life/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "image/tree.h"
#include "life/files.h"
#include "os/file.h"
#include "os/root.h"

enum { LINKS_MAX = 40 };

enum end_kind { END_HOST, END_CONTAINER, END_STREAM };

struct end {
	enum end_kind kind;
	char *container;      /* owned by the arena */
	const char *path;     /* absolute */
	bool slash, contents; /* as typed it ends in "/"; in "/." */
};

struct copying {
	const struct life *l;
	const struct life_copy *how;
	struct end from, to;
	int tar;	 /* the stream: this process's end of it */
	uint64_t *bytes; /* shared with the process that counts */
	struct arena arena;
};

/* docker's: what begins with / or . is a path of the host, whatever else is in it. */
static void parse_end(struct copying *c, const char *text, struct end *ret)
{
	const char *colon = strchr(text, ':');
	size_t n;

	*ret = (struct end){ .kind = END_HOST, .path = text };
	if (str_eq(text, "-")) {
		ret->kind = END_STREAM;
		return;
	}
	if (text[0] != '/' && text[0] != '.' && colon && colon > text) {
		ret->kind = END_CONTAINER;
		ret->container = arena_strndup(&c->arena, text, (size_t)(colon - text));
		ret->path = colon[1] == '/' ? colon + 1 : arena_printf(&c->arena, "/%s", colon + 1);
	} else if (text[0] != '/') {
		ret->path = arena_printf(&c->arena, "%s/%s", c->l->cwd ? c->l->cwd : "", text);
	}
	n = strlen(ret->path);
	ret->contents = n >= 2 && ret->path[n - 1] == '.' && ret->path[n - 2] == '/';
	ret->slash = n && ret->path[n - 1] == '/';
	if (strspn(ret->path, "/") == n)
		ret->contents = true;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* The last part of a path: what the copy is called. */
static const char *last_part(struct copying *c, const char *path, struct err *e)
{
	size_t n = strlen(path);
	const char *part;

	while (n > 1 && path[n - 1] == '/')
		n--;
	part = arena_strndup(&c->arena, path, n);
	part = strrchr(part, '/') ? strrchr(part, '/') + 1 : part;
	if (!str_eq(part, "..") && part[0])
		return part;
	err_say(e, "%s: a path that ends in a name, or in /., is wanted", path);
	return NULL;
}

static int read_end(struct copying *c, int root, struct err *e)
{
	const struct end *f = &c->from;
	struct tree_out out = { .to = c->tar, .name = ".", .mounts = TREE_MOUNTS_ENTER };
	autofd fd = FD_NONE;

	if (!f->contents) {
		out.name = last_part(c, f->path, e);
		if (!out.name)
			return -e->code;
	}
	fd = root_open(root, f->path, O_PATH | (c->how->follow_link || f->slash ? 0 : O_NOFOLLOW));
	if (fd < 0)
		return err_set(e, -fd, "%s%s%s", f->container ? f->container : "",
			f->container ? ":" : "", f->path);
	out.file = fd;
	return tree_pack(&out, e);
}

/* --- writing -----------------------------------------------------------------------------------
 */

struct spot {
	struct copying *c;
	const char *path, *base, *name;
	bool exists, is_dir;
};

static const char *folder_of(struct copying *c, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash > path ? arena_strndup(&c->arena, path, (size_t)(slash - path)) : "/";
}

/* Where the destination is: links there are followed, within the root, before anything is made. */
static int find_spot(struct spot *s, int root, struct err *e)
{
	struct copying *c = s->c;

	s->path = c->to.path;
	while (strlen(s->path) > 1 && s->path[strlen(s->path) - 1] == '/')
		s->path = arena_strndup(&c->arena, s->path, strlen(s->path) - 1);
	for (int links = 0; links < LINKS_MAX; links++) {
		autofd fd = root_open(root, s->path, O_PATH);
		autofd link = FD_NONE;
		char target[PATH_MAX];
		struct stat st;
		ssize_t n;

		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
			s->exists = s->is_dir = true;
			s->base = s->path;
			return 0;
		}
		if (fd < 0 && fd != -ENOENT)
			return err_set(e, -fd, "open %s", s->path);
		s->exists = fd >= 0;
		s->base = folder_of(c, s->path);
		s->name = strrchr(s->path, '/') + 1;
		link = root_open(root, s->path, O_PATH | O_NOFOLLOW);
		if (link < 0 || fstat(link, &st) < 0 || !S_ISLNK(st.st_mode))
			return 0;
		n = readlinkat(link, "", target, sizeof(target) - 1);
		if (n < 0)
			return err_set(e, errno, "read the link %s", s->path);
		target[n] = '\0';
		s->path = target[0] == '/' ? arena_strdup(&c->arena, target)
					   : arena_printf(&c->arena, "%s/%s", s->base, target);
	}
	return err_set(e, ELOOP, "open %s", c->to.path);
}

static int place(
	void *data, bool is_dir, const char *name, struct arena *a, const char **ret, struct err *e)
{
	struct spot *s = data;
	const struct end *to = &s->c->to;

	(void)a;
	if (s->is_dir) {
		*ret = s->c->from.contents && is_dir ? "" : name;
		return 0;
	}
	if (s->exists && is_dir)
		return err_say(e, "%s: cannot copy a directory to a file", to->path);
	if (s->exists && to->slash)
		return err_set(e, ENOTDIR, "%s", to->path);
	if (!is_dir && (to->slash || to->contents))
		return err_say(e, "%s: no such directory", to->path);
	*ret = s->name;
	return 0;
}

static int write_end(struct copying *c, int root, struct err *e)
{
	struct spot s = { .c = c };
	struct tree_in in = { .from = c->tar,
		.root = root,
		.place = c->from.kind == END_STREAM ? NULL : place,
		.follow = c->from.kind == END_STREAM,
		.data = &s,
		.keep_owner = c->how->archive || c->from.kind == END_STREAM,
		.keep_set_id = c->how->archive || c->to.kind == END_CONTAINER,
		.ret_bytes = c->bytes };

	if (find_spot(&s, root, e) < 0)
		return -e->code;
	if (c->from.kind == END_STREAM && !s.is_dir)
		return err_say(e, "%s: the destination of a stream is a directory that is there",
			c->to.path);
	in.base = s.base;
	return tree_unpack(&in, e);
}

/* --- the two of them ---------------------------------------------------------------------------
 */

static int host_side(struct copying *c, struct err *e)
{
	autofd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_set(e, errno, "open /");
	return c->to.kind == END_HOST ? write_end(c, root, e) : read_end(c, root, e);
}

static int container_side(const struct container_files *f, void *data, struct err *e)
{
	struct copying *c = data;

	if (c->to.kind != END_CONTAINER)
		return read_end(c, f->root, e);
	if (f->spec->root_readonly)
		return err_say(
			e, "the root filesystem of container %s is read-only", f->record->name);
	return write_end(c, f->root, e);
}

struct peer {
	pid_t pid;
	int said; /* owned: its struct err */
};

static int start_peer(struct copying *c, int theirs, int ours, struct peer *ret, struct err *e)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	ret->pid = fork();
	if (ret->pid == 0) {
		struct err said = { 0 };

		close(ours);
		c->tar = theirs;
		if (host_side(c, &said) >= 0)
			said.code = 0;
		_exit(file_write_all(pair[1], &said, sizeof(said)) < 0);
	}
	close(pair[1]);
	ret->said = pair[0];
	if (ret->pid >= 0)
		return 0;
	close(pair[0]);
	return err_set(e, errno, "make a process");
}

static int hear_peer(struct peer *p, struct err *e)
{
	struct err said;
	ssize_t n;

	do
		n = read(p->said, &said, sizeof(said));
	while (n < 0 && errno == EINTR);
	close(p->said);
	waitpid(p->pid, NULL, 0);
	if (n != sizeof(said))
		return err_say(e, "the process that copies was killed");
	*e = said;
	return said.code ? -said.code : 0;
}

static int with_host(struct copying *c, const char *ref, struct err *e)
{
	bool in = c->to.kind == END_CONTAINER;
	struct err here = { 0 }, there = { 0 };
	struct peer peer = { -1, -1 };
	int tar[2], a, b;

	if (pipe2(tar, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	/* [0] is read by whoever writes files */
	if (start_peer(c, tar[in ? 1 : 0], tar[in ? 0 : 1], &peer, e) < 0) {
		close(tar[0]);
		close(tar[1]);
		return -e->code;
	}
	close(tar[in ? 1 : 0]);
	c->tar = tar[in ? 0 : 1];
	a = files_run(c->l, ref, FILES_ROOT, false, container_side, c, &here);
	close(c->tar);
	b = hear_peer(&peer, &there);
	/* a broken pipe or half an archive is what the other's failure looks like from here */
	if (a < 0 && (in ? b >= 0 || there.code == EPIPE : here.code != EPIPE || b >= 0)) {
		*e = here;
		return a;
	}
	if (b < 0)
		*e = there;
	return b;
}

static int carry_out(struct copying *c, struct err *e)
{
	bool in = c->to.kind == END_CONTAINER;
	const char *ref = in ? c->to.container : c->from.container;

	if (c->from.kind == END_CONTAINER && c->to.kind == END_CONTAINER)
		return err_say(e, "cp: copying between containers is not supported, by docker "
				  "either: copy to the host first, or through -");
	if (!ref)
		return err_say(e, "cp: one of the two has to be CONTAINER:PATH");
	if (c->from.kind == END_STREAM || c->to.kind == END_STREAM) {
		if (!in && life_stdout_is_tty())
			return err_say(e, "cp: a tar archive is not written to a terminal");
		c->tar = in ? STDIN_FILENO : STDOUT_FILENO;
		return files_run(c->l, ref, FILES_ROOT, false, container_side, c, e);
	}
	return with_host(c, ref, e);
}

int life_copy(const struct life *l, const struct life_copy *how, uint64_t *ret_bytes, struct err *e)
{
	struct copying c = { .l = l, .how = how, .tar = FD_NONE };
	int r;

	c.bytes = mmap(
		NULL, sizeof(*c.bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c.bytes == MAP_FAILED)
		return err_set(e, errno, "make room");
	*c.bytes = 0;
	signal(SIGPIPE, SIG_IGN);
	parse_end(&c, how->from, &c.from);
	parse_end(&c, how->to, &c.to);
	r = carry_out(&c, e);
	*ret_bytes = *c.bytes;
	munmap(c.bytes, sizeof(*c.bytes));
	arena_done(&c.arena);
	return r;
}
