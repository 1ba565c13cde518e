/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket's language. A request is words, each ended by a NUL, and one more NUL; one
 * request a connection. The answer is frames: a kind, the length of what follows (two bytes, the
 * high one first), that many bytes.
 */
#pragma once

enum ctl_kind {
	CTL_OUT = 'o',	/* for standard output */
	CTL_ERR = 'e',	/* for standard error */
	CTL_EXIT = 'x', /* one byte: the exit code; the last frame */
};

enum { CTL_HEAD = 3, CTL_DATA_MAX = 4096, CTL_REQUEST_MAX = 2048 };

/* Where it is when nobody says: the first of these that can be made, in this order. */
#define CTL_PLACES "/run/clade-init.sock", "/tmp/clade-init.sock", "/dev/shm/clade-init.sock"
