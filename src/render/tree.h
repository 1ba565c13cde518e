/* SPDX-License-Identifier: Apache-2.0 */
/* The process tree across namespaces, as lines of text. */
#pragma once

#include "base/str.h"
#include "procs/snapshot.h"

struct tree_style {
	bool ascii;	     /* |-- instead of ├── */
	bool kernel_threads; /* shown too */
	/* The name of the container whose init is procs[i], or NULL; lent. */
	const char *(*name_of)(void *data, const struct snapshot *s, uint32_t i);
	void *data;
};

/* The tree below top (NO_PROC: everything) to t, a process a line, PIDs of every level. */
void tree_render(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);

/* The same tree as nested JSON objects, and as a graph for dot(1). */
void tree_json(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);
void tree_dot(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);
