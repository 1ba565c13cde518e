/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/scan.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "os/procfs.h"
#include "procs/nspid.h"
#include "procs/stat.h"

/* Below so many processes a second thread costs more than it reads. */
enum { THREAD_WORTH = 1500, THREADS_MAX = ARRAY_LEN(((struct snapshot *)0)->arenas) };

/* One thread's share. */
struct share {
	int procfs;
	unsigned wants;
	const pid_t *pids;
	struct proc *procs;
	uint64_t *inodes;
	uint32_t first, end, vanished;
	struct arena *arena;
	char buf[SCAN_BUF];
};

int scan_nspid(int procfs, struct arena *a, struct proc *p)
{
	char text[8192];
	struct nspid n;
	ssize_t r = procfs_read(procfs, p->pid, "status", text, sizeof(text));
	pid_t *copy;

	if (r < 0)
		return (int)r;
	r = nspid_parse(text, "NSpid", &n);
	if (r == NSPID_ABSENT)
		return -ENODATA;
	if (r < 0)
		return (int)r;
	copy = arena_array(a, (size_t)n.depth, sizeof(*copy));
	memcpy(copy, n.pid, (size_t)n.depth * sizeof(*copy));
	p->nspid = copy;
	p->levels = (uint8_t)n.depth;
	return 0;
}

/* The second number of the "Uid:" line: the effective one. */
static uid_t parse_uid(const char *status)
{
	const char *s = strstr(status, "\nUid:\t");
	uid_t uid = 0;

	s = s ? strchr(s + 6, '\t') : NULL;
	if (!s || s[1] < '0' || s[1] > '9')
		return (uid_t)-1;
	for (s++; *s >= '0' && *s <= '9'; s++)
		uid = uid * 10 + (uid_t)(*s - '0');
	return uid;
}

static const char *join_words(struct arena *a, char *buf, ssize_t n)
{
	while (n > 0 && !buf[n - 1])
		n--;
	if (n <= 0)
		return NULL;
	for (ssize_t i = 0; i < n; i++) {
		if (!buf[i])
			buf[i] = ' ';
	}
	return arena_strndup(a, buf, (size_t)n);
}

const char *scan_args(int procfs, struct arena *a, pid_t pid)
{
	char buf[4096];

	return join_words(a, buf, procfs_read(procfs, pid, "cmdline", buf, sizeof(buf)));
}

/* Reads one process; false if it has gone, or is not what its number says. */
static bool read_one(struct share *sh, pid_t pid, struct proc *p, uint64_t *inode)
{
	const char *comm;
	size_t len;
	ssize_t n;
	int r;

	n = procfs_read(sh->procfs, pid, "stat", sh->buf, sizeof(sh->buf));
	if (n < 0 || stat_parse(sh->buf, p, &comm, &len) < 0 || p->pid != pid)
		return false;
	p->comm = arena_strndup(sh->arena, comm, len);
	p->uid = (uid_t)-1;
	p->parent = p->first_child = p->last_child = p->next_sibling = NO_PROC;
	p->ns = NO_NS;
	p->next_in_ns = NO_PROC;
	r = p->kernel_thread ? 0 : procfs_pidns(sh->procfs, pid, "ns/pid", inode);
	if (r == -ENOENT || r == -ESRCH)
		return false;
	p->ns_guessed = r < 0;
	/* The exit status is shown to those who may open the links. */
	if (p->ns_guessed)
		p->exit_status = -1;
	if (p->ns_guessed && scan_nspid(sh->procfs, sh->arena, p) == -ENOENT)
		return false;
	if (sh->wants & SNAP_STATUS &&
		procfs_read(sh->procfs, pid, "status", sh->buf, sizeof(sh->buf)) > 0)
		p->uid = parse_uid(sh->buf);
	if (sh->wants & SNAP_CGROUP && !p->kernel_thread) {
		n = procfs_read(sh->procfs, pid, "cgroup", sh->buf, sizeof(sh->buf));
		if (n > 0)
			p->cgroup = arena_strndup(sh->arena, sh->buf, (size_t)n);
	}
	if (sh->wants & SNAP_ARGS && !p->kernel_thread && p->state != 'Z')
		p->args = join_words(sh->arena, sh->buf,
			procfs_read(sh->procfs, pid, "cmdline", sh->buf, sizeof(sh->buf)));
	return true;
}

static void *read_share(void *arg)
{
	struct share *sh = arg;

	for (uint32_t i = sh->first; i < sh->end; i++) {
		if (!read_one(sh, sh->pids[i], &sh->procs[i], &sh->inodes[i])) {
			sh->procs[i].pid = 0;
			sh->vanished++;
		}
	}
	return NULL;
}

static unsigned threads_for(uint32_t n)
{
	long cpus = n < THREAD_WORTH ? 1 : sysconf(_SC_NPROCESSORS_ONLN);

	return cpus < 1 ? 1 : cpus > 4 ? 4 : (unsigned)cpus;
}

/* Closes the gaps that vanished processes left. */
static void compact(struct snapshot *s, uint64_t *inodes)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		if (!s->procs[i].pid)
			continue;
		if (kept != i) {
			s->procs[kept] = s->procs[i];
			inodes[kept] = inodes[i];
		}
		s->n_refused += s->procs[kept].ns_guessed;
		kept++;
	}
	s->n = kept;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

int scan_read(struct snapshot *s, unsigned wants, uint64_t **ret_inodes, struct err *e)
{
	autofree pid_t *pids = NULL;
	autofree struct share *shares = NULL;
	pthread_t threads[THREADS_MAX];
	bool running[THREADS_MAX] = { false };
	unsigned k;
	size_t n;
	int r = procfs_pids(s->procfs, &pids, &n);

	if (r < 0)
		return err_set(e, -r, "list the processes");
	qsort(pids, n, sizeof(*pids),
		by_number); /* the kernel sorts, a fixture's folder does not */
	s->n = (uint32_t)n;
	s->procs = arena_array(s->arena, n + 1, sizeof(*s->procs));
	*ret_inodes = arena_array(s->arena, n + 1, sizeof(**ret_inodes));
	k = threads_for(s->n);
	shares = mem_resize(NULL, k, sizeof(*shares));
	for (unsigned i = 0; i < k; i++) {
		struct share *sh = &shares[i];

		sh->procfs = s->procfs;
		sh->wants = wants;
		sh->pids = pids;
		sh->procs = s->procs;
		sh->inodes = *ret_inodes;
		sh->first = (uint32_t)((uint64_t)s->n * i / k);
		sh->end = (uint32_t)((uint64_t)s->n * (i + 1) / k);
		sh->vanished = 0;
		sh->arena = &s->arenas[i + 1];
		/* where no thread is to be had, the work is done here */
		running[i] = i > 0 && pthread_create(&threads[i], NULL, read_share, sh) == 0;
	}
	for (unsigned i = 0; i < k; i++) {
		if (running[i])
			pthread_join(threads[i], NULL);
		else
			read_share(&shares[i]);
	}
	for (unsigned i = 0; i < k; i++)
		s->n_vanished += shares[i].vanished;
	compact(s, *ret_inodes);
	return 0;
}
