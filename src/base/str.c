/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

int str_u64(const char *s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int str_i64(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	uint64_t v;
	int r = str_u64(minus ? s + 1 : s, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
		return -ERANGE;
	*ret = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int str_int(const char *s, int *ret)
{
	int64_t v;
	int r = str_i64(s, &v);

	if (r < 0)
		return r;
	if (v < INT_MIN || v > INT_MAX)
		return -ERANGE;
	*ret = (int)v;
	return 0;
}

/* Digits with an optional fraction; returns where it stopped, or NULL. */
static const char *decimal(const char *s, double *ret)
{
	double v = 0, scale = 1;
	const char *start = s;

	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (*s - '0');
	if (s == start)
		return NULL;
	if (*s == '.') {
		start = ++s;
		for (; *s >= '0' && *s <= '9'; s++) {
			scale /= 10;
			v += (*s - '0') * scale;
		}
		if (s == start)
			return NULL;
	}
	*ret = v;
	return s;
}

int str_bytes(const char *s, int64_t *ret_bytes)
{
	static const char units[] = "kmgtp";
	double v;
	const char *unit;

	s = decimal(s, &v);
	if (!s)
		return -EINVAL;
	if (*s && (unit = strchr(units, tolower((unsigned char)*s)))) {
		v = ldexp(v, 10 * (int)(unit - units + 1));
		s++;
		if (tolower((unsigned char)s[0]) == 'i' && tolower((unsigned char)s[1]) == 'b')
			s++;
	}
	if (tolower((unsigned char)*s) == 'b')
		s++;
	if (*s)
		return -EINVAL;
	if (v >= 9.2e18)
		return -ERANGE;
	*ret_bytes = (int64_t)v;
	return 0;
}

int str_duration_ms(const char *s, int64_t *ret_ms)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "ms", 1 }, { "us", 1e-3 }, { "ns", 1e-6 }, { "h", 3600e3 }, { "m", 60e3 },
		{ "s", 1e3 } };
	double sum = 0, v;
	bool bare = true;

	do {
		size_t i;

		s = decimal(s, &v);
		if (!s || (!*s && !bare))
			return -EINVAL;
		if (!*s) {
			sum += v * 1e3;
			break;
		}
		for (i = 0; i < ARRAY_LEN(units) && !str_starts(s, units[i].name); i++)
			;
		if (i == ARRAY_LEN(units))
			return -EINVAL;
		sum += v * units[i].ms;
		s += strlen(units[i].name);
		bare = false;
	} while (*s);
	if (sum >= 9.2e18)
		return -ERANGE;
	*ret_ms = (int64_t)sum;
	return 0;
}

static void make_room(struct text *t, size_t more)
{
	size_t want = t->len + more + 1;

	if (want <= t->room)
		return;
	t->room = want < 128 ? 128 : want * 2;
	t->p = mem_resize(t->p, t->room, 1);
}

void text_reserve(struct text *t, size_t more)
{
	if (t->len + more + 1 > t->room) {
		t->room = t->len + more + 1;
		t->p = mem_resize(t->p, t->room, 1);
	}
}

void text_cut(struct text *t, size_t len)
{
	if (len >= t->len)
		return;
	t->len = len;
	t->p[len] = '\0';
}

void text_add_n(struct text *t, const char *s, size_t n)
{
	make_room(t, n);
	if (n)
		memcpy(t->p + t->len, s, n);
	t->len += n;
	t->p[t->len] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_vaddf(struct text *t, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		make_room(t, (size_t)n);
		vsnprintf(t->p + t->len, (size_t)n + 1, fmt, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

void text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vaddf(t, fmt, ap);
	va_end(ap);
}

size_t str_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t want;
	uint32_t c;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	want = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (n < want)
		return 0;
	c = u[0] & (0x7fU >> want);
	for (size_t i = 1; i < want; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if ((want == 3 && c < 0x800) || (want == 4 && c < 0x10000) || c > 0x10ffff ||
		(c >= 0xd800 && c <= 0xdfff))
		return 0;
	return want;
}

bool str_is_hostile(const char *s, size_t len)
{
	const unsigned char *u = (const unsigned char *)s;

	if (len == 1)
		return u[0] < 0x20 || u[0] == 0x7f || u[0] == '\\';
	if (len == 2)
		return (u[0] == 0xc2 && u[1] < 0xa0) || (u[0] == 0xd8 && u[1] == 0x9c);
	if (len == 3)
		return u[0] == 0xe2 && ((u[1] == 0x80 && ((u[2] >= 0x8b && u[2] <= 0x8f) ||
								 (u[2] >= 0xa8 && u[2] <= 0xae))) ||
					       (u[1] == 0x81 && u[2] >= 0xa0 && u[2] <= 0xaf));
	return false;
}

void text_add_escaped(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t plain = 0, len;

		while (i + plain < n && s[i + plain] >= ' ' && s[i + plain] < 0x7f &&
			s[i + plain] != '\\')
			plain++;
		if (plain > 0) {
			text_add_n(t, s + i, plain);
			i += plain;
			continue;
		}
		len = str_utf8_len(s + i, n - i);
		if (len && !str_is_hostile(s + i, len)) {
			text_add_n(t, s + i, len);
			i += len;
			continue;
		}
		len = len ? len : 1;
		for (size_t k = 0; k < len; k++, i++) {
			if (s[i] == '\n')
				text_add(t, "\\n");
			else if (s[i] == '\t')
				text_add(t, "\\t");
			else if (s[i] == '\\')
				text_add(t, "\\\\");
			else
				text_addf(t, "\\x%02x", (unsigned char)s[i]);
		}
	}
}

void text_add_u64(struct text *t, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	text_add_n(t, digits + at, sizeof(digits) - at);
}

char *text_take(struct text *t)
{
	char *p = t->p ? t->p : mem_strdup("");

	memset(t, 0, sizeof(*t));
	return p;
}

void text_done(struct text *t)
{
	free(t->p);
	memset(t, 0, sizeof(*t));
}
