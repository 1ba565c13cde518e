/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals: a container's pair, and the user's own in raw mode. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

/*
 * Opens the master of a new pair from a ptmx and its slave by TIOCGPTPEER (Linux 4.13), so that
 * no path of a devpts is walked. ptmx is lent. 0 or -errno.
 */
int tty_open_pair(int ptmx, int *ret_slave);

/* Unlocks nothing, makes output plain: ONLCR off, as runc's consoles are. 0 or -errno. */
int tty_plain_output(int slave);

int tty_set_size(int fd, uint16_t rows, uint16_t cols);
int tty_get_size(int fd, uint16_t *ret_rows, uint16_t *ret_cols);

/* The slave becomes this session's controlling terminal; the caller leads a session without one. */
int tty_make_controlling(int slave);

/* Raw mode as cfmakeraw(3) with the old state in *ret_old; tty_restore() brings it back. */
int tty_make_raw(int fd, struct termios *ret_old);
int tty_restore(int fd, const struct termios *old);
/* Raw, but for the output, which is as it was. */
int tty_keep_output(int fd, const struct termios *old);

bool tty_is(int fd);
