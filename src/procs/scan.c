/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/scan.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "os/procfs.h"
#include "procs/nspid.h"
#include "procs/share.h"
#include "procs/stat.h"

/* Loading the BPF program costs some 40 ms; reading fewer than so many from /proc costs less. */
enum { LOADING_WORTH = 5000 };

/* Below so many processes a second thread costs more than it reads. */
enum { THREAD_WORTH = 1500, THREADS_MAX = ARRAY_LEN(((struct snapshot *)0)->arenas) };

#define FIRST_PIDNS 4026531836u /* linux/nsfs.h PID_NS_INIT_INO */

enum { PIECE = 64 /* processes a thread takes at a time: on a busy machine one may be slower */ };

/* What all threads share. */
struct scan {
	bool rest; /* of processes that are known already only what columns want */
	int procfs;
	unsigned wants;
	pid_t *pids;
	struct proc *procs;
	uint64_t *inodes;
	uint32_t room;	   /* of all three */
	int other_folders; /* of /proc, beside those of processes */
	/* Under the lock: how many are known, all of them?, and the first that nobody has taken. */
	pthread_mutex_t lock;
	pthread_cond_t more;
	uint32_t listed, next;
	bool complete;
};

/* One thread's own. */
struct worker {
	struct scan *scan;
	uint32_t vanished, refused;
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

const char *scan_cgroup(int procfs, struct arena *a, pid_t pid)
{
	char buf[SCAN_BUF];
	ssize_t n = procfs_read(procfs, pid, "cgroup", buf, sizeof(buf));

	return n > 0 ? arena_strndup(a, buf, (size_t)n) : NULL;
}

const char *scan_environment(int procfs, struct arena *a, pid_t pid, const char *name)
{
	char buf[SCAN_BUF];
	ssize_t n = procfs_read(procfs, pid, "environ", buf, sizeof(buf));
	size_t len = strlen(name);

	for (const char *v = buf; n > 0 && v < buf + n; v += strlen(v) + 1)
		if (strncmp(v, name, len) == 0 && v[len] == '=')
			return arena_strdup(a, v + len + 1);
	return NULL;
}

/* What columns want beside stat and the namespace. */
static void read_wanted(struct worker *w, struct proc *p)
{
	unsigned wants = w->scan->wants;
	int procfs = w->scan->procfs;

	if (wants & SNAP_UID && !w->scan->rest && procfs_uid(procfs, p->pid, &p->uid) < 0)
		p->uid = (uid_t)-1;
	if (p->kernel_thread)
		return;
	/* one whose namespace is hidden from us is placed with the help of its cgroup */
	if (wants & SNAP_CGROUP || (p->ns_guessed && p->levels > 1)) {
		ssize_t n = procfs_read(procfs, p->pid, "cgroup", w->buf, sizeof(w->buf));

		if (n > 0)
			p->cgroup = arena_strndup(w->arena, w->buf, (size_t)n);
	}
	if (wants & SNAP_ARGS && p->state != 'Z')
		p->args = join_words(w->arena, w->buf,
			procfs_read(procfs, p->pid, "cmdline", w->buf, sizeof(w->buf)));
}

/* Reads one process; false if it has gone, or is not what its number says. */
static bool read_one(struct worker *w, pid_t pid, struct proc *p, uint64_t *inode)
{
	int procfs = w->scan->procfs, r;
	const char *comm;
	size_t len;
	ssize_t n;

	n = procfs_read(procfs, pid, "stat", w->buf, sizeof(w->buf));
	w->refused += n == -EPERM || n == -EACCES;
	if (n < 0 || stat_parse(w->buf, p, &comm, &len) < 0 || p->pid != pid)
		return false;
	p->comm = arena_strndup(w->arena, comm, len);
	p->uid = (uid_t)-1;
	p->parent = p->first_child = p->last_child = p->next_sibling = NO_PROC;
	p->ns = NO_NS;
	p->next_in_ns = NO_PROC;
	r = p->kernel_thread ? 0 : procfs_pidns(procfs, pid, "ns/pid", inode);
	if (r == -ENOENT || r == -ESRCH)
		return false;
	p->ns_guessed = r < 0;
	/* The exit status is shown to those who may open the links. */
	if (p->ns_guessed)
		p->exit_status = -1;
	if (p->ns_guessed && scan_nspid(procfs, w->arena, p) == -ENOENT)
		return false;
	read_wanted(w, p);
	return true;
}

/* The next piece [*first, return value) for this thread; the same twice when all is done. */
static uint32_t take_piece(struct scan *sc, uint32_t *first)
{
	uint32_t end;

	pthread_mutex_lock(&sc->lock);
	while (sc->next >= sc->listed && !sc->complete)
		pthread_cond_wait(&sc->more, &sc->lock);
	*first = sc->next;
	end = sc->listed - *first < PIECE ? sc->listed : *first + PIECE;
	sc->next = end;
	pthread_mutex_unlock(&sc->lock);
	return end;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct scan *sc = w->scan;
	uint32_t i, end;

	while ((end = take_piece(sc, &i)) > i) {
		for (; i < end; i++) {
			if (sc->rest) {
				read_wanted(w, &sc->procs[i]);
			} else if (!read_one(w, sc->pids[i], &sc->procs[i], &sc->inodes[i])) {
				sc->procs[i].pid = 0;
				w->vanished++;
			}
		}
	}
	return NULL;
}

/*
 * A thread with a table of descriptors of its own: they open and close files all the time, and
 * would wait for one another at a shared one.
 */
static void *work_apart(void *arg)
{
	unshare(CLONE_FILES);
	return work(arg);
}

static unsigned threads_for(uint32_t n)
{
	return n < THREAD_WORTH ? 1 : share_threads();
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

/* The threads of one scan; the caller is the first of them. */
struct crew {
	struct snapshot *s;
	struct scan *scan;
	struct worker *workers; /* owned */
	pthread_t threads[THREADS_MAX];
	bool running[THREADS_MAX];
	unsigned n;
};

static void crew_start(struct crew *c, unsigned n)
{
	c->workers = mem_resize(NULL, n, sizeof(*c->workers));
	c->n = n;
	for (unsigned i = 0; i < n; i++) {
		c->workers[i].scan = c->scan;
		c->workers[i].vanished = c->workers[i].refused = 0;
		c->workers[i].arena = &c->s->arenas[i + 1];
		/* where no thread is to be had, the first does its part as well */
		c->running[i] = i > 0 && pthread_create(&c->threads[i], NULL, work_apart,
						 &c->workers[i]) == 0;
	}
}

/* All is listed: works with them until all is done. Returns how many had gone. */
static uint32_t crew_finish(struct crew *c)
{
	struct scan *sc = c->scan;
	uint32_t vanished = 0;

	pthread_mutex_lock(&sc->lock);
	sc->complete = true;
	pthread_cond_broadcast(&sc->more);
	pthread_mutex_unlock(&sc->lock);
	if (!c->n)
		crew_start(c, threads_for(sc->listed));
	work(&c->workers[0]);
	for (unsigned i = 0; i < c->n; i++) {
		if (c->running[i])
			pthread_join(c->threads[i], NULL);
		vanished += c->workers[i].vanished - c->workers[i].refused;
		c->s->n_hidden += c->workers[i].refused;
	}
	free(c->workers);
	return vanished;
}

static void make_room(struct scan *sc, struct arena *a, uint32_t room)
{
	sc->room = room;
	sc->pids = arena_array(a, room + 1, sizeof(*sc->pids));
	sc->procs = arena_array(a, room + 1, sizeof(*sc->procs));
	sc->inodes = arena_array(a, room + 1, sizeof(*sc->inodes));
}

/* Listing and reading at once: others read while this thread lists. */
struct listing {
	struct crew crew;
	uint32_t n; /* those that nobody was told of yet included */
	bool full;
};

static void add_listed(void *data, pid_t pid)
{
	struct listing *l = data;
	struct scan *sc = l->crew.scan;

	l->full = l->full || l->n == sc->room;
	if (l->full)
		return;
	sc->pids[l->n++] = pid;
	if (l->n % (4 * PIECE) || l->n < THREAD_WORTH)
		return;
	if (!l->crew.n)
		crew_start(&l->crew, threads_for(l->n));
	pthread_mutex_lock(&sc->lock);
	sc->listed = l->n;
	pthread_cond_broadcast(&sc->more);
	pthread_mutex_unlock(&sc->lock);
}

/* False: more came than there is room for, which only those forked meanwhile can; start anew. */
static bool list_and_read(struct snapshot *s, struct scan *sc, uint32_t estimate, int *ret)
{
	struct listing l = { .crew = { .s = s, .scan = sc } };

	make_room(sc, s->arena, estimate + estimate / 8 + 512);
	sc->other_folders = *ret = procfs_each_pid(s->procfs, add_listed, &l);
	s->n_hidden = 0;
	pthread_mutex_lock(&sc->lock);
	sc->listed = l.n;
	pthread_mutex_unlock(&sc->lock);
	s->n_vanished = crew_finish(&l.crew);
	return !l.full;
}

/* The iterator gave all processes; what is in files only is read for those who want it. */
static void read_rest(struct snapshot *s, unsigned wants)
{
	struct scan scan = { .rest = true,
		.procfs = s->procfs,
		.wants = wants,
		.procs = s->procs,
		.listed = s->n,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER };
	struct crew crew = { .s = s, .scan = &scan };

	if (wants & (SNAP_CGROUP | SNAP_ARGS))
		crew_finish(&crew);
}

/* First the list, then the reading: for a folder that is not sorted, and where nothing is known. */
static int list_then_read(struct snapshot *s, struct scan *sc)
{
	struct crew crew = { .s = s, .scan = sc };
	autofree pid_t *pids = NULL;
	size_t n;
	int r = procfs_pids(s->procfs, &pids, &n);

	if (r < 0)
		return r;
	make_room(sc, s->arena, (uint32_t)n);
	if (n)
		memcpy(sc->pids, pids, n * sizeof(*pids));
	qsort(sc->pids, n, sizeof(*pids), by_number);
	sc->listed = (uint32_t)n;
	s->n_hidden = 0;
	s->n_vanished = crew_finish(&crew);
	return 0;
}

static void scan_init(struct scan *sc, const struct snapshot *s, unsigned wants)
{
	*sc = (struct scan){ .procfs = s->procfs,
		.wants = wants,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.more = PTHREAD_COND_INITIALIZER };
}

/*
 * Who may see everything is not asked for: PID 1 is another user's to all but root and whoever
 * sees all. How many there are in all the kernel says of the first PID namespace only.
 */
static void find_hidden(struct snapshot *s, const struct scan *sc)
{
	uint64_t own;
	int64_t more;

	if ((geteuid() == 0 && s->n && s->procs[0].pid == 1) || !procfs_hides(s->procfs, "/proc")) {
		s->n_hidden = 0;
		return;
	}
	s->hides = true;
	if (sc->other_folders <= 0 || procfs_own_pidns(s->procfs, &own) < 0 || own != FIRST_PIDNS)
		return;
	more = (int64_t)procfs_count(s->procfs) - 2 - sc->other_folders - sc->listed;
	s->n_hidden += more > 0 ? (uint32_t)more : 0;
	s->hides = s->n_hidden > 0;
}

int scan_read(
	struct snapshot *s, unsigned wants, bool kernel, struct scan_result *ret, struct err *e)
{
	bool lean = kernel && wants & SNAP_NO_USAGE;
	uint32_t estimate = kernel ? procfs_count(s->procfs) : 0;
	struct scan scan;
	int r = 0;

	*ret = (struct scan_result){ 0 };
	if (lean && (scan_tasks(s, false, ret) ||
			    (estimate >= LOADING_WORTH && scan_tasks(s, true, ret)))) {
		read_rest(s, wants);
		return 0;
	}
	scan_init(&scan, s, wants);
	if (!estimate || !list_and_read(s, &scan, estimate, &r)) {
		scan_init(&scan, s, wants);
		r = list_then_read(s, &scan);
	}
	if (r < 0)
		return err_set(e, -r, "list the processes");
	s->n = scan.listed;
	s->procs = scan.procs;
	ret->inodes = scan.inodes;
	compact(s, ret->inodes);
	if (kernel)
		find_hidden(s, &scan);
	return 0;
}
