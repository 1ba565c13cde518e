/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>

#include "base/str.h"

/* Objects up to this size are searched for a name twice by comparing; larger ones are sorted. */
enum { COMPARE_MAX = 32 };

struct reader {
	struct arena *arena;
	char *buf; /* the text, in which strings are decoded where they stand */
	char *at, *end;
	const char *line_start;
	uint32_t line;
	int depth;
	struct json *nodes;
	size_t n, room;
	struct err *e;
};

static int fail(struct reader *r, const char *at, const char *why)
{
	return err_say(
		r->e, "line %u, column %zu: %s", r->line, (size_t)(at - r->line_start) + 1, why);
}

static void skip_space(struct reader *r)
{
	for (;; r->at++) {
		if (*r->at == '\n') {
			r->line++;
			r->line_start = r->at + 1;
		} else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r') {
			return;
		}
	}
}

/* The array moves as it grows, so nodes are spoken of by index. */
static size_t add_node(struct reader *r, enum json_kind kind)
{
	if (r->n == r->room) {
		struct json *more;

		r->room = r->room ? r->room * 2 : (size_t)(r->end - r->buf) / 12 + 16;
		more = arena_array(r->arena, r->room, sizeof(*more));
		if (r->n)
			memcpy(more, r->nodes, r->n * sizeof(*more));
		r->nodes = more;
	}
	r->nodes[r->n] = (struct json){ .kind = kind, .line = r->line, .skip = 1 };
	return r->n++;
}

static int hex4(const char *s, unsigned *ret)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = v << 4 | (unsigned)((c | 0x20) - 'a' + 10);
		else
			return -EINVAL;
	}
	*ret = v;
	return 0;
}

static char *put_utf8(char *to, unsigned c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* \uXXXX, of two halves where it must be; at stands behind the u. */
static int read_unicode(struct reader *r, char **to)
{
	unsigned c, low;

	if (r->end - r->at < 4 || hex4(r->at, &c) < 0)
		return fail(r, r->at, "\\u wants four hexadecimal digits");
	r->at += 4;
	if (c == 0)
		return fail(r, r->at, "a NUL in a string is not taken");
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(r, r->at, "half of a surrogate pair");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u' ||
			hex4(r->at + 2, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return fail(r, r->at, "half of a surrogate pair");
		r->at += 6;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = put_utf8(*to, c);
	return 0;
}

static int read_escape(struct reader *r, char **to)
{
	static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	char c = *r->at++;
	const char *found;

	if (c == 'u')
		return read_unicode(r, to);
	found = c ? strchr(from, c) : NULL;
	if (!found)
		return fail(r, r->at - 1, "no escape is written like this");
	*(*to)++ = meant[found - from];
	return 0;
}

/* at stands behind the opening quote. The decoded text is never longer than the written one. */
static int read_string(struct reader *r, const char **ret, uint32_t *ret_n)
{
	char *start = r->at, *to = r->at;

	for (;;) {
		unsigned char c = (unsigned char)*r->at;

		/* most strings are as they will be: nothing to be moved */
		if (to == r->at) {
			while (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
				c = (unsigned char)*++r->at;
			to = r->at;
		}
		if (c == '"')
			break;
		if (c == '\\') {
			r->at++;
			if (read_escape(r, &to) < 0)
				return -r->e->code;
		} else if (c < 0x20) {
			return fail(r, r->at,
				r->at == r->end ? "the text ends inside a string"
						: "a control character in a string");
		} else if (c < 0x80) {
			*to++ = *r->at++;
		} else {
			size_t len = str_utf8_len(r->at, (size_t)(r->end - r->at));

			if (!len)
				return fail(r, r->at, "this is not UTF-8");
			memmove(to, r->at, len);
			to += len;
			r->at += len;
		}
	}
	r->at++;
	*to = '\0';
	*ret = start;
	*ret_n = (uint32_t)(to - start);
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int read_number(struct reader *r, struct json *v)
{
	const char *start = r->at;
	bool overflow = false;

	v->is_integer = true;
	v->is_negative = *r->at == '-';
	r->at += v->is_negative;
	if (!is_digit(*r->at))
		return fail(r, r->at, "a digit is missing");
	if (*r->at == '0' && is_digit(r->at[1]))
		return fail(r, r->at, "a number does not begin with 0");
	for (; is_digit(*r->at); r->at++) {
		unsigned digit = (unsigned)(*r->at - '0');

		overflow |= v->magnitude > (UINT64_MAX - digit) / 10;
		v->magnitude = v->magnitude * 10 + digit;
	}
	if (*r->at == '.') {
		v->is_integer = false;
		r->at++;
		if (!is_digit(*r->at))
			return fail(r, r->at, "a digit is missing");
		while (is_digit(*r->at))
			r->at++;
	}
	if ((*r->at | 0x20) == 'e') {
		v->is_integer = false;
		r->at++;
		r->at += *r->at == '+' || *r->at == '-';
		if (!is_digit(*r->at))
			return fail(r, r->at, "a digit is missing");
		while (is_digit(*r->at))
			r->at++;
	}
	if (overflow)
		v->is_integer = false;
	if (!v->is_integer)
		v->fraction = strtod(start, NULL);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* RFC 8259 leaves it open what a name twice means; who checks it may not be who uses it. */
static int check_names(struct reader *r, size_t object)
{
	const struct json *o = &r->nodes[object];
	const char **names;
	size_t n = 0;

	if (o->n < 2)
		return 0;
	if (o->n <= COMPARE_MAX) {
		for (const struct json *v = json_first(o); v; v = json_next(o, v))
			for (const struct json *w = json_first(o); w != v; w = json_next(o, w))
				if (v->name[0] == w->name[0] && str_eq(v->name, w->name))
					return err_say(r->e, "line %u: \"%s\" stands there twice",
						v->line, v->name);
		return 0;
	}
	names = arena_array(r->arena, o->n, sizeof(*names));
	for (const struct json *v = json_first(o); v; v = json_next(o, v))
		names[n++] = v->name;
	qsort(names, n, sizeof(*names), compare_names);
	for (size_t i = 1; i < n; i++)
		if (str_eq(names[i - 1], names[i]))
			return err_say(
				r->e, "line %u: \"%s\" stands there twice", o->line, names[i]);
	return 0;
}

static int read_value(struct reader *r);

/* at stands behind the bracket */
static int read_members(struct reader *r, size_t self, char close)
{
	uint32_t count = 0;

	if (++r->depth > JSON_DEPTH_MAX)
		return fail(r, r->at, "nested too deep");
	skip_space(r);
	if (*r->at != close) {
		for (;;) {
			const char *name = NULL;
			uint32_t n;
			size_t value;

			skip_space(r);
			if (close == '}') {
				if (*r->at++ != '"')
					return fail(r, r->at - 1, "a name in quotes is missing");
				if (read_string(r, &name, &n) < 0)
					return -r->e->code;
				skip_space(r);
				if (*r->at++ != ':')
					return fail(r, r->at - 1, "\":\" is missing");
			}
			value = r->n;
			if (read_value(r) < 0)
				return -r->e->code;
			r->nodes[value].name = name;
			count++;
			skip_space(r);
			if (*r->at == close)
				break;
			if (*r->at != ',')
				return fail(r, r->at, "\",\" or the closing bracket is missing");
			r->at++;
		}
	}
	r->at++;
	r->depth--;
	r->nodes[self].n = count;
	r->nodes[self].skip = (uint32_t)(r->n - self);
	return close == '}' ? check_names(r, self) : 0;
}

static int read_word(struct reader *r, const char *word, size_t self, enum json_kind kind, bool v)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return fail(r, r->at, "no value is written like this");
	r->at += n;
	r->nodes[self].kind = kind;
	r->nodes[self].is_true = v;
	return 0;
}

static int read_value(struct reader *r)
{
	size_t self;

	skip_space(r);
	self = add_node(r, JSON_NULL);
	switch (*r->at) {
	case '{':
	case '[':
		r->nodes[self].kind = *r->at == '{' ? JSON_OBJECT : JSON_ARRAY;
		return read_members(r, self, *r->at++ == '{' ? '}' : ']');
	case '"': {
		const char *text;
		uint32_t n;

		r->at++;
		if (read_string(r, &text, &n) < 0)
			return -r->e->code;
		r->nodes[self].kind = JSON_STRING;
		r->nodes[self].text = text;
		r->nodes[self].n = n;
		return 0;
	}
	case 't':
		return read_word(r, "true", self, JSON_BOOL, true);
	case 'f':
		return read_word(r, "false", self, JSON_BOOL, false);
	case 'n':
		return read_word(r, "null", self, JSON_NULL, false);
	default:
		if (*r->at != '-' && !is_digit(*r->at))
			return fail(r, r->at,
				r->at == r->end ? "the text ends where a value should be"
						: "no value is written like this");
		r->nodes[self].kind = JSON_NUMBER;
		return read_number(r, &r->nodes[self]);
	}
}

int json_parse(const char *text, size_t n, struct arena *a, const struct json **ret, struct err *e)
{
	struct reader r = { .arena = a, .line = 1, .e = e };

	if (n >= UINT32_MAX)
		return err_say(e, "the text is too long");
	/* the terminator stops every loop above: a NUL is no legal character anywhere */
	r.buf = arena_alloc(a, n + 1);
	memcpy(r.buf, text, n);
	r.at = r.buf;
	r.end = r.buf + n;
	r.line_start = r.buf;
	if (read_value(&r) < 0)
		return -e->code;
	skip_space(&r);
	if (r.at != r.end)
		return fail(&r, r.at, "something follows the value");
	*ret = r.nodes;
	return 0;
}

const struct json *json_first(const struct json *v)
{
	return (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT) && v->n ? v + 1 : NULL;
}

const struct json *json_next(const struct json *parent, const struct json *v)
{
	const struct json *next = v + v->skip;

	return next < parent + parent->skip ? next : NULL;
}

const struct json *json_get(const struct json *object, const char *name)
{
	if (object->kind != JSON_OBJECT)
		return NULL;
	for (const struct json *v = json_first(object); v; v = json_next(object, v))
		if (str_eq(v->name, name))
			return v;
	return NULL;
}

int json_u64(const struct json *v, uint64_t *ret)
{
	if (v->kind != JSON_NUMBER || !v->is_integer || (v->is_negative && v->magnitude))
		return -ERANGE;
	*ret = v->magnitude;
	return 0;
}

int json_i64(const struct json *v, int64_t *ret)
{
	if (v->kind != JSON_NUMBER || !v->is_integer ||
		v->magnitude > (uint64_t)INT64_MAX + v->is_negative)
		return -ERANGE;
	*ret = v->is_negative ? (int64_t)(0 - v->magnitude) : (int64_t)v->magnitude;
	return 0;
}

/* How much of it stands for itself. */
static size_t plain_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

void json_quote(struct text *t, const char *s, size_t n)
{
	text_add_n(t, "\"", 1);
	for (size_t i = 0; i < n;) {
		size_t plain = plain_len(s + i, n - i), len;
		unsigned char c;

		text_add_n(t, s + i, plain);
		i += plain;
		if (i == n)
			break;
		c = (unsigned char)s[i];
		len = c < 0x80 ? 1 : str_utf8_len(s + i, n - i);
		if (c == '"' || c == '\\')
			text_addf(t, "\\%c", c);
		else if (c == '\n')
			text_add(t, "\\n");
		else if (c == '\t')
			text_add(t, "\\t");
		else if (c < 0x20 || c == 0x7f)
			text_addf(t, "\\u%04x", c);
		else if (len)
			text_add_n(t, s + i, len);
		else
			text_add(t, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
	text_add_n(t, "\"", 1);
}

static void begin_value(struct json_writer *w, const char *name)
{
	if (w->not_first)
		text_add(w->t, ",");
	if (w->indent && w->depth)
		text_addf(w->t, "\n%*s", w->indent * w->depth, "");
	if (name) {
		json_quote(w->t, name, strlen(name));
		text_add(w->t, w->indent ? ": " : ":");
	}
	w->not_first = true;
}

void json_begin(struct json_writer *w, const char *name, char bracket)
{
	begin_value(w, name);
	text_add_n(w->t, &bracket, 1);
	w->depth++;
	w->not_first = false;
}

void json_end(struct json_writer *w, char bracket)
{
	w->depth--;
	if (w->indent && w->not_first)
		text_addf(w->t, "\n%*s", w->indent * w->depth, "");
	text_add_n(w->t, &bracket, 1);
	w->not_first = true;
}

void json_string(struct json_writer *w, const char *name, const char *s)
{
	begin_value(w, name);
	json_quote(w->t, s, strlen(s));
}

void json_bool(struct json_writer *w, const char *name, bool v)
{
	begin_value(w, name);
	text_add(w->t, v ? "true" : "false");
}

void json_int(struct json_writer *w, const char *name, int64_t v)
{
	begin_value(w, name);
	if (v < 0)
		text_add(w->t, "-");
	text_add_u64(w->t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_uint(struct json_writer *w, const char *name, uint64_t v)
{
	begin_value(w, name);
	text_add_u64(w->t, v);
}

void json_null(struct json_writer *w, const char *name)
{
	begin_value(w, name);
	text_add(w->t, "null");
}
