/* SPDX-License-Identifier: Apache-2.0 */
#include "init/family.h"

#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/options.h"
#include "init/tell.h"

/* The number that begins field n of those behind the name; the first one is 1. */
static unsigned long long field(const char *s, int n)
{
	unsigned long long value = 0;

	while (n-- > 0 && *s) {
		while (*s && *s != ' ')
			s++;
		s += *s == ' ';
	}
	while (*s >= '0' && *s <= '9')
		value = value * 10 + (unsigned long long)(*s++ - '0');
	return value;
}

bool family_read(pid_t pid, struct process *ret)
{
	struct line path = { 0 };
	char text[512];
	const char *open_, *close_ = NULL;
	size_t n;
	ssize_t got;
	int fd;

	line_add(&path, "/proc/%d/stat%c", pid, 0);
	fd = open(path.text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	open_ = strchr(text, '(');
	/* a name may hold anything: what counts is the last one */
	for (const char *s = text; *s; s++)
		if (*s == ')')
			close_ = s;
	if (!open_ || !close_ || close_ < open_ || !close_[1] || !close_[2])
		return false;
	*ret = (struct process){ .pid = pid, .state = close_[2] };
	n = (size_t)(close_ - open_ - 1);
	memcpy(ret->name, open_ + 1, n < sizeof(ret->name) ? n : sizeof(ret->name) - 1);
	/* proc_pid_stat(5): behind ") " stand (3) state, (4) ppid, (5) pgrp ... (22) starttime */
	ret->parent = (pid_t)field(close_ + 2, 1);
	ret->group = (pid_t)field(close_ + 2, 2);
	ret->started = field(close_ + 2, 19);
	return true;
}

bool family_each(void (*see)(const struct process *p, void *arg), void *arg)
{
	struct entry { /* linux_dirent64, getdents(2) */
		unsigned long long ino, off;
		unsigned short len;
		unsigned char type;
		char name[];
	};
	_Alignas(8) char room[2048];
	int dir = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct process p;
	bool any = false;
	long n;

	if (dir < 0)
		return false;
	while ((n = syscall(SYS_getdents64, dir, room, sizeof(room))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(room + at);
			long pid = options_number(e->name, strlen(e->name), 1 << 30);

			at += e->len;
			if (pid <= 0 || !family_read((pid_t)pid, &p))
				continue;
			any = true;
			see(&p, arg);
		}
	}
	close(dir);
	return any;
}
