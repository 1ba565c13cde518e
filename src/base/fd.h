/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that close themselves: declared where they begin, given away by name. */
#pragma once

#include <errno.h>
#include <unistd.h>

/* "No descriptor": also what a failed call left, so -EBADF reads the same everywhere. */
#define FD_NONE (-EBADF)

static inline void fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = FD_NONE;
	errno = saved;
}

/* Gives the descriptor away: the caller's variable forgets it. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = FD_NONE;
	return taken;
}

/* Closes at the end of the block: autofd fd = FD_NONE; */
#define autofd __attribute__((cleanup(fd_close))) int
