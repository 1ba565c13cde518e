/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd COUNT CHAINS DEPTH: COUNT sleeping processes in CHAINS chains of DEPTH nested PID
 * namespaces. Prints "ready" and goes away when its standard input ends. crowd forks COUNT: forks
 * and waits COUNT times and prints the microseconds each took, and of CPU time. Linked statically,
 * so that the processes are small. crowd listen: takes all that the process connector tells, 100
 * times a second, and does nothing with it: what any listener costs those who fork at least.
 */
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEPTH_MAX = 30, STACK_BYTES = 16384 };

static char stacks[DEPTH_MAX + 1][STACK_BYTES] __attribute__((aligned(16)));
static int per_chain, ready[2];

/* Becomes PID 1 of a namespace; depth more of them below, the crowd in the innermost. */
static int level(void *arg)
{
	intptr_t depth = (intptr_t)arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (depth > 1) {
		if (clone(level, stacks[depth - 1] + STACK_BYTES, CLONE_NEWPID | SIGCHLD,
			    (void *)(depth - 1)) < 0)
			perror("crowd: clone");
	} else {
		for (int i = 0; i < per_chain; i++) {
			pid_t pid = fork();

			if (pid == 0) {
				for (;;)
					pause();
			}
			if (pid < 0) {
				perror("crowd: fork");
				break;
			}
		}
		if (write(ready[1], "x", 1) != 1)
			return 1;
	}
	for (;;)
		pause();
}

static int crowd(int count, int chains, int depth)
{
	pid_t *inits = calloc((size_t)chains, sizeof(*inits));
	char c;

	if (!inits || depth < 1 || depth > DEPTH_MAX || pipe(ready) < 0)
		return 1;
	per_chain = count / chains > depth ? count / chains - depth : 1;
	for (int i = 0; i < chains; i++) {
		inits[i] = clone(level, stacks[depth] + STACK_BYTES, CLONE_NEWPID | SIGCHLD,
			(void *)(intptr_t)depth);
		if (inits[i] < 0 || read(ready[0], &c, 1) != 1)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	for (int i = 0; i < chains; i++)
		kill(inits[i], SIGKILL);
	for (int i = 0; i < chains; i++)
		waitpid(inits[i], NULL, 0);
	free(inits);
	return 0;
}

static double spent_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static int forks(int count)
{
	struct timespec begin, end;
	struct rusage own, children;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	printf("%.3f %.3f\n",
		((double)(end.tv_sec - begin.tv_sec) * 1e6 +
			(double)(end.tv_nsec - begin.tv_nsec) / 1e3) /
			count,
		(spent_us(&own) + spent_us(&children)) / count);
	return 0;
}

static int listen_only(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC };
	struct __attribute__((packed, aligned(NLMSG_ALIGNTO))) {
		struct nlmsghdr header;
		struct __attribute__((packed)) {
			struct cb_id id;
			__u32 seq, ack;
			__u16 len, flags;
			__u32 op;
		} message;
	} ask = { .header = { .nlmsg_len = sizeof(ask), .nlmsg_type = NLMSG_DONE },
		.message = { .id = { CN_IDX_PROC, CN_VAL_PROC },
			.len = sizeof(__u32),
			.op = PROC_CN_MCAST_LISTEN } };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_CONNECTOR), size = 8 << 20;
	char b[512];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, &ask, sizeof(ask), 0) < 0)
		return 1;
	for (;;) {
		while (recv(fd, b, sizeof(b), 0) > 0)
			;
		usleep(10000);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "listen") == 0)
		return listen_only();
	if (argc == 3 && strcmp(argv[1], "forks") == 0)
		return forks(atoi(argv[2]));
	if (argc != 4 || atoi(argv[2]) < 1)
		return 2;
	return crowd(atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
}
