/* SPDX-License-Identifier: Apache-2.0 */
#include "init/services/control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/options.h"
#include "init/services/ctl_wire.h"
#include "init/services/text.h"

enum { CLIENTS = 4 };

static struct {
	int listening;
	int clients[CLIENTS]; /* whose request is not complete yet; 0: none */
	unsigned oldest;
	char path[108];
} control;

/* A real-time signal: it queues, so that none of ours hides one of the program's, nor the other
 * way. */
static int our_signal(void)
{
	return SIGRTMAX - 1;
}

static bool tell_us(int fd)
{
	return fcntl(fd, F_SETOWN, getpid()) == 0 && fcntl(fd, F_SETSIG, our_signal()) == 0 &&
	       fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) == 0;
}

bool control_open(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	mode_t old;
	int fd, r;

	if (strlen(path) >= sizeof(a.sun_path)) {
		say("clade-init: control socket ", path, ": ", strerror(ENAMETOOLONG));
		return false;
	}
	memcpy(a.sun_path, path, strlen(path));
	memcpy(control.path, path, strlen(path));
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	old = umask(0077);
	r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(old);
	if (r < 0 || listen(fd, CLIENTS) < 0 || !tell_us(fd)) {
		say("clade-init: control socket ", path, ": ", strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	control.listening = fd;
	return true;
}

static void frame(int fd, char kind, const char *data, size_t n)
{
	char text[CTL_HEAD + 512];

	text[0] = kind;
	text[1] = (char)(n >> 8);
	text[2] = (char)n;
	memcpy(text + CTL_HEAD, data, n);
	/* who does not read has to do without */
	if (send(fd, text, CTL_HEAD + n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void say_out(int fd, const char *text, size_t n)
{
	frame(fd, CTL_OUT, text, n < 512 ? n : 512);
}

static void answer(int fd, const char *word, const struct control_counts *now)
{
	char text[400], code = 0;
	struct buf b = BUF(text);

	text[0] = '\0';
	if (strcmp(word, "stats") == 0) {
		buf_add(&b, "reaped %ld\nadopted %ld\nforwarded %ld\n", (long)now->reaped,
			(long)now->adopted, (long)now->forwarded);
	} else if (strcmp(word, "pid") == 0) {
		buf_add(&b, "%d\n", (int)now->main_pid);
	} else if (strcmp(word, "zombies") == 0) {
		if (now->zombies)
			now->zombies(say_out, fd);
	} else {
		buf_add(&b,
			"here is one program, not services: stats, zombies and pid can be asked "
			"for, not "
			"%.*s\n",
			64 < (int)strlen(word) ? 64 : (int)strlen(word), word);
		code = 1;
	}
	if (b.len)
		frame(fd, code ? CTL_ERR : CTL_OUT, text, b.len);
	frame(fd, CTL_EXIT, &code, 1);
}

static void accept_all(void)
{
	int fd;

	while ((fd = accept4(control.listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		int *place = &control.clients[control.oldest++ % CLIENTS];

		if (*place)
			close(*place);
		*place = fd;
		if (!tell_us(fd)) {
			close(fd);
			*place = 0;
		}
	}
}

bool control_event(const siginfo_t *info, const struct control_counts *now)
{
	/* SIGIO comes instead when the queue of signals is full; what people send has no positive
	 * code */
	if (control.listening <= 0 || info->si_code <= 0 ||
		(info->si_signo != our_signal() && info->si_signo != SIGIO))
		return false;
	accept_all();
	for (int i = 0; i < CLIENTS; i++) {
		char request[256];
		ssize_t n = control.clients[i] ? recv(control.clients[i], request,
							 sizeof(request) - 1, MSG_DONTWAIT)
					       : 0;

		if (!control.clients[i] || (n < 0 && (errno == EAGAIN || errno == EINTR)))
			continue;
		if (n > 0) {
			request[n] = '\0';
			answer(control.clients[i], request, now);
		}
		close(control.clients[i]);
		control.clients[i] = 0;
	}
	return true;
}

void control_close(void)
{
	if (control.listening > 0)
		unlink(control.path);
}
