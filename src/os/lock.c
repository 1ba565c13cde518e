/* SPDX-License-Identifier: Apache-2.0 */
#include "os/lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/file.h"

enum { LOCKS_MAX = 16 << 20, ANCESTORS_MAX = 1000 };

/*
 * "12: FLOCK  ADVISORY  WRITE 4711 00:1a:1234 0 EOF" a line (proc_locks(5)); who waits has "->" in
 * his. The holder's PID; 0: none is shown.
 */
static pid_t holder_of(int fd)
{
	autofree char *all = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0 || file_read_all(AT_FDCWD, "/proc/locks", LOCKS_MAX, &all) < 0)
		return 0;
	for (const char *line = all; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		unsigned major, minor;
		unsigned long long inode;
		int pid;

		if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major, &minor,
			    &inode) == 4 &&
			major == major(st.st_dev) && minor == minor(st.st_dev) &&
			inode == st.st_ino)
			return pid;
	}
	return 0;
}

/* As this procfs numbers it, which getppid() need not; 0: it has none, or is not to be seen. */
static pid_t parent_of(const char *pid)
{
	char path[64], text[1024];
	const char *behind;
	int parent;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	if (file_read(AT_FDCWD, path, text, sizeof(text)) < 0)
		return 0;
	behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %d", &parent) == 1 ? parent : 0;
}

bool lock_is_an_ancestors(int fd)
{
	pid_t holder = holder_of(fd), one = holder ? parent_of("self") : 0;

	for (int i = 0; one > 0 && i < ANCESTORS_MAX; i++) {
		char name[16];

		if (one == holder)
			return true;
		snprintf(name, sizeof(name), "%d", one);
		one = parent_of(name);
	}
	return false;
}
