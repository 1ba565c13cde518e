/* SPDX-License-Identifier: Apache-2.0 */
/* System calls and architectures by name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seccomp_arch_column {
	COLUMN_X86_64,
	COLUMN_X86,
	COLUMN_X32,
	COLUMN_AARCH64,
	COLUMN_ARM,
	COLUMNS
};

struct seccomp_arch {
	const char *scmp;    /* "SCMP_ARCH_X86_64" */
	const char *machine; /* uname(2)'s word where it is the native one, or NULL */
	uint32_t audit;	     /* AUDIT_ARCH_* of struct seccomp_data */
	enum seccomp_arch_column column;
	bool is_32bit; /* arguments have 32 bits */
};

/* NULL for one that is not known here. */
const struct seccomp_arch *seccomp_arch_by_name(const char *scmp);
const struct seccomp_arch *seccomp_arch_of_machine(const char *machine);

/*
 * The numbers of a system call on each architecture, -1 where it has none; NULL for a name that is
 * not known. hint: kept between calls, from 0; names that come in order are found at once.
 */
const int *seccomp_numbers(const char *name, size_t *hint);

/* x32 shares x86_64's AUDIT_ARCH and has this bit in its numbers. */
#define SECCOMP_X32_BIT 0x40000000u
