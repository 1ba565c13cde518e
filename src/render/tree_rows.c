/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines a tree has. Without recursion: a hostile tree may be as deep as it has processes. */
#include "render/tree.h"

enum { FOLD_MIN = 2 };

bool tree_is_shown(const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	return (style->kernel_threads || !s->procs[i].kernel_thread) &&
	       !(style->hidden && style->hidden[i]);
}

static bool is_like(const struct proc *a, const struct proc *b)
{
	return proc_is_zombie(a) && proc_is_zombie(b) && a->n_threads <= 1 && b->n_threads <= 1 &&
	       a->first_child == NO_PROC && b->first_child == NO_PROC &&
	       a->exit_status == b->exit_status && a->origin == b->origin && a->ns == b->ns &&
	       str_eq(a->comm, b->comm);
}

static void fold_children(
	const struct snapshot *s, uint32_t first, const struct tree_style *style, uint32_t *folded)
{
	for (uint32_t c = first, end; c != NO_PROC; c = end) {
		uint32_t n = 0;

		for (end = s->procs[c].next_sibling;
			end != NO_PROC && is_like(&s->procs[c], &s->procs[end]);
			end = s->procs[end].next_sibling)
			n++;
		if (n < FOLD_MIN || style->unfolded)
			continue;
		folded[c] = n;
		for (uint32_t k = s->procs[c].next_sibling; k != end; k = s->procs[k].next_sibling)
			folded[k] = TREE_FOLDED;
	}
}

uint32_t *tree_folds(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct arena *a)
{
	uint32_t *folded = arena_array(a, (size_t)s->n + 1, sizeof(*folded));

	for (uint32_t i = 0; i < s->n; i++)
		if (s->procs[i].first_child != NO_PROC)
			fold_children(s, s->procs[i].first_child, style, folded);
	if (top != NO_PROC)
		folded[top] = 0;
	return folded;
}

/* Each namespace comes after its parent, so that one pass knows all that are below. */
static bool *namespaces_below(const struct snapshot *s, uint32_t ns, struct arena *a)
{
	bool *below = arena_array(a, (size_t)s->n_ns + 1, sizeof(*below));

	for (uint32_t i = 0; i < s->n_ns; i++)
		below[i] = i == ns || (s->ns[i].parent != NO_NS && below[s->ns[i].parent]);
	return below;
}

uint32_t *tree_roots(const struct snapshot *s, uint32_t top, const struct tree_style *style,
	struct arena *a, size_t *ret_n)
{
	uint32_t *roots = arena_array(a, (size_t)s->n + 1, sizeof(*roots)), init = NO_PROC;
	const bool *below = style->ns == NO_NS ? NULL : namespaces_below(s, style->ns, a);
	size_t n = 0;

	if (top == NO_PROC && below)
		init = s->ns[style->ns].init;
	if (init != NO_PROC && !tree_is_shown(s, init, style))
		init = NO_PROC;
	if (top != NO_PROC || init != NO_PROC)
		roots[n++] = top != NO_PROC ? top : init;
	for (uint32_t i = 0; top == NO_PROC && i < s->n; i++) {
		uint32_t up = s->procs[i].parent;

		if (i == init || !tree_is_shown(s, i, style))
			continue;
		if (!below ? up == NO_PROC
			   : s->procs[i].ns != NO_NS && below[s->procs[i].ns] &&
					(up == NO_PROC || s->procs[up].ns == NO_NS ||
						!below[s->procs[up].ns]))
			roots[n++] = i;
	}
	*ret_n = n;
	return roots;
}

struct walk {
	const struct snapshot *s;
	const struct tree_style *style;
	const uint32_t *folded;
	struct tree_row *rows;
	size_t n;
};

static uint32_t next_shown(const struct walk *w, uint32_t i)
{
	while (i != NO_PROC && (!tree_is_shown(w->s, i, w->style) || w->folded[i] == TREE_FOLDED))
		i = w->s->procs[i].next_sibling;
	return i;
}

static void add_rows(struct walk *w, uint32_t i, uint32_t depth)
{
	bool last = depth == 0 || next_shown(w, w->s->procs[i].next_sibling) == NO_PROC;
	struct tree_row *row = &w->rows[w->n++];
	uint32_t fold = depth ? w->folded[i] : 0;

	*row = (struct tree_row){ .proc = i, .depth = depth, .last = last && !fold };
	if (fold)
		w->rows[w->n++] = (struct tree_row){
			.proc = w->s->procs[i].next_sibling,
			.folded = fold,
			.depth = depth,
			.last = last,
		};
}

static void walk_tree(struct walk *w, uint32_t top)
{
	const struct proc *procs = w->s->procs;
	uint32_t i = top, depth = 0, child;

	for (;;) {
		add_rows(w, i, depth);
		child = next_shown(w, procs[i].first_child);
		if (child != NO_PROC && w->style->is_closed &&
			w->style->is_closed(w->style->data, i)) {
			w->rows[w->n - 1].closed = true;
			child = NO_PROC;
		}
		if (child != NO_PROC) {
			i = child;
			depth++;
			continue;
		}
		while (depth && next_shown(w, procs[i].next_sibling) == NO_PROC) {
			i = procs[i].parent;
			depth--;
		}
		if (!depth)
			return;
		i = next_shown(w, procs[i].next_sibling);
	}
}

struct tree_row *tree_rows(const struct snapshot *s, uint32_t top, const struct tree_style *style,
	struct arena *a, size_t *ret_n)
{
	struct walk w = { .s = s, .style = style, .folded = tree_folds(s, top, style, a) };
	const uint32_t *roots;
	size_t n_roots;

	/* a fold takes one line for at least two processes: never more lines than processes */
	w.rows = arena_array(a, (size_t)s->n + 1, sizeof(*w.rows));
	roots = tree_roots(s, top, style, a, &n_roots);
	for (size_t i = 0; i < n_roots; i++)
		walk_tree(&w, roots[i]);
	*ret_n = w.n;
	return w.rows;
}
