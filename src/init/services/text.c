/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/text.h"

#include <string.h>
#include <strings.h>
#include <sys/mman.h>

void buf_bytes(struct buf *b, const char *data, size_t n)
{
	if (!b->size)
		return;
	if (n > b->size - 1 - b->len)
		n = b->size - 1 - b->len;
	memcpy(b->text + b->len, data, n);
	b->len += n;
	b->text[b->len] = '\0';
}

static void add_number(struct buf *b, long n)
{
	char digits[24], *s = digits + sizeof(digits);
	unsigned long u = n < 0 ? -(unsigned long)n : (unsigned long)n;

	do {
		*--s = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		*--s = '-';
	buf_bytes(b, s, (size_t)(digits + sizeof(digits) - s));
}

void buf_vadd(struct buf *b, const char *fmt, va_list args)
{
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");

		buf_bytes(b, fmt, plain);
		fmt += plain;
		if (!*fmt)
			break;
		fmt++;
		if (*fmt == 's') {
			const char *s = va_arg(args, const char *);

			buf_bytes(b, s ? s : "", s ? strlen(s) : 0);
		} else if (*fmt == 'd') {
			add_number(b, va_arg(args, int));
		} else if (*fmt == 'l') {
			add_number(b, va_arg(args, long));
			fmt++;
		} else if (*fmt == '.') {
			int n = va_arg(args, int);

			buf_bytes(b, va_arg(args, const char *), (size_t)(n < 0 ? 0 : n));
			fmt += 2;
		} else {
			buf_bytes(b, "%", 1);
		}
		fmt++;
	}
}

void buf_add(struct buf *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	buf_vadd(b, fmt, args);
	va_end(args);
}

void buf_pad(struct buf *b, size_t width)
{
	while (b->len < width && b->len + 1 < b->size)
		buf_bytes(b, " ", 1);
}

void buf_two(struct buf *b, long n)
{
	if (n < 10)
		buf_bytes(b, "0", 1);
	add_number(b, n);
}

bool pool_open(struct pool *p, size_t size, jmp_buf *full)
{
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	*p = (struct pool){ .full = full };
	if (base == MAP_FAILED)
		return false;
	p->base = base;
	p->size = size;
	return true;
}

void pool_close(struct pool *p)
{
	if (p->base)
		munmap(p->base, p->size);
	*p = (struct pool){ 0 };
}

void *pool_alloc(struct pool *p, size_t n)
{
	void *at;

	n = (n + 7) & ~(size_t)7;
	if (n > p->size - p->used)
		longjmp(*p->full, 1);
	at = p->base + p->used;
	p->used += n;
	return at;
}

char *pool_text(struct pool *p, const char *s, size_t n)
{
	char *copy = pool_alloc(p, n + 1);

	memcpy(copy, s, n);
	return copy;
}

long text_number(const char *s, size_t n, long max)
{
	long value = 0;

	if (!n || n > 12)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
	}
	return value > max ? -1 : value;
}

bool text_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(s, word, n) == 0;
}

/* A number and its unit's factor; -1 when the unit is in no row. */
struct unit {
	const char *name;
	int64_t factor;
};

static int64_t with_unit(const char *s, size_t n, const struct unit *units)
{
	size_t digits = 0;
	long value;

	while (digits < n && s[digits] >= '0' && s[digits] <= '9')
		digits++;
	value = text_number(s, digits, 100000000000);
	if (value < 0)
		return -1;
	for (; units->name; units++)
		if (text_is(s + digits, n - digits, units->name))
			return value > INT64_MAX / units->factor ? -1 : value * units->factor;
	return -1;
}

int64_t text_duration(const char *s, size_t n)
{
	static const struct unit units[] = { { "", 1000 }, { "s", 1000 }, { "ms", 1 },
		{ "m", 60000 }, { "h", 3600000 }, { 0 } };

	return with_unit(s, n, units);
}

int64_t text_bytes(const char *s)
{
	static const struct unit units[] = { { "", 1 }, { "b", 1 }, { "k", 1024 }, { "kb", 1024 },
		{ "m", 1 << 20 }, { "mb", 1 << 20 }, { "g", 1 << 30 }, { "gb", 1 << 30 }, { 0 } };

	return with_unit(s, strlen(s), units);
}

int text_bool(const char *s)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "t", "y" }, *const no[] = {
		"no", "false", "off", "0", "f", "n"
	};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(s, yes[i]) == 0)
			return 1;
		if (strcasecmp(s, no[i]) == 0)
			return 0;
	}
	return -1;
}

/* "[a-z]": does it take c? *p: moved behind it. */
static bool in_set(const char **p, char c)
{
	const char *s = *p + 1;
	bool not = *s == '!' || *s == '^', found = false;

	for (s += not ; *s && (*s != ']' || s == *p + 1 + not ); s++) {
		if (s[1] == '-' && s[2] && s[2] != ']') {
			found |= c >= *s && c <= s[2];
			s += 2;
		} else {
			found |= c == *s;
		}
	}
	*p = *s ? s + 1 : s;
	return found != not ;
}

bool text_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *retry = NULL, *p = pattern;

	if (*name == '.' && *pattern != '.')
		return false;
	while (*name) {
		const char *set = p;

		if (*p == '*') {
			star = ++p;
			retry = name;
		} else if (*p == '?' || (*p == *name && *p != '[') ||
			   (*p == '[' && in_set(&set, *name))) {
			p = *p == '[' ? set : p + 1;
			name++;
		} else if (star) {
			p = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

uint64_t text_hash(uint64_t h, const char *s)
{
	if (!h)
		h = UINT64_C(14695981039346656037);
	do
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	while (*s++);
	return h;
}

/* One word from *s on into to; false: a quote stays open. */
static bool take_word(const char **s, char **to)
{
	char quote = 0;
	const char *c = *s;

	for (; *c; c++) {
		if (quote == '\'' ? *c == '\'' : quote && *c == '"') {
			quote = 0;
		} else if (quote == '\'') {
			*(*to)++ = *c;
		} else if (quote) {
			if (*c == '\\' && (c[1] == '"' || c[1] == '\\'))
				c++;
			*(*to)++ = *c;
		} else if (*c == '\'' || *c == '"') {
			quote = *c;
		} else if (*c == '\\') {
			if (!*++c)
				return false;
			*(*to)++ = *c;
		} else if (strchr(" \t\r\n", *c)) {
			break;
		} else {
			*(*to)++ = *c;
		}
	}
	*s = c;
	*(*to)++ = '\0';
	return !quote;
}

char **text_words(struct pool *p, const char *s, size_t *ret_n)
{
	/* a word needs at least a byte and a blank, and no word grows */
	char *copy = pool_alloc(p, strlen(s) * 2 + 2), **words;
	size_t n = 0;

	for (const char *c = s; *(c += strspn(c, " \t\r\n"));) {
		char *to = copy;

		if (!take_word(&c, &to))
			return NULL;
		n++;
	}
	words = pool_alloc(p, (n + 1) * sizeof(*words));
	n = 0;
	for (const char *c = s; *(c += strspn(c, " \t\r\n"));) {
		words[n++] = copy;
		take_word(&c, &copy);
	}
	*ret_n = n;
	return words;
}
