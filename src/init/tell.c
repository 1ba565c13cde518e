/* SPDX-License-Identifier: Apache-2.0 */
#include "init/tell.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static void put(struct line *l, const char *s, size_t n)
{
	if (n > sizeof(l->text) - l->len)
		n = sizeof(l->text) - l->len;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static void put_number(struct line *l, long n, int digits)
{
	char text[24], *s = text + sizeof(text);
	unsigned long u = n < 0 ? -(unsigned long)n : (unsigned long)n;

	do {
		*--s = (char)('0' + u % 10);
		u /= 10;
		digits--;
	} while (u || digits > 0);
	if (n < 0)
		*--s = '-';
	put(l, s, (size_t)(text + sizeof(text) - s));
}

static void vadd(struct line *l, const char *fmt, va_list args)
{
	for (; *fmt; fmt++) {
		const char *s = fmt;
		char c;

		while (*fmt && *fmt != '%')
			fmt++;
		put(l, s, (size_t)(fmt - s));
		if (!*fmt)
			return;
		switch (*++fmt) {
		case 's':
			s = va_arg(args, const char *);
			put(l, s, strlen(s));
			break;
		case 'd':
			put_number(l, va_arg(args, int), 0);
			break;
		case 'l':
			put_number(l, va_arg(args, long), 0);
			break;
		case '3':
			put_number(l, va_arg(args, long), 3);
			break;
		case 'c':
			c = (char)va_arg(args, int);
			put(l, &c, 1);
			break;
		default:
			put(l, fmt, 1);
		}
	}
}

void line_add(struct line *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vadd(l, fmt, args);
	va_end(args);
}

void line_quote(struct line *l, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	put(l, "\"", 1);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char escape[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

		if (c == '"' || c == '\\') {
			escape[1] = (char)c;
			put(l, escape, 2);
		} else if (c < ' ' || c > 126) {
			put(l, escape, 6); /* a name is bytes: each as if it were Latin-1 */
		} else {
			put(l, s, 1);
		}
	}
	put(l, "\"", 1);
}

void line_write(const struct line *l, int fd)
{
	size_t done = 0;

	while (done < l->len) {
		ssize_t n = write(fd, l->text + done, l->len - done);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

void print(int fd, const char *fmt, ...)
{
	struct line l;
	va_list args;

	l.len = 0;
	va_start(args, fmt);
	vadd(&l, fmt, args);
	va_end(args);
	line_write(&l, fd);
}

const char *tell_errno(int error)
{
	switch (error) {
	case ENOTTY:
		return "Inappropriate ioctl for device";
	case ELOOP:
		return "Too many levels of symbolic links";
	case ENAMETOOLONG:
		return "File name too long";
	case ENOMEM:
		return "Cannot allocate memory";
	case EIO:
		return "Input/output error";
	case EBADF:
		return "Bad file descriptor";
	default:
		return strerror(error);
	}
}
