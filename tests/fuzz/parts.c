/* SPDX-License-Identifier: Apache-2.0 */
/* What comes alone: exec's process, update's resources, a seccomp profile. */
#include "fuzz.h"

#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	autoarena arena = { 0 };
	struct spec_process process = { 0 };
	struct spec_resources resources = { 0 };
	struct spec_seccomp seccomp = { 0 };
	struct err e[3] = { 0 };

	PROMISE((spec_parse_process(text, n, &arena, &process, &e[0]) < 0) == (e[0].code != 0));
	PROMISE((spec_parse_resources(text, n, &arena, &resources, &e[1]) < 0) == (e[1].code != 0));
	PROMISE((spec_parse_seccomp(text, n, &arena, &seccomp, &e[2]) < 0) == (e[2].code != 0));
	return 0;
}
