/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "keep/keep.h"

void fixed_add_n(struct fixed *t, const char *s, size_t n)
{
	if (n > t->room - t->len)
		n = t->room - t->len;
	memcpy(t->p + t->len, s, n);
	t->len += n;
}

void fixed_add(struct fixed *t, const char *s)
{
	fixed_add_n(t, s, strlen(s));
}

void fixed_number(struct fixed *t, uint64_t n, int min_digits)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
		min_digits--;
	} while (n || min_digits > 0);
	fixed_add_n(t, digits + at, sizeof(digits) - at);
}

void fixed_now(struct fixed *t)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	fixed_number(t, (uint64_t)tm.tm_year + 1900, 4);
	fixed_add(t, "-");
	fixed_number(t, (uint64_t)tm.tm_mon + 1, 2);
	fixed_add(t, "-");
	fixed_number(t, (uint64_t)tm.tm_mday, 2);
	fixed_add(t, "T");
	fixed_number(t, (uint64_t)tm.tm_hour, 2);
	fixed_add(t, ":");
	fixed_number(t, (uint64_t)tm.tm_min, 2);
	fixed_add(t, ":");
	fixed_number(t, (uint64_t)tm.tm_sec, 2);
	fixed_add(t, ".");
	fixed_number(t, (uint64_t)now.tv_nsec, 9);
	fixed_add(t, "Z");
}

long text_number(const char *s)
{
	long n = 0;

	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > 100000000000000L)
			return -1;
		n = n * 10 + (*s - '0');
	}
	return n;
}
