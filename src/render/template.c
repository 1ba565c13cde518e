/* SPDX-License-Identifier: Apache-2.0 */
#include "render/template.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "render/template_value.h"

enum { NEST_MAX = 32, VARS_MAX = 16, TURNS_MAX = 100000 };

struct var {
	const char *name;
	size_t n;
	const struct json *value;
};

/* A template being carried out: where its text stands, and what "." and "$x" are. */
struct run {
	const char *s;
	const struct json *root, *dot;
	struct var vars[VARS_MAX];
	size_t n_vars;
	int nest, turns;
	bool escape;
	struct arena *arena;
	struct text *out;
	struct err *e;
};

/* The inside of an action. */
struct action {
	const char *s, *end;
	struct run *run;
};

static void skip_blanks(struct action *x)
{
	while (x->s < x->end && (*x->s == ' ' || *x->s == '\t' || *x->s == '\n' || *x->s == '\r'))
		x->s++;
}

static bool at_end(struct action *x)
{
	skip_blanks(x);
	return x->s == x->end;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static size_t word_length(const struct action *x)
{
	size_t n = 0;

	while (x->s + n < x->end && is_word(x->s[n]))
		n++;
	return n;
}

static const struct json *fail(struct run *r, const char *what, const char *word, size_t n)
{
	err_say(r->e, "--format: %s: %.*s", what, (int)n, word);
	return NULL;
}

static const struct json *pipeline(struct action *x);

/* ".A.B" behind a value. */
static const struct json *chain(struct action *x, const struct json *v)
{
	while (v && x->s + 1 < x->end && *x->s == '.' && is_word(x->s[1])) {
		const char *name;
		size_t n;

		x->s++;
		n = word_length(x);
		name = arena_strndup(x->run->arena, x->s, n);
		x->s += n;
		v = value_member(v, name, x->run->arena, x->run->e);
	}
	return v;
}

static const struct json *quoted(struct action *x)
{
	char quote = *x->s++;
	autotext t = { 0 };

	for (; x->s < x->end && *x->s != quote; x->s++) {
		char c = *x->s;

		if (quote == '"' && c == '\\' && x->s + 1 < x->end) {
			c = *++x->s;
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		text_add_n(&t, &c, 1);
	}
	if (x->s == x->end)
		return fail(x->run, "a string is not closed", "", 0);
	x->s++;
	return value_string(x->run->arena, t.p ? t.p : "", t.len);
}

static const struct json *variable(struct action *x)
{
	size_t n;

	x->s++;
	n = word_length(x);
	x->s += n;
	if (!n)
		return chain(x, x->run->root);
	for (size_t i = x->run->n_vars; i > 0; i--)
		if (x->run->vars[i - 1].n == n &&
			strncmp(x->run->vars[i - 1].name, x->s - n, n) == 0)
			return chain(x, x->run->vars[i - 1].value);
	return fail(x->run, "there is no such variable", x->s - n - 1, n + 1);
}

static const struct json *number(struct action *x)
{
	size_t n = 1;
	const char *text;
	int64_t v;

	while (x->s + n < x->end && is_word(x->s[n]))
		n++;
	text = arena_strndup(x->run->arena, x->s, n);
	x->s += n;
	if (str_i64(text, &v) < 0)
		return fail(x->run, "not a number", text, n);
	return value_number(x->run->arena, v);
}

static const struct json *bracketed(struct action *x)
{
	const struct json *v;

	if (++x->run->nest > NEST_MAX)
		return fail(x->run, "too deep", x->s, 1);
	x->s++;
	v = pipeline(x);
	x->run->nest--;
	if (!v)
		return NULL;
	skip_blanks(x);
	if (x->s == x->end || *x->s != ')')
		return fail(x->run, "a ( is not closed", "", 0);
	x->s++;
	return chain(x, v);
}

/* A value: a field, a string, a number, a variable, something in brackets. */
static const struct json *term(struct action *x)
{
	char c = *x->s;
	size_t n = word_length(x);

	if (c == '.') {
		if (x->s + 1 < x->end && is_word(x->s[1]))
			return chain(x, x->run->dot);
		x->s++;
		return x->run->dot;
	}
	if (c == '"' || c == '`')
		return quoted(x);
	if (c == '$')
		return variable(x);
	if (c == '(')
		return bracketed(x);
	if ((c >= '0' && c <= '9') || c == '-')
		return number(x);
	if ((n == 4 && strncmp(x->s, "true", n) == 0) ||
		(n == 5 && strncmp(x->s, "false", n) == 0)) {
		x->s += n;
		return value_bool(x->run->arena, n == 4);
	}
	return fail(x->run, "not understood", x->s, (size_t)(x->end - x->s));
}

/* {{.Label "key"}} of a row */
static bool is_label(const struct action *x)
{
	return x->end - x->s > 7 && strncmp(x->s, ".Label", 6) == 0 && x->s[6] == ' ';
}

/* One command of a pipe: a value, or a function with its arguments, the piped one last. */
static const struct json *command(struct action *x, const struct json *piped)
{
	struct value_call call = { .arena = x->run->arena };
	size_t n;

	skip_blanks(x);
	n = x->s < x->end && !(*x->s >= '0' && *x->s <= '9') ? word_length(x) : 0;
	if (is_label(x)) {
		call.name = "label";
		call.args[call.n++] = x->run->dot;
		x->s += strlen(".Label");
	} else if (n && !(n == 4 && strncmp(x->s, "true", 4) == 0) &&
		   !(n == 5 && strncmp(x->s, "false", 5) == 0)) {
		call.name = arena_strndup(x->run->arena, x->s, n);
		x->s += n;
	} else if (x->s == x->end) {
		return fail(x->run, "a value is missing", "{{}}", 4);
	} else if (piped) {
		return fail(x->run, "only a function can stand behind |", x->s,
			(size_t)(x->end - x->s));
	} else {
		return term(x);
	}
	while (!at_end(x) && *x->s != '|' && *x->s != ')') {
		if (call.n + 1 >= VALUE_ARGS_MAX)
			return fail(x->run, "too many arguments", call.name, strlen(call.name));
		call.args[call.n] = term(x);
		if (!call.args[call.n++])
			return NULL;
	}
	if (piped)
		call.args[call.n++] = piped;
	return value_call(&call, x->run->e);
}

static const struct json *pipeline(struct action *x)
{
	const struct json *v = command(x, NULL);

	while (v && !at_end(x) && *x->s == '|') {
		x->s++;
		v = command(x, v);
	}
	return v;
}

static const struct json *whole(struct action *x)
{
	const struct json *v = pipeline(x);

	if (v && !at_end(x))
		return fail(x->run, "not understood", x->s, (size_t)(x->end - x->s));
	return v;
}

/* Moves behind the next action and hands out its inside; text before it is printed if live. */
static int next_action(struct run *r, bool live, struct action *ret)
{
	const char *open = strstr(r->s, "{{"), *s, *text_end;
	char quote = 0;

	if (!open) {
		if (live)
			text_add(r->out, r->s);
		r->s += strlen(r->s);
		return 0;
	}
	text_end = open;
	s = open + 2;
	if (s[0] == '-' && s[1] == ' ') {
		while (text_end > r->s && strchr(" \t\n\r", text_end[-1]))
			text_end--;
		s++;
	}
	if (live)
		text_add_n(r->out, r->s, (size_t)(text_end - r->s));
	*ret = (struct action){ .s = s, .run = r };
	for (; *s; s++) {
		if (quote == '"' && *s == '\\' && s[1]) {
			s++;
		} else if (quote) {
			quote = *s == quote ? 0 : quote;
		} else if (*s == '"' || *s == '`') {
			quote = *s;
		} else if (s[0] == '}' && s[1] == '}') {
			ret->end = s;
			r->s = s + 2;
			if (s > ret->s + 1 && s[-1] == '-' && s[-2] == ' ') {
				ret->end--;
				r->s += strspn(r->s, " \t\n\r");
			}
			return 1;
		}
	}
	return err_say(r->e, "--format: a {{ is not closed");
}

static bool keyword(struct action *x, const char *word)
{
	size_t n;

	skip_blanks(x);
	n = word_length(x);
	if (strlen(word) != n || strncmp(x->s, word, n) != 0)
		return false;
	x->s += n;
	return true;
}

enum stop { STOP_TEXT, STOP_END, STOP_ELSE };

static int block(struct run *r, bool live, enum stop *ret, struct action *ret_else);

/* "$k, $v :=" or "$v :=" before what range and with go through. */
static int declarations(struct action *x, struct var *vars, size_t *ret_n)
{
	struct action try = *x;

	*ret_n = 0;
	while (!at_end(&try) && *try.s == '$' && *ret_n < 2) {
		struct var *v = &vars[(*ret_n)++];

		try.s++;
		*v = (struct var){ try.s, word_length(&try), NULL };
		try.s += v->n;
		skip_blanks(&try);
		if (try.end - try.s > 1 && try.s[0] == ':' && try.s[1] == '=') {
			try.s += 2;
			*x = try;
			return 0;
		}
		if (try.s == try.end || *try.s != ',')
			break;
		try.s++;
	}
	*ret_n = 0;
	return 0;
}

/* The text from body on with another "."; leaves r->s behind its {{end}} or {{else}}. */
static int body_with(struct run *r, const char *body, const struct json *dot,
	const struct var *vars, size_t n_vars, bool live, enum stop *ret, struct action *ret_else)
{
	const struct json *outer = r->dot;
	size_t outer_vars = r->n_vars;
	int result;

	if (n_vars && r->n_vars + n_vars > VARS_MAX)
		return err_say(r->e, "--format: too many variables");
	for (size_t i = 0; i < n_vars; i++)
		r->vars[r->n_vars++] = vars[i];
	r->s = body;
	r->dot = dot;
	result = block(r, live, ret, ret_else);
	r->dot = outer;
	r->n_vars = outer_vars;
	return result;
}

static int each(struct run *r, const char *body, const struct json *list, struct var *vars,
	size_t n_vars, enum stop *ret, struct action *ret_else)
{
	int64_t i = 0;

	for (const struct json *v = json_first(list); v; v = json_next(list, v), i++) {
		if (++r->turns > TURNS_MAX)
			return err_say(r->e, "--format: a range goes on for too long");
		if (n_vars)
			vars[n_vars - 1].value = v;
		if (n_vars == 2)
			vars[0].value = list->kind == JSON_OBJECT
						? value_string(r->arena, v->name, strlen(v->name))
						: value_number(r->arena, i);
		if (body_with(r, body, v, vars, n_vars, true, ret, ret_else) < 0)
			return -r->e->code;
	}
	return 0;
}

/* {{if}}, {{range}} and {{with}} up to their {{end}}. */
static int control(struct run *r, char kind, struct action *x, bool live)
{
	const struct json *v = NULL;
	struct action other = { 0 };
	const char *body = r->s;
	struct var vars[2];
	size_t n_vars = 0;
	enum stop stop;
	bool is_true;

	if (++r->nest > NEST_MAX)
		return err_say(r->e, "--format: too deep");
	if (live && (kind != 'i' ? declarations(x, vars, &n_vars) : 0) < 0)
		return -r->e->code;
	if (live && !(v = whole(x)))
		return -r->e->code;
	is_true = live && value_is_true(v);
	if (kind == 'r' && live && v->kind != JSON_ARRAY && v->kind != JSON_OBJECT &&
		v->kind != JSON_NULL)
		return err_say(r->e, "--format: range: only a list can be gone through");
	if (kind == 'w' && n_vars)
		vars[n_vars - 1].value = v;
	if (kind == 'r' && is_true) {
		if (each(r, body, v, vars, n_vars, &stop, &other) < 0)
			return -r->e->code;
	} else if (body_with(r, body, kind == 'w' && is_true ? v : r->dot, vars,
			   is_true ? n_vars : 0, is_true, &stop, &other) < 0) {
		return -r->e->code;
	}
	if (stop == STOP_TEXT)
		return err_say(r->e, "--format: an {{end}} is missing");
	if (stop == STOP_ELSE) {
		/* {{else if}} is an if of its own that shares our {{end}} */
		if (keyword(&other, "if")) {
			if (control(r, 'i', &other, live && !is_true) < 0)
				return -r->e->code;
		} else if (block(r, live && !is_true, &stop, &other) < 0) {
			return -r->e->code;
		} else if (stop != STOP_END) {
			return err_say(r->e, "--format: an {{end}} is missing");
		}
	}
	r->nest--;
	return 0;
}

static int print_value(struct run *r, const struct json *v)
{
	autotext t = { 0 };

	value_print(v, &t);
	if (r->escape)
		text_add_escaped(r->out, t.p ? t.p : "", t.len);
	else
		text_add_n(r->out, t.p ? t.p : "", t.len);
	return 0;
}

/* Up to the {{end}} or {{else}} that is not one of its own, or the text's end. */
static int block(struct run *r, bool live, enum stop *ret, struct action *ret_else)
{
	struct action x;
	int more;

	while ((more = next_action(r, live, &x)) > 0) {
		const struct json *v;
		char kind;

		if (keyword(&x, "end")) {
			*ret = STOP_END;
			return 0;
		}
		if (keyword(&x, "else")) {
			*ret = STOP_ELSE;
			*ret_else = x;
			return 0;
		}
		kind = keyword(&x, "if")      ? 'i'
		       : keyword(&x, "range") ? 'r'
		       : keyword(&x, "with")  ? 'w'
					      : 0;
		if (kind) {
			if (control(r, kind, &x, live) < 0)
				return -r->e->code;
			continue;
		}
		skip_blanks(&x);
		if (!live || (x.end - x.s >= 4 && strncmp(x.s, "/*", 2) == 0))
			continue;
		if (!(v = whole(&x)) || print_value(r, v) < 0)
			return -r->e->code;
	}
	*ret = STOP_TEXT;
	return more;
}

int template_print(const char *format, const struct json *root, bool escape, struct arena *a,
	struct text *t, struct err *e)
{
	struct run r = { .s = format,
		.root = root,
		.dot = root,
		.escape = escape,
		.arena = a,
		.out = t,
		.e = e };
	struct action other;
	enum stop stop;

	if (block(&r, true, &stop, &other) < 0)
		return -e->code;
	if (stop != STOP_TEXT)
		return err_say(e, "--format: an {{end}} or {{else}} has nothing to end");
	return 0;
}
