/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: what is taken is a name again, the same one, in its canonical form. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "image/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	struct image_ref r = { .kind = REF_HOST }, again;
	autoarena a = { 0 };
	struct err e = { 0 };
	const char *name;

	PROMISE(text);
	memcpy(text, data, n);
	text[n] = '\0';
	if (ref_parse(text, &a, &r, &e) < 0) {
		PROMISE(e.msg[0] && r.kind == REF_HOST);
	} else if (r.kind == REF_NAME) {
		name = ref_canonical(&r, &a);
		PROMISE(ref_parse_name(name, &a, &again, &e) == 0);
		PROMISE(str_eq(ref_canonical(&again, &a), name));
		PROMISE(ref_parse_name(ref_familiar(name), &a, &again, &e) == 0);
		PROMISE(str_eq(ref_canonical(&again, &a), name));
		PROMISE(strlen(r.path) <= 255 && !strstr(r.path, "..") && r.path[0] != '/');
	} else if (r.kind != REF_HOST) {
		PROMISE(r.file && r.file[0]);
	}
	free(text);
	return 0;
}
