/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers as the kernel's overlay would show them, without mounting them: the topmost that has a
 * path has it, whiteouts and opaque folders hide what is below. Nothing leads out of a layer:
 * each step is taken by the kernel below its descriptor, and links are read, not followed.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"

struct stack {
	int *layers; /* owned: O_PATH descriptors, topmost first */
	size_t n;
	bool userxattr; /* whose opaque mark counts */
};
#define STACK_NONE                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

void stack_done(struct stack *v);
#define autostack __attribute__((cleanup(stack_done))) struct stack

/* Adds a layer on top; the descriptor is taken. */
void stack_push(struct stack *v, int layer);

/*
 * Finds a path without links on the way ("usr/lib"; "" is the root): an O_PATH descriptor of
 * what is there, which may be a link itself, or -ENOENT. st may be NULL.
 */
int stack_find(const struct stack *v, const char *path, struct stat *st);

/* Opens a file as a process in the container would see it, links followed within; or -errno. */
int stack_open(const struct stack *v, const char *path, int flags);

/* Does what a layer has on the way to a path hide what layers below it have there? */
bool stack_layer_hides(int layer, const char *path, bool userxattr);

/* overlay's marks */
const char *stack_opaque_name(bool userxattr);
bool stack_is_whiteout(const struct stat *st);
bool stack_is_opaque(int fd, bool userxattr);
