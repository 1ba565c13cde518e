/* SPDX-License-Identifier: Apache-2.0 */
#include "sdbus/value.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 256, TEXT_MAX = 8192 };

/* One value of a basic type. */
struct value {
	char type; /* 0: not known yet */
	union {
		int boolean;
		uint8_t byte;
		int16_t i16;
		uint16_t u16;
		int32_t i32;
		uint32_t u32;
		int64_t i64;
		uint64_t u64;
		double real;
		char *text; /* malloc'ed */
	};
};

static const struct {
	const char *word;
	char type;
} type_words[] = {
	{ "boolean", 'b' },
	{ "byte", 'y' },
	{ "int16", 'n' },
	{ "uint16", 'q' },
	{ "int32", 'i' },
	{ "uint32", 'u' },
	{ "int64", 'x' },
	{ "uint64", 't' },
	{ "double", 'd' },
	{ "string", 's' },
	{ "objectpath", 'o' },
	{ "signature", 'g' },
};

static const char *skip(const char *s)
{
	return s + strspn(s, " \t\n");
}

/* A type before the value, as a word or behind an @; 0: none is given. */
static char take_type(const char **s)
{
	size_t n = strspn(*s, "abcdefghijklmnopqrstuvwxyz0123456789");

	if ((*s)[0] == '@' && (*s)[1] && strchr("bynqiuxtdsog", (*s)[1]) && (*s)[2] == ' ') {
		char type = (*s)[1];

		*s = skip(*s + 2);
		return type;
	}
	for (size_t i = 0; i < sizeof(type_words) / sizeof(type_words[0]); i++)
		if (strlen(type_words[i].word) == n && strncmp(type_words[i].word, *s, n) == 0) {
			*s = skip(*s + n);
			return type_words[i].type;
		}
	return 0;
}

static int take_string(const char **s, struct value *v)
{
	char quote = *(*s)++, *out = calloc(1, strlen(*s) + 1), *end = out;

	if (!out)
		return -ENOMEM;
	while (**s && **s != quote) {
		if (**s == '\\' && (*s)[1])
			(*s)++;
		*end++ = *(*s)++;
	}
	if (**s != quote) {
		free(out);
		return -EINVAL;
	}
	(*s)++;
	v->type = v->type ? v->type : 's';
	v->text = out;
	return strchr("sog", v->type) ? 0 : -EINVAL;
}

static int set_integer(struct value *v, bool negative, uint64_t n)
{
	static const struct {
		char type;
		uint64_t max; /* upwards */
		uint64_t min; /* downwards, without its sign */
	} ranges[] = {
		{ 'y', UINT8_MAX, 0 },
		{ 'n', INT16_MAX, (uint64_t)INT16_MAX + 1 },
		{ 'q', UINT16_MAX, 0 },
		{ 'i', INT32_MAX, (uint64_t)INT32_MAX + 1 },
		{ 'u', UINT32_MAX, 0 },
		{ 'x', INT64_MAX, (uint64_t)INT64_MAX + 1 },
		{ 't', UINT64_MAX, 0 },
	};

	if (v->type == 'd') {
		v->real = negative ? -(double)n : (double)n;
		return 0;
	}
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (ranges[i].type != v->type)
			continue;
		if (n > (negative ? ranges[i].min : ranges[i].max))
			return -ERANGE;
		n = negative ? -n : n;
		/* the width is the type's: the bits are the same */
		switch (v->type) {
		case 'y':
			v->byte = (uint8_t)n;
			break;
		case 'n':
		case 'q':
			v->u16 = (uint16_t)n;
			break;
		case 'i':
		case 'u':
			v->u32 = (uint32_t)n;
			break;
		default:
			v->u64 = n;
		}
		return 0;
	}
	return -EINVAL;
}

static int take_number(const char **s, struct value *v)
{
	bool negative = **s == '-';
	const char *digits = *s + (negative || **s == '+');
	size_t n = strcspn(digits, " ,]\t\n");
	char *end;
	uint64_t number;

	if (!isdigit((unsigned char)digits[0]) && digits[0] != '.')
		return -EINVAL;
	if (strncmp(digits, "0x", 2) != 0 && memchr(digits, '.', n)) {
		v->type = v->type ? v->type : 'd';
		v->real = strtod(*s, &end);
		if (v->type != 'd' || end != digits + n)
			return -EINVAL;
		*s = end;
		return 0;
	}
	errno = 0;
	number = strtoull(digits, &end, 0);
	if (errno || end != digits + n)
		return -EINVAL;
	*s = end;
	v->type = v->type ? v->type : 'i';
	return set_integer(v, negative, number);
}

/* type: what it has to be, or 0 */
static int take_value(const char **s, char type, struct value *v)
{
	char said = take_type(s);

	*v = (struct value){ .type = said ? said : type };
	if (**s == '\'' || **s == '"')
		return take_string(s, v);
	for (int i = 0; i < 2; i++) {
		const char *word = i ? "true" : "false";

		if (strncmp(*s, word, strlen(word)) != 0)
			continue;
		*s += strlen(word);
		v->type = v->type ? v->type : 'b';
		v->boolean = i;
		return v->type == 'b' ? 0 : -EINVAL;
	}
	return take_number(s, v);
}

static int append_basic(sd_bus_message *m, const struct value *v)
{
	return sd_bus_message_append_basic(
		m, v->type, strchr("sog", v->type) ? (const void *)v->text : &v->byte);
}

static void forget(struct value *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].type && strchr("sog", v[i].type))
			free(v[i].text);
}

/* "[...]", its brackets already opened; *ret_n: how many were taken, also on failure */
static int take_list(const char **s, char type, struct value *items, size_t *ret_n)
{
	*s = skip(*s);
	while (**s && **s != ']') {
		int r;

		if (*ret_n == ITEMS_MAX)
			return -E2BIG;
		r = take_value(s, type, &items[*ret_n]);
		if (r < 0)
			return r;
		type = items[(*ret_n)++].type;
		*s = skip(*s);
		if (**s == ',')
			*s = skip(*s + 1);
		else if (**s != ']')
			return -EINVAL;
	}
	return *(*s)++ == ']' ? 0 : -EINVAL;
}

static int append_list(sd_bus_message *m, char type, const struct value *items, size_t n)
{
	char contents[] = { 'a', type, 0 }, element[] = { type, 0 };
	int r = sd_bus_message_open_container(m, 'v', contents);

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', element);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = items[i].type == type ? append_basic(m, &items[i]) : -EINVAL;
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* GVariant's text form */
static int append_text(sd_bus_message *m, const char *text)
{
	struct value items[ITEMS_MAX] = { { 0 } };
	const char *s = skip(text);
	size_t n = 0;
	char type = 0;
	bool list;
	int r;

	if (s[0] == '@' && s[1] == 'a' && s[2] && strchr("bynqiuxtdsog", s[2]) && s[3] == ' ') {
		type = s[2];
		s = skip(s + 3);
	}
	list = *s == '[';
	if (list) {
		s++;
		r = take_list(&s, type, items, &n);
		if (r >= 0 && !type)
			type = n ? items[0].type : 's';
	} else {
		r = take_value(&s, 0, &items[0]);
		n = 1;
	}
	if (r >= 0 && *skip(s))
		r = -EINVAL;
	if (r >= 0 && list) {
		r = append_list(m, type, items, n);
	} else if (r >= 0) {
		char contents[] = { items[0].type, 0 };

		r = sd_bus_message_open_container(m, 'v', contents);
		if (r >= 0)
			r = append_basic(m, &items[0]);
		if (r >= 0)
			r = sd_bus_message_close_container(m);
	}
	forget(items, n);
	return r;
}

/* "5,7" */
static int append_u32s(sd_bus_message *m, const char *text)
{
	uint32_t numbers[ITEMS_MAX];
	size_t n = 0;
	int r;

	for (const char *s = text; *s && n < ITEMS_MAX;) {
		char *end;

		numbers[n++] = (uint32_t)strtoul(s, &end, 10);
		if (end == s || (*end && *end != ','))
			return -EINVAL;
		s = end + (*end == ',');
	}
	r = sd_bus_message_open_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'u', numbers, n * sizeof(numbers[0]));
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* "0f01": bytes as two digits each */
static int append_bytes(sd_bus_message *m, const char *text)
{
	uint8_t bytes[TEXT_MAX / 2];
	size_t n = strlen(text) / 2;
	int r;

	if (strlen(text) % 2 || n > sizeof(bytes))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		bytes[i] = (uint8_t)byte;
	}
	r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', bytes, n);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* "/dev/null rwm;char-136 rw" */
static int append_pairs(sd_bus_message *m, const char *text)
{
	char copy[TEXT_MAX], *save = NULL;
	int r;

	if (strlen(text) >= sizeof(copy))
		return -E2BIG;
	strcpy(copy, text);
	r = sd_bus_message_open_container(m, 'v', "a(ss)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(ss)");
	for (char *one = strtok_r(copy, ";", &save); one && r >= 0;
		one = strtok_r(NULL, ";", &save)) {
		char *space = strchr(one, ' ');

		if (!space)
			return -EINVAL;
		*space = '\0';
		r = sd_bus_message_append(m, "(ss)", one, space + 1);
	}
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_u64(sd_bus_message *m, const char *text)
{
	uint64_t n = UINT64_MAX;
	char *end;

	if (strcmp(text, "max") != 0) {
		errno = 0;
		n = strtoull(text, &end, 10);
		if (errno || *end || end == text || *text == '-')
			return -EINVAL;
	}
	return sd_bus_message_append(m, "v", "t", n);
}

static int append_value(sd_bus_message *m, const char *signature, const char *text)
{
	if (strcmp(signature, "s") == 0)
		return sd_bus_message_append(m, "v", "s", text);
	if (strcmp(signature, "b") == 0)
		return sd_bus_message_append(m, "v", "b", strcmp(text, "true") == 0);
	if (strcmp(signature, "t") == 0)
		return append_u64(m, text);
	if (strcmp(signature, "au") == 0)
		return append_u32s(m, text);
	if (strcmp(signature, "ay") == 0)
		return append_bytes(m, text);
	if (strcmp(signature, "a(ss)") == 0)
		return append_pairs(m, text);
	if (strcmp(signature, "v") == 0)
		return append_text(m, text);
	return -EINVAL;
}

int value_append(sd_bus_message *m, const char *word)
{
	const char *equals = strchr(word, '='), *colon = equals ? strchr(equals, ':') : NULL;
	char name[128], signature[16];
	int r;

	if (!colon || (size_t)(equals - word) >= sizeof(name) ||
		(size_t)(colon - equals - 1) >= sizeof(signature))
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
	snprintf(signature, sizeof(signature), "%.*s", (int)(colon - equals - 1), equals + 1);
	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = append_value(m, signature, colon + 1);
	return r < 0 ? r : sd_bus_message_close_container(m);
}
