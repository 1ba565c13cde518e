/* SPDX-License-Identifier: Apache-2.0 */
/* ROOT/ID/record: what is read is written and read back as the same. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/record.h"

static char path[] = "/tmp/clade-fuzz-record.XXXXXX";

static void remove_folder(void)
{
	autofd dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	unlinkat(dir, "record", 0);
	rmdir(path);
}

static int folder(void)
{
	static int dir = FD_NONE;

	if (dir < 0) {
		PROMISE(mkdtemp(path));
		atexit(remove_folder);
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		PROMISE(dir >= 0);
	}
	return dir;
}

static void put(int dir, const void *data, size_t n)
{
	autofd fd = openat(dir, "record", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	PROMISE(fd >= 0 && write(fd, data, n) == (ssize_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	autoarena arena = { 0 };
	struct record once = { 0 }, twice = { 0 };
	struct err e = { 0 };
	int dir = folder();

	put(dir, data, n);
	if (record_read(dir, &arena, &once, &e) < 0) {
		PROMISE(e.code && e.msg[0]);
		return 0;
	}
	PROMISE(record_write(dir, &once, &e) == 0);
	PROMISE(record_read(dir, &arena, &twice, &e) == 0);
	PROMISE(once.created_ns == twice.created_ns && once.n_labels == twice.n_labels);
	PROMISE(!once.name == !twice.name && (!once.name || strcmp(once.name, twice.name) == 0));
	return 0;
}
