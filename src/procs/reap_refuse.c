/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/reap_refuse.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define INITIAL_PIDNS "pid:[4026531836]" /* PROC_PID_INIT_INO, the same on every kernel */

/* Runs of a small file's lines; the buffer is the caller's. NULL at the end or where it fails. */
static FILE *open_lines(const char *path)
{
	return fopen(path, "re");
}

/* Is any line of the file this one? */
static bool file_has_line(const char *path, const char *wanted)
{
	char line[256];
	bool found = false;
	FILE *f = open_lines(path);

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = str_eq(line, wanted);
	}
	if (f)
		fclose(f);
	return found;
}

/* Where cgroup2 (controller NULL) or a v1 controller is mounted; "" if nowhere. */
static void find_mount(const char *controller, char *ret, size_t size)
{
	char *line = NULL;
	size_t room = 0;
	FILE *f = open_lines("/proc/self/mountinfo");

	ret[0] = '\0';
	while (f && !ret[0] && getline(&line, &room, f) > 0) {
		char type[32], options[512], at[PATH_MAX];
		const char *tail = strstr(line, " - ");

		if (!tail || sscanf(tail, " - %31s %*s %511s", type, options) != 2 ||
			sscanf(line, "%*d %*d %*s %*s %4095s", at) != 1)
			continue;
		if (controller ? str_eq(type, "cgroup") && strstr(options, controller)
			       : str_eq(type, "cgroup2"))
			snprintf(ret, size, "%s", at);
	}
	free(line);
	if (f)
		fclose(f);
}

/* One line of /proc/PID/cgroup: "0::/path" or "6:freezer:/path"; does it freeze the process? */
static bool line_is_frozen(char *line)
{
	char mount[PATH_MAX], file[2 * PATH_MAX];
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return false;
	*path++ = '\0';
	controllers++;
	path[strcspn(path, "\n")] = '\0';
	if (str_starts(path, "/..") || (controllers[0] && !str_eq(controllers, "freezer")))
		return false;
	find_mount(controllers[0] ? "freezer" : NULL, mount, sizeof(mount));
	if (!mount[0])
		return false;
	if (!controllers[0]) {
		snprintf(file, sizeof(file), "%s%s/cgroup.events", mount, path);
		return file_has_line(file, "frozen 1");
	}
	snprintf(file, sizeof(file), "%s%s/freezer.state", mount, path);
	return file_has_line(file, "FROZEN") || file_has_line(file, "FREEZING");
}

bool reap_refuse_is_frozen(pid_t pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	bool frozen = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	f = open_lines(path);
	while (f && !frozen && getline(&line, &room, f) > 0)
		frozen = line_is_frozen(line);
	free(line);
	if (f)
		fclose(f);
	return frozen;
}

/* gVisor's sandbox, or a virtual machine of Kata: the container's zombies are not ours to see. */
static bool is_sandbox(const struct reap_parent *p)
{
	char path[64], text[1024] = "";
	FILE *f;

	if (str_starts(p->comm, "runsc"))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", p->host_pid);
	f = open_lines(path);
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	return strstr(text, "/kata") || strstr(text, "kata_");
}

static bool in_initial_pidns(void)
{
	char link[64] = "";

	return readlink("/proc/self/ns/pid", link, sizeof(link) - 1) > 0 &&
	       str_eq(link, INITIAL_PIDNS);
}

int reap_refuse(const struct reap_parent *p, struct err *e)
{
	if (p->host_pid == 1 && in_initial_pidns())
		return err_say(e, "process 1 is the host's init: it is never attached to");
	if (p->host_pid == getpid())
		return err_say(e, "process %d is this program itself", p->host_pid);
	if (p->tracer)
		return err_say(e,
			"process %d (%s) is traced by process %d, and one tracer is all it can "
			"have",
			p->host_pid, p->comm, p->tracer);
	if (reap_refuse_is_frozen(p->host_pid))
		return err_say(e,
			"process %d (%s) is frozen and cannot wait for anything: unpause it first",
			p->host_pid, p->comm);
	if (is_sandbox(p))
		return err_say(e,
			"process %d (%s) is a sandbox with a kernel of its own (gVisor or Kata): "
			"its zombies cannot be reached from here",
			p->host_pid, p->comm);
	return 0;
}
