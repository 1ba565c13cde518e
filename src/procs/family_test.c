/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random families on the real kernel beside a small model of the rules: processes fork, make PID
 * namespaces, enter them, become subreapers, end, are killed, wait; after each step the snapshot
 * must show what the model says, and no origin may be claimed that is not so.
 *
 * FAMILY_SEED=N repeats a run, FAMILY_STEPS=N makes it longer. It needs the right to make PID
 * namespaces, and is skipped without.
 *
 * Source of the rules: pid_namespaces(7), PR_SET_CHILD_SUBREAPER(2const), kernel/exit.c
 * find_new_reaper(), kernel/pid_namespace.c zap_pid_ns_processes().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "procs/snapshot.h"

enum {
	ACTORS = 48, /* 0 is this process: the root of all, a subreaper that never ends */
	SPACES = 12, /* 0 is this process's own */
	STEPS = 2000,
	PATIENCE_MS = 20000,
};

/* --- the processes: each does what its slot of the shared memory says --------------------------
 */

enum order { REST, FORK, NEW_SPACE, ENTER, SUBREAPER, SESSION, WAIT, END };

static struct slot {
	_Atomic uint32_t bell, answer;
	enum order order;
	int arg, child; /* FORK...: the child's slot */
	int pid;	/* as it sees itself */
} * slots;

static void sleep_on(_Atomic uint32_t *word, uint32_t value)
{
	struct timespec soon = { .tv_sec = 1 };

	syscall(SYS_futex, word, FUTEX_WAIT, value, &soon, NULL, 0);
}

static void wake(_Atomic uint32_t *word)
{
	(*word)++;
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static _Noreturn void live(int me);

static int give_birth(const struct slot *s, uint64_t flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		live(s->child);
	return pid < 0 ? -errno : 0;
}

/* arg: a process in the namespace that is entered, as this procfs numbers it. */
static int give_birth_in(const struct slot *s)
{
	char path[64];
	int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), other, r;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", s->arg);
	other = open(path, O_RDONLY | O_CLOEXEC);
	r = setns(other, CLONE_NEWPID) < 0 ? -errno : give_birth(s, 0);
	setns(own, CLONE_NEWPID);
	close(own);
	close(other);
	return r;
}

static int obey(struct slot *s)
{
	switch (s->order) {
	case FORK:
		return give_birth(s, 0);
	case NEW_SPACE:
		return give_birth(s, CLONE_NEWPID);
	case ENTER:
		return give_birth_in(s);
	case SUBREAPER:
		return prctl(PR_SET_CHILD_SUBREAPER, s->arg, 0, 0, 0);
	case SESSION:
		return setsid() < 0 ? -errno : 0;
	case WAIT:
		return waitpid(s->arg, NULL, 0) == s->arg ? 0 : -errno;
	case END:
		_exit(s->arg);
	default:
		return 0;
	}
}

static _Noreturn void live(int me)
{
	struct slot *s = &slots[me];
	uint32_t heard = 0;
	char name[16];

	snprintf(name, sizeof(name), "fam%d.%d", slots[0].pid, me);
	prctl(PR_SET_NAME, name);
	s->pid = getpid();
	for (;;) {
		wake(&s->answer);
		while (s->bell == heard)
			sleep_on(&s->bell, heard);
		heard = s->bell;
		s->arg = obey(s);
	}
}

/* --- the model ---------------------------------------------------------------------------------
 */

static struct actor {
	enum { FREE, ALIVE, STUCK /* PID 1 of a namespace that cannot end yet */, ZOMBIE } state;
	int parent, born, space;
	int status; /* as wait(2) has it, once it has ended */
	bool subreaper, led;
	pid_t host_pid;
} actors[ACTORS];

static struct space {
	bool used;
	int parent, init, level;
} spaces[SPACES];

static bool is_within(int space, int outer)
{
	while (space != outer && space != 0)
		space = spaces[space].parent;
	return space == outer;
}

static int level_of(int a)
{
	return spaces[actors[a].space].level;
}

/* find_new_reaper(): the nearest living subreaper above on the same level, else PID 1. */
static int reaper_of(int father)
{
	for (int up = actors[father].parent; level_of(up) == level_of(father);
		up = actors[up].parent) {
		if (up == 0 || (actors[up].subreaper && actors[up].state == ALIVE))
			return up;
	}
	return spaces[actors[father].space].init;
}

static void orphan_children(int father)
{
	for (int i = 1; i < ACTORS; i++)
		if (actors[i].state != FREE && actors[i].parent == father)
			actors[i].parent = reaper_of(father);
}

/* Is anything but its PID 1 still there, in this namespace or one below? */
static bool is_held(int space)
{
	for (int i = 1; i < ACTORS; i++)
		if (actors[i].state != FREE && i != spaces[space].init &&
			is_within(actors[i].space, space))
			return true;
	return false;
}

/* PID 1s whose namespaces are empty at last end: below first. */
static void let_stuck_go(void)
{
	for (bool again = true; again;) {
		again = false;
		for (int n = 1; n < SPACES; n++) {
			struct actor *a = &actors[spaces[n].init];

			if (!spaces[n].used || a->state != STUCK || is_held(n))
				continue;
			/* one that empties its own namespace waits for whatever it has */
			a->state = actors[a->parent].state == STUCK ? FREE : ZOMBIE;
			spaces[n].used = a->state == ZOMBIE;
			again = true;
		}
	}
}

/* PID 1 ends: so does everything in its namespace and in those below. */
static void end_space(int space)
{
	bool dies[ACTORS] = { false };

	for (int i = 1; i < ACTORS; i++)
		dies[i] = actors[i].state != FREE && is_within(actors[i].space, space);
	for (int i = 1; i < ACTORS; i++) {
		struct actor *a = &actors[i];

		if (!dies[i])
			continue;
		if (a->state == ALIVE)
			a->status = SIGKILL;
		if (spaces[a->space].init == i)
			a->state = STUCK;
		else if (dies[a->parent])
			a->state = FREE;
		else
			a->state = ZOMBIE; /* its parent is outside, and must wait for it */
	}
	/* the PID 1s in there are their outer PID 1's, whoever made them */
	for (int i = 1; i < ACTORS; i++)
		if (dies[i] && actors[i].state == STUCK && dies[actors[i].parent] &&
			actors[i].space != space)
			actors[i].parent = spaces[spaces[actors[i].space].parent].init;
	/* an inner PID 1 that had ended before and was not waited for */
	for (int n = 1; n < SPACES; n++)
		if (spaces[n].used && actors[spaces[n].init].state == FREE)
			spaces[n].used = false;
}

static void end_actor(int a, int status)
{
	actors[a].status = status;
	if (spaces[actors[a].space].init == a) {
		end_space(actors[a].space);
		actors[a].status = status;
	} else {
		actors[a].state = ZOMBIE;
		orphan_children(a);
	}
	let_stuck_go();
}

static void reap_actor(int z)
{
	if (spaces[actors[z].space].init == z)
		spaces[actors[z].space].used = false;
	actors[z].state = FREE;
	let_stuck_go();
}

/* --- steps -------------------------------------------------------------------------------------
 */

static unsigned long long seed;
static char story[256]; /* the last step in words */

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

/* A random one of those that fit, or -1. */
static int pick_actor(bool (*fits)(int a, int with), int with)
{
	int found = -1;

	for (int i = 0, n = 0; i < ACTORS; i++)
		if (actors[i].state != FREE && fits(i, with) && pick((unsigned)++n) == 0)
			found = i;
	return found;
}

static bool can_obey(int a, int with)
{
	(void)with;
	return a > 0 && actors[a].state == ALIVE;
}

static bool can_fork(int a, int with)
{
	(void)with;
	return actors[a].state == ALIVE;
}

static bool is_zombie(int a, int with)
{
	(void)with;
	return actors[a].state == ZOMBIE && actors[actors[a].parent].state == ALIVE;
}

/* Somebody alive in a namespace below that of with. */
static bool is_enterable(int a, int with)
{
	return a > 0 && actors[a].state == ALIVE && actors[a].space != actors[with].space &&
	       is_within(actors[a].space, actors[with].space) &&
	       actors[spaces[actors[a].space].init].state == ALIVE;
}

static int command(int a, enum order order, int arg, int child)
{
	struct slot *s = &slots[a];
	uint32_t before = s->answer, newborn = child ? slots[child].answer : 0;

	s->order = order;
	s->arg = arg;
	s->child = child;
	if (a == 0) {
		s->arg = obey(s);
	} else {
		wake(&s->bell);
		while (order != END && s->answer == before)
			sleep_on(&s->answer, before);
	}
	while (child && s->arg == 0 && slots[child].answer == newborn)
		sleep_on(&slots[child].answer, newborn);
	return s->arg;
}

static int free_actor(void)
{
	for (int i = 1; i < ACTORS; i++)
		if (actors[i].state == FREE)
			return i;
	return -1;
}

static int free_space(void)
{
	for (int i = 1; i < SPACES; i++)
		if (!spaces[i].used)
			return i;
	return -1;
}

static void born(int child, int parent, int space)
{
	actors[child] =
		(struct actor){ .state = ALIVE, .parent = parent, .born = parent, .space = space };
}

static void step_fork(void)
{
	int a = pick_actor(can_fork, 0), child = free_actor(), target, n = free_space();
	unsigned how = pick(8);

	if (child < 0)
		return;
	target = pick_actor(is_enterable, a);
	snprintf(story, sizeof(story), "%d forks %d (%s)", a, child,
		how == 0 && n >= 0	 ? "new namespace"
		: how < 3 && target >= 0 ? "enters"
					 : "plain");
	memset(&slots[child], 0, sizeof(slots[child]));
	if (how == 0 && n >= 0 && level_of(a) < 4) {
		assert_int_equal(command(a, NEW_SPACE, 0, child), 0);
		spaces[n] = (struct space){ true, actors[a].space, child, level_of(a) + 1 };
		born(child, a, n);
	} else if (how < 3 && target >= 0) {
		assert_int_equal(command(a, ENTER, actors[target].host_pid, child), 0);
		born(child, a, actors[target].space);
	} else {
		assert_int_equal(command(a, FORK, 0, child), 0);
		born(child, a, actors[a].space);
	}
}

static void step_end(bool by_kill)
{
	int a = pick_actor(can_obey, 0), code = (int)pick(256);

	if (a < 0)
		return;
	snprintf(story, sizeof(story), "%d %s", a, by_kill ? "is killed" : "ends");
	if (by_kill)
		kill(actors[a].host_pid, SIGKILL);
	else
		command(a, END, code, 0);
	end_actor(a, by_kill ? SIGKILL : code << 8);
}

static void step_wait(void)
{
	int z = pick_actor(is_zombie, 0), parent;
	struct snapshot s;
	struct err e;
	uint32_t i;

	if (z < 0)
		return;
	parent = actors[z].parent;
	snprintf(story, sizeof(story), "%d waits for %d", parent, z);
	/* by the number it has there, which the snapshot must know */
	assert_int_equal(snapshot_read("/proc", 0, &s, &e), 0);
	i = snapshot_find(&s, actors[z].host_pid);
	assert_true(i != NO_PROC && s.procs[i].levels > level_of(parent));
	assert_int_equal(
		command(parent, WAIT, s.procs[i].nspid[level_of(parent) - spaces[0].level], 0), 0);
	snapshot_done(&s);
	reap_actor(z);
}

static void step_self(void)
{
	int a = pick_actor(can_obey, 0);
	bool on = pick(2);

	if (a < 0)
		return;
	if (pick(2)) {
		snprintf(story, sizeof(story), "%d subreaper %d", a, on);
		assert_int_equal(command(a, SUBREAPER, on, 0), 0);
		actors[a].subreaper = on;
	} else {
		snprintf(story, sizeof(story), "%d setsid", a);
		command(a, SESSION, 0, 0); /* a group leader may not: no matter */
	}
}

static void step(void)
{
	unsigned what = pick(20);

	snprintf(story, sizeof(story), "nothing");
	if (what < 9)
		step_fork();
	else if (what < 12)
		step_end(false);
	else if (what < 14)
		step_end(true);
	else if (what < 18)
		step_wait();
	else
		step_self();
}

/* --- the comparison ----------------------------------------------------------------------------
 */

static bool differs(struct text *why, int a, const char *what, long is, long should)
{
	if (is == should)
		return false;
	text_addf(why, "%d: %s is %ld, not %ld", a, what, is, should);
	return true;
}

/* Where each actor stands in the snapshot, by the name it gave itself. */
static void locate(const struct snapshot *s, uint32_t at[ACTORS])
{
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "fam%d.", slots[0].pid);
	for (int i = 0; i < ACTORS; i++)
		at[i] = NO_PROC;
	at[0] = snapshot_find(s, getpid());
	for (uint32_t i = 0; i < s->n; i++)
		if (str_starts(s->procs[i].comm, prefix))
			at[atoi(s->procs[i].comm + strlen(prefix))] = i;
}

static bool actor_differs(
	const struct snapshot *s, const uint32_t at[ACTORS], int i, struct text *why)
{
	struct actor *a = &actors[i];
	const struct proc *p;
	const struct pidns *ns;
	int init = spaces[a->space].init;
	bool outside;

	if ((at[i] == NO_PROC) != (a->state == FREE))
		return differs(why, i, "there", at[i] != NO_PROC, a->state != FREE);
	if (a->state == FREE)
		return false;
	p = &s->procs[at[i]];
	ns = &s->ns[p->ns];
	a->host_pid = p->pid;
	outside = init != i && actors[a->parent].space != a->space;
	if (differs(why, i, "zombie", proc_is_zombie(p), a->state == ZOMBIE) ||
		differs(why, i, "parent", p->parent, at[a->parent]) ||
		differs(why, i, "levels", p->levels, level_of(i) + 1) ||
		differs(why, i, "level of namespace", ns->level, level_of(i)) ||
		differs(why, i, "PID inside", p->nspid[p->levels - 1], slots[i].pid) ||
		differs(why, i, "entered", proc_is_entered(s, at[i]), a->space && outside) ||
		differs(why, i, "found by PID inside", snapshot_find_in(s, p->ns, slots[i].pid),
			at[i]))
		return true;
	if (a->space && differs(why, i, "namespace's init", ns->init, at[init]))
		return true;
	if (a->space && differs(why, i, "outer namespace", ns->parent,
				s->procs[at[spaces[spaces[a->space].parent].init]].ns))
		return true;
	if (a->state == ZOMBIE && differs(why, i, "exit status", p->exit_status, a->status))
		return true;
	/* never a wrong word; whether there is one depends on the proofs that are left */
	return (p->origin == ORIGIN_OWN && differs(why, i, "own", 1, a->born == a->parent)) ||
	       (p->origin == ORIGIN_ADOPTED && differs(why, i, "adopted", 1, a->born != a->parent));
}

static bool look(struct text *why)
{
	uint32_t at[ACTORS];
	struct snapshot s;
	struct err e = { 0 };
	bool bad = false;

	if (snapshot_read("/proc", SNAP_ORIGIN, &s, &e) < 0)
		fail_msg("%s", e.msg);
	locate(&s, at);
	for (int i = 1; i < ACTORS && !bad; i++)
		bad = actor_differs(&s, at, i, why);
	snapshot_done(&s);
	return !bad;
}

/* Deaths take their time: what has not come true within PATIENCE_MS is wrong. */
static void compare(unsigned long long first_seed, int n)
{
	struct timespec nap = { .tv_nsec = 500000 };

	for (int waited_us = 0;; waited_us += 500) {
		autotext why = { 0 };

		if (look(&why))
			return;
		if (waited_us / 1000 > PATIENCE_MS)
			fail_msg("FAMILY_SEED=%llu, step %d (%s): %s", first_seed, n, story, why.p);
		nanosleep(&nap, NULL);
		if (waited_us > 10000)
			nap.tv_nsec = 5000000, waited_us += 4500;
	}
}

static void clear_away(void)
{
	for (int i = 1; i < ACTORS; i++)
		if (actors[i].state == ALIVE && actors[i].host_pid)
			kill(actors[i].host_pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static int may_make_namespaces(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, 0) == pid;
}

static void snapshot_and_model_agree(void **state)
{
	const char *given = getenv("FAMILY_SEED"), *length = getenv("FAMILY_STEPS");
	unsigned long long first =
		given ? strtoull(given, NULL, 10) : (unsigned long long)time(NULL);
	int steps = length ? atoi(length) : STEPS;

	(void)state;
	if (!may_make_namespaces())
		skip();
	seed = first;
	printf("# FAMILY_SEED=%llu\n", first);
	slots = mmap(NULL, ACTORS * sizeof(*slots), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(slots != MAP_FAILED);
	slots[0].pid = getpid();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	actors[0] = (struct actor){ .state = ALIVE, .subreaper = true, .host_pid = getpid() };
	spaces[0] = (struct space){ .used = true, .init = 0 };
	for (int n = 0; n < steps; n++) {
		step();
		compare(first, n);
	}
	clear_away();
	munmap(slots, ACTORS * sizeof(*slots));
}

static int end_all(void **state)
{
	(void)state;
	if (actors[0].state == ALIVE)
		clear_away();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(snapshot_and_model_agree, end_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
