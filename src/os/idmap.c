/* SPDX-License-Identifier: Apache-2.0 */
#include "os/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "os/clone.h"
#include "os/file.h"

int idmap_write(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return file_write(AT_FDCWD, path, text);
}

int idmap_deny_setgroups(pid_t pid)
{
	return idmap_write(pid, "setgroups", "deny");
}

int idmap_run_helper(const char *program, pid_t pid, const char *text)
{
	struct arena a = { 0 };
	autofree char *copy = mem_strdup(text);
	const char **argv = NULL;
	size_t n = 0;
	int pidfd = FD_NONE, status = 0, r;
	struct clone_args_of args = { .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd };
	char *save = NULL;
	pid_t child;

	*(const char **)arena_grow(&a, &argv, &n, sizeof(*argv)) = program;
	*(const char **)arena_grow(&a, &argv, &n, sizeof(*argv)) = arena_printf(&a, "%d", pid);
	for (char *w = strtok_r(copy, " \n", &save); w; w = strtok_r(NULL, " \n", &save))
		*(const char **)arena_grow(&a, &argv, &n, sizeof(*argv)) = w;
	arena_grow(&a, &argv, &n, sizeof(*argv));
	child = clone_process(&args);
	if (child == 0) {
		execvp(program, (char *const *)argv);
		_exit(127);
	}
	r = child < 0 ? (int)child : clone_wait(pidfd, &status);
	fd_close(&pidfd);
	arena_done(&a);
	if (r < 0)
		return r;
	return status & 0x7f ? 128 + (status & 0x7f) : status >> 8;
}

int idmap_make_userns(const char *uid_map, const char *gid_map)
{
	autofd pidfd = FD_NONE, ns = FD_NONE;
	struct clone_args_of args = {
		.flags = CLONE_NEWUSER, .cgroup_fd = FD_NONE, .ret_pidfd = &pidfd
	};
	pid_t child = clone_process(&args);
	char path[64];
	int r, status;

	if (child == 0)
		for (;;)
			pause();
	if (child < 0)
		return child;
	r = idmap_write(child, "uid_map", uid_map);
	if (r == 0)
		r = idmap_write(child, "gid_map", gid_map);
	if (r == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		r = ns < 0 ? -errno : 0;
	}
	kill(child, SIGKILL);
	clone_wait(pidfd, &status);
	return r < 0 ? r : take_fd(&ns);
}
