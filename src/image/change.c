/* SPDX-License-Identifier: Apache-2.0 */
#include "image/change.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

static void add(struct arena *a, struct image_words *to, const char *word)
{
	const char **all = arena_array(a, to->n + 2, sizeof(*all));

	for (size_t i = 0; i < to->n; i++) {
		if (str_eq(to->items[i], word))
			return;
		all[i] = to->items[i];
	}
	all[to->n++] = word;
	to->items = all;
}

void change_from(struct image_change *c, const struct image_config *from, struct arena *a)
{
	autotext t = { 0 };
	struct json_writer w = { .t = &t };

	*c = (struct image_change){ .env = from->env,
		.entrypoint = from->entrypoint,
		.cmd = from->cmd,
		.volumes = from->volumes,
		.ports = from->ports,
		.labels = from->labels,
		.n_labels = from->n_labels,
		.user = from->user,
		.workdir = from->workdir,
		.stop_signal = from->stop_signal };
	if (from->healthcheck) {
		config_json(&w, NULL, from->healthcheck);
		c->healthcheck = arena_strdup(a, t.p);
	}
}

/* One word of a shell's kind: quotes and backslashes; *at moves behind it. NULL: the end. */
static char *next_word(const char **at, struct arena *a)
{
	const char *s = *at + strspn(*at, " \t");
	char *out = arena_alloc(a, strlen(s) + 1), quote = 0;
	size_t n = 0;

	if (!*s)
		return NULL;
	for (; *s && (quote || !strchr(" \t", *s)); s++) {
		if (quote && *s == quote)
			quote = 0;
		else if (!quote && strchr("\"'", *s))
			quote = *s;
		else if (*s == '\\' && s[1] && quote != '\'')
			out[n++] = *++s;
		else
			out[n++] = *s;
	}
	*at = s;
	return out;
}

/* ["a", "b"], or a line for a shell. */
static int command(const char *text, struct arena *a, struct image_words *to, struct err *e)
{
	const struct json *all;

	*to = (struct image_words){ 0 };
	if (*text != '[') {
		const char **all_words = arena_array(a, 4, sizeof(*all_words));

		all_words[0] = "/bin/sh";
		all_words[1] = "-c";
		all_words[2] = text;
		*to = (struct image_words){ all_words, 3 };
		return 0;
	}
	if (json_parse(text, strlen(text), a, &all, e) < 0)
		return -e->code;
	for (const struct json *v = json_first(all); v; v = json_next(all, v)) {
		if (v->kind != JSON_STRING)
			return err_say(e, "%s: strings are wanted", text);
		*(const char **)arena_grow(a, &to->items, &to->n, sizeof(*to->items)) = v->text;
	}
	return 0;
}

static void set_env(struct image_change *c, const char *pair, struct arena *a)
{
	size_t n = strcspn(pair, "=");
	const char **all = arena_array(a, c->env.n + 2, sizeof(*all));
	bool found = false;

	for (size_t i = 0; i < c->env.n; i++) {
		bool same = strncmp(c->env.items[i], pair, n + 1) == 0;

		all[i] = same ? pair : c->env.items[i];
		found |= same;
	}
	if (!found)
		all[c->env.n++] = pair;
	c->env.items = all;
}

static void set_label(struct image_change *c, const char *key, const char *value, struct arena *a)
{
	struct image_label *all = arena_array(a, c->n_labels + 1, sizeof(*all));
	bool found = false;

	for (size_t i = 0; i < c->n_labels; i++) {
		all[i] = c->labels[i];
		if (!str_eq(all[i].key, key))
			continue;
		all[i].value = value;
		found = true;
	}
	if (!found)
		all[c->n_labels++] = (struct image_label){ key, value };
	c->labels = all;
}

/* NAME=VALUE NAME=VALUE..., or the old NAME VALUE */
static int pairs(
	struct image_change *c, const char *rest, bool label, struct arena *a, struct err *e)
{
	const char *blank = strpbrk(rest, " \t"), *equals = strchr(rest, '=');
	char *word;

	if (!equals && !blank)
		return err_say(e, "NAME=VALUE is wanted");
	if (!equals || (blank && blank < equals)) {
		const char *name = arena_strndup(a, rest, (size_t)(blank - rest));

		rest = blank + strspn(blank, " \t");
		if (label)
			set_label(c, name, rest, a);
		else
			set_env(c, arena_printf(a, "%s=%s", name, rest), a);
		return 0;
	}
	while ((word = next_word(&rest, a))) {
		char *value = strchr(word, '=');

		if (!value || value == word)
			return err_say(e, "\"%s\": NAME=VALUE is wanted", word);
		if (!label) {
			set_env(c, word, a);
			continue;
		}
		*value = '\0';
		set_label(c, word, value + 1, a);
	}
	return 0;
}

static int expose(struct image_change *c, const char *rest, struct arena *a, struct err *e)
{
	char *word;

	while ((word = next_word(&rest, a))) {
		size_t n = strspn(word, "0123456789");

		if (!n || (word[n] && !str_eq(word + n, "/tcp") && !str_eq(word + n, "/udp") &&
				  !str_eq(word + n, "/sctp")))
			return err_say(e, "\"%s\": a port is wanted", word);
		add(a, &c->ports, word[n] ? word : arena_printf(a, "%s/tcp", word));
	}
	return 0;
}

static int volumes(struct image_change *c, const char *rest, struct arena *a, struct err *e)
{
	struct image_words list = { 0 };
	char *word;

	if (*rest == '[') {
		if (command(rest, a, &list, e) < 0)
			return -e->code;
		for (size_t i = 0; i < list.n; i++)
			add(a, &c->volumes, list.items[i]);
		return 0;
	}
	while ((word = next_word(&rest, a)))
		add(a, &c->volumes, word);
	return 0;
}

/* HEALTHCHECK NONE, or [--interval=... ] CMD ... */
static int healthcheck(struct image_change *c, const char *rest, struct arena *a, struct err *e)
{
	static const struct {
		const char *option, *name;
	} times[] = { { "--interval=", "Interval" }, { "--timeout=", "Timeout" },
		{ "--start-period=", "StartPeriod" } };
	autotext t = { 0 };
	struct json_writer w = { .t = &t };
	struct image_words words = { 0 };

	json_begin(&w, NULL, '{');
	while (str_starts(rest, "--")) {
		char *word = next_word(&rest, a);
		int64_t value = -1;

		for (size_t i = 0; i < ARRAY_LEN(times); i++)
			if (str_starts(word, times[i].option) &&
				str_duration_ms(word + strlen(times[i].option), &value) == 0)
				json_int(&w, times[i].name, value * 1000000);
		if (str_starts(word, "--retries=") && str_i64(word + 10, &value) == 0)
			json_int(&w, "Retries", value);
		if (value < 0)
			return err_say(e, "%s is not known", word);
		rest += strspn(rest, " \t");
	}
	json_begin(&w, "Test", '[');
	if (strcasecmp(rest, "NONE") == 0) {
		json_string(&w, NULL, "NONE");
	} else {
		if (strncasecmp(rest, "CMD", 3) != 0 || !strchr(" \t", rest[3]))
			return err_say(e, "CMD or NONE is wanted");
		rest += 3;
		rest += strspn(rest, " \t");
		if (*rest == '[' && command(rest, a, &words, e) < 0)
			return -e->code;
		json_string(&w, NULL, *rest == '[' ? "CMD" : "CMD-SHELL");
		for (size_t i = 0; i < words.n; i++)
			json_string(&w, NULL, words.items[i]);
		if (*rest != '[')
			json_string(&w, NULL, rest);
	}
	json_end(&w, ']');
	json_end(&w, '}');
	c->healthcheck = arena_strdup(a, t.p);
	return 0;
}

static int apply(
	struct image_change *c, const char *verb, const char *rest, struct arena *a, struct err *e)
{
	if (strcasecmp(verb, "CMD") == 0)
		return command(rest, a, &c->cmd, e);
	if (strcasecmp(verb, "ENTRYPOINT") == 0)
		return command(rest, a, &c->entrypoint, e);
	if (strcasecmp(verb, "ENV") == 0)
		return pairs(c, rest, false, a, e);
	if (strcasecmp(verb, "LABEL") == 0)
		return pairs(c, rest, true, a, e);
	if (strcasecmp(verb, "EXPOSE") == 0)
		return expose(c, rest, a, e);
	if (strcasecmp(verb, "VOLUME") == 0)
		return volumes(c, rest, a, e);
	if (strcasecmp(verb, "HEALTHCHECK") == 0)
		return healthcheck(c, rest, a, e);
	if (strcasecmp(verb, "USER") == 0)
		c->user = rest;
	else if (strcasecmp(verb, "WORKDIR") == 0)
		c->workdir = rest;
	else if (strcasecmp(verb, "STOPSIGNAL") == 0)
		c->stop_signal = rest;
	else if (strcasecmp(verb, "ONBUILD") == 0)
		add(a, &c->onbuild, rest);
	else
		return err_say(e, "%s is not a valid change command", verb);
	return 0;
}

int change_apply(struct image_change *c, const char *instruction, struct arena *a, struct err *e)
{
	const char *rest = instruction + strspn(instruction, " \t"), *verb;
	size_t n = strcspn(rest, " \t");

	verb = arena_strndup(a, rest, n);
	rest += n;
	rest += strspn(rest, " \t");
	for (const char *at = instruction; *at; at += str_utf8_len(at, strlen(at)))
		if (!str_utf8_len(at, strlen(at)))
			return err_say(e, "--change: what is no UTF-8 cannot be in an image");
	if (!n || !*rest)
		return err_say(
			e, "--change \"%s\": an instruction and its value are wanted", instruction);
	rest = arena_strdup(a, rest);
	return apply(c, verb, rest, a, e) < 0 ? err_wrap(e, "--change \"%s\"", instruction) : 0;
}

static void write_words(struct json_writer *w, const char *name, const struct image_words *words)
{
	if (!words->n)
		return;
	json_begin(w, name, '[');
	for (size_t i = 0; i < words->n; i++)
		json_string(w, NULL, words->items[i]);
	json_end(w, ']');
}

static void write_set(struct json_writer *w, const char *name, const struct image_words *words)
{
	if (!words->n)
		return;
	json_begin(w, name, '{');
	for (size_t i = 0; i < words->n; i++) {
		json_begin(w, words->items[i], '{');
		json_end(w, '}');
	}
	json_end(w, '}');
}

void change_write(const struct image_change *c, struct json_writer *w)
{
	autoarena a = { 0 };
	const struct json *health;
	struct err ignored;

	json_begin(w, "config", '{');
	if (c->user && c->user[0])
		json_string(w, "User", c->user);
	write_set(w, "ExposedPorts", &c->ports);
	write_words(w, "Env", &c->env);
	write_words(w, "Entrypoint", &c->entrypoint);
	write_words(w, "Cmd", &c->cmd);
	write_set(w, "Volumes", &c->volumes);
	if (c->workdir && c->workdir[0])
		json_string(w, "WorkingDir", c->workdir);
	write_words(w, "OnBuild", &c->onbuild);
	if (c->n_labels) {
		json_begin(w, "Labels", '{');
		for (size_t i = 0; i < c->n_labels; i++)
			json_string(w, c->labels[i].key, c->labels[i].value);
		json_end(w, '}');
	}
	if (c->stop_signal && c->stop_signal[0])
		json_string(w, "StopSignal", c->stop_signal);
	if (c->healthcheck &&
		json_parse(c->healthcheck, strlen(c->healthcheck), &a, &health, &ignored) == 0)
		config_json(w, "Healthcheck", health);
	json_end(w, '}');
}
