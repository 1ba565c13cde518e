/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Where parsing stands: the words, and what was found in them. */
struct parser {
	const struct opt *table;
	const char *const *argv;
	int n, i;
	struct opt_style style;
	void *opts;
	struct arena *arena;
};

static bool takes_value(const struct opt *o)
{
	return o->type != OPT_FLAG && (o->type != OPT_CALL || o->arg);
}

static int parse_flag(const char *value, bool *ret)
{
	static const char *const yes[] = { "true", "1", "t", "T", "TRUE", "True" };
	static const char *const no[] = { "false", "0", "f", "F", "FALSE", "False" };

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (!value || str_eq(value, yes[i])) {
			*ret = true;
			return 0;
		}
		if (str_eq(value, no[i])) {
			*ret = false;
			return 0;
		}
	}
	return -EINVAL;
}

static int set(struct parser *p, const struct opt *o, const char *value, struct err *e)
{
	void *field = (char *)p->opts + o->offset;
	int r = 0;

	switch (o->type) {
	case OPT_FLAG:
		r = parse_flag(value, field);
		break;
	case OPT_STRING:
		*(const char **)field = p->style.empty_is_none && !value[0] ? NULL : value;
		break;
	case OPT_LIST: {
		struct opt_list *l = field;

		*(const char **)arena_grow(p->arena, &l->items, &l->n, sizeof(*l->items)) = value;
		break;
	}
	case OPT_INT:
		r = str_int(value, field);
		break;
	case OPT_U64:
		r = str_u64(value, field);
		break;
	case OPT_BYTES:
		if (str_eq(value, "-1"))
			*(int64_t *)field = -1;
		else
			r = str_bytes(value, field);
		break;
	case OPT_MS:
		if (str_eq(value, "-1"))
			*(int64_t *)field = -1;
		else
			r = str_duration_ms(value, field);
		break;
	case OPT_CALL:
		return o->parse(p->opts, o, value, e);
	case OPT_END:
		break;
	}
	if (r == -ERANGE)
		return err_say(e, "--%s %s: the number is out of range", o->name, value);
	if (r < 0)
		return err_say(e, "--%s %s: not a valid %s", o->name, value,
			o->type == OPT_FLAG    ? "truth value (true or false)"
			: o->type == OPT_BYTES ? "size (like 64m)"
			: o->type == OPT_MS    ? "duration (seconds, or like 1m30s)"
					       : "number");
	return 0;
}

static const struct opt *find_long(const struct opt *table, const char *name, size_t n)
{
	for (const struct opt *o = table; o && o->name; o++) {
		if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	}
	return NULL;
}

static const struct opt *find_letter(const struct opt *table, char letter)
{
	for (const struct opt *o = table; o && o->name; o++) {
		if (o->letter == letter)
			return o;
	}
	return NULL;
}

/* The value of o: inline (after '=' or the letter) or the next word. */
static int take_value(struct parser *p, const struct opt *o, const char *inlined, struct err *e)
{
	if (inlined || !takes_value(o) || o->optional_arg)
		return set(p, o, inlined, e);
	if (p->i + 1 >= p->n)
		return err_say(e, "--%s needs a value (%s)", o->name, o->arg ? o->arg : "VALUE");
	return set(p, o, p->argv[++p->i], e);
}

static int parse_long(struct parser *p, const char *word, const char *name, struct err *e)
{
	const char *eq = strchr(name, '=');
	const struct opt *o = find_long(p->table, name, eq ? (size_t)(eq - name) : strlen(name));

	if (!o)
		return err_say(
			e, "unknown flag: %.*s", (int)(eq ? eq - word : (long)strlen(word)), word);
	return take_value(p, o, eq ? eq + 1 : NULL, e);
}

static int parse_letters(struct parser *p, const char *word, struct err *e)
{
	for (const char *c = word + 1; *c; c++) {
		const struct opt *o = find_letter(p->table, *c);

		if (!o)
			return err_say(e, "unknown shorthand flag: '%c' in %s", *c, word);
		if (takes_value(o) && !o->optional_arg && c[1])
			return take_value(p, o, c[1] == '=' ? c + 2 : c + 1, e);
		if (c[1] == '=')
			return take_value(p, o, c + 2, e);
		if (take_value(p, o, NULL, e) < 0)
			return -e->code;
	}
	return 0;
}

static int parse_option(struct parser *p, const char *word, struct err *e)
{
	if (word[1] == '-')
		return parse_long(p, word, word + 2, e);
	if (p->style.single_dash && word[2] &&
		find_long(p->table, word + 1, strcspn(word + 1, "=")))
		return parse_long(p, word, word + 1, e);
	return parse_letters(p, word, e);
}

int opt_parse(const struct opt *table, const char *const *argv, int n, struct opt_style style,
	void *opts, struct arena *arena, const char ***ret_args, int *ret_n, struct err *e)
{
	struct parser p = { table, argv, n, 0, style, opts, arena };
	const char **args = arena_array(arena, (size_t)n + 1, sizeof(*args));
	int n_args = 0;
	bool ended = false;

	for (; p.i < n; p.i++) {
		const char *word = argv[p.i];

		if (ended || word[0] != '-' || !word[1]) {
			args[n_args++] = word;
			ended = ended || style.stops_at_word;
		} else if (str_eq(word, "--")) {
			ended = true;
		} else if (parse_option(&p, word, e) < 0) {
			return -e->code;
		}
	}
	*ret_args = args;
	*ret_n = n_args;
	return 0;
}

const struct cmd *cmd_find(const struct cmd *const *list, const char *name)
{
	for (; *list; list++) {
		if (str_eq((*list)->name, name))
			return *list;
	}
	return NULL;
}

void opt_help(const struct opt *table, struct text *t)
{
	for (const struct opt *o = table; o && o->name; o++) {
		char left[64];

		if (!o->help)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", o->name,
			takes_value(o) ? (o->optional_arg ? "[=" : " ") : "",
			takes_value(o) ? (o->arg ? o->arg : "VALUE") : "");
		if (takes_value(o) && o->optional_arg)
			strncat(left, "]", sizeof(left) - strlen(left) - 1);
		if (o->letter)
			text_addf(t, "  -%c, %-28s %s\n", o->letter, left, o->help);
		else
			text_addf(t, "      %-28s %s\n", left, o->help);
	}
}

void cmd_help(const struct cmd *cmd, const char *program, struct text *t)
{
	text_addf(t, "Usage: %s %s%s%s%s\n\n%c%s.\n", program, cmd->name,
		cmd->opts ? " [flags]" : "", cmd->args && *cmd->args ? " " : "",
		cmd->args ? cmd->args : "",
		cmd->brief[0] >= 'a' && cmd->brief[0] <= 'z' ? cmd->brief[0] - 'a' + 'A'
							     : cmd->brief[0],
		cmd->brief + 1);
	if (cmd->more)
		text_addf(t, "\n%s\n", cmd->more);
	if (cmd->opts) {
		text_add(t, "\nFlags:\n");
		opt_help(cmd->opts, t);
	}
}
