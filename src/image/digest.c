/* SPDX-License-Identifier: Apache-2.0 */
#include "image/digester.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

void digester_init(struct digester *d)
{
	sha256_init(&d->ctx);
	d->bytes = 0;
}

void digester_add(struct digester *d, const void *data, size_t n)
{
	sha256_update(&d->ctx, n, data);
	d->bytes += n;
}

void digester_end(struct digester *d, struct digest *ret)
{
	uint8_t sum[SHA256_DIGEST_SIZE];

	sha256_digest(&d->ctx, sizeof(sum), sum);
	memcpy(ret->text, "sha256:", 7);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(ret->text + 7 + 2 * i, 3, "%02x", sum[i]);
}

void digest_of(const void *data, size_t n, struct digest *ret)
{
	struct digester d;

	digester_init(&d);
	digester_add(&d, data, n);
	digester_end(&d, ret);
}

int digest_of_fd(int fd, struct digest *ret, uint64_t *ret_bytes)
{
	enum { BLOCK = 1 << 18 };
	autofree char *buf = mem_alloc(BLOCK);
	struct digester d;
	ssize_t n;

	digester_init(&d);
	for (;;) {
		n = read(fd, buf, BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		digester_add(&d, buf, (size_t)n);
	}
	if (n < 0)
		return -errno;
	if (ret_bytes)
		*ret_bytes = d.bytes;
	digester_end(&d, ret);
	return 0;
}
