/* SPDX-License-Identifier: Apache-2.0 */
/* Names of users, each asked for once. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct users {
	struct user_name {
		uid_t uid;
		char *name; /* owned; the number where nobody has that uid */
	} * items;	    /* owned, a hash with empty names as gaps */
	size_t n, room;
};

/* Lent until users_done(). */
const char *users_name(struct users *u, uid_t uid);

void users_done(struct users *u);
