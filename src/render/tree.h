/* SPDX-License-Identifier: Apache-2.0 */
/* The process tree across namespaces: as lines of text, JSON, a graph for dot(1), a picture. */
#pragma once

#include "base/str.h"
#include "procs/seen.h"
#include "procs/snapshot.h"

struct tree_style {
	bool ascii;		 /* |-- instead of ├── */
	bool kernel_threads;	 /* shown too */
	const bool *hidden;	 /* processes that are left out, with all below; NULL: none */
	bool unfolded;		 /* every zombie on a line of its own */
	bool colour;		 /* escape sequences; text only */
	unsigned width;		 /* command lines are cut so that a line fits; 0: never */
	const struct seen *seen; /* since when zombies are known; may be NULL */
	/* The name of the container whose init is procs[i], or NULL; lent. */
	const char *(*name_of)(void *data, const struct snapshot *s, uint32_t i);
	void *data;
	/*
	 * With top NO_PROC: only this namespace and those below, whoever is the parent: its init's
	 * tree and one for each process that entered. NO_NS: all.
	 */
	uint32_t ns;
	/* May be NULL: processes whose children are not shown. */
	bool (*is_closed)(void *data, uint32_t i);
};

/* One line of a tree. */
struct tree_row {
	uint32_t proc;	 /* folded > 0: the first of those that are folded */
	uint32_t folded; /* so many more zombies like the one above; 0: a process */
	uint32_t depth;	 /* below the top */
	bool last;	 /* no sibling below it */
	bool closed;	 /* has children that are not shown */
};

/*
 * The lines of the tree below top (NO_PROC: everything), parents first, in linear time. A run of
 * three or more zombies of one parent with the same name, status and origin is folded.
 */
struct tree_row *tree_rows(const struct snapshot *s, uint32_t top, const struct tree_style *style,
	struct arena *a, size_t *ret_n);

/* "├── " and what stands before it, for a row; last[d]: is its ancestor of depth d the last? */
enum { TREE_DEPTH_MAX = 512 };
void tree_add_branches(struct text *t, const struct tree_row *row, bool *last, bool ascii);

/* "1234/1 nginx: master  [init of container web, level 1]" in at most width columns (0: any). */
void tree_add_label(struct text *t, const struct snapshot *s, const struct tree_row *row,
	const struct tree_style *style, unsigned width);

void tree_render(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);
void tree_json(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);

/* A box for each PID namespace inside of that of its parent. */
void tree_dot(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);

/* The namespaces as a tree, and each process with its PID at every level. Needs nothing to show. */
void tree_svg(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t);

/* What the pictures share. */
bool tree_is_shown(const struct snapshot *s, uint32_t i, const struct tree_style *style);
/* roots[0..n): where the trees begin, a namespace's init before those who entered. In the arena. */
uint32_t *tree_roots(const struct snapshot *s, uint32_t top, const struct tree_style *style,
	struct arena *a, size_t *ret_n);
/* folded[i]: how many zombies like i follow it, or TREE_FOLDED for one of those. In the arena. */
#define TREE_FOLDED ((uint32_t)-1)
uint32_t *tree_folds(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct arena *a);
