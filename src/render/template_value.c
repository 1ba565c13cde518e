/* SPDX-License-Identifier: Apache-2.0 */
#include "render/template_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/width.h"
#include "render/template.h"

const struct json *value_string(struct arena *a, const char *s, size_t n)
{
	struct json *v = arena_array(a, 1, sizeof(*v));

	*v = (struct json){ .kind = JSON_STRING, .skip = 1, .n = (uint32_t)n };
	v->text = arena_strndup(a, s, n);
	return v;
}

const struct json *value_number(struct arena *a, int64_t n)
{
	struct json *v = arena_array(a, 1, sizeof(*v));

	*v = (struct json){ .kind = JSON_NUMBER, .skip = 1 };
	v->magnitude = n < 0 ? -(uint64_t)n : (uint64_t)n;
	v->is_negative = n < 0;
	v->is_integer = true;
	return v;
}

const struct json *value_bool(struct arena *a, bool is_true)
{
	struct json *v = arena_array(a, 1, sizeof(*v));

	*v = (struct json){ .kind = JSON_BOOL, .skip = 1 };
	v->is_true = is_true;
	return v;
}

bool value_is_true(const struct json *v)
{
	switch (v->kind) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->is_true;
	case JSON_NUMBER:
		return v->is_integer ? v->magnitude != 0 : v->fraction != 0;
	case JSON_STRING:
	case JSON_ARRAY:
	case JSON_OBJECT:
		return v->n != 0;
	}
	return false;
}

static void print_number(const struct json *v, struct text *t)
{
	if (v->is_integer)
		text_addf(t, "%s%llu", v->is_negative ? "-" : "", (unsigned long long)v->magnitude);
	else
		text_addf(t, "%.17g", v->fraction);
}

void value_print(const struct json *v, struct text *t)
{
	bool first = true;

	switch (v->kind) {
	case JSON_NULL:
		text_add(t, "<no value>");
		break;
	case JSON_BOOL:
		text_add(t, v->is_true ? "true" : "false");
		break;
	case JSON_NUMBER:
		print_number(v, t);
		break;
	case JSON_STRING:
		text_add_n(t, v->text, v->n);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		text_add(t, v->kind == JSON_ARRAY ? "[" : "map[");
		for (const struct json *i = json_first(v); i; i = json_next(v, i), first = false) {
			text_add(t, first ? "" : " ");
			if (v->kind == JSON_OBJECT)
				text_addf(t, "%s:", i->name);
			value_print(i, t);
		}
		text_add(t, "]");
		break;
	}
}

static void add_json(struct text *t, const struct json *v)
{
	bool first = true;

	switch (v->kind) {
	case JSON_NULL:
		text_add(t, "null");
		break;
	case JSON_BOOL:
	case JSON_NUMBER:
		value_print(v, t);
		break;
	case JSON_STRING:
		json_quote(t, v->text, v->n);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		text_add(t, v->kind == JSON_ARRAY ? "[" : "{");
		for (const struct json *i = json_first(v); i; i = json_next(v, i)) {
			if (v->kind == JSON_OBJECT && str_eq(i->name, TEMPLATE_LABELS))
				continue;
			text_add(t, first ? "" : ",");
			first = false;
			if (v->kind == JSON_OBJECT) {
				json_quote(t, i->name, strlen(i->name));
				text_add(t, ":");
			}
			add_json(t, i);
		}
		text_add(t, v->kind == JSON_ARRAY ? "]" : "}");
		break;
	}
}

/* Objects whose names are the user's: docker has a map there, and a key it lacks is no mistake. */
static bool is_map(const struct json *v)
{
	static const char *const maps[] = { "Labels", "Annotations", "Networks", "Ports", "Sysctls",
		"Volumes", "ExposedPorts", "Options", "Tmpfs", "Containers", TEMPLATE_LABELS };

	for (size_t i = 0; v->name && i < ARRAY_LEN(maps); i++)
		if (str_eq(v->name, maps[i]))
			return true;
	return false;
}

static const struct json *nothing(struct arena *a)
{
	struct json *v = arena_array(a, 1, sizeof(*v));

	*v = (struct json){ .kind = JSON_NULL, .skip = 1 };
	return v;
}

const struct json *value_member(
	const struct json *v, const char *name, struct arena *a, struct err *e)
{
	const struct json *found = v->kind == JSON_OBJECT ? json_get(v, name) : NULL;

	if (found)
		return found;
	if (v->kind == JSON_OBJECT && is_map(v))
		return nothing(a);
	err_say(e, "--format: there is no .%s%s%s", name, v->name ? " in ." : "",
		v->name ? v->name : "");
	return NULL;
}

static const struct json *taken(struct arena *a, const struct text *t)
{
	return value_string(a, t->p ? t->p : "", t->len);
}

static const struct json *call_json(const struct value_call *c, struct err *e)
{
	autotext t = { 0 };

	(void)e;
	add_json(&t, c->args[0]);
	return taken(c->arena, &t);
}

static const struct json *call_len(const struct value_call *c, struct err *e)
{
	enum json_kind kind = c->args[0]->kind;

	if (kind == JSON_BOOL || kind == JSON_NUMBER) {
		err_say(e, "--format: len: of a list or a text, not of this");
		return NULL;
	}
	return value_number(c->arena, kind == JSON_NULL ? 0 : c->args[0]->n);
}

static const struct json *call_index(const struct value_call *c, struct err *e)
{
	const struct json *v = c->args[0];

	for (size_t i = 1; i < c->n; i++) {
		const struct json *key = c->args[i], *found = NULL;
		uint64_t at;

		if (v->kind == JSON_OBJECT && key->kind == JSON_STRING) {
			found = json_get(v, key->text);
			v = found ? found : value_string(c->arena, "", 0);
			continue;
		}
		if (v->kind == JSON_ARRAY && key->kind == JSON_NUMBER && json_u64(key, &at) == 0 &&
			at < v->n)
			for (found = json_first(v); at > 0; at--)
				found = json_next(v, found);
		if (!found) {
			err_say(e, "--format: index: there is nothing at this place");
			return NULL;
		}
		v = found;
	}
	return v;
}

static const struct json *call_join(const struct value_call *c, struct err *e)
{
	autotext t = { 0 };
	bool first = true;

	if ((c->args[0]->kind != JSON_ARRAY && c->args[0]->kind != JSON_NULL) ||
		c->args[1]->kind != JSON_STRING) {
		err_say(e, "--format: join: a list and a text are wanted");
		return NULL;
	}
	for (const struct json *v = json_first(c->args[0]); c->args[0]->kind == JSON_ARRAY && v;
		v = json_next(c->args[0], v), first = false) {
		text_add(&t, first ? "" : c->args[1]->text);
		value_print(v, &t);
	}
	return taken(c->arena, &t);
}

static const struct json *call_split(const struct value_call *c, struct err *e)
{
	const char *s, *mark;
	struct json *all;
	size_t n = 1, len;

	if (c->args[0]->kind != JSON_STRING || c->args[1]->kind != JSON_STRING || !c->args[1]->n) {
		err_say(e, "--format: split: two texts are wanted");
		return NULL;
	}
	mark = c->args[1]->text;
	len = c->args[1]->n;
	for (s = c->args[0]->text; (s = strstr(s, mark)); s += len)
		n++;
	all = arena_array(c->arena, n + 1, sizeof(*all));
	all[0] = (struct json){ .kind = JSON_ARRAY, .n = (uint32_t)n, .skip = (uint32_t)n + 1 };
	s = c->args[0]->text;
	for (size_t i = 1; i <= n; i++) {
		const char *end = strstr(s, mark);
		size_t size = end ? (size_t)(end - s) : strlen(s);

		all[i] = *value_string(c->arena, s, size);
		s += size + len;
	}
	return all;
}

/* upper, lower and title: of ASCII letters */
static const struct json *call_case(const struct value_call *c, struct err *e)
{
	bool start = true, up = c->name[0] == 'u', title = c->name[0] == 't';
	autotext t = { 0 };

	(void)e;
	value_print(c->args[0], &t);
	for (size_t i = 0; i < t.len; i++) {
		char *s = &t.p[i];

		if (*s >= 'a' && *s <= 'z' && (up || (title && start)))
			*s = (char)(*s - 32);
		else if (*s >= 'A' && *s <= 'Z' && !up && !title)
			*s = (char)(*s + 32);
		start = *s == ' ';
	}
	return taken(c->arena, &t);
}

static const struct json *call_truncate(const struct value_call *c, struct err *e)
{
	autotext t = { 0 };
	uint64_t n;

	if (c->args[1]->kind != JSON_NUMBER || json_u64(c->args[1], &n) < 0) {
		err_say(e, "--format: truncate: a text and a number are wanted");
		return NULL;
	}
	value_print(c->args[0], &t);
	while (n && n < t.len && ((unsigned char)t.p[n] & 0xc0) == 0x80)
		n--;
	return value_string(c->arena, t.p ? t.p : "", n < t.len ? n : t.len);
}

static const struct json *call_print(const struct value_call *c, struct err *e)
{
	autotext t = { 0 };

	(void)e;
	for (size_t i = 0; i < c->n; i++) {
		text_add(&t, i && c->name[5] ? " " : "");
		value_print(c->args[i], &t);
	}
	text_add(&t, c->name[5] ? "\n" : "");
	return taken(c->arena, &t);
}

/* "%-10s" and its kin; *s stands behind the %. */
static int print_one(const char **s, const struct json *v, struct text *t)
{
	bool left = **s == '-';
	size_t width = 0, len;
	autotext value = { 0 };

	*s += left;
	for (; **s >= '0' && **s <= '9' && width < 1000; (*s)++)
		width = width * 10 + (size_t)(**s - '0');
	if (!**s || !strchr("svdqt", **s))
		return -1;
	if (*(*s)++ == 'q' && v->kind == JSON_STRING)
		json_quote(&value, v->text, v->n);
	else
		value_print(v, &value);
	len = width_of(value.p ? value.p : "", value.len);
	for (size_t i = len; !left && i < width; i++)
		text_add(t, " ");
	text_add_n(t, value.p ? value.p : "", value.len);
	for (size_t i = len; left && i < width; i++)
		text_add(t, " ");
	return 0;
}

static const struct json *call_printf(const struct value_call *c, struct err *e)
{
	autotext t = { 0 };
	size_t next = 1;

	for (const char *s = c->args[0]->kind == JSON_STRING ? c->args[0]->text : ""; *s;) {
		if (*s != '%') {
			text_add_n(&t, s++, 1);
		} else if (s[1] == '%') {
			text_add(&t, "%");
			s += 2;
		} else if (s++, next >= c->n || print_one(&s, c->args[next++], &t) < 0) {
			err_say(e, "--format: printf: %%s, %%v, %%d, %%q and %%t are known, one "
				   "for each value");
			return NULL;
		}
	}
	return taken(c->arena, &t);
}

static double number_of(const struct json *v)
{
	double n = v->is_integer ? (double)v->magnitude : v->fraction;

	return v->is_integer && v->is_negative ? -n : n;
}

/* -1, 0, 1; 2: cannot be compared */
static int compare(const struct json *a, const struct json *b)
{
	if (a->kind != b->kind)
		return 2;
	if (a->kind == JSON_STRING) {
		int r = strcmp(a->text, b->text);

		return r < 0 ? -1 : r > 0;
	}
	if (a->kind == JSON_BOOL)
		return (int)a->is_true - (int)b->is_true;
	if (a->kind == JSON_NUMBER)
		return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
	return 2;
}

static const struct json *call_compare(const struct value_call *c, struct err *e)
{
	static const char *const names[] = { "eq", "ne", "lt", "le", "gt", "ge" };
	bool any = false;
	int r = compare(c->args[0], c->args[1]), which = 0;

	while (!str_eq(names[which], c->name))
		which++;
	if (r == 2 || (which && c->n > 2)) {
		err_say(e, "--format: %s: these cannot be compared", c->name);
		return NULL;
	}
	for (size_t i = 1; i < c->n; i++)
		any |= compare(c->args[0], c->args[i]) == 0;
	return value_bool(c->arena, which == 0	 ? any
				    : which == 1 ? r != 0
				    : which == 2 ? r < 0
				    : which == 3 ? r <= 0
				    : which == 4 ? r > 0
						 : r >= 0);
}

/* and, or, not */
static const struct json *call_logic(const struct value_call *c, struct err *e)
{
	(void)e;
	if (c->name[0] == 'n')
		return value_bool(c->arena, !value_is_true(c->args[0]));
	for (size_t i = 0; i + 1 < c->n; i++)
		if (value_is_true(c->args[i]) == (c->name[0] == 'o'))
			return c->args[i];
	return c->args[c->n - 1];
}

/* {{.Label "key"}}: docker's method of a row */
static const struct json *call_label(const struct value_call *c, struct err *e)
{
	const struct json *labels =
		c->args[0]->kind == JSON_OBJECT ? json_get(c->args[0], TEMPLATE_LABELS) : NULL;
	const struct json *v;

	if (!labels || c->args[1]->kind != JSON_STRING) {
		err_say(e, "--format: there is no .Label");
		return NULL;
	}
	v = json_get(labels, c->args[1]->text);
	return v ? v : value_string(c->arena, "", 0);
}

const struct json *value_call(const struct value_call *call, struct err *e)
{
	static const struct function {
		const char *name;
		size_t min, max;
		const struct json *(*call)(const struct value_call *c, struct err *e);
	} all[] = {
		{ "json", 1, 1, call_json },
		{ "len", 1, 1, call_len },
		{ "index", 1, VALUE_ARGS_MAX, call_index },
		{ "join", 2, 2, call_join },
		{ "split", 2, 2, call_split },
		{ "upper", 1, 1, call_case },
		{ "lower", 1, 1, call_case },
		{ "title", 1, 1, call_case },
		{ "truncate", 2, 2, call_truncate },
		{ "print", 0, VALUE_ARGS_MAX, call_print },
		{ "println", 0, VALUE_ARGS_MAX, call_print },
		{ "printf", 1, VALUE_ARGS_MAX, call_printf },
		{ "eq", 2, VALUE_ARGS_MAX, call_compare },
		{ "ne", 2, 2, call_compare },
		{ "lt", 2, 2, call_compare },
		{ "le", 2, 2, call_compare },
		{ "gt", 2, 2, call_compare },
		{ "ge", 2, 2, call_compare },
		{ "and", 1, VALUE_ARGS_MAX, call_logic },
		{ "or", 1, VALUE_ARGS_MAX, call_logic },
		{ "not", 1, 1, call_logic },
		{ "label", 2, 2, call_label },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (!str_eq(all[i].name, call->name))
			continue;
		if (call->n >= all[i].min && call->n <= all[i].max)
			return all[i].call(call, e);
		err_say(e, "--format: %s takes other arguments", call->name);
		return NULL;
	}
	err_say(e, "--format: there is no function %s", call->name);
	return NULL;
}
