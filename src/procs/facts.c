/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "procs/owner.h"

enum { TEXT_MAX = 8192 };

/* Reads a small file whole; returns its length, or -errno. */
static ssize_t slurp(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	autofd fd = FD_NONE;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

int facts_parse_stat(const char *text, struct facts *f)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	uint64_t user, system;
	int n;

	if (!open || !close || close < open)
		return -EBADMSG;
	n = (int)(close - open - 1);
	if (n >= FACTS_COMM_MAX)
		n = FACTS_COMM_MAX - 1;
	memcpy(f->comm, open + 1, (size_t)n);
	f->comm[n] = '\0';
	/* fields 3 state, 4 ppid, 14 utime, 15 stime, 20 threads, 22 start, 24 rss, 38, 52 */
	if (sscanf(close + 1,
		    " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
		    " %*d %*d %*d %*d %d %*d %" SCNu64 " %*u %" SCNu64
		    " %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %d"
		    " %*d %*u %*u %*u %*u %*d %*u %*u %*u %*u %*u %*u %*u %d",
		    &f->state, &f->ppid, &user, &system, &f->n_threads, &f->start_ticks,
		    &f->rss_pages, &f->exit_signal, &f->wait_status) != 9)
		return -EBADMSG;
	f->cpu_ticks = user + system;
	return 0;
}

static int parse_pids(const char *status, const char *label, pid_t *pids)
{
	const char *s = strstr(status, label);
	char *end;
	int n = 0;

	if (!s)
		return 0;
	for (s += strlen(label); *s == '\t' && n < FACTS_LEVELS_MAX; s = end) {
		long v = strtol(s + 1, &end, 10);

		if (end == s + 1)
			break;
		pids[n++] = (pid_t)v;
	}
	return n;
}

static int parse_number(const char *status, const char *label)
{
	const char *s = strstr(status, label);

	return s ? atoi(s + strlen(label)) : 0;
}

int facts_parse_status(const char *text, struct facts *f)
{
	f->tracer = parse_number(text, "\nTracerPid:");
	f->seccomp = parse_number(text, "\nSeccomp:") != 0;
	f->filters = parse_number(text, "\nSeccomp_filters:");
	f->levels = parse_pids(text, "\nNSpid:", f->nspid);
	parse_pids(text, "\nNSsid:", f->nssid);
	return f->levels > 0 ? 0 : -EBADMSG;
}

int facts_read(pid_t pid, struct facts *ret)
{
	char text[TEXT_MAX];
	struct facts f = { .pid = pid };
	ssize_t r = slurp(pid, "stat", text, sizeof(text));

	if (r >= 0)
		r = facts_parse_stat(text, &f);
	if (r < 0)
		return (int)r;
	r = slurp(pid, "status", text, sizeof(text));
	if (r >= 0)
		r = facts_parse_status(text, &f);
	if (r < 0)
		return (int)r;
	*ret = f;
	return 0;
}

uint64_t facts_pidns(pid_t pid)
{
	char path[64], link[64];
	uint64_t inode = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	n = readlink(path, link, sizeof(link) - 1);
	if (n > 0) {
		link[n] = '\0';
		sscanf(link, "pid:[%" SCNu64 "]", &inode);
	}
	return inode;
}

void facts_parse_container(
	const char *cgroup, char *ret_runtime, size_t runtime_size, char *ret_id, size_t id_size)
{
	autoarena scratch = { 0 };
	struct owner o = { .runtime = "", .id = "" };

	owner_from_cgroup(cgroup, &scratch, &o);
	snprintf(ret_runtime, runtime_size, "%s", o.runtime);
	snprintf(ret_id, id_size, "%s", o.id);
}

void facts_container(
	pid_t pid, char *ret_runtime, size_t runtime_size, char *ret_id, size_t id_size)
{
	char text[TEXT_MAX];

	if (slurp(pid, "cgroup", text, sizeof(text)) < 0)
		text[0] = '\0';
	facts_parse_container(text, ret_runtime, runtime_size, ret_id, id_size);
}

ssize_t facts_list(pid_t **ret)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t *pids = NULL;
	size_t n = 0, room = 0;
	int pid;

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		if (str_int(entry->d_name, &pid) < 0)
			continue;
		if (n == room) {
			room = room ? 2 * room : 256;
			pids = mem_resize(pids, room, sizeof(*pids));
		}
		pids[n++] = pid;
	}
	closedir(proc);
	*ret = pids;
	return (ssize_t)n;
}
