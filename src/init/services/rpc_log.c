/* SPDX-License-Identifier: Apache-2.0 */
/* What services and clade-init itself have written: from their files, or the last of it. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/services/rpc.h"

static void give(void *data, const char *text, size_t n)
{
	struct client *c = data;

	while (n && c->fd >= 0) {
		char room[2048];
		struct buf b = BUF(room);
		size_t took = rpc_escape(&b, text, n, true);

		rpc_put(c, &b);
		text += took;
		n -= took;
	}
}

static bool give_file(struct client *c, const char *path, long offset, long length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	off_t at, to;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	at = offset < 0 ? st.st_size + offset : offset;
	at = at < 0 ? 0 : at;
	to = offset < 0 || !length || at + length > st.st_size ? st.st_size : at + length;
	while (at < to && c->fd >= 0) {
		char room[1024], text[5 * 1024 + 16];
		struct buf b = BUF(text);
		ssize_t n = pread(fd, room, to - at < 1024 ? (size_t)(to - at) : 1024, at);

		if (n <= 0)
			break;
		n = (ssize_t)rpc_escape(&b, room, (size_t)n, at + n >= to);
		rpc_put(c, &b);
		at += n;
	}
	close(fd);
	return true;
}

static bool number(const char *word, long *ret)
{
	bool minus = *word == '-';

	*ret = text_number(word + minus, strlen(word + minus), INT_MAX);
	if (*ret < 0)
		return false;
	*ret = minus ? -*ret : *ret;
	return true;
}

void rpc_read_log(struct client *c)
{
	bool main = strcmp(c->words[0], "readLog") == 0 || strcmp(c->words[0], "readMainLog") == 0;
	int at = main ? 1 : 2, which = strstr(c->words[0], "Stderr") != NULL;
	const struct service *s = main ? NULL : ctl_one(c->words[1]);
	const char *path = main ? note_file() : s ? rpc_log_of(s->def, which) : NULL;
	long offset, length;

	if (!main && !s) {
		rpc_fault(c, BAD_NAME, c->words[1]);
		return;
	}
	if (!number(c->words[at], &offset) || !number(c->words[at + 1], &length) || length < 0 ||
		(offset < 0 && length)) {
		rpc_fault(c, BAD_ARGUMENTS, NULL);
		return;
	}
	if (path && !*path) {
		rpc_fault(c, NO_FILE, NULL);
		return;
	}
	rpc_begin(c);
	rpc_raw(c, "<string>");
	if (!path || !give_file(c, path, offset, length)) {
		size_t n = offset < 0 ? (size_t)-offset : 1 << 20;

		if (main)
			note_tail(n, give, c);
		else
			out_ring(s, n, give, c);
	}
	rpc_raw(c, "</string>");
	rpc_end(c);
}

/* The size of a log file; 0: there is none. */
static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (long)st.st_size : 0;
}

/*
 * What was written since the client looked last: [text, the offset to ask with next, whether there
 * was more than it asked for]. As supervisor has it, it is the end of the log that is given.
 */
void rpc_tail_log(struct client *c)
{
	int which = strstr(c->words[0], "Stderr") != NULL;
	const struct service *s = ctl_one(c->words[1]);
	const char *path = s ? rpc_log_of(s->def, which) : NULL;
	bool in_file = path && size_of(path), more;
	long offset, length, size;
	char text[200];
	struct buf b = BUF(text);

	if (!s) {
		rpc_fault(c, BAD_NAME, c->words[1]);
		return;
	}
	if (!number(c->words[2], &offset) || !number(c->words[3], &length)) {
		rpc_fault(c, BAD_ARGUMENTS, NULL);
		return;
	}
	size = in_file ? size_of(path) : *path ? (long)s->ring_at : 0;
	more = size > offset + length;
	if ((!more && offset >= size) || length < 0)
		length = 0;
	if (length > size)
		length = size;
	rpc_begin(c);
	rpc_raw(c, "<array><data><value><string>");
	if (length && in_file)
		give_file(c, path, -length, 0);
	else if (length)
		out_ring(s, (size_t)length, give, c);
	text[0] = '\0';
	buf_add(&b,
		"</string></value><value><int>%ld</int></value><value><boolean>%d</boolean></value>"
		"</data></array>",
		size > INT_MAX ? (long)INT_MAX : size, more);
	rpc_put(c, &b);
	rpc_end(c);
}

void rpc_clear(struct client *c)
{
	bool all = strcmp(c->words[0], "clearAllProcessLogs") == 0;
	struct service *s = all ? NULL : ctl_one(c->words[1]);

	if (!all && !s) {
		rpc_fault(c, BAD_NAME, c->words[1]);
	} else if (!all && !out_clear(s)) {
		rpc_fault(c, FAILED, c->words[1]);
	} else if (!all) {
		rpc_true(c);
	} else {
		c->rpc = RPC_MANY;
		rpc_begin(c);
		rpc_raw(c, "<array><data>");
		while (c->fd >= 0 && (s = ctl_next(s)))
			rpc_result(c, s, out_clear(s) ? SUCCESS : FAILED);
	}
}

void rpc_clear_main(struct client *c)
{
	note_clear();
	rpc_true(c);
}
