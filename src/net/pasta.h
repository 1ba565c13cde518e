/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pasta(1): a network of its own for one container without any of the host being changed. It
 * ends by itself when DIR/netns is removed, which also whoever removes the folder does.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "net/helper.h"
#include "net/want.h"

/* What a container of WANT_PRIVATE sees; the same for each, as nobody else is on its network. */
#define PASTA_ADDRESS  "10.0.2.100"
#define PASTA_BITS     24
#define PASTA_GATEWAY  "10.0.2.2"
#define PASTA_DNS      "10.0.2.3"
#define PASTA_ADDRESS6 "fd00:2::100"
#define PASTA_GATEWAY6 "fd00:2::2"

/* 0; PASTA_OFFLINE: the host itself has no way out; or why it cannot be, in e. */
#define PASTA_OFFLINE 1
int pasta_usable(struct arena *a, const char **ret_path, struct err *e);

/*
 * Starts it for the namespaces of a process. path is the absolute name of dir, which stays open.
 * forward_dns: PASTA_DNS is answered by the host's own resolver.
 */
struct pasta_request {
	const char *pasta, *path;
	int dir;
	const int *namespaces; /* of pasta_namespaces() */
	const struct want *want;
	bool forward_dns;
};
int pasta_begin(const struct pasta_request *r, struct helper *ret, struct err *e);
/*
 * Waits until the network is there, and gives the container's interface its MAC (NULL: any) in
 * the namespaces of its process, which pasta_namespaces() opened while that was new: fds[0] is
 * the network namespace, fds[1] the user namespace, or FD_NONE where it is ours.
 */
int pasta_namespaces(pid_t init, int fds[2], struct err *e);
int pasta_ready(struct helper *h, const char *mac, const int fds[2], struct err *e);

/* Ends the one of this folder, if there is one, and waits until it is gone. */
void pasta_end(int dir, const char *path);
