/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/pids_limit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of the pids controller's line, else of the v2 line ("0::/path"), up to its newline. */
static const char *find_path(const char *cgroup, bool *ret_v1)
{
	const char *path = NULL;

	*ret_v1 = false;
	for (const char *line = cgroup; line && *line;
		line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *names = strchr(line, ':'), *end = names ? strchr(names + 1, ':') : NULL;

		if (!end || end > line + strcspn(line, "\n"))
			continue;
		names++;
		if (end - names == 4 && strncmp(names, "pids", 4) == 0) {
			*ret_v1 = true;
			return end + 1;
		}
		if (end == names)
			path = end + 1;
	}
	return path;
}

/* A number from a file; "max" and what is not there are -1. */
static int64_t read_number(const char *root, const char *path, int len, const char *name)
{
	char file[4400], text[64] = "";
	int64_t v = -1;
	FILE *f;

	snprintf(file, sizeof(file), "%s%.*s/pids.%s", root, len, path, name);
	f = fopen(file, "re");
	if (!f)
		return -1;
	if (fgets(text, sizeof(text), f) && *text >= '0' && *text <= '9')
		v = strtoll(text, NULL, 10);
	fclose(f);
	return v;
}

void pids_limit_read(const char *cgroup, struct pids_limit *ret)
{
	static const char *const v2_roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	bool v1;
	const char *path = find_path(cgroup, &v1);
	int len = path ? (int)strcspn(path, "\n") : 0;

	*ret = (struct pids_limit){ -1, -1 };
	/* a path above the reader's own cgroup namespace is nowhere to be found */
	if (!path || len > 4096 || (len >= 3 && strncmp(path, "/..", 3) == 0))
		return;
	for (int i = 0; i < (v1 ? 1 : 2) && ret->current < 0; i++) {
		const char *root = v1 ? "/sys/fs/cgroup/pids" : v2_roots[i];

		ret->current = read_number(root, path, len, "current");
		ret->max = read_number(root, path, len, "max");
	}
}
