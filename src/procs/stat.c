/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/stat.h"

#include <errno.h>
#include <string.h>

enum {
	/* fields of stat, as the manual numbers them, less the three that come first */
	F_PPID = 4,
	F_PGRP = 5,
	F_SESSION = 6,
	F_FLAGS = 9,
	F_UTIME = 14,
	F_STIME = 15,
	F_THREADS = 20,
	F_START = 22,
	F_RSS = 24,
	F_EXIT_SIGNAL = 38,
	F_EXIT_CODE = 52,
	F_MIN = 24, /* no kernel has fewer */
	F_MAX = 52,
};

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD, include/linux/sched.h */

/* One signed number of up to 64 bits; returns the byte after it, or NULL. */
static const char *number(const char *s, int64_t *ret)
{
	bool minus = *s == '-';
	uint64_t v = 0;

	s += minus;
	if (*s < '0' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		v = v * 10 +
		    (uint64_t)(*s - '0'); /* wraps where hostile: a wrong number, no harm */
	*ret = (int64_t)(minus ? 0 - v : v);
	return s;
}

int stat_parse(const char *text, struct proc *p, const char **ret_comm, size_t *ret_comm_len)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	int64_t f[F_MAX + 1] = { [F_EXIT_SIGNAL] = 17 }, pid;
	const char *s;
	int i;

	if (!open || !close || close < open || !number(text, &pid) || pid <= 0 || pid > INT32_MAX)
		return -EBADMSG;
	if (close[1] != ' ' || !close[2] || close[3] != ' ')
		return -EBADMSG;
	s = close + 4;
	for (i = F_PPID; i <= F_MAX; i++) {
		s = number(s, &f[i]);
		if (!s)
			return -EBADMSG;
		if (*s != ' ')
			break;
		s++;
	}
	if (i < F_MIN)
		return -EBADMSG;
	p->pid = (pid_t)pid;
	p->ppid = (pid_t)f[F_PPID];
	p->pgid = (pid_t)f[F_PGRP];
	p->sid = (pid_t)f[F_SESSION];
	p->state = close[2];
	p->kernel_thread = f[F_FLAGS] & KERNEL_THREAD;
	p->cpu_ticks = (uint64_t)(f[F_UTIME] + f[F_STIME]);
	p->n_threads = (int)f[F_THREADS];
	p->start_ticks = (uint64_t)f[F_START];
	p->rss_pages = f[F_RSS];
	p->exit_signal = (int)f[F_EXIT_SIGNAL];
	p->exit_status = p->state == 'Z' && i >= F_MAX ? (int)f[F_EXIT_CODE] & 0xffff : -1;
	*ret_comm = open + 1;
	*ret_comm_len = (size_t)(close - open - 1);
	return 0;
}
