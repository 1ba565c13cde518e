/* SPDX-License-Identifier: Apache-2.0 */
/* Built without libmicrohttpd. */
#include "cli/http.h"

int http_open(const char *where, const char *path, http_page_fn page, void *data, struct http **ret,
	struct err *e)
{
	(void)path;
	(void)page;
	(void)data;
	(void)ret;
	return err_say(e,
		"--listen %s: this clade was built without libmicrohttpd; --textfile is for a "
		"node_exporter",
		where);
}

void http_close(struct http *h)
{
	(void)h;
}

const char *http_where(const struct http *h)
{
	(void)h;
	return "";
}

int http_fd(const struct http *h)
{
	(void)h;
	return -1;
}

int http_timeout_ms(const struct http *h)
{
	(void)h;
	return -1;
}

void http_run(struct http *h)
{
	(void)h;
}
