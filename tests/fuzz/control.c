/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket of clade-init: a client sends any bytes, and what it gets are whole frames,
 * the last one an exit code, or an answer of HTTP. */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "init/services/ctl.h"

static const char services[] =
	"[service web]\nrun = true\n[service db]\nrun = true\nlog = none\nneeds = web\n";
static char socket_path[64];

static void begin(void)
{
	static char path[64];
	int fd = memfd_create("services", 0);
	char text[512];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(socket_path, sizeof(socket_path), "/tmp/clade-fuzz-%d.sock", (int)getpid());
	snprintf(text, sizeof(text), "[init]\nsocket = %s\nidle = stay\n%s", socket_path, services);
	PROMISE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	sv.path = path;
	sv.all = calloc(SV_MAX, sizeof(*sv.all));
	sv.text = calloc(SV_MAX, sizeof(*sv.text));
	sv.epoll = epoll_create1(EPOLL_CLOEXEC);
	sv.loglevel = 100;
	sv.now = &sv.gens[0];
	PROMISE(sv.all && sv.text && conf_load(sv.now, path, false) && ctl_begin());
	change_begin(sv.now);
}

static void answer_is_frames(int fd)
{
	static char text[1 << 20];
	ssize_t n, have = 0;

	while (have < (ssize_t)sizeof(text) &&
		(n = recv(fd, text + have, sizeof(text) - (size_t)have, MSG_DONTWAIT)) > 0)
		have += n;
	if (have >= 5 && memcmp(text, "HTTP/", 5) == 0) {
		/* what is waited for has no end yet; no body is without one */
		PROMISE(have < 12 || memmem(text, (size_t)have, "\r\n\r\n", 4));
		return;
	}
	for (ssize_t at = 0; at < have;) {
		size_t len;

		PROMISE(have - at >= CTL_HEAD);
		len = (size_t)(unsigned char)text[at + 1] << 8 | (unsigned char)text[at + 2];
		PROMISE(at + CTL_HEAD + (ssize_t)len <= have && len <= CTL_DATA_MAX);
		PROMISE(text[at] == CTL_OUT || text[at] == CTL_ERR ||
			(text[at] == CTL_EXIT && len == 1 && at + CTL_HEAD + 1 == have));
		at += CTL_HEAD + (ssize_t)len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t half = n / 2;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (!sv.path)
		begin();
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	PROMISE(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	ctl_accept(false);
	for (int part = 0; part < 2; part++) {
		const uint8_t *from = data + (part ? half : 0);

		send(fd, from, part ? n - half : half, MSG_NOSIGNAL | MSG_DONTWAIT);
		for (int i = 0; i < CLIENTS; i++)
			ctl_client(i);
	}
	answer_is_frames(fd);
	close(fd);
	for (int i = 0; i < CLIENTS; i++)
		ctl_client(i);
	/* what it asked for is not carried out here: no engine runs */
	sv.mood = MOOD_RUNNING;
	change_drop();
	return 0;
}
