/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct err *e, int code, const char *fmt, va_list ap)
{
	e->code = code > 0 ? code : ERR_SAID;
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, code, fmt, ap);
	va_end(ap);
	return -e->code;
}

int err_say(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ERR_SAID, fmt, ap);
	va_end(ap);
	return -ERR_SAID;
}

int err_absent(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, ERR_ABSENT, fmt, ap);
	va_end(ap);
	return -ERR_ABSENT;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof(e->msg)];
	va_list ap;
	int n;

	memcpy(old, e->msg, sizeof(old));
	va_start(ap, fmt);
	n = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(e->msg))
		snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", old);
	return -e->code;
}

const char *err_text(const struct err *e, char *buf, size_t size)
{
	if (e->code == ERR_SAID || e->code == ERR_ABSENT)
		snprintf(buf, size, "%s", e->msg);
	else
		snprintf(buf, size, "%s: %s", e->msg, strerror(e->code));
	return buf;
}

void err_distrust(struct err *e)
{
	e->msg[sizeof(e->msg) - 1] = '\0';
	for (char *c = e->msg; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	if (e->code <= 0 || e->code > ERR_SAID)
		e->code = ERR_SAID;
}
