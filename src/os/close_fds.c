/* SPDX-License-Identifier: Apache-2.0 */
#include "os/close_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RANGE_CLOEXEC = 4, FDS_MAX = 65536 };

int close_fds_on_exec(unsigned first)
{
	struct rlimit limit;

	if (syscall(SYS_close_range, first, ~0U, RANGE_CLOEXEC) == 0)
		return 0;
	/* an older kernel, or a filter that does not know the call */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	for (unsigned fd = first; fd < limit.rlim_max && fd < FDS_MAX; fd++)
		fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	return 0;
}
