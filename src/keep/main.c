/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clade-keep: the minder of one container. It is the parent of its init, carries its input and
 * output, keeps its log, records how it ended, starts it again if that was asked for, and clears
 * away after it. Between events it sleeps in poll(2): no timers while nothing happens.
 *
 * `clade-keep reap` waits for its children and ends with them: the parent of what `exec -d` left.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keep/keep.h"

enum {
	BACK_OFF_FIRST_MS = 100,
	BACK_OFF_MAX_MS = 60000,
	LONG_LIFE_MS = 10000, /* after so long a life the back-off begins anew */
	DRAIN_MAX = 1 << 20,  /* what is still taken of a pipe that others hold open */
};

enum stage {
	STAGE_BIRTH, /* BORN is open, the final word has not come */
	STAGE_LIFE,
	STAGE_BACK_OFF,
	STAGE_CLEAR, /* ended for good: the first client, if there is one, has the word */
};

static struct {
	enum stage stage;
	char **argv;
	int sync, born, dir, signals;
	int in, out, err, tty; /* tty: the master, for both ways */
	bool has_tty, input_ended, first_birth;
	pid_t init;
	bool init_ended;
	int status, failures, restarts;
	int64_t born_ms, back_off_ms, start_again_ms;
	size_t input_at, input_len;
} keep = { .sync = -1, .born = -1, .in = -1, .out = -1, .err = -1, .tty = -1 };

static char input[WIRE_DATA_MAX]; /* what the container has not taken yet */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int arg_fd(enum wire_arg which)
{
	return (int)text_number(keep.argv[which]);
}

static void set_flags(int fd, bool nonblock)
{
	if (fd < 0)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (nonblock)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* --- input ----------------------------------------------------------------------------------- */

static int input_fd(void)
{
	return keep.has_tty ? keep.tty : keep.in;
}

static void input_drop(void)
{
	keep.input_at = keep.input_len = 0;
}

static void input_push(void)
{
	while (keep.input_at < keep.input_len) {
		ssize_t n = input_fd() < 0 ? -1
					   : write(input_fd(), input + keep.input_at,
						     keep.input_len - keep.input_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && input_fd() >= 0)
			return;
		if (n < 0) {
			close_fd(&keep.in);
			break;
		}
		keep.input_at += (size_t)n;
	}
	input_drop();
	if (keep.input_ended)
		close_fd(&keep.in);
}

void input_add(const char *data, size_t n)
{
	memcpy(input, data, n);
	keep.input_len = n;
	keep.input_at = 0;
	input_push();
}

/* A terminal has no end of input but the one that is typed. */
void input_eof(bool of_first)
{
	if (!of_first || keep.has_tty)
		return;
	keep.input_ended = true;
	if (!keep.input_len)
		close_fd(&keep.in);
}

void input_resize(int rows, int cols)
{
	struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	if (keep.tty >= 0)
		ioctl(keep.tty, TIOCSWINSZ, &size);
}

/* --- output ---------------------------------------------------------------------------------- */

/* One piece of output; false when there is none now. The end closes *fd. */
static bool output_take(int *fd, bool is_stderr)
{
	static char data[WIRE_DATA_MAX];
	ssize_t n = *fd < 0 ? -1 : read(*fd, data, sizeof(data));

	if (*fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n <= 0) {
		/* EIO: nobody has the terminal open any more. Input may still be refused by it. */
		close_fd(fd);
		return false;
	}
	log_add(is_stderr, data, (size_t)n);
	clients_send(is_stderr ? WIRE_STDERR : WIRE_STDOUT, data, (size_t)n);
	return true;
}

/* Everybody is dead: what they wrote is still in the pipes. Clients get what they take at once. */
static void output_drain(void)
{
	int *fds[] = { &keep.out, &keep.err, &keep.tty };
	size_t taken = 0;

	for (int i = 0; i < 3; i++) {
		while (taken < DRAIN_MAX && output_take(fds[i], i == 1)) {
			taken += 4096;
			while (clients_owe()) {
				struct pollfd fds2[CLIENTS_MAX + 1];
				int n = 0, patience = clients_patience_ms();

				clients_watch(fds2, &n, false);
				if (poll(fds2, (nfds_t)n, patience) > 0)
					clients_turn(fds2);
			}
		}
	}
	log_end();
}

/* --- the end --------------------------------------------------------------------------------- */

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* "oom_kill 3" somewhere in the file of the memory controller */
static bool oom_killed(void)
{
	char text[1024];
	int fd = open(keep.argv[WIRE_ARG_OOM], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *at;

	close_fd(&fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "oom_kill ");
	return at && at[9] > '0';
}

static void write_file(const char *name, const char *beside, struct fixed *t)
{
	int fd = openat(
		keep.dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	if (write(fd, t->p, t->len) == (ssize_t)t->len)
		renameat(keep.dir, beside, keep.dir, name);
	else
		unlinkat(keep.dir, beside, 0);
	close(fd);
}

static void record_exit(void)
{
	char text[256];
	struct fixed t = { text, 0, sizeof(text) };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	fixed_add(&t, "code ");
	fixed_number(&t, (uint64_t)exit_code(keep.status), 1);
	fixed_add(&t, "\nsignal ");
	fixed_number(&t, WIFSIGNALED(keep.status) ? (uint64_t)WTERMSIG(keep.status) : 0, 1);
	fixed_add(&t, "\noom ");
	fixed_number(&t, WIFSIGNALED(keep.status) && oom_killed(), 1);
	fixed_add(&t, "\nfinished ");
	fixed_number(&t, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, 1);
	fixed_add(&t, "\nrestarts ");
	fixed_number(&t, (uint64_t)keep.restarts, 1);
	fixed_add(&t, "\n");
	write_file("exit", ".exit", &t);
}

static bool told_to_stop(void)
{
	return faccessat(keep.dir, "stop", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool wants_restart(void)
{
	long policy = text_number(keep.argv[WIRE_ARG_POLICY]),
	     max = text_number(keep.argv[WIRE_ARG_MAX]);

	if (policy == WIRE_RESTART_NO || told_to_stop())
		return false;
	if (policy == WIRE_RESTART_ON_FAILURE)
		return keep.status != 0 && (max <= 0 || keep.failures < max);
	return true;
}

/* Clears away by clade itself, in our place: our descriptors, the lock too, close at exec. */
static _Noreturn void clear_away(void)
{
	char *const args[] = { keep.argv[WIRE_ARG_SELF], (char *)"--root", keep.argv[WIRE_ARG_ROOT],
		(char *)"internal-ended", keep.argv[WIRE_ARG_ID], NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(args[0], args);
	_exit(1);
}

static void end_for_good(void)
{
	clients_exit(exit_code(keep.status), false);
	keep.stage = STAGE_CLEAR;
}

static void life_ended(void)
{
	bool again;

	output_drain();
	close_fd(&keep.in);
	close_fd(&keep.out);
	close_fd(&keep.err);
	close_fd(&keep.tty);
	input_drop();
	if (now_ms() - keep.born_ms >= LONG_LIFE_MS)
		keep.back_off_ms = 0;
	record_exit();
	again = wants_restart();
	if (!again) {
		end_for_good();
		return;
	}
	keep.failures++;
	keep.back_off_ms = keep.back_off_ms ? keep.back_off_ms * 2 : BACK_OFF_FIRST_MS;
	if (keep.back_off_ms > BACK_OFF_MAX_MS)
		keep.back_off_ms = BACK_OFF_MAX_MS;
	keep.start_again_ms = now_ms() + keep.back_off_ms;
	keep.stage = STAGE_BACK_OFF;
	clients_exit(exit_code(keep.status), true);
}

/* --- birth ----------------------------------------------------------------------------------- */

static void tell_sync(const struct wire_born *w)
{
	if (keep.sync < 0)
		return;
	/* with nobody to hear of a failure it is ours to clear away */
	if (send(keep.sync, w, sizeof(*w), MSG_NOSIGNAL) < 0 && w->stage >= WIRE_FAILED)
		clear_away();
	close_fd(&keep.sync);
}

static void birth_failed(const struct wire_born *w)
{
	if (keep.init > 0 && !keep.init_ended) {
		kill(keep.init, SIGKILL);
		waitpid(keep.init, NULL, 0);
	}
	keep.init = 0;
	close_fd(&keep.in);
	close_fd(&keep.out);
	close_fd(&keep.err);
	close_fd(&keep.tty);
	if (keep.first_birth) {
		tell_sync(w);
		/* whoever started us has the word from here on: nothing is left that we hold */
		_exit(0);
	}
	keep.status = (w->stage == WIRE_EXEC_FAILED ? 127 : 125) << 8;
	record_exit();
	end_for_good();
}

/* The terminal's master comes with the first message. */
static void take_master(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		close_fd(&keep.tty);
		memcpy(&keep.tty, CMSG_DATA(c), sizeof(int));
		set_flags(keep.tty, true);
	}
}

static void hear_birth(void)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct wire_born w = { 0 };
	struct iovec io = { &w, sizeof(w) };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(keep.born, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(w)) {
		w = (struct wire_born){ .stage = WIRE_FAILED,
			.err = { EPIPE, "start: clade was killed" } };
	} else if (w.stage == WIRE_BORN) {
		take_master(&h);
		keep.init = w.pid;
		return;
	}
	close_fd(&keep.born);
	if (w.stage != WIRE_RUNNING) {
		birth_failed(&w);
		return;
	}
	keep.stage = STAGE_LIFE;
	keep.born_ms = now_ms();
	tell_sync(&w);
	keep.first_birth = false;
	if (keep.init_ended)
		life_ended();
}

/* dup2 that also works on itself: the copy stays open over exec. */
static void put(int from, int to)
{
	if (from == to)
		fcntl(from, F_SETFD, 0);
	else
		dup2(from, to);
}

static _Noreturn void run_internal_start(int in, int out, int err, int born)
{
	char *const args[] = { keep.argv[WIRE_ARG_SELF], (char *)"--root", keep.argv[WIRE_ARG_ROOT],
		(char *)"internal-start", keep.argv[WIRE_ARG_ID], NULL };
	int high[4] = { in, out, err, born };
	sigset_t none;

	/* out of the way of the places they go to */
	for (int i = 0; i < 4; i++)
		high[i] = fcntl(high[i], F_DUPFD_CLOEXEC, 20);
	for (int i = 0; i < 4; i++)
		put(high[i], i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(args[0], args);
	_exit(1);
}

/* New pipes, as the old ones may be held by somebody who is no longer ours. */
static void start_again(void)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, born[2];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (told_to_stop()) {
		end_for_good();
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, born) < 0) {
		close_fd(&null);
		end_for_good();
		return;
	}
	if (!keep.has_tty && (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)) {
		close_fd(&out[0]);
		close_fd(&out[1]);
	}
	keep.restarts++;
	keep.stage = STAGE_BIRTH;
	keep.init = 0;
	keep.init_ended = false;
	keep.born = born[0];
	pid = fork();
	if (pid == 0)
		run_internal_start(
			null, out[1] < 0 ? null : out[1], err[1] < 0 ? null : err[1], born[1]);
	close_fd(&null);
	close_fd(&out[1]);
	close_fd(&err[1]);
	close_fd(&born[1]);
	keep.out = out[0];
	keep.err = err[0];
	set_flags(keep.out, true);
	set_flags(keep.err, true);
}

/* --- the loop -------------------------------------------------------------------------------- */

static void reap(void)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(keep.signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM && keep.init > 0 && !keep.init_ended)
			kill(keep.init, SIGTERM);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != keep.init)
			continue;
		keep.init_ended = true;
		keep.status = status;
		if (keep.stage == STAGE_LIFE)
			life_ended();
	}
}

static int watch(struct pollfd *fds, int *n, int fd, short events)
{
	if (fd < 0)
		return -1;
	fds[*n] = (struct pollfd){ .fd = fd, .events = events };
	return (*n)++;
}

static int timeout_ms(void)
{
	int patience = clients_patience_ms();
	int64_t left;

	if (keep.stage != STAGE_BACK_OFF)
		return patience;
	left = keep.start_again_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

static void turn(void)
{
	struct pollfd fds[CLIENTS_MAX + 8];
	bool can_send = !clients_owe();
	int n = 0, timeout = timeout_ms();
	int at_signals = watch(fds, &n, keep.signals, POLLIN);
	int at_born = watch(fds, &n, keep.born, POLLIN);
	int at_in = watch(fds, &n, keep.input_len ? input_fd() : -1, POLLOUT);
	int at_out = watch(fds, &n, can_send ? keep.out : -1, POLLIN);
	int at_err = watch(fds, &n, can_send ? keep.err : -1, POLLIN);
	int at_tty = watch(fds, &n, can_send ? keep.tty : -1, POLLIN);

	clients_watch(fds, &n, keep.input_len == 0);
	if (poll(fds, (nfds_t)n, timeout) < 0)
		return;
	if (at_born >= 0 && fds[at_born].revents)
		hear_birth();
	if (at_in >= 0 && fds[at_in].revents)
		input_push();
	if (at_out >= 0 && fds[at_out].revents)
		output_take(&keep.out, false);
	if (at_err >= 0 && fds[at_err].revents && !clients_owe())
		output_take(&keep.err, true);
	if (at_tty >= 0 && fds[at_tty].revents && !clients_owe())
		output_take(&keep.tty, false);
	clients_turn(fds);
	if (fds[at_signals].revents)
		reap();
	if (keep.stage == STAGE_BACK_OFF && (now_ms() >= keep.start_again_ms || clients_came()))
		if (told_to_stop() || now_ms() >= keep.start_again_ms)
			start_again();
	if (keep.stage == STAGE_CLEAR && clients_first_took())
		_exit(0);
	if (keep.stage == STAGE_CLEAR && !clients_has_first())
		clear_away();
}

static int reap_children(void)
{
	prctl(PR_SET_NAME, "clade-keep");
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	return 0;
}

/*
 * What ps(1) shows of us is whose minder we are, not our descriptors: our words move to copy, which
 * is as long as they are together and lives as long as we do, and their place says "clade-keep ROOT
 * ID". A last byte that is no NUL tells the kernel so (proc_pid_cmdline(5); Linux fs/proc/base.c,
 * get_mm_proctitle).
 */
static void show_whose(char **argv, char *copy, size_t n)
{
	char *start = argv[0], *at = start, *end = start + n - 1;

	memcpy(copy, start, n);
	for (int i = 0; i < WIRE_ARGS; i++)
		argv[i] = copy + (argv[i] - start);
	memset(start, 0, n);
	for (int i = 0; i < 3; i++) {
		const char *word =
			i == 0 ? "clade-keep" : argv[i == 1 ? WIRE_ARG_ROOT : WIRE_ARG_ID];

		while (*word && at + 2 < end)
			*at++ = *word++;
		*at++ = ' ';
	}
	at[-1] = '\0';
	*end = ' ';
}

int main(int argc, char **argv)
{
	sigset_t all;
	size_t n;

	if (argc == 2 && strcmp(argv[1], "reap") == 0)
		return reap_children();
	if (argc != WIRE_ARGS) {
		static const char say[] = "clade-keep is started by clade, not by people\n";

		return write(2, say, sizeof(say) - 1) < 0 ? 2 : 2;
	}
	n = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
	show_whose(argv, alloca(n), n);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	sigemptyset(&all);
	sigaddset(&all, SIGCHLD);
	sigaddset(&all, SIGTERM);
	keep.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	keep.argv = argv;
	keep.sync = arg_fd(WIRE_ARG_SYNC);
	keep.born = arg_fd(WIRE_ARG_BORN);
	keep.dir = arg_fd(WIRE_ARG_DIR);
	keep.in = arg_fd(WIRE_ARG_IN);
	keep.out = arg_fd(WIRE_ARG_OUT);
	keep.err = arg_fd(WIRE_ARG_ERR);
	keep.has_tty = arg_fd(WIRE_ARG_TTY) == 1;
	keep.first_birth = true;
	keep.stage = STAGE_BIRTH;
	for (int which = WIRE_ARG_SYNC; which <= WIRE_ARG_ERR; which++)
		set_flags(arg_fd((enum wire_arg)which), which >= WIRE_ARG_IN);
	log_open(keep.dir, text_number(argv[WIRE_ARG_LOG]));
	clients_init(arg_fd(WIRE_ARG_LISTEN), arg_fd(WIRE_ARG_FIRST));
	for (;;)
		turn();
}
