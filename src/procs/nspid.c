/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/nspid.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The text after "label:" at the beginning of a line, or NULL. */
static const char *find_line(const char *status, const char *label)
{
	size_t n = strlen(label);

	for (const char *s = status, *end; s; s = end ? end + 1 : NULL) {
		if (strncmp(s, label, n) == 0 && s[n] == ':')
			return s + n + 1;
		end = strchr(s, '\n');
	}
	return NULL;
}

int nspid_parse(const char *status, const char *label, struct nspid *ret)
{
	const char *s = find_line(status, label);
	struct nspid n = { 0 };

	if (!s)
		return NSPID_ABSENT;
	while (*s == '\t' || *s == ' ') {
		long v = 0;

		s++;
		if (*s < '0' || *s > '9')
			return -EBADMSG;
		for (; *s >= '0' && *s <= '9'; s++) {
			v = v * 10 + (*s - '0');
			if (v > INT_MAX)
				return -EBADMSG;
		}
		if (n.depth == NSPID_DEPTH_MAX)
			return -E2BIG;
		n.pid[n.depth++] = (pid_t)v;
	}
	if ((*s && *s != '\n') || n.depth == 0)
		return -EBADMSG;
	*ret = n;
	return 0;
}
