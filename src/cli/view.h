/* SPDX-License-Identifier: Apache-2.0 */
/* What the process views share: a snapshot that knows clade's own containers by name. */
#pragma once

#include "cli/commands.h"
#include "procs/seen.h"
#include "procs/snapshot.h"
#include "procs/users.h"

struct view {
	struct snapshot s;
	struct life_info *containers; /* ours that run */
	size_t n_containers;
	struct seen seen; /* since when its zombies are known */
	struct users users;
	struct arena arena; /* of what the view itself knows */
};

/* wants: enum snapshot_wants; owners are always found. */
int view_read(const struct cmd_call *call, unsigned wants, struct view *ret, struct err *e);
/* Another look with the same view; on failure there is none any more. */
int view_again(const struct cmd_call *call, unsigned wants, struct view *v, struct err *e);
void view_done(struct view *v);

/* Says beside the result that hidepid= kept some from us, if it did. */
void view_say_hidden(const struct view *v);

/* The name of the container of ours whose init is s->procs[i]; data: the view. */
const char *view_name_of(void *data, const struct snapshot *s, uint32_t i);

/*
 * "web", "1234", "web:17" (PID 17 inside of web's namespace), "NS:17" (by inode): the process.
 * What else is known of a container (another engine's) by its name or the beginning of its ID.
 */
int view_find(const struct view *v, const char *word, uint32_t *ret, struct err *e);

/* A namespace by its container's name or ID, or by its inode; NO_NS. */
uint32_t view_find_ns(const struct view *v, const char *word);
