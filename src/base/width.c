/* SPDX-License-Identifier: Apache-2.0 */
#include "base/width.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

#include "base/str.h"

void width_setup(void)
{
	/* the C library's table of widths belongs to the locale; numbers and messages stay C's */
	setlocale(LC_CTYPE, "C.UTF-8");
}

/* Columns of the character at s, and its bytes. */
static size_t one(const char *s, size_t n, size_t *ret_len)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t len = str_utf8_len(s, n);
	wchar_t c;
	int w;

	*ret_len = len ? len : 1;
	if (len < 2)
		return 1;
	c = u[0] & (0x7f >> len);
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (u[i] & 0x3f);
	w = wcwidth(c);
	return w < 0 ? 1 : (size_t)w;
}

size_t width_of(const char *s, size_t n)
{
	size_t i = 0, w, len;

	/* most text is plain */
	while (i < n && (unsigned char)s[i] < 0x80)
		i++;
	for (w = i; i < n; i += len)
		w += one(s + i, n - i, &len);
	return w;
}

size_t width_cut(const char *s, size_t n, size_t columns)
{
	size_t i = 0, at = 0, len;

	for (; i < n; i += len) {
		at += one(s + i, n - i, &len);
		if (at > columns)
			break;
	}
	return i;
}
