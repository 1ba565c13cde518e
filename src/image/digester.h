/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of what comes in pieces. */
#pragma once

#include <nettle/sha2.h>

#include "image/digest.h"

struct digester {
	struct sha256_ctx ctx;
	uint64_t bytes;
};

void digester_init(struct digester *d);
void digester_add(struct digester *d, const void *data, size_t n);
void digester_end(struct digester *d, struct digest *ret);
