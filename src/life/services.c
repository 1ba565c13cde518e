/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services: speaks with the clade-init that is a container's PID 1, over its control socket, from
 * outside. Which socket that is the kernel says; the way to it leads through the container's root
 * and stays in there, whatever lies on it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "init/services/ctl_wire.h"
#include "life/internal.h"
#include "os/file.h"
#include "os/procfs.h"
#include "os/root.h"

/* Does the process have a socket of this inode open? */
static bool has_socket(pid_t pid, const char *inode)
{
	char path[64], link[64], wanted[64];
	DIR *dir;
	struct dirent *d;
	bool found = false;

	snprintf(wanted, sizeof(wanted), "socket:[%s]", inode);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found = str_eq(link, wanted);
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * The path at which it listens, from "net/unix" (proc_net(5)): Num RefCount Protocol Flags Type St
 * Inode Path, where the flag 00010000 is a listening socket. False: it listens nowhere.
 */
static bool find_path(pid_t pid, char *ret, size_t size)
{
	autofd proc = procfs_open("/proc");
	autofree char *text = NULL;
	char *rest = NULL;

	if (proc < 0 || procfs_read_all(proc, pid, "net/unix", &text) < 0)
		return false;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char flags[16], inode[24], path[128];

		if (sscanf(line, "%*s %*s %*s %15s %*s %*s %23s %127[^\n]", flags, inode, path) !=
			3)
			continue;
		if (str_eq(flags, "00010000") && path[0] == '/' && has_socket(pid, inode)) {
			snprintf(ret, size, "%s", path);
			return true;
		}
	}
	return false;
}

static int connect_to(const struct held *h, const struct now *now, int *ret, struct err *e)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);
	char path[128], text[64];
	autofd root = FD_NONE, socket_file = FD_NONE, sock = FD_NONE;

	if (!find_path(now->init.pid, path, sizeof(path)))
		return err_say(e, "container %s: its PID 1 is no clade-init with a control socket",
			h->record.name);
	snprintf(text, sizeof(text), "/proc/%d/root", now->init.pid);
	root = open(text, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_set(e, errno, "open the root of container %s", h->record.name);
	socket_file = root_open(root, path, O_PATH | O_CLOEXEC);
	if (socket_file < 0)
		return err_set(e, -socket_file, "open %s in container %s", path, h->record.name);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_set(e, errno, "make a socket");
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", socket_file);
	if (connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "connect to %s in container %s", path, h->record.name);
	/* not whoever else has put a socket there meanwhile */
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &n) < 0 || who.pid != now->init.pid)
		return err_say(e, "%s in container %s is not its PID 1's", path, h->record.name);
	*ret = take_fd(&sock);
	return 0;
}

static int send_request(int sock, const char *const *words, struct err *e)
{
	char request[CTL_REQUEST_MAX];
	size_t len = 0;

	for (; *words; words++) {
		size_t n = strlen(*words) + 1;

		if (n == 1)
			continue;
		if (n > sizeof(request) - 1 - len)
			return err_say(e, "more words than a request can hold");
		memcpy(request + len, *words, n);
		len += n;
	}
	request[len++] = '\0';
	if (send(sock, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return err_set(e, errno ? errno : EPIPE, "send the request");
	return 0;
}

static bool receive(int sock, void *to, size_t n)
{
	return recv(sock, to, n, MSG_WAITALL) == (ssize_t)n;
}

int life_services(const struct life *l, const char *ref, const char *const *words,
	void (*show)(int stream, const char *text, size_t n), int *ret_code, struct err *e)
{
	autoheld h = HELD_NONE;
	autonow now = NOW_NONE;
	autofd sock = FD_NONE;
	unsigned char head[CTL_HEAD];
	char data[CTL_DATA_MAX];

	if (held_open(l, ref, &h, e) < 0 || now_look(l, &h, &now, e) < 0)
		return -e->code;
	if (now.init.pidfd < 0)
		return err_say(e, "container %s is not running", h.record.name);
	if (connect_to(&h, &now, &sock, e) < 0 || send_request(sock, words, e) < 0)
		return -e->code;
	while (receive(sock, head, sizeof(head))) {
		size_t n = (size_t)head[1] << 8 | head[2];

		if (n > sizeof(data) || !receive(sock, data, n))
			break;
		if (head[0] == CTL_EXIT && n == 1) {
			*ret_code = (unsigned char)data[0];
			return 0;
		}
		if (head[0] == CTL_OUT || head[0] == CTL_ERR)
			show(head[0] == CTL_OUT ? 1 : 2, data, n);
	}
	return err_say(e, "the clade-init of container %s went away before it had answered",
		h.record.name);
}
