/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (nettle's), in the OCI's words: "sha256:" and 64 hexadecimal digits. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIGEST_HEX = 64, DIGEST_SIZE = 72 }; /* with its end */

struct digest {
	char text[DIGEST_SIZE];
};

void digest_of(const void *data, size_t n, struct digest *ret);

/* All that is in the descriptor from where it stands: 0 or -errno; ret_bytes may be NULL. */
int digest_of_fd(int fd, struct digest *ret, uint64_t *ret_bytes);

/* The digits alone. */
static inline const char *digest_hex(const char *text)
{
	return text + 7;
}
