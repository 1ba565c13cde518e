/* SPDX-License-Identifier: Apache-2.0 */
#include "os/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

int tty_open_pair(int ptmx, int *ret_slave)
{
	int unlock = 0, slave;

	if (ioctl(ptmx, TIOCSPTLCK, &unlock) < 0)
		return -errno;
	slave = ioctl(ptmx, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	*ret_slave = slave;
	return 0;
}

int tty_plain_output(int slave)
{
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return -errno;
	t.c_oflag &= ~(tcflag_t)ONLCR;
	return tcsetattr(slave, TCSANOW, &t) < 0 ? -errno : 0;
}

int tty_keep_output(int fd, const struct termios *old)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_oflag = old->c_oflag;
	return tcsetattr(fd, TCSADRAIN, &t) < 0 ? -errno : 0;
}

int tty_set_size(int fd, uint16_t rows, uint16_t cols)
{
	struct winsize size = { .ws_row = rows, .ws_col = cols };

	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int tty_get_size(int fd, uint16_t *ret_rows, uint16_t *ret_cols)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return -errno;
	*ret_rows = size.ws_row;
	*ret_cols = size.ws_col;
	return 0;
}

int tty_make_controlling(int slave)
{
	return ioctl(slave, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

int tty_make_raw(int fd, struct termios *ret_old)
{
	struct termios raw;

	if (tcgetattr(fd, ret_old) < 0)
		return -errno;
	raw = *ret_old;
	cfmakeraw(&raw);
	return tcsetattr(fd, TCSADRAIN, &raw) < 0 ? -errno : 0;
}

int tty_restore(int fd, const struct termios *old)
{
	return tcsetattr(fd, TCSADRAIN, old) < 0 ? -errno : 0;
}

bool tty_is(int fd)
{
	return isatty(fd);
}
