/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay FOLDER...: gives a fuzz target each file of a corpus, every beginning of the small ones,
 * and a fixed number of mutations of each. A crash ends the program, which the test runner sees.
 * Prints TAP.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { FILE_MAX = 1 << 20, BEGINNINGS_MAX = 2048, MUTATIONS = 400, CHANGES_MAX = 4 };

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* A copy of exactly n bytes, so that a byte read behind them is seen by ASan. */
static void give(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact)
		abort();
	memcpy(exact, data, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
}

static size_t mutate(uint8_t *text, size_t n)
{
	static const uint8_t bytes[] = "{}[]\",:\\/.=0129-+ \n\t%$()~\x01\x7f\xc3\xed\xff";

	for (uint32_t changes = next_random() % CHANGES_MAX + 1; changes && n; changes--) {
		size_t at = next_random() % n, to = next_random() % n;

		switch (next_random() % 4) {
		case 0:
			text[at] = bytes[next_random() % sizeof(bytes)];
			break;
		case 1:
			text[at] ^= (uint8_t)(1u << next_random() % 8);
			break;
		case 2:
			memmove(text + at, text + at + 1, n - at - 1);
			n--;
			break;
		case 3: /* a part of it once more elsewhere */
			memmove(text + at, text + to, n - (at > to ? at : to));
			break;
		}
	}
	return n;
}

static void replay(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	give(data, n);
	for (size_t i = 0; i < n && n <= BEGINNINGS_MAX; i++)
		give(data, i);
	for (int i = 0; i < MUTATIONS; i++) {
		memcpy(copy, data, n);
		give(copy, mutate(copy, n));
	}
	free(copy);
}

/* How many files there were; below 0: one could not be read. */
static int replay_folder(const char *folder)
{
	static uint8_t data[FILE_MAX];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir))) {
		char path[4096];
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		file = fopen(path, "rb");
		if (!file)
			return -1;
		replay(data, fread(data, 1, sizeof(data), file));
		fclose(file);
		n++;
	}
	if (!dir)
		return -1;
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		int n = replay_folder(argv[i]);

		printf("%s %d - %d files of the corpus\n", n > 0 ? "ok" : "not ok", i, n);
	}
	return argc > 1 ? 0 : 1;
}
