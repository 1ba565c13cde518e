/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTP server of one page (docs/decisions/metrics.md). It runs when it is told to. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct http;

/* The page's text, made for each request that asks for it. */
typedef void (*http_page_fn)(void *data, struct text *out);

/*
 * where: "ADDRESS:PORT", "[ADDRESS]:PORT" for IPv6, ":PORT" or "PORT" on the loopback alone; port 0
 * for any. Serves GET and HEAD of path, at most 32 clients, each for 10 s without a word.
 */
int http_open(const char *where, const char *path, http_page_fn page, void *data, struct http **ret,
	struct err *e);
void http_close(struct http *h);

/* "127.0.0.1:9100": what it listens on, with the port it has. Lent. */
const char *http_where(const struct http *h);

/* Readable when http_run() has something to do; and after so long at the latest (-1: never). */
int http_fd(const struct http *h);
int http_timeout_ms(const struct http *h);
void http_run(struct http *h);
