/* SPDX-License-Identifier: Apache-2.0 */
#include "init/words.h"

#include <stdlib.h>
#include <string.h>

#include "init/tell.h"

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The word at `from` to the place `to`, those between one further. */
static void move_up(struct words *w, int from, int to)
{
	char *word = w->argv[from];

	for (int i = from; i > to; i--)
		w->argv[i] = w->argv[i - 1];
	w->argv[to] = word;
}

/* The next option word comes to w->at, before the operands that stand there. */
static bool find(struct words *w)
{
	int i = w->at;

	while (w->permutes && i < w->argc && !is_option(w->argv[i]))
		i++;
	if (i >= w->argc || !is_option(w->argv[i]))
		return false;
	if (i > w->at) {
		const char *word = w->argv[i], *letter = w->letters;
		bool takes = false;

		/* its value comes along */
		if (word[1] != '-' || !w->longs) {
			for (const char *c = word + 1; *c && !takes; c++) {
				letter = *c == ':' ? NULL : strchr(w->letters, *c);
				takes = letter && letter[1] == ':' && !c[1];
				if (letter && letter[1] == ':')
					break;
			}
		} else {
			for (const struct long_word *l = w->longs; l->name; l++)
				takes |= strcmp(l->name, word + 2) == 0 && l->value;
		}
		move_up(w, i, w->at);
		if (takes && i + 1 < w->argc)
			move_up(w, i + 1, w->at + 1);
	}
	return true;
}

static int long_word(struct words *w, const char *word)
{
	size_t n = strcspn(word, "=");
	const struct long_word *found = NULL;
	bool ambiguous = false;

	for (const struct long_word *l = w->longs; l->name; l++) {
		if (strncmp(l->name, word, n) != 0)
			continue;
		if (strlen(l->name) == n) {
			found = l;
			ambiguous = false;
			break;
		}
		ambiguous = found;
		found = found ? found : l;
	}
	if (ambiguous) {
		print(2, "%s: option '--%s' is ambiguous; possibilities:", w->argv[0], word);
		for (const struct long_word *l = w->longs; l->name; l++)
			if (strncmp(l->name, word, n) == 0)
				print(2, " '--%s'", l->name);
		print(2, "\n");
		return WORDS_MISTAKE;
	}
	if (!found) {
		print(2, "%s: unrecognized option '--%s'\n", w->argv[0], word);
		return WORDS_MISTAKE;
	}
	w->value = word[n] ? word + n + 1 : NULL;
	if (w->value && !found->value) {
		print(2, "%s: option '--%s' doesn't allow an argument\n", w->argv[0], found->name);
		return WORDS_MISTAKE;
	}
	if (found->value && !w->value) {
		if (w->at >= w->argc) {
			print(2, "%s: option '--%s' requires an argument\n", w->argv[0],
				found->name);
			return WORDS_MISTAKE;
		}
		w->value = w->argv[w->at++];
	}
	return found->letter;
}

int words_next(struct words *w)
{
	const char *letter;
	char c;

	w->value = NULL;
	if (!w->tail || !*w->tail) {
		if (!find(w))
			return WORDS_END;
		if (strcmp(w->argv[w->at], "--") == 0) {
			w->at++;
			return WORDS_END;
		}
		w->tail = w->argv[w->at++] + 1;
		if (w->longs && w->tail[0] == '-') {
			const char *word = w->tail + 1;

			w->tail = NULL;
			return long_word(w, word);
		}
	}
	c = *w->tail++;
	letter = c == ':' ? NULL : strchr(w->letters, c);
	if (!letter) {
		print(2, "%s: invalid option -- '%c'\n", w->argv[0], c);
		return WORDS_MISTAKE;
	}
	if (letter[1] != ':')
		return c;
	w->value = *w->tail ? w->tail : w->at < w->argc ? w->argv[w->at++] : NULL;
	w->tail = NULL;
	if (w->value)
		return c;
	print(2, "%s: option requires an argument -- '%c'\n", w->argv[0], c);
	return WORDS_MISTAKE;
}
