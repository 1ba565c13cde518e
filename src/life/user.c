/* SPDX-License-Identifier: Apache-2.0 */
/*
 * -u and --group-add: names by the container's own /etc/passwd and /etc/group, which may hold
 * anything. A number needs no entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "life/internal.h"
#include "os/file.h"
#include "os/root.h"

enum { FILE_MAX = 16 << 20, FIELDS = 7 };

static char *read_below(int root, const char *path, struct arena *a)
{
	autofd fd = root_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	autofree char *text = NULL;

	if (fd < 0 || file_read_fd(fd, FILE_MAX, &text) < 0)
		return NULL;
	return arena_strdup(a, text);
}

/* The next "a:b:c" line as its fields; what is missing is "". */
static bool next_entry(char **at, char *fields[FIELDS])
{
	static char none[] = "";
	char *line = strsep(at, "\n");

	if (!line)
		return false;
	for (size_t i = 0; i < FIELDS; i++)
		fields[i] = line ? strsep(&line, ":") : none;
	return true;
}

static bool is_number(const char *s, uint32_t *ret)
{
	uint64_t n;

	if (str_u64(s, &n) < 0 || n > UINT32_MAX - 1)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static int find_user(char *passwd, const char *user, struct spec_user *ret, const char **ret_name,
	const char **ret_home, struct err *e)
{
	char *fields[FIELDS];
	uint32_t uid, entry_uid, entry_gid;
	bool number = is_number(user, &uid);

	while (next_entry(&passwd, fields)) {
		if (!is_number(fields[2], &entry_uid) || !is_number(fields[3], &entry_gid))
			continue;
		/* a name that looks like a number is the number, as for docker */
		if (number ? entry_uid != uid : !str_eq(fields[0], user))
			continue;
		ret->uid = entry_uid;
		ret->gid = entry_gid;
		*ret_name = fields[0];
		*ret_home = fields[5];
		return 0;
	}
	if (!number)
		return err_say(
			e, "unable to find user %s: no matching entries in passwd file", user);
	ret->uid = uid;
	ret->gid = 0;
	return 0;
}

static int find_group(
	const char *text, const char *group, struct arena *a, uint32_t *ret, struct err *e)
{
	char *fields[FIELDS], *at = arena_strdup(a, text ? text : "");

	if (is_number(group, ret))
		return 0;
	while (next_entry(&at, fields))
		if (str_eq(fields[0], group) && is_number(fields[2], ret))
			return 0;
	return err_say(e, "unable to find group %s: no matching entries in group file", group);
}

static bool lists(char *members, const char *name)
{
	char *member;

	while ((member = strsep(&members, ",")))
		if (str_eq(member, name))
			return true;
	return false;
}

static void add_gid(struct arena *a, uint32_t **gids, size_t *n, uint32_t gid)
{
	uint32_t *place;

	for (size_t i = 0; i < *n; i++)
		if ((*gids)[i] == gid)
			return;
	place = arena_grow(a, gids, n, sizeof(*place));
	*place = gid;
}

int user_resolve(int root, const char *user, const struct spec_strings *groups, struct arena *a,
	struct spec_user *ret, const char **ret_home, struct err *e)
{
	return user_resolve_in(read_below(root, "/etc/passwd", a),
		read_below(root, "/etc/group", a), user, groups, a, ret, ret_home, e);
}

int user_resolve_in(char *passwd, const char *group, const char *user,
	const struct spec_strings *groups, struct arena *a, struct spec_user *ret,
	const char **ret_home, struct err *e)
{
	char *name = arena_strdup(a, user && user[0] ? user : "0"), *of_group = strchr(name, ':');
	const char *login = NULL, *home = NULL;
	char *fields[FIELDS], *at;
	uint32_t *gids = NULL, gid;
	size_t n = 0;

	if (of_group)
		*of_group++ = '\0';
	if (find_user(passwd ? passwd : arena_strdup(a, ""), name[0] ? name : "0", ret, &login,
		    &home, e) < 0)
		return -e->code;
	if (of_group && of_group[0]) {
		if (find_group(group, of_group, a, &ret->gid, e) < 0)
			return -e->code;
	} else if (login && group) {
		/* with a group of its own choice the others do not come along, as for docker */
		at = arena_strdup(a, group);
		while (next_entry(&at, fields))
			if (is_number(fields[2], &gid) && lists(fields[3], login))
				add_gid(a, &gids, &n, gid);
	}
	for (size_t i = 0; groups && i < groups->n; i++) {
		if (find_group(group, groups->items[i], a, &gid, e) < 0)
			return -e->code;
		add_gid(a, &gids, &n, gid);
	}
	ret->additional_gids = gids;
	ret->n_additional_gids = n;
	*ret_home = home && home[0] == '/' ? home : NULL;
	return 0;
}
