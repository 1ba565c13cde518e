/* SPDX-License-Identifier: Apache-2.0 */
/* --format's templates: any text over one value prints or is refused with a sentence. */
#include "fuzz.h"

#include <string.h>

#include "base/str.h"
#include "render/template.h"

static const char value[] =
	"{\"Name\":\"/one\",\"N\":3,\"Yes\":true,\"No\":false,\"Null\":null,"
	"\"State\":{\"Pid\":7},\"Labels\":{\"a\":\"x\"},\"List\":[\"p\",\"q\"]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	autoarena arena = { 0 };
	autotext t = { 0 };
	const struct json *v;
	struct err e = { 0 };

	PROMISE(json_parse(value, strlen(value), &arena, &v, &e) == 0);
	e = (struct err){ 0 };
	if (template_print(arena_strndup(&arena, (const char *)data, n), v, true, &arena, &t, &e) <
		0)
		PROMISE(e.code && e.msg[0]);
	return 0;
}
