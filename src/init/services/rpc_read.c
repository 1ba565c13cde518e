/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of a call are its method and its plain values, in place: each becomes a word that
 * ends where its tag did. Only system.multicall has more, which is a list of such calls.
 */
#include <string.h>

#include "init/services/rpc.h"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Entities, in place. */
static void decode(char *text)
{
	static const struct {
		const char *name;
		char c;
	} names[] = { { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' },
		{ "&apos;", '\'' } };
	char *to = text;

	while (*text) {
		size_t i = 0;

		while (i < 5 && !begins(text, names[i].name))
			i++;
		*to++ = i < 5 ? names[i].c : *text;
		text += i < 5 ? strlen(names[i].name) : 1;
	}
	*to = '\0';
}

static bool add_word(struct client *c, char *word)
{
	if (c->n_words == CTL_WORDS)
		return false;
	decode(word);
	c->words[c->n_words++] = word;
	return true;
}

/* Every <value> of a text. */
static bool read_values(struct client *c, char *p)
{
	while ((p = strstr(p, "<value>"))) {
		char *inner, *word, *end;

		p += 7;
		inner = p + strspn(p, " \t\r\n");
		if (*inner == '<' && !begins(inner, "</value>")) {
			if (begins(inner, "<array") || begins(inner, "<struct") ||
				!(p = strchr(inner, '>')))
				return false;
			p++;
		}
		word = p;
		end = p + strcspn(p, "<");
		if (p[-1] == '>' && p[-2] == '/')
			word = end = p - 2; /* <string/> */
		p = *end ? end + 1 : end;
		*end = '\0';
		if (!add_word(c, word))
			return false;
	}
	return true;
}

/* The end of the element whose inside begins at p; NULL: it has none. */
static char *end_of(char *p, const char *open, const char *close)
{
	for (int depth = 1; (p = strchr(p, '<')); p++) {
		if (begins(p, close) && --depth == 0)
			return p;
		depth += begins(p, open);
	}
	return NULL;
}

bool rpc_read(struct client *c)
{
	char *name = strstr(c->body, "<methodName>"), *end;

	c->n_words = 0;
	c->calls = NULL;
	if (!name || !(end = strchr(name += 12, '<')))
		return false;
	*end = '\0';
	if (!add_word(c, name))
		return false;
	if (strcmp(c->words[0], "system.multicall") != 0)
		return read_values(c, end + 1);
	c->calls = strstr(end + 1, "<array>");
	return c->calls != NULL;
}

int rpc_read_next(struct client *c)
{
	char *call = strstr(c->calls, "<struct>"), *end, *method = NULL, *values = NULL;

	c->n_words = 0;
	if (!call)
		return 0;
	end = end_of(call += 8, "<struct", "</struct>");
	/* what has no end takes along what is behind it */
	c->calls = end ? end + 9 : call + strlen(call);
	if (!end)
		return -1;
	*end = '\0';
	for (char *p = call; (p = strstr(p, "<name>"));) {
		char *inside, *close;

		p += 6;
		if (begins(p, "methodName<") && (inside = strstr(p, "<value>"))) {
			inside += begins(inside + 7, "<string>") ? 15 : 7;
			method = inside;
		} else if (begins(p, "params<") && (inside = strstr(p, "<array>"))) {
			close = end_of(inside + 7, "<array", "</array>");
			if (!close)
				return -1;
			*close = '\0';
			values = inside + 7;
			p = close + 1;
		}
	}
	if (!method)
		return -1;
	method[strcspn(method, "<")] = '\0';
	if (!add_word(c, method))
		return -1;
	/* its values are calls, which it may not have here */
	if (strcmp(c->words[0], "system.multicall") == 0)
		return 1;
	return !values || read_values(c, values) ? 1 : -1;
}
