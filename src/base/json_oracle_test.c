/* SPDX-License-Identifier: Apache-2.0 */
/* The reader against jansson: both take, or both refuse, what a thousand mutations make of a text.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

static const char *const seeds[] = {
	"{\"a\":[1,-2,3.5e2,true,false,null],\"b\":{\"c\":\"d\\n\\u00e4\\ud83d\\ude00\",\"e\":"
	"\"\\\\\"},\"f\":\"\xc3\xa4\"}",
	"[[],{},\"\",0,-0,1e9,\"\\/\\b\\f\\r\\t\",[[[[1]]]]]",
	" {\n\t\"ociVersion\" : \"1.0\" , "
	"\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\"},\"x\":18446744073709 }\r\n",
};

/* jansson's names are ours too, so it is loaded and its two functions are asked for (its ABI 4). */
struct theirs_error {
	int line, column, position;
	char source[80], text[160];
};
enum { REJECT_DUPLICATES = 1, DECODE_ANY = 4 };

static void *(*theirs_load)(const char *text, size_t n, size_t flags, struct theirs_error *e);
static void (*theirs_free)(void *v);

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

static size_t mutate(char *text, size_t n, size_t room)
{
	static const char bytes[] = "{}[]\",:\\0123eE+-.ntfu \n\t\x01\x7f\xc3\xa4\xed\xa0\x80\xff";

	for (uint32_t changes = next_random() % 3 + 1; changes; changes--) {
		size_t at = next_random() % n;

		switch (next_random() % 3) {
		case 0:
			text[at] = bytes[next_random() % (sizeof(bytes) - 1)];
			break;
		case 1:
			memmove(text + at, text + at + 1, n - at - 1);
			n -= n > 1;
			break;
		case 2:
			if (n + 1 < room) {
				memmove(text + at + 1, text + at, n - at);
				text[at] = bytes[next_random() % (sizeof(bytes) - 1)];
				n++;
			}
		}
	}
	return n;
}

static void both_take_or_both_refuse(void **state)
{
	void *library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
	int taken = 0;

	assert_non_null(library);
	theirs_load = (void *(*)(const char *, size_t, size_t, struct theirs_error *))dlsym(
		library, "json_loadb");
	theirs_free = (void (*)(void *))dlsym(library, "json_delete");
	assert_true(theirs_load && theirs_free);
	for (int i = 0; i < 60000; i++) {
		const char *seed = seeds[i % ARRAY_LEN(seeds)];
		autoarena arena = { 0 };
		const struct json *v;
		struct err e = { 0 };
		struct theirs_error theirs_error = { 0 };
		char text[512];
		size_t n = strlen(seed);
		void *theirs;
		bool ours;

		memcpy(text, seed, n);
		n = mutate(text, n, sizeof(text));
		ours = json_parse(text, n, &arena, &v, &e) == 0;
		theirs = theirs_load(text, n, REJECT_DUPLICATES | DECODE_ANY, &theirs_error);
		/* numbers that fit no type of jansson's are RFC 8259's all the same */
		if (!theirs && strstr(theirs_error.text, "too big"))
			ours = false;
		if (!theirs && strstr(theirs_error.text, "overflow"))
			ours = false;
		if (ours != (theirs != NULL))
			fail_msg("%.*s: ours %d (%s), jansson: %s", (int)n, text, ours, e.msg,
				theirs ? "takes it" : theirs_error.text);
		taken += ours;
		if (theirs)
			theirs_free(theirs);
	}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_take_or_both_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
