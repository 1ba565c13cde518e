/* SPDX-License-Identifier: Apache-2.0 */
/* HOST: what is done for the newborn from outside before it may go on alone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "birth/internal.h"
#include "os/file.h"
#include "os/sched.h"
#include "os/tty.h"

int host_hooks(struct birth *b, struct err *e)
{
	int r;

	if (!b->state_json)
		return err_say(e, "hooks are asked for, but nobody tells them the state");
	r = hooks_run(b->plan, HOOK_PRESTART, b->state_json(b->data, "creating", b->init.pid), e);
	if (r < 0)
		return r;
	return hooks_run(
		b->plan, HOOK_CREATE_RUNTIME, b->state_json(b->data, "creating", b->init.pid), e);
}

bool birth_host_sets_limits(const struct plan *p)
{
	return p->host->caps & (UINT64_C(1) << CAP_SYS_RESOURCE);
}

enum { ROOM_FDS = 1024, ROOM_STACK = 1 << 20 };

bool birth_limits_are_tight(const struct plan *p)
{
	bool is_root = p->ids.uid == 0 && p->ids.writer == IDMAP_NONE && !p->namespaces.joins_user;

	if (!birth_host_sets_limits(p))
		return false;
	for (size_t i = 0; i < p->process.n_rlimits; i++) {
		const struct spec_rlimit *l = &p->process.rlimits[i];

		switch (l->resource) {
		case RLIMIT_NOFILE:
			if (l->soft < ROOM_FDS)
				return true;
			break;
		case RLIMIT_STACK:
			if (l->soft < ROOM_STACK)
				return true;
			break;
		/* INIT becomes somebody whose processes may be too many already: execve(2) */
		case RLIMIT_NPROC:
			if (!is_root)
				return true;
			break;
		case RLIMIT_CORE:
		case RLIMIT_MEMLOCK:
		case RLIMIT_MSGQUEUE:
		case RLIMIT_NICE:
		case RLIMIT_RTPRIO:
		case RLIMIT_SIGPENDING:
			break;
		default:
			return true;
		}
	}
	return false;
}

int birth_set_limits(const struct plan *p, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < p->process.n_rlimits; i++) {
		const struct spec_rlimit *l = &p->process.rlimits[i];
		int r = sched_set_rlimit(pid, l->resource, l->soft, l->hard);

		if (r < 0)
			return err_set(e, -r, "set rlimit %d to %llu:%llu", l->resource,
				(unsigned long long)l->soft, (unsigned long long)l->hard);
	}
	return 0;
}

/* By the number: limits that INIT itself may have no right to raise in its user namespace. */
int host_limits(struct birth *b, struct err *e)
{
	const struct plan_process *p = &b->plan->process;
	char path[48], text[16];
	int r;

	if (birth_host_sets_limits(b->plan) && birth_set_limits(b->plan, b->init.pid, e) < 0)
		return -e->code;
	if (!p->oom_score_adj.set)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", b->init.pid);
	snprintf(text, sizeof(text), "%lld", (long long)p->oom_score_adj.value);
	r = file_write(AT_FDCWD, path, text);
	return r < 0 ? err_set(e, -r, "set oom_score_adj to %s", text) : 0;
}

/* seccomp notify: the listener goes to whoever handles it, with the state. */
static int send_listener(
	int sock, pid_t pid, const char *state, const char *metadata, int listener, struct err *e)
{
	autotext json = { 0 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec io;
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room };

	/* config-linux.md#containerprocessstate */
	text_addf(&json, "{\"ociVersion\":\"1.3.0\",\"fds\":[\"seccompFd\"],\"pid\":%d,", pid);
	if (metadata) {
		text_add(&json, "\"metadata\":\"");
		for (const char *s = metadata; *s; s++) {
			if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20)
				text_addf(&json, "\\u%04x", (unsigned char)*s);
			else
				text_add_n(&json, s, 1);
		}
		text_add(&json, "\",");
	}
	text_addf(&json, "\"state\":%s}", state);
	io = (struct iovec){ json.p, json.len };
	h.msg_controllen = sizeof(control.room);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &listener, sizeof(int));
	return sendmsg(sock, &h, MSG_NOSIGNAL) < 0 ? err_set(e, errno, "send the seccomp listener")
						   : 0;
}

int host_listener(struct birth *b, struct err *e)
{
	const struct plan_seccomp *s = &b->plan->process.seccomp;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	autofd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), listener = FD_NONE;
	autofree char *state = NULL;

	if (b->n_give < 1)
		return err_say(e, "the container's first process brought no seccomp listener");
	listener = b->give[--b->n_give];
	if (strlen(s->listener_path) >= sizeof(to.sun_path))
		return err_set(e, ENAMETOOLONG, "linux.seccomp.listenerPath");
	strcpy(to.sun_path, s->listener_path);
	if (sock < 0 || connect(sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		return err_set(e, errno, "connect to the seccomp listener %s", s->listener_path);
	state = b->state_json ? b->state_json(b->data, "creating", b->init.pid) : mem_strdup("{}");
	return send_listener(sock, b->init.pid, state, s->listener_metadata, listener, e);
}

int host_prepare(struct birth *b, struct err *e)
{
	/* without a /proc of ours the start time stays unknown */
	proc_ref_adopt(b->init.pid, b->init.pidfd, &b->init);
	return b->prepare ? b->prepare(b->data, &b->init, e) : 0;
}

int host_record(struct birth *b, struct err *e)
{
	if (b->plan->process.terminal) {
		if (b->n_give < 1)
			return err_say(e, "the container's first process brought no terminal");
		b->tty_master = take_fd(&b->give[--b->n_give]);
		if (b->plain_output)
			tty_plain_output(b->tty_master);
	}
	return b->born ? b->born(b->data, &b->init, b->tty_master, e) : 0;
}
