/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: any text gives rules whose strings are whole. */
#include "fuzz.h"

#include <string.h>

#include "base/mem.h"
#include "image/short_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	autoarena a = { 0 };
	struct short_rules rules = { 0 };

	short_rules_read(arena_strndup(&a, (const char *)data, n), &a, &rules);
	for (size_t i = 0; i < rules.n_aliases; i++)
		PROMISE(rules.aliases[i].name[0] && !strchr(rules.aliases[i].value, '\n'));
	for (size_t i = 0; i < rules.n_search; i++)
		PROMISE(rules.search[i][0] && !strchr(rules.search[i], '\n'));
	return 0;
}
