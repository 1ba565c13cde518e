/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of configurations share: errors with their place, files, folders, users, keys of
 * both formats. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/conf.h"

static void place(struct buf *b, const char *file, int line, const char *section, const char *key)
{
	if (file)
		buf_add(b, "%s", file);
	if (line > 0)
		buf_add(b, ":%d", line);
	if (file)
		buf_add(b, ": ");
	if (section)
		buf_add(b, "[%s] ", section);
	if (key)
		buf_add(b, "%s: ", key);
}

#define SENTENCE(b, fmt)                                                                           \
	do {                                                                                       \
		va_list args;                                                                      \
		va_start(args, fmt);                                                               \
		buf_vadd(b, fmt, args);                                                            \
		va_end(args);                                                                      \
	} while (0)

bool conf_fail(struct conf *c, const char *file, int line, const char *section, const char *key,
	const char *fmt, ...)
{
	struct buf b = { c->error, 0, 1024 };

	place(&b, file, line, section, key);
	SENTENCE(&b, fmt);
	return false;
}

void conf_warn(struct conf *c, const char *file, int line, const char *section, const char *key,
	const char *fmt, ...)
{
	char text[1024];
	struct buf b = BUF(text);

	if (!c->warn)
		return;
	place(&b, file, line, section, key);
	SENTENCE(&b, fmt);
	c->warn(text);
}

char *conf_read(struct conf *c, const char *path, size_t *ret_n, bool *absent)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st = { 0 };
	size_t n = 0;
	ssize_t got = -1;
	char *text;

	if (absent)
		*absent = fd < 0 && errno == ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0) {
		if (!absent || !*absent)
			conf_fail(c, path, 0, NULL, NULL, "%s", strerror(errno));
		return NULL;
	}
	c->file_bytes += (size_t)st.st_size;
	if (!S_ISREG(st.st_mode) || st.st_size > CONF_FILE_MAX || c->file_bytes > CONF_FILE_MAX ||
		++c->n_files > SV_MAX * 8) {
		close(fd);
		conf_fail(c, path, 0, NULL, NULL,
			S_ISREG(st.st_mode) ? "larger than 1 MiB, all files together"
					    : "not a file");
		return NULL;
	}
	/* everything may jump out of pool_alloc(), which must not lose the descriptor */
	close(fd);
	text = pool_alloc(&c->scratch, (size_t)st.st_size + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	while (fd >= 0 && n < (size_t)st.st_size &&
		(got = read(fd, text + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)got;
	if (fd < 0 || (got < 0 && st.st_size)) {
		conf_fail(c, path, 0, NULL, NULL, "%s", strerror(errno));
		text = NULL;
	}
	if (fd >= 0)
		close(fd);
	*ret_n = n;
	return text;
}

const char *conf_join(struct pool *p, const char *dir, const char *name)
{
	size_t n = strlen(dir) + strlen(name) + 2;
	struct buf b = { pool_alloc(p, n), 0, n };

	if (*name == '/')
		buf_add(&b, "%s", name);
	else
		buf_add(&b, "%s%s%s", dir, *dir && dir[strlen(dir) - 1] != '/' ? "/" : "", name);
	return b.text;
}

/* --- folders --------------------------------------------------------------------------------- */

struct entry {
	uint64_t ino, off;
	unsigned short len;
	unsigned char type;
	char name[];
};

static void sort_names(const char **names, int n)
{
	for (int i = 1; i < n; i++) {
		const char *name = names[i];
		int k = i;

		for (; k && strcmp(names[k - 1], name) > 0; k--)
			names[k] = names[k - 1];
		names[k] = name;
	}
}

int conf_list(struct conf *c, const char *dir, const char *pattern, const char ***ret)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	char room[4096] __attribute__((aligned(8)));
	const char **names;
	long got;

	if (fd < 0)
		return -1;
	close(fd);
	names = pool_alloc(&c->scratch, SV_MAX * sizeof(*names));
	for (uint64_t off = 0;;) {
		/* opened anew for each part, for the same reason as in conf_read() */
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -1;
		got = lseek(fd, (off_t)off, SEEK_SET) < 0
			      ? -1
			      : syscall(SYS_getdents64, fd, room, sizeof(room));
		close(fd);
		if (got <= 0)
			break;
		for (long at = 0; at < got;) {
			struct entry *e = (struct entry *)(room + at);

			at += e->len;
			off = e->off;
			if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 ||
				n == SV_MAX || (pattern && !text_matches(pattern, e->name)))
				continue;
			names[n++] = pool_text(&c->scratch, e->name, strlen(e->name));
		}
	}
	sort_names(names, n);
	*ret = names;
	return n;
}

/* --- users ----------------------------------------------------------------------------------- */

/* The n-th field of a line of passwd or group. */
static const char *field(const char *line, int n, size_t *ret_len)
{
	for (; n && *line && *line != '\n'; line++)
		n -= *line == ':';
	*ret_len = n ? 0 : strcspn(line, ":\n");
	return line;
}

static const char *line_of(const char *text, const char *word, int number_field)
{
	size_t len;

	for (const char *line = text; line && *line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *f = field(line, 0, &len);

		if (len == strlen(word) && strncmp(f, word, len) == 0)
			return line;
		f = field(line, number_field, &len);
		if (len && len == strlen(word) && strncmp(f, word, len) == 0)
			return line;
	}
	return NULL;
}

static void find_groups(const char *text, struct sv_user *u)
{
	size_t len, name = strlen(u->name);

	for (const char *line = text; line && *line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *f = field(line, 2, &len), *members;
		long gid = text_number(f, len, UINT32_MAX - 1);

		for (members = field(line, 3, &len); len;) {
			size_t n = 0;

			while (n < len && members[n] != ',')
				n++;
			if (n == name && strncmp(members, u->name, n) == 0 && gid >= 0 &&
				gid != (long)u->gid && u->n_groups < SV_GROUPS)
				u->groups[u->n_groups++] = (gid_t)gid;
			n += n < len;
			members += n;
			len -= n;
		}
	}
}

bool conf_user(struct conf *c, const char *word, struct sv_user *ret, struct buf *what)
{
	bool absent;
	size_t n, len, user = strcspn(word, ":");
	char *name = pool_text(&c->pool, word, user);
	const char *passwd = conf_read(c, "/etc/passwd", &n, &absent),
		   *group = conf_read(c, "/etc/group", &n, &absent);
	const char *line = passwd ? line_of(passwd, name, 2) : NULL, *f;
	long number = text_number(name, user, UINT32_MAX - 1);

	if (!line && number < 0) {
		buf_add(what, "there is no user %s", name);
		return false;
	}
	*ret = (struct sv_user){ .set = true, .name = name, .home = "/" };
	if (line) {
		f = field(line, 0, &len);
		ret->name = pool_text(&c->pool, f, len);
		f = field(line, 2, &len);
		ret->uid = (uid_t)text_number(f, len, UINT32_MAX - 1);
		f = field(line, 3, &len);
		ret->gid = (gid_t)text_number(f, len, UINT32_MAX - 1);
		f = field(line, 5, &len);
		ret->home = pool_text(&c->pool, f, len);
	} else {
		ret->uid = (uid_t)number;
		ret->gid = (gid_t)number;
	}
	ret->groups[ret->n_groups++] = ret->gid;
	if (word[user]) {
		const char *wanted = word + user + 1;

		line = group ? line_of(group, wanted, 2) : NULL;
		f = line ? field(line, 2, &len) : (len = strlen(wanted), wanted);
		number = text_number(f, len, UINT32_MAX - 1);
		if (number < 0) {
			buf_add(what, "there is no group %s", wanted);
			return false;
		}
		ret->gid = ret->groups[0] = (gid_t)number;
	} else if (group) {
		find_groups(group, ret);
	}
	if (geteuid() != 0 && ret->uid != geteuid()) {
		buf_add(what, "only root can run it as %s", name);
		return false;
	}
	return true;
}

/* --- keys of both formats -------------------------------------------------------------------- */

bool conf_stop(struct sv_def *d, const char *text)
{
	d->n_stop = 0;
	while (*text) {
		size_t n = strcspn(text, ","), word = strcspn(text, ":,");
		struct sv_stop *s = &d->stop[d->n_stop];
		char name[16];

		if (d->n_stop == SV_STEPS || word >= sizeof(name) || !word)
			return false;
		memcpy(name, text, word);
		name[word] = '\0';
		s->signo = options_signal(name);
		s->wait_ms = word < n ? text_duration(text + word + 1, n - word - 1) : -1;
		if (s->signo <= 0 || (word < n && s->wait_ms < 0))
			return false;
		d->n_stop++;
		text += n + (text[n] == ',');
		text += strspn(text, " ");
	}
	return d->n_stop > 0;
}

bool conf_common_key(struct conf *c, struct sv_def *d, const struct ini_section *s,
	const struct ini_key *k, bool *ret_took)
{
	bool needs = strcmp(k->name, "needs") == 0;
	size_t n;

	*ret_took = true;
	if (needs || strcmp(k->name, "after") == 0) {
		char *copy = pool_text(&c->scratch, k->value, strlen(k->value));

		for (char *comma = copy; (comma = strchr(comma, ','));)
			*comma = ' ';
		*(needs ? &d->needs_names : &d->after_names) =
			(const char **)text_words(&c->pool, copy, &n);
		if (!(needs ? d->needs_names : d->after_names))
			return conf_fail(
				c, k->file, k->line, s->name, k->name, "a quote is not closed");
	} else if (strcmp(k->name, "essential") == 0) {
		int yes = text_bool(k->value);

		if (yes < 0)
			return conf_fail(c, k->file, k->line, s->name, k->name,
				"yes or no, not \"%s\"", k->value);
		d->essential = yes;
	} else {
		*ret_took = false;
	}
	return true;
}
