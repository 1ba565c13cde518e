/* SPDX-License-Identifier: Apache-2.0 */
/* Locks, queues, threads and children. */
#include "victim.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static sem_t *shared_semaphore(void)
{
	sem_t *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	sem_init(s, 1, 0);
	return s;
}

static void post(long s)
{
	sem_post((sem_t *)s);
}

static bool futex_forever(void)
{
	sem_t *s = shared_semaphore();

	victim_later(post, (long)s);
	return victim_is(sem_wait(s), 0);
}

static bool futex_limited(void)
{
	struct timespec until = victim_deadline(CLOCK_REALTIME);

	return victim_is(sem_timedwait(shared_semaphore(), &until), ETIMEDOUT);
}

static void raise_semaphore(long set)
{
	struct sembuf up = { 0, 1, 0 };

	semop((int)set, &up, 1);
}

static bool semaphore(const struct timespec *limit, int error)
{
	int set = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf down = { 0, -1, 0 };
	bool good;

	if (!error)
		victim_later(raise_semaphore, set);
	good = victim_is(semtimedop(set, &down, 1, limit), error);
	semctl(set, 0, IPC_RMID);
	return good;
}

static bool semaphore_forever(void)
{
	return semaphore(NULL, 0);
}

static bool semaphore_limited(void)
{
	struct timespec s = victim_span();

	return semaphore(&s, EAGAIN);
}

struct message {
	long type;
	char text[4];
};

static void send_message(long queue)
{
	struct message m = { 1, "abc" };

	msgsnd((int)queue, &m, sizeof(m.text), 0);
}

static bool message_queue(void)
{
	int queue = msgget(IPC_PRIVATE, 0600);
	struct message m;
	bool good;

	victim_later(send_message, queue);
	good = victim_is(msgrcv(queue, &m, sizeof(m.text), 0, 0), 0);
	msgctl(queue, IPC_RMID, NULL);
	return good;
}

static void send_posix(long queue)
{
	mq_send((mqd_t)queue, "x", 1, 0);
}

static bool posix_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[32], b[8];
	mqd_t queue;

	snprintf(name, sizeof(name), "/victim%d", getpid());
	queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	mq_unlink(name);
	if (queue == (mqd_t)-1) /* not in this kernel or namespace: nothing to check */
		return nanosleep(&(struct timespec){ victim_ms() / 1000,
					 victim_ms() % 1000 * 1000000 },
			       NULL) == 0;
	victim_later(send_posix, queue);
	return victim_is(mq_receive(queue, b, sizeof(b), NULL), 0);
}

/* Another process holds the lock until the time is over; lock() then gets it. */
static bool lock_held(void (*hold)(int), int (*lock)(int))
{
	char path[] = "/tmp/victimXXXXXX", go;
	int held[2], fd = mkstemp(path), mine = open(path, O_RDWR);

	unlink(path);
	if (pipe(held) < 0)
		exit(3);
	if (victim_fork() == 0) {
		struct timespec s = victim_span();

		hold(fd);
		(void)!write(held[1], "x", 1);
		nanosleep(&s, NULL);
		flock(fd, LOCK_UN);
		fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_UNLCK });
		pause();
	}
	(void)!read(held[0], &go, 1);
	return victim_is(lock(mine), 0);
}

static void hold_flock(int fd)
{
	flock(fd, LOCK_EX);
}

static int take_flock(int fd)
{
	return flock(fd, LOCK_EX);
}

static void hold_record(int fd)
{
	fcntl(fd, F_SETLKW, &(struct flock){ .l_type = F_WRLCK });
}

static int take_record(int fd)
{
	return fcntl(fd, F_SETLKW, &(struct flock){ .l_type = F_WRLCK });
}

static bool flock_wait(void)
{
	return lock_held(hold_flock, take_flock);
}

static bool record_wait(void)
{
	return lock_held(hold_record, take_record);
}

static pid_t sleeper(void)
{
	pid_t pid = victim_fork();

	if (pid == 0) {
		struct timespec s = victim_span();

		nanosleep(&s, NULL);
		_exit(42);
	}
	return pid;
}

/* Reaping others must not take the one it waits for. */
static bool wait_for_child(void)
{
	int status = 0;

	return victim_is(waitpid(sleeper(), &status, 0), 0) &&
	       victim_holds(WEXITSTATUS(status) == 42, "another exit status");
}

static bool waitid_for_child(void)
{
	siginfo_t info = { 0 };

	return victim_is(waitid(P_PID, (id_t)sleeper(), &info, WEXITED), 0) &&
	       victim_holds(info.si_status == 42, "another exit status");
}

static void *sleep_in_thread(void *arg)
{
	struct timespec s = victim_span();

	nanosleep(&s, NULL);
	return arg;
}

static bool join_thread(void)
{
	pthread_t t;
	void *got = NULL;
	int mark;

	if (pthread_create(&t, NULL, sleep_in_thread, &mark) != 0)
		exit(3);
	return victim_holds(pthread_join(t, &got) == 0 && got == &mark, "another result");
}

/* The first thread exits, the others live on: state Z, and yet it can reap. */
static void *outlive_leader(void *arg)
{
	struct timespec s = victim_span();
	int r = nanosleep(&s, NULL);

	(void)arg;
	puts(r == 0 ? "ok leader-exited" : "bad leader-exited: nanosleep failed");
	exit(r == 0 ? 0 : 1);
}

static bool leader_exits(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, outlive_leader, NULL) != 0)
		exit(3);
	syscall(SYS_exit, 0);
	return false;
}

const struct kind ipc_kinds[] = {
	{ "futex", futex_forever },
	{ "futex-timeout", futex_limited },
	{ "semop", semaphore_forever },
	{ "semtimedop", semaphore_limited, .retimed = true },
	{ "msgrcv", message_queue },
	{ "mq_receive", posix_queue },
	{ "flock", flock_wait },
	{ "fcntl-lock", record_wait },
	{ "waitpid", wait_for_child },
	{ "waitid", waitid_for_child },
	{ "pthread_join", join_thread },
	{ "leader-exited", leader_exits },
	{ 0 },
};
