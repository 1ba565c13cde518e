/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of /proc, whose names any process may choose: stat, and the lines of status with a number a
 * level. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "procs/nspid.h"
#include "procs/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	struct proc p = { 0 };
	struct nspid levels = { 0 };
	const char *comm;
	size_t len;

	PROMISE(text);
	memcpy(text, data, n);
	text[n] = '\0';
	if (stat_parse(text, &p, &comm, &len) == 0)
		PROMISE(comm >= text && comm + len <= text + strlen(text));
	if (nspid_parse(text, "NSpid", &levels) == 0)
		PROMISE(levels.depth > 0 && levels.depth <= NSPID_DEPTH_MAX);
	free(text);
	return 0;
}
