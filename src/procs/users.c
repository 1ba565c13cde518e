/* SPDX-License-Identifier: Apache-2.0 */
#include "procs/users.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static void grow(struct users *u)
{
	struct users wider = { .room = u->room ? 2 * u->room : 64 };

	wider.items = mem_alloc(wider.room * sizeof(*wider.items));
	for (size_t i = 0; i < u->room; i++) {
		size_t h = u->items[i].uid;

		if (!u->items[i].name)
			continue;
		while (wider.items[h % wider.room].name)
			h++;
		wider.items[h % wider.room] = u->items[i];
	}
	wider.n = u->n;
	free(u->items);
	*u = wider;
}

const char *users_name(struct users *u, uid_t uid)
{
	const struct passwd *p;
	char number[16];
	size_t h = uid;

	if (2 * u->n >= u->room)
		grow(u);
	for (; u->items[h % u->room].name; h++)
		if (u->items[h % u->room].uid == uid)
			return u->items[h % u->room].name;
	p = getpwuid(uid);
	snprintf(number, sizeof(number), "%u", uid);
	u->items[h % u->room] = (struct user_name){ uid, mem_strdup(p ? p->pw_name : number) };
	u->n++;
	return u->items[h % u->room].name;
}

void users_done(struct users *u)
{
	for (size_t i = 0; i < u->room; i++)
		free(u->items[i].name);
	free(u->items);
	*u = (struct users){ 0 };
}
