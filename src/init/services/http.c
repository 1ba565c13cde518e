/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on the control socket and on [inet_http_server], as far as supervisorctl and its like speak
 * it: one request a connection, basic authentication, answers in chunks, so that none has to be
 * kept until its length is known.
 */
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "init/services/ctl.h"

bool http_is(const struct client *c)
{
	return (c->n >= 5 && memcmp(c->request, "POST ", 5) == 0) ||
	       (c->n >= 4 && memcmp(c->request, "GET ", 4) == 0);
}

/* The value of a header field; NULL. */
static const char *field(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && line[2];
		line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':')
			return line + n + 1 + strspn(line + n + 1, " \t");
	}
	return NULL;
}

int http_split(struct client *c)
{
	char *end;
	const char *length;
	long n = 0;

	c->request[c->n] = '\0';
	end = strstr(c->request, "\r\n\r\n");
	if (!end)
		return c->n >= HTTP_MAX || strlen(c->request) < c->n ? -1 : 0;
	end[2] = '\0'; /* the head is a text of its own, its last line ended */
	length = field(c->request, "Content-Length");
	if (length)
		n = text_number(length, strcspn(length, "\r \t"), HTTP_MAX);
	c->body = end + 4;
	if (n < 0 || c->body + n > c->request + HTTP_MAX)
		return -1;
	if (c->request + c->n < c->body + n) {
		end[2] = '\r';
		return 0;
	}
	c->body[n] = '\0';
	return 1;
}

/* --- who may --------------------------------------------------------------------------------- */

static void base64(struct buf *b, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *t = (const unsigned char *)text;

	for (size_t n = strlen(text); n; t += n < 3 ? n : 3, n -= n < 3 ? n : 3) {
		unsigned v = (unsigned)t[0] << 16 | (n > 1 ? (unsigned)t[1] << 8 : 0) |
			     (n > 2 ? t[2] : 0);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
			n > 1 ? digits[v >> 6 & 63] : '=', n > 2 ? digits[v & 63] : '=' };

		buf_bytes(b, four, 4);
	}
}

static bool may(const struct client *c)
{
	const struct sv_http *h = &sv.now->set.http[c->inet];
	const char *given = field(c->request, "Authorization");
	char plain[256], wanted[400];
	struct buf p = BUF(plain), w = BUF(wanted);
	unsigned char differs = 0;

	if (!h->username)
		return true;
	buf_add(&p, "%s:%s", h->username, h->password);
	base64(&w, plain);
	if (!given || !h->password || strncasecmp(given, "Basic ", 6) != 0 || p.len == p.size - 1)
		return false;
	given += 6;
	if (strcspn(given, "\r \t") != w.len)
		return false;
	for (size_t i = 0; i < w.len; i++)
		differs |= (unsigned char)(given[i] ^ wanted[i]);
	return !differs;
}

/* --- answers --------------------------------------------------------------------------------- */

void http_head(struct client *c, const char *status, const char *type)
{
	char text[512];
	struct buf b = BUF(text);

	if (c->headed)
		return;
	c->headed = true;
	text[0] = '\0';
	buf_add(&b,
		"HTTP/1.1 %s\r\nServer: clade-init\r\nContent-Type: %s\r\n%sConnection: "
		"close\r\n\r\n",
		status, type, c->chunked ? "Transfer-Encoding: chunked\r\n" : "");
	ctl_send(c, text, b.len);
}

void http_bytes(struct client *c, const char *data, size_t n)
{
	char frame[CTL_DATA_MAX + 16];
	struct buf b = BUF(frame);
	static const char hex[] = "0123456789abcdef";

	http_head(c, "200 OK", "text/plain; charset=utf-8");
	while (n && c->fd >= 0) {
		size_t part = n < CTL_DATA_MAX ? n : CTL_DATA_MAX;

		b.len = 0;
		for (int shift = 12; c->chunked && shift >= 0; shift -= 4)
			buf_bytes(&b, &hex[part >> shift & 15], 1);
		if (c->chunked)
			buf_bytes(&b, "\r\n", 2);
		buf_bytes(&b, data, part);
		if (c->chunked)
			buf_bytes(&b, "\r\n", 2);
		ctl_send(c, frame, b.len);
		data += part;
		n -= part;
	}
}

void http_end(struct client *c)
{
	http_head(c, "200 OK", "text/plain; charset=utf-8");
	if (c->chunked)
		ctl_send(c, "0\r\n\r\n", 5);
}

static void refuse(struct client *c, const char *status)
{
	http_head(c, status, "text/plain");
	http_bytes(c, status, strlen(status));
	ctl_finish(c);
}

/* %3A and its like, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++) {
		static const char hex[] = "0123456789abcdef";
		const char *a = text[0] == '%' && text[1] ? strchr(hex, text[1] | 32) : NULL,
			   *b = a && text[2] ? strchr(hex, text[2] | 32) : NULL;

		if (b)
			text += 2;
		*to++ = b ? (char)((a - hex) << 4 | (b - hex)) : *text;
	}
	*to = '\0';
}

/* /logtail/NAME[/stderr] and /mainlogtail, as `tail -f` asks for them; / is the status. */
static void get(struct client *c, char *path)
{
	c->n_words = 2;
	c->words[1] = "-f";
	if (strncmp(path, "/logtail/", 9) == 0) {
		char *channel = strchr(path + 9, '/');

		if (channel)
			*channel++ = '\0';
		unescape(path + 9);
		c->words[0] = "tail";
		c->words[2] = path + 9;
		c->words[3] = channel && strncmp(channel, "stderr", 6) == 0 ? "stderr" : "stdout";
		c->n_words = 4;
		ctl_tail(c);
	} else if (strcmp(path, "/mainlogtail") == 0) {
		c->words[0] = "maintail";
		ctl_maintail(c);
	} else if (strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0) {
		c->words[0] = "status";
		c->n_words = 1;
		ctl_status(c);
	} else {
		refuse(c, "404 Not Found");
	}
}

void http_command(struct client *c)
{
	char *path = strchr(c->request, ' ') + 1, *end = path + strcspn(path, " \r?");
	bool post = c->request[0] == 'P';

	c->http = true;
	c->chunked = strncmp(path + strcspn(path, " \r"), " HTTP/1.1\r", 10) == 0;
	if (!may(c)) {
		static const char no[] =
			"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"default\"\r\n"
			"Content-Length: 0\r\nConnection: close\r\n\r\n";

		c->headed = true;
		c->chunked = false;
		ctl_send(c, no, sizeof(no) - 1);
		ctl_finish(c);
		return;
	}
	*end = '\0';
	if (!post)
		get(c, path);
	else if (strcmp(path, "/RPC2") == 0 || strcmp(path, "/RPC2/") == 0)
		rpc_command(c);
	else
		refuse(c, "404 Not Found");
}
