/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs: docker's json-file read back, log.1 (older) before log. Following waits on inotify(7) and
 * ends with the container.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "life/internal.h"
#include "os/file.h"

enum { LOG_MAX = 1 << 30 };

/* "2026-01-02T03:04:05.123456789Z" to nanoseconds; 0: not a time. */
static int64_t parse_time(const char *s)
{
	struct tm tm = { 0 };
	const char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t fraction = 0, unit = 100000000;

	if (!rest)
		return 0;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			fraction += (*rest - '0') * unit;
	return (int64_t)timegm(&tm) * 1000000000 + fraction;
}

static void one_line(const char *line, size_t n, const struct life_logs *how)
{
	autoarena arena = { 0 };
	const struct json *v, *log, *stream, *when;
	struct err e;
	int64_t at;

	/* a line that a full disk cut short is nobody's word */
	if (json_parse(line, n, &arena, &v, &e) < 0 || v->kind != JSON_OBJECT)
		return;
	log = json_get(v, "log");
	stream = json_get(v, "stream");
	when = json_get(v, "time");
	if (!log || log->kind != JSON_STRING || !when || when->kind != JSON_STRING)
		return;
	at = parse_time(when->text);
	if ((how->since_ns && at < how->since_ns) || (how->until_ns && at > how->until_ns))
		return;
	how->line(how->data,
		stream && stream->kind == JSON_STRING && str_eq(stream->text, "stderr") ? 2 : 1,
		when->text, log->text, strlen(log->text));
}

/* Whole lines of text; returns how many bytes they are. */
static size_t lines(const char *text, size_t n, const struct life_logs *how)
{
	size_t at = 0;
	const char *end;

	while (at < n && (end = memchr(text + at, '\n', n - at))) {
		one_line(text + at, (size_t)(end - text) - at, how);
		at = (size_t)(end - text) + 1;
	}
	return at;
}

/* Where the last `tail` lines begin. Parts of a long line count as one. */
static size_t tail_start(const char *text, size_t n, int64_t tail)
{
	size_t at = n;

	if (tail < 0)
		return 0;
	if (tail == 0)
		return n;
	while (at > 0) {
		size_t end = at - 1; /* the newline of the line before */

		at = end;
		while (at > 0 && text[at - 1] != '\n')
			at--;
		/* counted is what ends in a newline of the container's own, and the last */
		if (end + 1 == n || memmem(text + at, end - at, "\\n\",\"stream\":", 13))
			tail--;
		if (tail < 0)
			return end + 1;
	}
	return 0;
}

struct follow {
	int dir, fd; /* fd: the log that is being written */
	ino_t inode;
	struct text rest; /* a line that has not ended */
};

static void follow_read(struct follow *f, const struct life_logs *how)
{
	char data[65536];
	ssize_t n;
	size_t done;

	while (f->fd >= 0 && (n = read(f->fd, data, sizeof(data))) > 0) {
		text_add_n(&f->rest, data, (size_t)n);
		done = lines(f->rest.p, f->rest.len, how);
		memmove(f->rest.p, f->rest.p + done, f->rest.len - done);
		f->rest.len -= done;
	}
}

/* The minder has begun a new file: the old one is at its end. */
static void follow_rotation(struct follow *f, const struct life_logs *how)
{
	struct stat st;

	if (fstatat(f->dir, "log", &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		(f->fd >= 0 && st.st_ino == f->inode))
		return;
	follow_read(f, how);
	fd_close(&f->fd);
	f->fd = openat(f->dir, "log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	f->inode = st.st_ino;
	follow_read(f, how);
}

/* Until the container has ended and what it said is read. */
static int follow(
	struct follow *f, const struct held *h, const struct life_logs *how, struct err *e)
{
	autofd watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[FILE_FD_PATH], events[4096];

	if (watch < 0 ||
		inotify_add_watch(watch, file_fd_path(h->dir, path),
			IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE_SELF) < 0)
		return err_set(e, errno, "watch the log");
	for (;;) {
		struct pollfd fd = { .fd = watch, .events = POLLIN };
		bool alive = keep_is_alive(h->dir);

		follow_read(f, how);
		follow_rotation(f, how);
		if (!alive)
			return 0;
		/* the end of a minder is a lock that goes, which no event tells */
		if (poll(&fd, 1, 200) > 0)
			while (read(watch, events, sizeof(events)) > 0)
				;
	}
}

int life_logs(const struct life *l, const char *ref, const struct life_logs *how, struct err *e)
{
	autoheld h = HELD_NONE;
	autotext all = { 0 };
	autofree char *older = NULL, *newer = NULL;
	struct follow f = { .fd = FD_NONE };
	struct stat st;
	ssize_t n_older, n_newer = 0;
	size_t at;
	int r = 0;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	f.dir = h.dir;
	f.fd = openat(h.dir, "log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f.fd >= 0 && fstat(f.fd, &st) == 0)
		f.inode = st.st_ino;
	n_older = file_read_all(h.dir, "log.1", LOG_MAX, &older);
	if (f.fd >= 0)
		n_newer = file_read_fd(f.fd, LOG_MAX, &newer);
	if (n_newer < 0)
		return err_set(e, (int)-n_newer, "read the log of container %s", h.record.name);
	if (n_older > 0)
		text_add_n(&all, older, (size_t)n_older);
	if (n_newer > 0)
		text_add_n(&all, newer, (size_t)n_newer);
	at = tail_start(all.p, all.len, how->tail);
	if (all.len) {
		size_t done = at + lines(all.p + at, all.len - at, how);

		text_add_n(&f.rest, all.p + done, all.len - done);
	}
	if (how->follow)
		r = follow(&f, &h, how, e);
	fd_close(&f.fd);
	text_done(&f.rest);
	return r;
}
