/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes src/plan/seccomp/names_table.h: every system call's name with its number on each
 * architecture, as the installed libseccomp knows them.
 *   cc -o /tmp/n tools/syscall-names.c -lseccomp && /tmp/n >src/plan/seccomp/names_table.h
 */
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t archs[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64,
	SCMP_ARCH_ARM };
enum { ARCHS = sizeof(archs) / sizeof(archs[0]), NUMBERS = 1024, NAMES = 4096 };

static char *names[NAMES];
static size_t n_names;

static void add(uint32_t arch, int number)
{
	char *name = seccomp_syscall_resolve_num_arch(arch, number);

	for (size_t i = 0; name && i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return;
	if (name && n_names < NAMES)
		names[n_names++] = name;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/*
 * From number to name, not the other way: for i386's socket calls libseccomp answers a name with
 * a pseudo number, though each has had a real one since Linux 4.3.
 */
static int number_of(uint32_t arch, const char *name)
{
	for (int i = 0; i < NUMBERS; i++) {
		char *found = seccomp_syscall_resolve_num_arch(
			arch, arch == SCMP_ARCH_X32 ? 0x40000000 + i : i);
		int same = found && strcmp(found, name) == 0;

		free(found);
		if (same)
			return i;
	}
	return -1;
}

int main(void)
{
	for (size_t a = 0; a < ARCHS; a++)
		for (int i = 0; i < NUMBERS; i++)
			add(archs[a], archs[a] == SCMP_ARCH_X32 ? 0x40000000 + i : i);
	qsort(names, n_names, sizeof(names[0]), compare);
	puts("/* SPDX-License-Identifier: Apache-2.0 */");
	puts("/* Made by tools/syscall-names.c: name, then x86_64, x86, x32, aarch64, arm. */");
	for (size_t i = 0; i < n_names; i++) {
		printf("{ \"%s\", { ", names[i]);
		for (size_t a = 0; a < ARCHS; a++) {
			int n = number_of(archs[a], names[i]);

			printf("%d%s", n, a + 1 < ARCHS ? ", " : " } },\n");
		}
	}
	return 0;
}
