/* SPDX-License-Identifier: Apache-2.0 */
#include "render/tree.h"

#include <string.h>
#include <sys/wait.h>

enum { DEPTH_MAX = 512 };

static bool shown(const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	return style->kernel_threads || !s->procs[i].kernel_thread;
}

static uint32_t next_shown(const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	while (i != NO_PROC && !shown(s, i, style))
		i = s->procs[i].next_sibling;
	return i;
}

/* "1234/17/1": the host's number first. */
static void add_pids(struct text *t, const struct proc *p)
{
	if (p->levels < 2) {
		text_addf(t, "%d", p->pid);
		return;
	}
	for (int level = 0; level < p->levels; level++)
		text_addf(t, "%s%d", level ? "/" : "", p->nspid[level]);
}

static void add_zombie(struct text *t, const struct proc *p)
{
	text_add(t, " <defunct");
	if (p->exit_status >= 0 && WIFSIGNALED(p->exit_status))
		text_addf(t, ", signal %d", WTERMSIG(p->exit_status));
	else if (p->exit_status >= 0)
		text_addf(t, ", exit %d", WEXITSTATUS(p->exit_status));
	text_add(t, ">");
}

static void add_marks(
	struct text *t, const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	const struct proc *p = &s->procs[i];
	const char *name = style->name_of ? style->name_of(style->data, s, i) : NULL;

	if (p->levels > 1 && proc_is_init(p)) {
		text_addf(t, "  [init of %s", name ? "container " : "a PID namespace");
		if (name)
			text_add_escaped(t, name, strlen(name));
		text_addf(t, ", level %d]", p->levels - 1);
	}
	if (proc_is_entered(s, i))
		text_add(t, "  [entered]");
	if (p->origin == ORIGIN_ADOPTED)
		text_add(t, "  [adopted]");
}

static void add_line(
	struct text *t, const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	const struct proc *p = &s->procs[i];

	add_pids(t, p);
	text_add(t, " ");
	if (p->args && *p->args && !proc_is_zombie(p))
		text_add_escaped(t, p->args, strlen(p->args));
	else
		text_add_escaped(t, p->comm, strlen(p->comm));
	if (proc_is_zombie(p))
		add_zombie(t, p);
	add_marks(t, s, i, style);
	text_add(t, "\n");
}

struct walk {
	const struct snapshot *s;
	const struct tree_style *style;
	struct text *t;
	char last[DEPTH_MAX]; /* is the ancestor of this depth the last child of its parent? */
};

static void add_branches(struct walk *w, int depth)
{
	bool ascii = w->style->ascii;

	for (int d = 1; d < depth; d++)
		text_add(w->t, w->last[d] ? "    " : ascii ? "|   " : "│   ");
	if (depth)
		text_add(w->t,
			w->last[depth] ? (ascii ? "`-- " : "└── ") : (ascii ? "|-- " : "├── "));
}

/* Without recursion: a hostile tree may be as deep as there are processes. */
static void walk_tree(struct walk *w, uint32_t top)
{
	const struct snapshot *s = w->s;
	uint32_t i = top;
	int depth = 0;

	for (;;) {
		int shown_depth = depth < DEPTH_MAX ? depth : DEPTH_MAX - 1;
		uint32_t child;

		if (depth)
			w->last[shown_depth] =
				next_shown(s, s->procs[i].next_sibling, w->style) == NO_PROC;
		add_branches(w, shown_depth);
		add_line(w->t, s, i, w->style);
		child = next_shown(s, s->procs[i].first_child, w->style);
		if (child != NO_PROC) {
			i = child;
			depth++;
			continue;
		}
		while (depth && next_shown(s, s->procs[i].next_sibling, w->style) == NO_PROC) {
			i = s->procs[i].parent;
			depth--;
		}
		if (!depth)
			return;
		i = next_shown(s, s->procs[i].next_sibling, w->style);
	}
}

void tree_render(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	struct walk w = { .s = s, .style = style, .t = t };

	if (top != NO_PROC) {
		walk_tree(&w, top);
		return;
	}
	for (uint32_t i = 0; i < s->n; i++)
		if (s->procs[i].parent == NO_PROC && shown(s, i, style))
			walk_tree(&w, i);
}
