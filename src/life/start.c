/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start: a minder is forked, which forks whoever gives birth and then becomes clade-keep; the
 * newborn is a child of the minder (CLONE_PARENT). We only wait for the word that it runs:
 *
 *   clade ── minder (clade-keep) ── giver of birth, gone when it is done
 *                      └────────── the container's init
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "birth/birth.h"
#include "keep/wire.h"
#include "life/health.h"
#include "life/internal.h"
#include "os/clone.h"
#include "os/close_fds.h"
#include "os/file.h"
#include "os/seal.h"

static int send_born(int fd, const struct wire_born *w, int give)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io = { (void *)w, sizeof(*w) };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };

	if (give >= 0) {
		h.msg_control = control.room;
		h.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &give, sizeof(int));
	}
	return sendmsg(fd, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* --- the giver of birth ---------------------------------------------------------------------- */

struct giver {
	const struct held *h;
	const struct plan *plan;
	int born_fd, restarts;
	struct network network;
};

static int write_pidfile(const char *path, pid_t pid, struct err *e)
{
	char text[16];
	autofd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int r;

	snprintf(text, sizeof(text), "%d", pid);
	if (fd < 0)
		return err_set(e, errno, "--pidfile %s", path);
	r = file_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(e, -r, "--pidfile %s", path) : 0;
}

/* It exists and has not executed yet: what is known of it is written down, the minder is told. */
static int born(void *data, const struct proc_ref *init, int tty_master, struct err *e)
{
	const struct giver *g = data;
	struct wire_born w = { .stage = WIRE_BORN, .pid = init->pid };
	autotext text = { 0 };
	struct timespec now;
	int r;

	clock_gettime(CLOCK_REALTIME, &now);
	text_addf(&text, "pid %d\nstart %llu\nstarted %lld\nrestarts %d\n", init->pid,
		(unsigned long long)init->start_ticks,
		(long long)now.tv_sec * 1000000000 + now.tv_nsec, g->restarts);
	if (g->plan->cgroup.manager != CGROUP_NONE)
		text_addf(&text, "cgroup %s\n", g->plan->cgroup.path);
	if (store_write(g->h->dir, "born", text.p, text.len, e) < 0)
		return -e->code;
	if (g->h->record.pidfile && write_pidfile(g->h->record.pidfile, init->pid, e) < 0)
		return -e->code;
	r = send_born(g->born_fd, &w, tty_master);
	return r < 0 ? err_set(e, -r, "tell clade-keep") : 0;
}

static int begin_network(void *data, const struct proc_ref *init, struct err *e)
{
	return network_begin(&((struct giver *)data)->network, init, e);
}

static int await_network(void *data, struct err *e)
{
	return network_ready(&((struct giver *)data)->network, e);
}

static void undo_network(void *data)
{
	network_undo(&((struct giver *)data)->network);
}

int give_birth(const struct life *l, const struct held *h, const struct loaded *ld,
	const int stdio[3], int born_fd)
{
	static const struct birth_network network = { begin_network, await_network, undo_network };
	struct giver g = { .h = h, .plan = &ld->plan, .born_fd = born_fd };
	struct birth_request req = {
		.plan = &ld->plan,
		.clone_parent = true,
		.start_fd = FD_NONE,
		.stdio = { stdio[0], stdio[1], stdio[2] },
		.new_session = true,
		.die_with_parent = true,
		.born = born,
		.data = &g,
		.network = &network,
	};
	struct birth_result result = { .init = PROC_REF_NONE, .tty_master = FD_NONE };
	struct wire_born w = { .stage = WIRE_RUNNING };
	struct err e = { 0 };
	char text[512];
	int r;

	if (held_text(h, "exit", text, sizeof(text)))
		g.restarts = (int)held_number(text, "restarts", 0) + 1;
	unlinkat(h->dir, "exit", 0);
	r = network_open(l, h, &g.network, &e);
	if (r == 0) {
		r = birth(&req, &result, &e);
		network_done(&g.network);
	}
	if (r != 0) {
		unlinkat(h->dir, "born", 0);
		w.stage = r == BIRTH_EXEC_FAILED ? WIRE_EXEC_FAILED : WIRE_FAILED;
		w.err.code = e.code;
		memcpy(w.err.msg, e.msg, sizeof(w.err.msg));
	} else {
		w.pid = result.init.pid;
	}
	if (r == 0)
		unlinkat(h->dir, "health", 0);
	send_born(born_fd, &w, FD_NONE);
	if (r == 0 && health_has(&h->record))
		health_start(l, h);
	proc_ref_done(&result.init);
	fd_close(&result.tty_master);
	return r;
}

/* --- the minder ------------------------------------------------------------------------------ */

struct start {
	const struct life *l;
	struct held *h;
	struct loaded ld;
	int sync[2], born[2], first[2]; /* [0] is ours or the minder's, [1] goes on */
	int in[2], out[2], err[2];
	int listen, lock;
	struct ports_held ports;
	pid_t keep;
	struct arena arena;
};

static const char *oom_file(const struct start *s)
{
	const char *folder = cgroup_folder_of(
		&s->l->host, s->ld.plan.cgroup.path, "memory", (struct arena *)&s->arena);

	if (!folder || s->ld.plan.cgroup.manager == CGROUP_NONE)
		return "";
	return arena_printf((struct arena *)&s->arena, "%s/%s", folder,
		s->l->host.cgroup_mode == CGROUP_MODE_V2 ? "memory.events" : "memory.oom_control");
}

static int policy_of(const struct record *r)
{
	if (!r->restart || str_eq(r->restart, "no"))
		return WIRE_RESTART_NO;
	return str_eq(r->restart, "on-failure") ? WIRE_RESTART_ON_FAILURE : WIRE_RESTART_ALWAYS;
}

static char *number(struct start *s, int64_t n)
{
	return arena_printf(&s->arena, "%lld", (long long)n);
}

/* The arguments of clade-keep, made before the fork: after it nothing may fail for us. */
static char **keep_args(struct start *s)
{
	const struct record *r = &s->h->record;
	char **argv = arena_array(&s->arena, WIRE_ARGS + 1, sizeof(*argv));

	argv[0] = arena_strdup(&s->arena, "clade-keep");
	argv[WIRE_ARG_SYNC] = number(s, s->sync[1]);
	argv[WIRE_ARG_BORN] = number(s, s->born[0]);
	argv[WIRE_ARG_LISTEN] = number(s, s->listen);
	argv[WIRE_ARG_FIRST] = number(s, s->first[1]);
	argv[WIRE_ARG_DIR] = number(s, s->h->dir);
	argv[WIRE_ARG_LOCK] = number(s, s->lock);
	argv[WIRE_ARG_IN] = number(s, s->in[1]);
	argv[WIRE_ARG_OUT] = number(s, s->out[0]);
	argv[WIRE_ARG_ERR] = number(s, s->err[0]);
	argv[WIRE_ARG_TTY] = number(s, r->tty);
	argv[WIRE_ARG_POLICY] = number(s, policy_of(r));
	argv[WIRE_ARG_MAX] = number(s, r->restart_max);
	argv[WIRE_ARG_LOG] = number(s, LOG_BYTES);
	argv[WIRE_ARG_OOM] = (char *)oom_file(s);
	argv[WIRE_ARG_SELF] = (char *)s->l->self_exe;
	argv[WIRE_ARG_ROOT] = (char *)s->l->root;
	argv[WIRE_ARG_ID] = s->h->id;
	return argv;
}

static void keep_open(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

static _Noreturn void become_keep(struct start *s, char **argv)
{
	const int ours[] = { s->sync[1], s->born[0], s->listen, s->first[1], s->h->dir, s->lock,
		s->in[1], s->out[0], s->err[0] };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct wire_born w = { .stage = WIRE_FAILED };

	/* nothing that whoever started us has open stays open for as long as the container lives */
	close_fds_on_exec(3);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		keep_open(ours[i]);
	for (size_t i = 0; i < s->ports.n; i++)
		keep_open(s->ports.fds[i]);
	for (int i = 0; i < 3 && null >= 0; i++)
		dup2(null, i);
	if (chdir("/") == 0)
		execv(s->l->keep_exe, argv);
	w.err.code = errno;
	snprintf(w.err.msg, sizeof(w.err.msg), "run %.400s", s->l->keep_exe);
	send_born(s->sync[1], &w, FD_NONE);
	_exit(1);
}

static _Noreturn void become_giver(struct start *s)
{
	const int stdio[3] = { s->in[0], s->out[1], s->err[1] };

	/* what says that others are there must not say it of us */
	ports_held_done(&s->ports);
	fd_close(&s->sync[0]);
	fd_close(&s->sync[1]);
	fd_close(&s->born[0]);
	fd_close(&s->first[0]);
	fd_close(&s->first[1]);
	fd_close(&s->listen);
	fd_close(&s->lock);
	_exit(give_birth(s->l, s->h, &s->ld, stdio, s->born[1]) ? 1 : 0);
}

static _Noreturn void become_minder(struct start *s, char **argv)
{
	sigset_t child;
	pid_t pid;

	setsid();
	/* an end that comes before clade-keep listens must wait for it */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	pid = fork();
	if (pid == 0)
		become_giver(s);
	if (pid < 0) {
		struct wire_born w = { .stage = WIRE_FAILED, .err = { errno, "fork" } };

		send_born(s->sync[1], &w, FD_NONE);
		_exit(1);
	}
	seal_let_go();
	become_keep(s, argv);
}

/* --- ourselves ------------------------------------------------------------------------------- */

/* A socket's path may have 107 bytes: the folder is named by its descriptor instead. */
static int open_listener(const struct held *h, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	autofd fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlinkat(h->dir, "attach.sock", 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/attach.sock", h->dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0)
		return err_set(e, errno, "make the socket for attach");
	return take_fd(&fd);
}

static int take_keep_lock(const struct held *h, struct err *e)
{
	autofd fd = openat(h->dir, "keep", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_set(e, errno, "open the minder's lock");
	/* whoever only looks has it for a moment */
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 2) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, errno, "take the minder's lock");
		if (waited > 5000)
			return err_say(e, "its minder is still busy with its last life");
		poll(NULL, 0, 2);
	}
	return take_fd(&fd);
}

static int make_streams(struct start *s, struct err *e)
{
	const struct record *r = &s->h->record;

	if (r->tty)
		return 0;
	if (pipe2(s->out, O_CLOEXEC) < 0 || pipe2(s->err, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	if (r->interactive && pipe2(s->in, O_CLOEXEC) < 0)
		return err_set(e, errno, "make a pipe");
	if (!r->interactive)
		s->in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return s->in[0] < 0 ? err_set(e, errno, "open /dev/null") : 0;
}

static int make_sockets(struct start *s, bool attach, struct err *e)
{
	int type = SOCK_SEQPACKET | SOCK_CLOEXEC;

	if (socketpair(AF_UNIX, type, 0, s->sync) < 0 ||
		socketpair(AF_UNIX, type, 0, s->born) < 0 ||
		(attach && socketpair(AF_UNIX, type, 0, s->first) < 0))
		return err_set(e, errno, "make a socket pair");
	s->listen = open_listener(s->h, e);
	return s->listen < 0 ? -e->code : 0;
}

/* The word that it runs, or why not. */
static int wait_for_word(int sync, struct err *e)
{
	struct wire_born w;
	ssize_t n;

	do
		n = recv(sync, &w, sizeof(w), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(w))
		return err_say(e, "its minder, clade-keep, was killed");
	if (w.stage == WIRE_RUNNING)
		return 0;
	e->code = w.err.code ? w.err.code : EPROTO;
	memcpy(e->msg, w.err.msg, sizeof(e->msg));
	err_distrust(e);
	return w.stage == WIRE_EXEC_FAILED ? LIFE_EXEC_FAILED : -e->code;
}

static int carry_out(struct start *s, struct err *e)
{
	char **argv = keep_args(s);
	pid_t pid = fork();

	if (pid < 0)
		return err_set(e, errno, "fork");
	if (pid == 0)
		become_minder(s, argv);
	/* the giver of birth is to be the last who has it: it waits beside INIT's work */
	seal_let_go();
	fd_close(&s->sync[1]);
	fd_close(&s->born[0]);
	fd_close(&s->born[1]);
	fd_close(&s->first[1]);
	fd_close(&s->listen);
	fd_close(&s->lock);
	s->keep = pid;
	return wait_for_word(s->sync[0], e);
}

static void start_done(struct start *s)
{
	int *all[] = { s->sync, s->born, s->first, s->in, s->out, s->err };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		fd_close(&all[i][0]);
		fd_close(&all[i][1]);
	}
	fd_close(&s->listen);
	fd_close(&s->lock);
	ports_held_done(&s->ports);
	loaded_done(&s->ld);
	arena_done(&s->arena);
}

/* Why it did not start stays with it, as docker's inspect has it. */
static void remember_error(struct held *h, int r, const struct err *e)
{
	struct err ignored;
	char text[640];

	if (r == 0 && !h->record.error)
		return;
	h->record.error = r ? arena_strdup(&h->arena, err_text(e, text, sizeof(text))) : NULL;
	record_write(h->dir, &h->record, &ignored);
}

int start_locked(const struct life *l, struct held *h, bool attach, struct life_attach **ret_attach,
	struct err *e)
{
	struct start s = { .l = l,
		.h = h,
		.sync = { FD_NONE, FD_NONE },
		.born = { FD_NONE, FD_NONE },
		.first = { FD_NONE, FD_NONE },
		.in = { FD_NONE, FD_NONE },
		.out = { FD_NONE, FD_NONE },
		.err = { FD_NONE, FD_NONE },
		.listen = FD_NONE,
		.lock = FD_NONE };
	int r = loaded_make(l, h, &s.ld, e);

	if (r == 0) {
		s.lock = take_keep_lock(h, e);
		r = s.lock < 0 ? -e->code : network_choose(l, h, &s.ports, e);
	}
	if (r == 0) {
		unlinkat(h->dir, "exit", 0);
		unlinkat(h->dir, "born", 0);
		unlinkat(h->dir, "stop", 0);
		r = make_streams(&s, e) < 0 || make_sockets(&s, attach, e) < 0 ? -e->code
									       : carry_out(&s, e);
	}
	remember_error(h, r, e);
	if (r == 0 && attach) {
		*ret_attach = mem_alloc(sizeof(**ret_attach));
		**ret_attach = (struct life_attach){ .sock = take_fd(&s.first[0]),
			.init = PROC_REF_NONE,
			.tty = h->record.tty,
			.is_first = true,
			.keep = s.keep };
	}
	/* one that failed is gone: it is not left to whoever adopts our children */
	if (r != 0 && s.keep > 0)
		waitpid(s.keep, NULL, 0);
	if (r != 0)
		network_clear(l, h);
	start_done(&s);
	return r;
}

int life_start(
	const struct life *l, const char *ref, struct life_attach **ret_attach, struct err *e)
{
	autofd lock = FD_NONE;
	char text[512];
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	int r;

	if (held_open(l, ref, &h, e) < 0)
		return -e->code;
	lock = held_lock(&h, e);
	if (lock < 0)
		return -e->code;
	if (now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.status == LIFE_PAUSED)
		return err_say(e, "container %s is paused; unpause it", h.record.name);
	if (now.status == LIFE_RUNNING || now.status == LIFE_RESTARTING)
		return ret_attach ? life_attach(l, ref, ret_attach, e) : 0;
	r = start_locked(l, &h, ret_attach != NULL, ret_attach, e);
	if (r == 0 && ret_attach && held_text(&h, "born", text, sizeof(text)))
		proc_ref_open((pid_t)held_number(text, "pid", 0),
			(uint64_t)held_number(text, "start", 0), &(*ret_attach)->init);
	return r;
}

int life_keep_start(const struct life *l, const char *id, struct err *e)
{
	struct wire_born w = { .stage = WIRE_FAILED };
	static const int stdio[3] = { 0, 1, 2 };
	autoloaded ld = { 0 };
	autoheld h = HELD_NONE;
	int r;

	fcntl(WIRE_BORN_FD, F_SETFD, FD_CLOEXEC);
	r = held_open(l, id, &h, e);
	if (r == 0) {
		network_down(l, &h);
		r = loaded_make(l, &h, &ld, e);
	}
	if (r == 0)
		return give_birth(l, &h, &ld, stdio, WIRE_BORN_FD) ? 1 : 0;
	w.err.code = e->code;
	memcpy(w.err.msg, e->msg, sizeof(w.err.msg));
	send_born(WIRE_BORN_FD, &w, FD_NONE);
	return r;
}
