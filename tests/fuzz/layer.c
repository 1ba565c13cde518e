/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's archive, unpacked upon another one: whatever it holds, nothing is made outside. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/unpack.h"
#include "os/file.h"
#include "os/remove_tree.h"

/* in memory: a run makes and removes a few files, a test some thousand runs */
static char place[] = "/dev/shm/clade-fuzz-layer-XXXXXX";
static int root = FD_NONE;

static void clear(void)
{
	remove_tree(AT_FDCWD, place);
}

static int open_folder(const char *name)
{
	return openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A lower layer with something to be hidden, linked to and gone through. */
static void prepare(void)
{
	int fd;

	PROMISE(mkdtemp(place));
	atexit(clear);
	root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	PROMISE(root >= 0 && mkdirat(root, "below", 0755) == 0 &&
		mkdirat(root, "below/t", 0755) == 0);
	fd = openat(root, "below/t/one", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	PROMISE(fd >= 0 && file_write_all(fd, "one\n", 4) == 0);
	close(fd);
	PROMISE(symlinkat("../../..", root, "below/up") == 0 &&
		symlinkat("t", root, "below/alias") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	autofd archive = memfd_create("layer", MFD_CLOEXEC), layer = FD_NONE;
	autostack below = STACK_NONE;
	struct unpack u = { .below = &below };
	struct err e = { 0 };
	struct stat st;

	if (root < 0)
		prepare();
	PROMISE(archive >= 0 && file_write_all(archive, data, n) == 0);
	lseek(archive, 0, SEEK_SET);
	PROMISE(mkdirat(root, "layer", 0755) == 0);
	layer = open_folder("layer");
	stack_push(&below, open_folder("below"));
	u.archive = archive;
	u.layer = layer;
	if (unpack_layer(&u, &e) < 0)
		PROMISE(e.msg[0]);
	PROMISE(fstat(root, &st) == 0 && st.st_nlink == 4); /* below and layer, nothing else */
	PROMISE(remove_tree(root, "layer") == 0);
	PROMISE(fstatat(root, "below/t/one", &st, 0) == 0 && st.st_size == 4 && st.st_nlink == 1);
	return 0;
}
