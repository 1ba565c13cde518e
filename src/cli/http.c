/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP by libmicrohttpd, in the caller's own loop: no thread, one epoll descriptor. */
#include "cli/http.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/mem.h"

enum { CLIENTS_MAX = 32, PER_ADDRESS_MAX = 16, SILENT_S = 10, MEMORY_PER_CLIENT = 16384 };

/*
 * Looked for when somebody listens: with what it needs in turn (a whole TLS) it would be a third of
 * each command's start.
 */
static struct {
	__typeof__(MHD_add_response_header) *add_response_header;
	__typeof__(MHD_create_response_from_buffer) *create_response_from_buffer;
	__typeof__(MHD_destroy_response) *destroy_response;
	__typeof__(MHD_get_daemon_info) *get_daemon_info;
	__typeof__(MHD_get_timeout) *get_timeout;
	__typeof__(MHD_queue_response) *queue_response;
	__typeof__(MHD_run) *run;
	__typeof__(MHD_start_daemon) *start_daemon;
	__typeof__(MHD_stop_daemon) *stop_daemon;
} lib;

static int load(struct err *e)
{
	const struct {
		const char *name;
		void **place;
	} wanted[] = {
		{ "MHD_add_response_header", (void **)&lib.add_response_header },
		{ "MHD_create_response_from_buffer", (void **)&lib.create_response_from_buffer },
		{ "MHD_destroy_response", (void **)&lib.destroy_response },
		{ "MHD_get_daemon_info", (void **)&lib.get_daemon_info },
		{ "MHD_get_timeout", (void **)&lib.get_timeout },
		{ "MHD_queue_response", (void **)&lib.queue_response },
		{ "MHD_run", (void **)&lib.run },
		{ "MHD_start_daemon", (void **)&lib.start_daemon },
		{ "MHD_stop_daemon", (void **)&lib.stop_daemon },
	};
	void *handle = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		*wanted[i].place = handle ? dlsym(handle, wanted[i].name) : NULL;
		if (!*wanted[i].place)
			return err_say(e,
				"--listen needs libmicrohttpd.so.12 (Debian's "
				"libmicrohttpd12): %s",
				dlerror());
	}
	return 0;
}

struct http {
	struct MHD_Daemon *daemon;
	const char *path; /* lent */
	http_page_fn page;
	void *data;
	char where[80];
};

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type,
	const char *allow, const struct text *body)
{
	struct MHD_Response *r = lib.create_response_from_buffer(
		body->len, body->p ? body->p : (char *)"", MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;
	lib.add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	lib.add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (allow)
		lib.add_response_header(r, MHD_HTTP_HEADER_ALLOW, allow);
	done = lib.queue_response(c, status, r);
	lib.destroy_response(r);
	return done;
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_size,
	void **request)
{
	static const char plain[] = "text/plain; charset=utf-8";
	struct http *h = data;
	autotext body = { 0 };

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)request;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		text_add(&body, "only GET and HEAD\n");
		return answer(c, MHD_HTTP_METHOD_NOT_ALLOWED, plain, "GET, HEAD", &body);
	}
	if (strcmp(url, h->path) != 0) {
		text_addf(&body, "what there is, is at %s\n", h->path);
		return answer(c, strcmp(url, "/") == 0 ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, plain,
			NULL, &body);
	}
	h->page(h->data, &body);
	return answer(c, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", NULL, &body);
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_where(const char *where, union address *ret, struct err *e)
{
	const char *colon = strrchr(where, ':'), *host = where;
	size_t n = colon ? (size_t)(colon - where) : 0;
	char text[64];
	uint64_t port;

	if (str_u64(colon ? colon + 1 : where, &port) < 0 || port > UINT16_MAX)
		return err_say(e, "--listen %s: ADDRESS:PORT is wanted", where);
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
		ret->v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
			.sin6_port = htons((uint16_t)port) };
	} else {
		ret->v4 = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons((uint16_t)port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		if (n == 0)
			return 0;
	}
	if (n < sizeof(text)) {
		memcpy(text, host, n);
		text[n] = '\0';
		if (inet_pton(ret->any.sa_family, text,
			    ret->any.sa_family == AF_INET ? (void *)&ret->v4.sin_addr
							  : (void *)&ret->v6.sin6_addr) == 1)
			return 0;
	}
	return err_say(e, "--listen %s: the address must be a number (127.0.0.1, [::1])", where);
}

static void note_where(struct http *h, const union address *a)
{
	const union MHD_DaemonInfo *port =
		lib.get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
	char text[INET6_ADDRSTRLEN] = "";
	bool v6 = a->any.sa_family == AF_INET6;

	inet_ntop(a->any.sa_family,
		v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, text,
		sizeof(text));
	snprintf(h->where, sizeof(h->where), v6 ? "[%s]:%u" : "%s:%u", text, port ? port->port : 0);
}

int http_open(const char *where, const char *path, http_page_fn page, void *data, struct http **ret,
	struct err *e)
{
	struct http *h;
	union address a = { 0 };
	unsigned flags = MHD_USE_EPOLL;

	if (parse_where(where, &a, e) < 0 || load(e) < 0)
		return -e->code;
	if (a.any.sa_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	h = mem_alloc(sizeof(*h));
	h->path = path;
	h->page = page;
	h->data = data;
	errno = 0;
	h->daemon = lib.start_daemon(flags, 0, NULL, NULL, on_request, h, MHD_OPTION_SOCK_ADDR,
		&a.any, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)PER_ADDRESS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CLIENT, MHD_OPTION_END);
	if (!h->daemon) {
		free(h);
		return err_set(e, errno ? errno : EADDRNOTAVAIL, "listen on %s", where);
	}
	note_where(h, &a);
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	lib.stop_daemon(h->daemon);
	free(h);
}

const char *http_where(const struct http *h)
{
	return h->where;
}

int http_fd(const struct http *h)
{
	return lib.get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_timeout_ms(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (lib.get_timeout(h->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

void http_run(struct http *h)
{
	lib.run(h->daemon);
}
