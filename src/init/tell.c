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
	static const struct {
		int error;
		const char *words;
	} all[] = { { EPERM, "Operation not permitted" }, { ENOENT, "No such file or directory" },
		{ ESRCH, "No such process" }, { EIO, "Input/output error" },
		{ ENXIO, "No such device or address" }, { E2BIG, "Argument list too long" },
		{ ENOEXEC, "Exec format error" }, { EBADF, "Bad file descriptor" },
		{ EAGAIN, "Resource temporarily unavailable" },
		{ ENOMEM, "Cannot allocate memory" }, { EACCES, "Permission denied" },
		{ ENOTDIR, "Not a directory" }, { EISDIR, "Is a directory" },
		{ EINVAL, "Invalid argument" }, { EMFILE, "Too many open files" },
		{ ENFILE, "Too many open files in system" },
		{ ENOTTY, "Inappropriate ioctl for device" }, { ETXTBSY, "Text file busy" },
		{ ENAMETOOLONG, "File name too long" }, { ENOSYS, "Function not implemented" },
		{ ELOOP, "Too many levels of symbolic links" },
		{ ELIBBAD, "Accessing a corrupted shared library" } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].error == error)
			return all[i].words;
	return "Unknown error";
}
