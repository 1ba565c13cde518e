/* SPDX-License-Identifier: Apache-2.0 */
#include "os/resctrl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/file.h"

enum { MOUNTS_MAX = 64 << 20, SCHEMATA_MAX = 1 << 16 };

int resctrl_find(char **ret)
{
	autofree char *all = NULL;
	ssize_t n = file_read_all(AT_FDCWD, "/proc/self/mounts", MOUNTS_MAX, &all);
	char *save = NULL;

	if (n < 0)
		return (int)n;
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *place = strchr(line, ' '), *type = place ? strchr(place + 1, ' ') : NULL;

		if (!type || strncmp(type, " resctrl ", 9) != 0)
			continue;
		*type = '\0';
		*ret = mem_strdup(place + 1);
		return 0;
	}
	return -ENOENT;
}

static int open_below(int parent, const char *name, bool create, bool *ret_made)
{
	int fd;

	*ret_made = create && mkdirat(parent, name, 0755) == 0;
	if (create && !*ret_made && errno != EEXIST)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int resctrl_open(const char *root, const char *clos, bool create, bool *ret_made)
{
	autofd top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret_made = false;
	if (top < 0)
		return -errno;
	return str_eq(clos, "/") ? take_fd(&top) : open_below(top, clos, create, ret_made);
}

/* The value of a domain in a line's list "0=7f0;1=1f", up to the next ';' */
static bool find_domain(const char *list, unsigned long domain, const char **ret, size_t *ret_n)
{
	while (*list) {
		char *end;
		unsigned long id = strtoul(list, &end, 10);

		if (*end != '=')
			return false;
		*ret = end + 1;
		*ret_n = strcspn(end + 1, ";\n");
		if (id == domain)
			return true;
		list = *ret + *ret_n;
		list += *list == ';';
	}
	return false;
}

/* "7F0" is "7f0" is "07f0" */
static bool same_value(const char *a, size_t a_n, const char *b, size_t b_n)
{
	for (; a_n > 1 && *a == '0'; a++)
		a_n--;
	for (; b_n > 1 && *b == '0'; b++)
		b_n--;
	return a_n == b_n && strncasecmp(a, b, a_n) == 0;
}

/* Every domain that wanted names has the same value in have; both behind their colons */
static int same_list(const char *have, const char *wanted)
{
	while (*wanted) {
		const char *value, *there;
		size_t n, there_n;
		char *end;
		unsigned long domain = strtoul(wanted, &end, 10);

		if (end == wanted || *end != '=')
			return -EINVAL;
		value = end + 1;
		n = strcspn(value, ";\n");
		if (!find_domain(have, domain, &there, &there_n) ||
			!same_value(there, there_n, value, n))
			return 0;
		wanted = value + n;
		wanted += *wanted == ';';
	}
	return 1;
}

int resctrl_has(int group, const char *line)
{
	autofree char *all = NULL;
	const char *colon = strchr(line, ':');
	ssize_t n = file_read_all(group, "schemata", SCHEMATA_MAX, &all);
	char *save = NULL;

	if (n < 0)
		return (int)n;
	if (!colon || colon == line)
		return -EINVAL;
	for (char *have = strtok_r(all, "\n", &save); have; have = strtok_r(NULL, "\n", &save)) {
		/* the kernel aligns the names to the right */
		have += strspn(have, " ");
		if (strncmp(have, line, (size_t)(colon - line) + 1) == 0)
			return same_list(have + (colon - line) + 1, colon + 1);
	}
	return 0;
}

int resctrl_write(int group, const char *line)
{
	autotext t = { 0 };

	text_addf(&t, "%s\n", line);
	return file_write(group, "schemata", t.p);
}

int resctrl_monitor(int group, const char *name, bool *ret_made)
{
	bool made;
	autofd all = open_below(group, "mon_groups", false, &made);

	*ret_made = false;
	return all < 0 ? all : open_below(all, name, true, ret_made);
}

int resctrl_join(int group, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return file_write(group, "tasks", text);
}

const char *resctrl_why(const char *root, char *why, size_t size)
{
	autotext path = { 0 };

	text_addf(&path, "%s/info/last_cmd_status", root);
	if (file_read(AT_FDCWD, path.p, why, size) < 0)
		why[0] = '\0';
	why[strcspn(why, "\n")] = '\0';
	return why;
}
