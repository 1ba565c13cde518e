/* SPDX-License-Identifier: Apache-2.0 */
/* Words that people type: numbers, sizes, durations, and a command line of lines as arguments. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"

enum { ARGS_MAX = 64 };

struct opts {
	bool flag;
	const char *text;
	struct opt_list list;
	int number;
	uint64_t large;
	int64_t bytes, ms;
};

static const struct opt table[] = {
	{ "flag", 'f', OPT_FLAG, offsetof(struct opts, flag), NULL, "a flag" },
	{ "text", 't', OPT_STRING, offsetof(struct opts, text), "WORD", "a word" },
	{ "list", 'l', OPT_LIST, offsetof(struct opts, list), "WORD", "words" },
	{ "number", 'n', OPT_INT, offsetof(struct opts, number), "N", "a number" },
	{ "large", 0, OPT_U64, offsetof(struct opts, large), "N", "a large one" },
	{ "bytes", 'b', OPT_BYTES, offsetof(struct opts, bytes), "BYTES", "a size" },
	{ "time", 0, OPT_MS, offsetof(struct opts, ms), "SECONDS", "a time" },
	{ 0 },
};

static void single_words(const char *text)
{
	uint64_t u = 7;
	int64_t i = 7;
	autotext safe = { 0 };

	PROMISE(str_u64(text, &u) == 0 || u == 7);
	PROMISE(str_i64(text, &i) == 0 || i == 7);
	i = 7;
	PROMISE(str_bytes(text, &i) == 0 || i == 7);
	i = 7;
	PROMISE(str_duration_ms(text, &i) == 0 || i == 7);
	text_add_escaped(&safe, text, strlen(text));
	for (size_t at = 0; at < safe.len; at++)
		PROMISE((unsigned char)safe.p[at] >= ' ' && safe.p[at] != 0x7f);
}

static void command_line(char *text, bool stops_at_word, bool single_dash)
{
	struct opt_style style = { .stops_at_word = stops_at_word, .single_dash = single_dash };
	const char *argv[ARGS_MAX + 1], **args;
	autoarena arena = { 0 };
	struct opts opts = { 0 };
	struct err e = { 0 };
	int n = 0, n_args;

	for (char *at = text; at && n < ARGS_MAX;)
		argv[n++] = strsep(&at, "\n");
	argv[n] = NULL;
	if (opt_parse(table, argv, n, style, &opts, &arena, &args, &n_args, &e) < 0)
		PROMISE(e.msg[0]);
	else
		PROMISE(n_args >= 0 && n_args <= n && !args[n_args]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	for (int i = 0; i < 4; i++) {
		char *text = malloc(n + 1);

		PROMISE(text);
		memcpy(text, data, n);
		text[n] = '\0';
		if (i == 0)
			single_words(text);
		command_line(text, i & 1, i & 2);
		free(text);
	}
	return 0;
}
