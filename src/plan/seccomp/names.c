/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/seccomp/names.h"

#include <linux/audit.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

struct name {
	const char *name;
	int number[COLUMNS];
};

static const struct name names[] = {
#include "plan/seccomp/names_table.h"
};

static const struct seccomp_arch archs[] = {
	{ "SCMP_ARCH_X86_64", "x86_64", AUDIT_ARCH_X86_64, COLUMN_X86_64, false },
	{ "SCMP_ARCH_X86", "i686", AUDIT_ARCH_I386, COLUMN_X86, true },
	{ "SCMP_ARCH_X32", NULL, AUDIT_ARCH_X86_64, COLUMN_X32, true },
	{ "SCMP_ARCH_AARCH64", "aarch64", AUDIT_ARCH_AARCH64, COLUMN_AARCH64, false },
	{ "SCMP_ARCH_ARM", "armv7l", AUDIT_ARCH_ARM, COLUMN_ARM, true },
};

const struct seccomp_arch *seccomp_arch_by_name(const char *scmp)
{
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (str_eq(archs[i].scmp, scmp))
			return &archs[i];
	return NULL;
}

const struct seccomp_arch *seccomp_arch_of_machine(const char *machine)
{
	for (size_t i = 0; i < ARRAY_LEN(archs); i++)
		if (archs[i].machine && str_eq(archs[i].machine, machine))
			return &archs[i];
	return NULL;
}

static int compare(const void *key, const void *item)
{
	return strcmp(key, ((const struct name *)item)->name);
}

const int *seccomp_numbers(const char *name, size_t *hint)
{
	const struct name *found = NULL;

	/* profiles are written in the order of the alphabet, and leave little out */
	for (size_t i = *hint; i < ARRAY_LEN(names) && i < *hint + 3 && !found; i++)
		if (str_eq(names[i].name, name))
			found = &names[i];
	if (!found)
		found = bsearch(name, names, ARRAY_LEN(names), sizeof(names[0]), compare);
	if (!found)
		return NULL;
	*hint = (size_t)(found - names) + 1;
	return found->number;
}
