/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target: takes any bytes and must neither crash, hang, leak, nor break the promise it
 * asserts. The same file is linked with replay.c (make test: each file of its corpus, and mutations
 * of it) or with libFuzzer (tests/fuzz/run).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A broken promise: says which and aborts, which both drivers take for a crash. */
#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_broken(#condition, __FILE__, __LINE__);                               \
	} while (0)

static inline void fuzz_broken(const char *what, const char *file, int line)
{
	__builtin_printf("%s:%d: broken: %s\n", file, line, what);
	__builtin_abort();
}
