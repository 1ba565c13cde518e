/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/fields.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

int load_say(struct load *l, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_say(l->e, "%s%s%s", l->path, l->len ? ": " : "", text);
}

static void add_to_path(struct load *l, const char *s)
{
	while (*s && l->len < sizeof(l->path) - 1)
		l->path[l->len++] = *s++;
	l->path[l->len] = '\0';
}

/* By hand: it is done for every value, and printf would be a third of reading a configuration. */
size_t load_enter(struct load *l, const char *name, size_t index)
{
	size_t before = l->len;
	char digits[24], *d = digits + sizeof(digits);

	if (name) {
		add_to_path(l, before ? "." : "");
		add_to_path(l, name);
		return before;
	}
	*--d = '\0';
	*--d = ']';
	do
		*--d = (char)('0' + index % 10);
	while (index /= 10);
	*--d = '[';
	add_to_path(l, d);
	return before;
}

void load_leave(struct load *l, size_t len)
{
	l->len = len;
	l->path[len] = '\0';
}

int64_t word_value(const struct word *words, const char *word)
{
	for (; words->word; words++)
		if (str_eq(words->word, word))
			return words->value;
	return -1;
}

const char *word_of(const struct word *words, int64_t value)
{
	for (; words->word; words++)
		if (words->value == value)
			return words->word;
	return NULL;
}

static int want_kind(struct load *l, const struct json *v, enum json_kind kind)
{
	static const char *const names[] = { "null", "true or false", "a number", "a string",
		"a list", "an object" };

	return v->kind == kind
		       ? 0
		       : load_say(l, "%s is wanted here, not %s", names[kind], names[v->kind]);
}

static int read_i64(struct load *l, const struct json *v, int64_t min, int64_t max, int64_t *ret)
{
	int64_t n;

	if (want_kind(l, v, JSON_NUMBER) < 0)
		return -l->e->code;
	if (json_i64(v, &n) < 0 || n < min || n > max)
		return load_say(l, "a whole number from %lld to %lld is wanted here",
			(long long)min, (long long)max);
	*ret = n;
	return 0;
}

static int read_u64(struct load *l, const struct json *v, uint64_t *ret)
{
	if (want_kind(l, v, JSON_NUMBER) < 0)
		return -l->e->code;
	return json_u64(v, ret) < 0 ? load_say(l, "a whole number from 0 on is wanted here") : 0;
}

static int read_strings(struct load *l, const struct json *v, struct spec_strings *ret)
{
	size_t i = 0;

	if (want_kind(l, v, JSON_ARRAY) < 0)
		return -l->e->code;
	ret->items = arena_array(l->arena, v->n + 1, sizeof(*ret->items));
	for (const struct json *s = json_first(v); s; s = json_next(v, s), i++) {
		size_t at = load_enter(l, NULL, i);

		if (want_kind(l, s, JSON_STRING) < 0)
			return -l->e->code;
		ret->items[i] = s->text;
		load_leave(l, at);
	}
	ret->n = i;
	return 0;
}

static int read_pairs(struct load *l, const struct json *v, struct spec_pairs *ret)
{
	size_t i = 0;

	if (want_kind(l, v, JSON_OBJECT) < 0)
		return -l->e->code;
	ret->items = arena_array(l->arena, v->n, sizeof(*ret->items));
	for (const struct json *s = json_first(v); s; s = json_next(v, s), i++) {
		size_t at = load_enter(l, s->name, 0);

		if (want_kind(l, s, JSON_STRING) < 0)
			return -l->e->code;
		ret->items[i] = (struct spec_pair){ s->name, s->text };
		load_leave(l, at);
	}
	ret->n = i;
	return 0;
}

static int read_u32s(struct load *l, const struct json *v, void *at, size_t *ret_n)
{
	uint32_t *items;
	size_t i = 0;

	if (want_kind(l, v, JSON_ARRAY) < 0)
		return -l->e->code;
	items = arena_array(l->arena, v->n, sizeof(*items));
	for (const struct json *s = json_first(v); s; s = json_next(v, s), i++) {
		size_t before = load_enter(l, NULL, i);
		int64_t n = 0;

		if (read_i64(l, s, 0, UINT32_MAX, &n) < 0)
			return -l->e->code;
		items[i] = (uint32_t)n;
		load_leave(l, before);
	}
	*(const uint32_t **)at = items;
	*ret_n = i;
	return 0;
}

static int read_word(struct load *l, const struct json *v, const struct word *words, int64_t *ret)
{
	int64_t value;

	if (want_kind(l, v, JSON_STRING) < 0)
		return -l->e->code;
	value = word_value(words, v->text);
	if (value < 0)
		return load_say(l, "\"%s\" is not known", v->text);
	*ret = value;
	return 0;
}

static int read_bits(struct load *l, const struct json *v, const struct word *words, uint64_t *ret)
{
	size_t i = 0;

	if (want_kind(l, v, JSON_ARRAY) < 0)
		return -l->e->code;
	for (const struct json *s = json_first(v); s; s = json_next(v, s), i++) {
		size_t before = load_enter(l, NULL, i);
		int64_t bit = 0;

		if (read_word(l, s, words, &bit) < 0)
			return -l->e->code;
		*ret |= (uint64_t)bit;
		load_leave(l, before);
	}
	return 0;
}

static int read_array(struct load *l, const struct json *v, const struct field *f, void *object)
{
	size_t i = 0;
	char *items;

	if (want_kind(l, v, JSON_ARRAY) < 0)
		return -l->e->code;
	items = arena_array(l->arena, v->n, f->size);
	for (const struct json *s = json_first(v); s; s = json_next(v, s), i++) {
		size_t before = load_enter(l, NULL, i);

		if (f->init)
			f->init(items + i * f->size);
		if (fields_load(l, s, f->fields, items + i * f->size) < 0)
			return -l->e->code;
		load_leave(l, before);
	}
	*(void **)((char *)object + f->offset) = items;
	*(size_t *)((char *)object + f->count) = i;
	return 0;
}

static int read_field(struct load *l, const struct json *v, const struct field *f, void *object)
{
	void *at = (char *)object + f->offset;
	int64_t n = 0;
	int r = 0;

	switch (f->kind) {
	case F_END:
		break;
	case F_BOOL:
		r = want_kind(l, v, JSON_BOOL);
		*(bool *)at = r == 0 && v->is_true;
		break;
	case F_STRING:
		r = want_kind(l, v, JSON_STRING);
		*(const char **)at = r == 0 ? v->text : NULL;
		break;
	case F_STRINGS:
		return read_strings(l, v, at);
	case F_PAIRS:
		return read_pairs(l, v, at);
	case F_CHAR:
		r = want_kind(l, v, JSON_STRING);
		if (r == 0 && v->n > 1)
			return load_say(l, "\"%s\" is not known", v->text);
		if (r == 0 && v->n == 1)
			*(char *)at = v->text[0];
		break;
	case F_INT:
		r = read_i64(l, v, INT_MIN, INT_MAX, &n);
		*(int *)at = (int)n;
		break;
	case F_U16:
		r = read_i64(l, v, 0, UINT16_MAX, &n);
		*(uint16_t *)at = (uint16_t)n;
		break;
	case F_U32:
		r = read_i64(l, v, 0, UINT32_MAX, &n);
		*(uint32_t *)at = (uint32_t)n;
		break;
	case F_I64:
		return read_i64(l, v, INT64_MIN, INT64_MAX, at);
	case F_U64:
		return read_u64(l, v, at);
	case F_U32S:
		return read_u32s(l, v, at, (size_t *)((char *)object + f->count));
	case F_MAYBE_I64:
		r = read_i64(l, v, INT64_MIN, INT64_MAX, &((struct maybe_i64 *)at)->value);
		((struct maybe_i64 *)at)->set = r == 0;
		break;
	case F_MAYBE_U64:
		r = read_u64(l, v, &((struct maybe_u64 *)at)->value);
		((struct maybe_u64 *)at)->set = r == 0;
		break;
	case F_MAYBE_BOOL:
		r = want_kind(l, v, JSON_BOOL);
		*(struct maybe_bool *)at = (struct maybe_bool){ r == 0, r == 0 && v->is_true };
		break;
	case F_WORD:
		r = read_word(l, v, f->words, &n);
		*(int *)at = (int)n;
		break;
	case F_BITS:
		return read_bits(l, v, f->words, at);
	case F_OBJECT:
		if (f->count != NO_FLAG)
			*(bool *)((char *)object + f->count) = true;
		return fields_load(l, v, f->fields, at);
	case F_ARRAY:
		return read_array(l, v, f, object);
	case F_OWN:
		return f->read(l, v, object, f);
	}
	return r;
}

int fields_load(struct load *l, const struct json *v, const struct field *fields, void *ret)
{
	if (want_kind(l, v, JSON_OBJECT) < 0)
		return -l->e->code;
	for (const struct json *m = json_first(v); m; m = json_next(v, m)) {
		const struct field *f = fields;
		size_t before;

		while (f->kind != F_END && !str_eq(f->name, m->name))
			f++;
		/* null is how Go writes an empty list: as if it were not there */
		if (f->kind == F_END || m->kind == JSON_NULL)
			continue;
		before = load_enter(l, f->name, 0);
		if (read_field(l, m, f, ret) < 0)
			return -l->e->code;
		load_leave(l, before);
	}
	return 0;
}

static void write_strings(struct json_writer *w, const char *name, const struct spec_strings *s)
{
	json_begin(w, name, '[');
	for (size_t i = 0; i < s->n; i++)
		json_string(w, NULL, s->items[i]);
	json_end(w, ']');
}

static void write_bits(
	struct json_writer *w, const char *name, const struct word *words, uint64_t bits)
{
	json_begin(w, name, '[');
	for (; words->word; words++)
		if (bits & (uint64_t)words->value)
			json_string(w, NULL, words->word);
	json_end(w, ']');
}

static bool is_zero(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const char *)p)[i])
			return false;
	return true;
}

static void write_array(struct json_writer *w, const struct field *f, const void *object)
{
	const char *items = *(void *const *)((const char *)object + f->offset);
	size_t n = *(const size_t *)((const char *)object + f->count);

	if (!n)
		return;
	json_begin(w, f->name, '[');
	for (size_t i = 0; i < n; i++) {
		json_begin(w, NULL, '{');
		fields_dump(w, f->fields, items + i * f->size);
		json_end(w, '}');
	}
	json_end(w, ']');
}

/* An object with nothing in it is left out: what was begun is taken back. */
static void write_object(struct json_writer *w, const struct field *f, const void *object)
{
	const void *at = (const char *)object + f->offset;
	const struct json_writer before = *w;
	size_t len = w->t->len, empty;

	if (f->count != NO_FLAG && !*(const bool *)((const char *)object + f->count))
		return;
	json_begin(w, f->name, '{');
	empty = w->t->len;
	fields_dump(w, f->fields, at);
	if (w->t->len == empty && f->count == NO_FLAG) {
		text_cut(w->t, len);
		*w = before;
		return;
	}
	json_end(w, '}');
}

static void write_u32s(struct json_writer *w, const struct field *f, const void *object)
{
	const uint32_t *items = *(const uint32_t *const *)((const char *)object + f->offset);
	size_t n = *(const size_t *)((const char *)object + f->count);

	if (!n)
		return;
	json_begin(w, f->name, '[');
	for (size_t i = 0; i < n; i++)
		json_uint(w, NULL, items[i]);
	json_end(w, ']');
}

static void write_maybe(struct json_writer *w, const struct field *f, const void *at)
{
	const struct maybe_i64 *i = at;
	const struct maybe_u64 *u = at;
	const struct maybe_bool *b = at;

	if (f->kind == F_MAYBE_I64 && i->set)
		json_int(w, f->name, i->value);
	else if (f->kind == F_MAYBE_U64 && u->set)
		json_uint(w, f->name, u->value);
	else if (f->kind == F_MAYBE_BOOL && b->set)
		json_bool(w, f->name, b->value);
}

static void write_number(struct json_writer *w, const struct field *f, const void *at)
{
	int64_t i = f->kind == F_INT   ? *(const int *)at
		    : f->kind == F_U16 ? *(const uint16_t *)at
		    : f->kind == F_U32 ? *(const uint32_t *)at
				       : *(const int64_t *)at;

	if (!i && !f->always)
		return;
	if (f->kind == F_U64)
		json_uint(w, f->name, *(const uint64_t *)at);
	else
		json_int(w, f->name, i);
}

static void write_pairs(struct json_writer *w, const char *name, const struct spec_pairs *p)
{
	if (!p->n)
		return;
	json_begin(w, name, '{');
	for (size_t i = 0; i < p->n; i++)
		json_string(w, p->items[i].key, p->items[i].value);
	json_end(w, '}');
}

static void write_field(struct json_writer *w, const struct field *f, const void *object)
{
	const void *at = (const char *)object + f->offset;
	char one[2] = { 0 };

	switch (f->kind) {
	case F_END:
		break;
	case F_BOOL:
		if (*(const bool *)at || f->always)
			json_bool(w, f->name, *(const bool *)at);
		break;
	case F_STRING:
		if (*(const char *const *)at)
			json_string(w, f->name, *(const char *const *)at);
		break;
	case F_STRINGS:
		if (((const struct spec_strings *)at)->n)
			write_strings(w, f->name, at);
		break;
	case F_PAIRS:
		write_pairs(w, f->name, at);
		break;
	case F_CHAR:
		one[0] = *(const char *)at;
		if (one[0])
			json_string(w, f->name, one);
		break;
	case F_INT:
	case F_U16:
	case F_U32:
	case F_I64:
	case F_U64:
		write_number(w, f, at);
		break;
	case F_U32S:
		write_u32s(w, f, object);
		break;
	case F_MAYBE_I64:
	case F_MAYBE_U64:
	case F_MAYBE_BOOL:
		write_maybe(w, f, at);
		break;
	case F_WORD:
		if (word_of(f->words, *(const int *)at))
			json_string(w, f->name, word_of(f->words, *(const int *)at));
		break;
	case F_BITS:
		if (!is_zero(at, sizeof(uint64_t)))
			write_bits(w, f->name, f->words, *(const uint64_t *)at);
		break;
	case F_OBJECT:
		write_object(w, f, object);
		break;
	case F_ARRAY:
		write_array(w, f, object);
		break;
	case F_OWN:
		f->write(w, object, f);
		break;
	}
}

void fields_dump(struct json_writer *w, const struct field *fields, const void *object)
{
	for (const struct field *f = fields; f->kind != F_END; f++)
		write_field(w, f, object);
}
