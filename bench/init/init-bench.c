/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init-bench: measures container inits side by side.
 *
 * Each contestant is started as PID 1 of a new PID namespace, with this program
 * as its child ("init-bench child"). Driver and child share a page of memory, in
 * which the child finds its role and leaves its time stamps. Contestants take
 * turns within every round, so that drift of the machine hits all of them alike.
 *
 * Three references are built in and set the floor:
 *   bare         the child itself is PID 1: no init at all
 *   kernel-reap  PID 1 ignores SIGCHLD, so the kernel reaps; forwards nothing
 *   reference    the least that forwards and reaps: one sigwaitinfo/waitpid loop
 *
 * Usage: init-bench [options] name=command...   ({} in a command is the child)
 * bench/init/run builds this, and fills in the well-known inits.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum role { ROLE_IDLE, ROLE_EXIT, ROLE_TARGET, ROLE_STREAM, ROLE_BURST };

struct shared {
	_Atomic int role;
	_Atomic long orphans; /* how many the storm is to make */
	_Atomic int ready, go, done;
	_Atomic long made, refused, gone;
	_Atomic long seq; /* signals the target has seen */
	_Atomic long long t_main, t_exit, t_signal, t_start, t_done;
};

#define MAX_CONTESTANTS 24
#define MAX_WORDS	32

struct contestant {
	const char *name;
	char *words[MAX_WORDS];
	bool exits;    /* ends when its child ends */
	bool forwards; /* hands SIGUSR1 to its child */
	bool slow;
};

static struct shared *shm;
static char self[PATH_MAX];
static struct contestant field[MAX_CONTESTANTS];
static int contestants;

static int rounds = 3, starts = 200, signals = 2000, idle_seconds = 10, limit_seconds = 60;
static long orphans = 100000, burst = 15000, pids_max = 24000;
static const char *parts = "size,memory,start,latency,idle,stream,burst";

static void die(const char *what)
{
	fprintf(stderr, "init-bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void pause_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/* ---- the child's roles ------------------------------------------------- */

static void target(void)
{
	sigset_t all;
	siginfo_t info;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	shm->ready = 1;
	for (;;)
		if (sigwaitinfo(&all, &info) == SIGUSR1) {
			shm->t_signal = now();
			shm->seq++;
		}
}

static pid_t fork_patiently(void)
{
	pid_t pid;
	while ((pid = fork()) < 0) {
		shm->refused++;
		pause_us(1000);
	}
	return pid;
}

/* One at a time: a child makes an orphan and exits; the orphan exits at once. */
static void stream(long count)
{
	for (long i = 0; i < count; i++) {
		pid_t middle = fork_patiently();
		if (!middle) {
			if (!fork_patiently())
				_exit(0);
			_exit(0);
		}
		while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
			;
		shm->made = i + 1;
	}
}

/* All at once: one parent collects zombies, and its exit hands them over. */
static void one_burst(long count)
{
	pid_t middle = fork_patiently();
	if (!middle) {
		signal(SIGCHLD, SIG_DFL);
		for (long i = 0; i < count; i++)
			if (!fork_patiently()) {
				shm->gone++;
				_exit(0);
			}
		while (shm->gone < count)
			pause_us(1000);
		pause_us(20000);
		shm->made = count;
		shm->t_start = now();
		_exit(0);
	}
	while (waitpid(middle, NULL, 0) < 0 && errno == EINTR)
		;
}

static void child(void)
{
	if (shm->role == ROLE_EXIT) {
		shm->t_main = now();
		shm->ready = 1;
		shm->t_exit = now();
		_exit(0);
	}
	if (shm->role == ROLE_TARGET)
		target();
	shm->ready = 1;
	if (shm->role == ROLE_STREAM || shm->role == ROLE_BURST) {
		while (!shm->go)
			pause_us(500);
		shm->t_start = now();
		if (shm->role == ROLE_STREAM)
			stream(shm->orphans);
		else
			one_burst(shm->orphans);
		shm->t_done = now();
		shm->done = 1;
	}
	for (;;)
		pause();
}

/* ---- the built-in references ------------------------------------------- */

static void reference_init(bool kernel_reaps)
{
	sigset_t all, old;
	siginfo_t info;
	int status;
	pid_t main_child, pid;

	if (kernel_reaps)
		signal(SIGCHLD, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	main_child = fork();
	if (!main_child) {
		signal(SIGCHLD, SIG_DFL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		execl(self, self, "child", NULL);
		_exit(127);
	}
	if (kernel_reaps) {
		waitpid(-1, NULL, 0); /* returns when no child is left */
		_exit(0);
	}
	for (;;) {
		if (sigwaitinfo(&all, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD)
			kill(main_child, info.si_signo);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == main_child)
				_exit(WIFEXITED(status) ? WEXITSTATUS(status)
							: 128 + WTERMSIG(status));
	}
}

/* ---- starting and stopping a contestant -------------------------------- */

static char cgroup[PATH_MAX];

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

static long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = 0;
	close(fd);
	return atol(text);
}

static const char *in_cgroup(const char *file)
{
	static char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/%s", cgroup, file);
	return path;
}

static void make_cgroup(void)
{
	char number[32];
	if (!access("/sys/fs/cgroup/pids", W_OK)) {
		snprintf(cgroup, sizeof cgroup, "/sys/fs/cgroup/pids/init-bench-%d", getpid());
	} else {
		write_file("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
		snprintf(cgroup, sizeof cgroup, "/sys/fs/cgroup/init-bench-%d", getpid());
	}
	if (mkdir(cgroup, 0755) < 0)
		die(cgroup);
	snprintf(number, sizeof number, "%ld", pids_max);
	if (!write_file(in_cgroup("pids.max"), number))
		die("pids.max");
}

static pid_t start(const struct contestant *c, enum role role, bool own_proc, bool limited)
{
	/* A mount namespace always: an init may mount what it misses (nitro: /run). */
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD };
	char number[32];
	int gate[2];
	pid_t pid;

	memset(shm, 0, sizeof *shm);
	shm->role = role;
	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0)
		die("clone3 (needs root)");
	if (!pid) {
		int null = open("/dev/null", O_RDWR);
		const char *log = getenv("INIT_BENCH_LOG");
		int out = log ? open(log, O_WRONLY | O_CREAT | O_APPEND, 0644) : null;
		char byte;
		close(gate[1]);
		if (limited && read(gate[0], &byte, 1) < 0)
			_exit(125);
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(125);
		if (own_proc)
			mount("proc", "/proc", "proc", 0, NULL);
		setsid();
		dup2(null, 0);
		dup2(out, 1);
		dup2(out, 2);
		execvp(c->words[0], c->words);
		_exit(127);
	}
	close(gate[0]);
	if (limited) {
		snprintf(number, sizeof number, "%d", pid);
		if (!write_file(in_cgroup("cgroup.procs"), number))
			die("cgroup.procs");
	}
	close(gate[1]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool ready(int seconds)
{
	long long end = now() + seconds * 1000000000LL;
	while (!shm->ready && now() < end)
		pause_us(200);
	return shm->ready;
}

/* ---- what the driver reads of a process tree --------------------------- */

struct usage {
	long rss, pss, private_dirty, private_clean, processes;
	long switches;
	long long cpu_ns;
};

static bool is_bench_child(pid_t pid)
{
	char path[64], text[PATH_MAX + 32] = "";
	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	size_t first = strlen(text) + 1;
	return n > (ssize_t)first && !strcmp(text + first, "child");
}

static void add_usage(pid_t pid, struct usage *u)
{
	char path[64], line[256];
	long kids[256];
	int n = 0;
	FILE *f;

	if (!is_bench_child(pid)) {
		long value;
		unsigned long long run;
		snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
		for (f = fopen(path, "re"); f && fgets(line, sizeof line, f);) {
			if (sscanf(line, "Rss: %ld", &value) == 1)
				u->rss += value;
			if (sscanf(line, "Pss: %ld", &value) == 1)
				u->pss += value;
			if (sscanf(line, "Private_Dirty: %ld", &value) == 1)
				u->private_dirty += value;
			if (sscanf(line, "Private_Clean: %ld", &value) == 1)
				u->private_clean += value;
		}
		if (f)
			fclose(f);
		snprintf(path, sizeof path, "/proc/%d/status", pid);
		for (f = fopen(path, "re"); f && fgets(line, sizeof line, f);)
			if (sscanf(line, "voluntary_ctxt_switches: %ld", &value) == 1)
				u->switches += value;
		if (f)
			fclose(f);
		snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
		if ((f = fopen(path, "re"))) {
			if (fscanf(f, "%llu", &run) == 1)
				u->cpu_ns += run;
			fclose(f);
		}
		u->processes++;
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	if ((f = fopen(path, "re"))) {
		while (n < 256 && fscanf(f, "%ld", &kids[n]) == 1)
			n++;
		fclose(f);
	}
	for (int i = 0; i < n; i++)
		add_usage(kids[i], u);
}

static struct usage usage_of(pid_t pid)
{
	struct usage u = { 0 };
	add_usage(pid, &u);
	return u;
}

/* ---- numbers ----------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct sample {
	double *v;
	int n;
};

static void add(struct sample *s, double v)
{
	s->v = realloc(s->v, (s->n + 1) * sizeof *s->v);
	s->v[s->n++] = v;
}

static double at(struct sample *s, double part)
{
	if (!s->n)
		return -1;
	qsort(s->v, s->n, sizeof *s->v, by_value);
	int i = part * s->n;
	return s->v[i < s->n ? i : s->n - 1];
}

static bool wanted(const char *part)
{
	const char *hit = strstr(parts, part);
	size_t n = strlen(part);
	return hit && (hit == parts || hit[-1] == ',') && (!hit[n] || hit[n] == ',');
}

/* ---- the parts --------------------------------------------------------- */

static void part_size(void)
{
	printf("\nsize (bytes on disk; scripts: of the interpreter's entry only)\n%-14s %10s  %s\n",
		"init", "bytes", "linking");
	for (int i = 0; i < contestants; i++) {
		char path[PATH_MAX] = "", *dirs, *dir;
		const char *file = field[i].words[0];
		struct stat st;
		unsigned char head[65536];

		if (!strcmp(file, self))
			continue;
		if (strchr(file, '/'))
			snprintf(path, sizeof path, "%s", file);
		else
			for (dir = strtok(dirs = strdup(getenv("PATH")), ":"); dir;
				dir = strtok(NULL, ":")) {
				snprintf(path, sizeof path, "%s/%s", dir, file);
				if (!access(path, X_OK))
					break;
			}
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
		const char *linking = "script";
		Elf64_Ehdr *elf = (Elf64_Ehdr *)head;
		if (n > (ssize_t)sizeof *elf && !memcmp(head, ELFMAG, SELFMAG)) {
			linking = "static";
			for (int k = 0; k < elf->e_phnum; k++)
				if (((Elf64_Phdr *)(head + elf->e_phoff))[k].p_type == PT_INTERP)
					linking = "dynamic";
		}
		if (fd >= 0)
			close(fd);
		if (!stat(path, &st))
			printf("%-14s %10lld  %s\n", field[i].name, (long long)st.st_size, linking);
	}
}

static void part_memory(void)
{
	printf("\nmemory at idle (KiB, all processes of the init, the child left out)\n%-14s %6s "
	       "%8s %8s %13s %13s\n",
		"init", "procs", "rss", "pss", "private-dirty", "private-clean");
	for (int i = 0; i < contestants; i++) {
		if (!strcmp(field[i].name, "bare"))
			continue;
		pid_t pid = start(&field[i], ROLE_IDLE, true, false);
		if (!ready(20))
			printf("%-14s did not start its child\n", field[i].name);
		else {
			pause_us(1500000);
			struct usage u = usage_of(pid);
			printf("%-14s %6ld %8ld %8ld %13ld %13ld\n", field[i].name, u.processes,
				u.rss, u.pss, u.private_dirty, u.private_clean);
		}
		stop(pid);
	}
}

static void part_start(void)
{
	struct sample begin[MAX_CONTESTANTS] = { 0 }, end[MAX_CONTESTANTS] = { 0 };

	for (int r = 0; r < starts; r++)
		for (int k = 0; k < contestants; k++) {
			int i = (k + r) % contestants;
			struct contestant *c = &field[i];
			if (c->slow && r % 20)
				continue;
			long long t0 = now();
			pid_t pid = start(c, ROLE_EXIT, false, false);
			bool up = true;
			if (c->exits)
				waitpid(pid, NULL, 0);
			else
				up = ready(20);
			long long t1 = now();
			if (!c->exits)
				stop(pid);
			if (!up || !shm->t_main)
				continue;
			add(&begin[i], (shm->t_main - t0) / 1e3);
			if (c->exits)
				add(&end[i], (t1 - shm->t_exit) / 1e3);
			if (shm->t_main - t0 > 20000000)
				c->slow = true;
		}
	printf("\nstart and exit (µs, what it costs over bare in brackets; %d starts, slow inits "
	       "%d)\n"
	       "%-14s %18s %20s %20s\n%-14s %18s %20s %20s\n",
		starts, (starts + 19) / 20, "", "exec to main", "exec to main", "child's exit",
		"init", "p10", "median", "to wait, median");
	for (int i = 0; i < contestants; i++) {
		printf("%-14s %8.0f (%+8.0f) %9.0f (%+8.0f)", field[i].name, at(&begin[i], .1),
			at(&begin[i], .1) - at(&begin[0], .1), at(&begin[i], .5),
			at(&begin[i], .5) - at(&begin[0], .5));
		if (end[i].n)
			printf(" %9.0f (%+8.0f)\n", at(&end[i], .5),
				at(&end[i], .5) - at(&end[0], .5));
		else
			printf(" %20s\n", "-");
	}
}

static void part_latency(void)
{
	struct sample s[MAX_CONTESTANTS] = { 0 };
	long lost[MAX_CONTESTANTS] = { 0 };
	int turns = signals >= 400 ? 20 : 1;

	/* Many short turns: where the scheduler first puts init and child decides much. */
	for (int r = 0; r < turns; r++)
		for (int k = 0; k < contestants; k++) {
			int i = (k + r) % contestants;
			if (!field[i].forwards)
				continue;
			pid_t pid = start(&field[i], ROLE_TARGET, true, false);
			if (!ready(20)) {
				stop(pid);
				continue;
			}
			pause_us(100000);
			for (int n = 0; n < signals / turns; n++) {
				long before = shm->seq;
				long long t0 = now();
				kill(pid, SIGUSR1);
				for (int w = 0; shm->seq == before && w < 50; w++)
					pause_us(400);
				if (shm->seq == before)
					lost[i]++;
				else
					add(&s[i], (shm->t_signal - t0) / 1e3);
			}
			stop(pid);
		}
	printf("\nsignal latency (µs from kill(init) to the child's sigwaitinfo; %d signals in %d "
	       "turns)\n%-14s %9s %9s %9s %9s %6s\n",
		signals, turns, "init", "p10", "median", "p90", "p99", "lost");
	for (int i = 0; i < contestants; i++)
		if (field[i].forwards && s[i].n)
			printf("%-14s %9.1f %9.1f %9.1f %9.1f %6ld\n", field[i].name, at(&s[i], .1),
				at(&s[i], .5), at(&s[i], .9), at(&s[i], .99), lost[i]);
}

static void part_idle(void)
{
	pid_t pid[MAX_CONTESTANTS];
	struct usage before[MAX_CONTESTANTS];

	for (int i = 0; i < contestants; i++) {
		pid[i] = start(&field[i], ROLE_IDLE, true, false);
		if (!ready(20))
			fprintf(stderr, "%s did not start its child\n", field[i].name);
	}
	pause_us(3000000);
	for (int i = 0; i < contestants; i++)
		before[i] = usage_of(pid[i]);
	pause_us(idle_seconds * 1000000L);
	printf("\nidle (all at once, %d s)\n%-14s %12s %14s\n", idle_seconds, "init", "wakeups/s",
		"CPU µs/s");
	for (int i = 0; i < contestants; i++) {
		struct usage u = usage_of(pid[i]);
		if (strcmp(field[i].name, "bare"))
			printf("%-14s %12.2f %14.1f\n", field[i].name,
				(u.switches - before[i].switches) / (double)idle_seconds,
				(u.cpu_ns - before[i].cpu_ns) / 1e3 / idle_seconds);
		stop(pid[i]);
	}
}

static void part_storm(enum role role, long count, const char *title)
{
	struct sample total[MAX_CONTESTANTS] = { 0 }, drain[MAX_CONTESTANTS] = { 0 },
		      peak[MAX_CONTESTANTS] = { 0 }, cpu[MAX_CONTESTANTS] = { 0 },
		      left[MAX_CONTESTANTS] = { 0 }, refused[MAX_CONTESTANTS] = { 0 },
		      made[MAX_CONTESTANTS] = { 0 };

	for (int r = 0; r < rounds; r++)
		for (int k = 0; k < contestants; k++) {
			int i = (k + r) % contestants;
			struct contestant *c = &field[i];
			if (!strcmp(c->name, "bare") || (c->slow && r))
				continue;
			pid_t pid = start(c, role, true, true);
			shm->orphans = count;
			if (!ready(20)) {
				stop(pid);
				continue;
			}
			pause_us(300000);
			long base = read_number(in_cgroup("pids.current")), most = 0, current;
			long long cpu0 = usage_of(pid).cpu_ns, t0 = now(), t1,
				  end = t0 + limit_seconds * 1000000000LL;
			shm->go = 1;
			do {
				current = read_number(in_cgroup("pids.current"));
				if (current - base > most)
					most = current - base;
				pause_us(300);
				t1 = now();
			} while ((!shm->done || current > base) && t1 < end);
			char path[64], line[64];
			unsigned long long run = 0;
			snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
			FILE *f = fopen(path, "re");
			if (f && fgets(line, sizeof line, f))
				run = strtoull(line, NULL, 10);
			if (f)
				fclose(f);
			long n = shm->made - (current - base > 0 ? current - base : 0);
			add(&total[i],
				(t1 - (role == ROLE_BURST && shm->t_start ? shm->t_start : t0)) /
					1e6);
			if (shm->done)
				add(&drain[i], (t1 - shm->t_done) / 1e6);
			add(&peak[i], most);
			add(&left[i], current - base);
			add(&made[i], shm->made);
			add(&refused[i], shm->refused);
			if (n > 0)
				add(&cpu[i], (run - cpu0) / 1e3 / n);
			if (t1 >= end)
				c->slow = true;
			stop(pid);
		}
	printf("\n%s\n%-14s %9s %11s %12s %12s %10s %9s %9s\n", title, "init", "made",
		"all gone ms", "orphans/s", "peak in ns", "CPU µs/orph", "left", "refused");
	for (int i = 0; i < contestants; i++)
		if (total[i].n)
			printf("%-14s %9.0f %11.0f %12.0f %12.0f %10.2f %9.0f %9.0f\n",
				field[i].name, at(&made[i], .5), at(&total[i], .5),
				(at(&made[i], .5) - at(&left[i], .5)) * 1e3 / at(&total[i], .5),
				at(&peak[i], .5), at(&cpu[i], .5), at(&left[i], .5),
				at(&refused[i], .5));
}

/* ---- main -------------------------------------------------------------- */

static void contestant(char *text)
{
	struct contestant *c = &field[contestants++];
	char *command = strchr(text, '='), *word;
	int n = 0;

	if (!command || contestants > MAX_CONTESTANTS - 1) {
		fprintf(stderr, "init-bench: %s: want name=command\n", text);
		exit(2);
	}
	*command++ = 0;
	c->name = text;
	for (word = strtok(command, " "); word && n < MAX_WORDS - 3; word = strtok(NULL, " "))
		if (!strcmp(word, "{}")) {
			c->words[n++] = self;
			c->words[n++] = "child";
			c->exits = c->forwards = true;
		} else {
			c->words[n++] = word;
		}
}

static void built_in(const char *name)
{
	struct contestant *c = &field[contestants++];
	c->name = name;
	c->words[0] = self;
	c->words[1] = strcmp(name, "bare") ? (char *)name : "child";
	c->exits = true;
	c->forwards = strcmp(name, "kernel-reap");
}

int main(int argc, char **argv)
{
	const char *path = getenv("INIT_BENCH_SHM");
	char made_path[] = "/tmp/init-bench-shm.XXXXXX";
	int fd, opt;

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		die("/proc/self/exe");
	fd = path ? open(path, O_RDWR | O_CLOEXEC) : mkstemp(made_path);
	if (fd < 0 || (!path && ftruncate(fd, sizeof *shm) < 0))
		die("shared memory");
	shm = mmap(NULL, sizeof *shm, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shm == MAP_FAILED)
		die("mmap");
	if (argc == 2 && !strcmp(argv[1], "child"))
		child();
	if (argc == 2 && path)
		reference_init(!strcmp(argv[1], "kernel-reap"));
	setenv("INIT_BENCH_SHM", made_path, 1);

	while ((opt = getopt(argc, argv, "p:r:n:b:s:k:i:l:m:")) != -1)
		switch (opt) {
		case 'p':
			parts = optarg;
			break;
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'n':
			orphans = atol(optarg);
			break;
		case 'b':
			burst = atol(optarg);
			break;
		case 's':
			starts = atoi(optarg);
			break;
		case 'k':
			signals = atoi(optarg);
			break;
		case 'i':
			idle_seconds = atoi(optarg);
			break;
		case 'l':
			limit_seconds = atoi(optarg);
			break;
		case 'm':
			pids_max = atol(optarg);
			break;
		default:
			fprintf(stderr, "usage: init-bench [-p parts] [-r rounds] [-n orphans] [-b "
					"burst] [-s starts] [-k signals]"
					" [-i idle-seconds] [-l limit-seconds] [-m pids.max] "
					"name=command...\n");
			return 2;
		}
	built_in("bare");
	built_in("kernel-reap");
	built_in("reference");
	for (; optind < argc; optind++)
		contestant(strdup(argv[optind]));

	setvbuf(stdout, NULL, _IOLBF, 0);
	make_cgroup();
	if (wanted("size"))
		part_size();
	if (wanted("memory"))
		part_memory();
	if (wanted("start"))
		part_start();
	if (wanted("latency"))
		part_latency();
	if (wanted("idle"))
		part_idle();
	if (wanted("stream"))
		part_storm(
			ROLE_STREAM, orphans, "orphan stream (double forks, one after the other)");
	if (wanted("burst"))
		part_storm(ROLE_BURST, burst,
			"orphan burst (zombies handed over at once; ms from the hand-over)");
	rmdir(cgroup);
	unlink(made_path);
	return 0;
}
