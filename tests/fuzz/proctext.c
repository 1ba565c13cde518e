/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of /proc, whose names any process may choose: stat, the lines of status with a number a
 * level, cgroup files, the call a thread is blocked in.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "os/ptrace.h"
#include "procs/facts.h"
#include "procs/nspid.h"
#include "procs/owner.h"
#include "procs/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = malloc(n + 1);
	struct proc p = { 0 };
	struct nspid levels = { 0 };
	struct facts facts = { 0 };
	struct ptrace_blocked blocked;
	struct owner owner = { 0 };
	struct arena a = { 0 };
	const char *comm;
	size_t len;

	PROMISE(text);
	memcpy(text, data, n);
	text[n] = '\0';
	if (stat_parse(text, &p, &comm, &len) == 0)
		PROMISE(comm >= text && comm + len <= text + strlen(text));
	if (nspid_parse(text, "NSpid", &levels) == 0)
		PROMISE(levels.depth > 0 && levels.depth <= NSPID_DEPTH_MAX);
	if (nspid_parse(text, "NSsid", &levels) == 0)
		PROMISE(levels.depth > 0 && levels.depth <= NSPID_DEPTH_MAX);
	facts_parse_stat(text, &facts);
	PROMISE(strnlen(facts.comm, sizeof(facts.comm)) < sizeof(facts.comm));
	if (facts_parse_status(text, &facts) == 0)
		PROMISE(facts.levels > 0 && facts.levels <= FACTS_LEVELS_MAX);
	ptrace_blocked_parse(text, &blocked);
	if (owner_from_cgroup(text, &a, &owner))
		PROMISE(owner.runtime && owner.id && owner.name);
	arena_done(&a);
	free(text);
	return 0;
}
