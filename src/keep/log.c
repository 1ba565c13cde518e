/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's json-file: a line of the container is {"log":"...\n","stream":"stdout","time":"..."}.
 * A line longer than LINE_MAX comes in parts, the last of which ends in the newline.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keep/keep.h"

enum { PART_MAX = 16384 };

static struct {
	int dir, fd;
	int64_t max_bytes, size;
} file = { -1, -1, 0, 0 };

static struct {
	char text[PART_MAX];
	size_t len;
} parts[2];

static char escaped[PART_MAX * 6 + 256];

void log_open(int dir, int64_t max_bytes)
{
	off_t end;

	file.dir = dir;
	file.max_bytes = max_bytes;
	if (max_bytes <= 0)
		return;
	file.fd = openat(dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	end = file.fd < 0 ? 0 : lseek(file.fd, 0, SEEK_END);
	file.size = end > 0 ? end : 0;
}

static void rotate(void)
{
	close(file.fd);
	renameat(file.dir, "log", file.dir, "log.1");
	file.fd = openat(file.dir, "log",
		O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	file.size = 0;
}

/* How many bytes at s are one good UTF-8 character, 0: none. */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void escape(struct fixed *t, const char *data, size_t n)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)data[i];
		size_t len = utf8_len((const unsigned char *)data + i, n - i);

		if (c == '\n') {
			fixed_add(t, "\\n");
		} else if (c == '"' || c == '\\') {
			fixed_add(t, "\\");
			fixed_add_n(t, data + i, 1);
		} else if (c < 0x20) {
			char u[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

			fixed_add_n(t, u, sizeof(u));
		} else if (len) {
			fixed_add_n(t, data + i, len);
		} else {
			fixed_add(t, "\xef\xbf\xbd"); /* U+FFFD */
		}
		i += len ? len : 1;
	}
}

static void write_part(bool is_stderr, const char *data, size_t n)
{
	struct fixed t = { escaped, 0, sizeof(escaped) };
	size_t done = 0;

	if (file.fd < 0)
		return;
	fixed_add(&t, "{\"log\":\"");
	escape(&t, data, n);
	fixed_add(&t, is_stderr ? "\",\"stream\":\"stderr\",\"time\":\""
				: "\",\"stream\":\"stdout\",\"time\":\"");
	fixed_now(&t);
	fixed_add(&t, "\"}\n");
	if (file.size + (int64_t)t.len > file.max_bytes / 2 && file.size)
		rotate();
	while (done < t.len) {
		ssize_t r = write(file.fd, t.p + done, t.len - done);

		/* a full disk costs log lines, not the container */
		if (r <= 0)
			return;
		done += (size_t)r;
	}
	file.size += (int64_t)t.len;
}

void log_add(bool is_stderr, const char *data, size_t n)
{
	while (n && file.fd >= 0) {
		const char *newline = memchr(data, '\n', n);
		size_t take = newline ? (size_t)(newline - data) + 1 : n;
		size_t room = PART_MAX - parts[is_stderr].len;

		if (take > room) {
			take = room;
			newline = NULL;
		}
		memcpy(parts[is_stderr].text + parts[is_stderr].len, data, take);
		parts[is_stderr].len += take;
		data += take;
		n -= take;
		if (newline || parts[is_stderr].len == PART_MAX) {
			write_part(is_stderr, parts[is_stderr].text, parts[is_stderr].len);
			parts[is_stderr].len = 0;
		}
	}
}

void log_end(void)
{
	for (int i = 0; i < 2; i++) {
		if (parts[i].len)
			write_part(i, parts[i].text, parts[i].len);
		parts[i].len = 0;
	}
}
