/* SPDX-License-Identifier: Apache-2.0 */
#include "render/tree.h"

#include <string.h>
#include <sys/wait.h>

#include "base/cols.h"
#include "base/width.h"
#include "render/proc_cols.h"

enum { COMMAND_MIN = 8 };

static void add_zombie(struct text *t, const struct proc *p)
{
	text_add(t, " <defunct");
	if (p->exit_status >= 0 && WIFSIGNALED(p->exit_status))
		text_addf(t, ", signal %d", WTERMSIG(p->exit_status));
	else if (p->exit_status >= 0)
		text_addf(t, ", exit %d", WEXITSTATUS(p->exit_status));
	if (p->n_threads > 1)
		text_add(t, ", its threads live");
	text_add(t, ">");
}

/* Opens the first bracket, goes on in it after that. */
static void mark(struct text *t, bool *open, const char *word)
{
	text_add(t, *open ? ", " : "  [");
	text_add(t, word);
	*open = true;
}

static void add_marks(
	struct text *t, const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	const struct proc *p = &s->procs[i];
	const char *name = style->name_of ? style->name_of(style->data, s, i) : NULL;
	int64_t dead_ms = seen_age_ms(style->seen, s, p);
	bool open = false;

	if (p->levels > 1 && proc_is_init(p)) {
		uint32_t up = p->ns == NO_NS ? NO_NS : s->ns[p->ns].parent;
		bool nested = name && up != NO_NS && p->owner && s->ns[up].owner == p->owner;

		text_addf(t, "  [init of %s",
			!name	 ? "a PID namespace"
			: nested ? "a PID namespace in container "
				 : "container ");
		if (name)
			text_add_escaped(t, name, strlen(name));
		text_addf(t, ", level %d]", p->levels - 1);
	}
	if (p->is_subreaper)
		text_add(t, "  [subreaper]");
	if (proc_is_entered(s, i))
		text_add(t, "  [entered]");
	if (p->origin == ORIGIN_ADOPTED)
		mark(t, &open, "adopted");
	else if (proc_is_zombie(p) && p->origin == ORIGIN_OWN)
		mark(t, &open, "its parent's own");
	if (dead_ms >= 1000) {
		mark(t, &open, "defunct for ");
		cols_add_age(t, (uint64_t)dead_ms / 1000);
	}
	text_add(t, open ? "]" : "");
}

/* What was added since begin takes no more than width columns; 0: any. */
static void cut_to(struct text *t, size_t begin, unsigned width, bool ascii)
{
	if (!width || width_of(t->p + begin, t->len - begin) <= width)
		return;
	t->len = begin + width_cut(t->p + begin, t->len - begin, width - 1);
	text_add(t, ascii ? "~" : "…");
}

void tree_add_label(struct text *t, const struct snapshot *s, const struct tree_row *row,
	const struct tree_style *style, unsigned width)
{
	const struct proc *p = &s->procs[row->proc];
	const char *command = p->args && *p->args && !proc_is_zombie(p) ? p->args : p->comm;
	autotext head = { 0 }, what = { 0 }, tail = { 0 };
	size_t room, begin = t->len;

	if (row->folded) {
		text_addf(t, "... %u more zombies like it", row->folded);
		cut_to(t, begin, width, style->ascii);
		return;
	}
	proc_cols_add_pids(&head, p);
	text_add(&head, " ");
	text_add_escaped(&what, command, strlen(command));
	if (proc_is_zombie(p))
		add_zombie(&tail, p);
	add_marks(&tail, s, row->proc, style);
	text_add_n(t, head.p, head.len);
	room = width > head.len + tail.len ? width - head.len - tail.len : 0;
	if (room < COMMAND_MIN)
		room = COMMAND_MIN;
	if (width && width_of(what.p, what.len) > room) {
		text_add_n(t, what.p, width_cut(what.p, what.len, room - 1));
		text_add(t, style->ascii ? "~" : "…");
	} else {
		text_add_n(t, what.p ? what.p : "", what.len);
	}
	text_add_n(t, tail.p ? tail.p : "", tail.len);
	cut_to(t, begin, width, style->ascii);
}

void tree_add_branches(struct text *t, const struct tree_row *row, bool *last, bool ascii)
{
	uint32_t depth = row->depth < TREE_DEPTH_MAX ? row->depth : TREE_DEPTH_MAX - 1;

	last[depth] = row->last;
	for (uint32_t d = 1; d < depth; d++)
		text_add(t, last[d] ? "    " : ascii ? "|   " : "│   ");
	if (depth)
		text_add(t, row->last ? (ascii ? "`-- " : "└── ") : (ascii ? "|-- " : "├── "));
}

static const char *colour_of(const struct snapshot *s, const struct tree_row *row)
{
	const struct proc *p = &s->procs[row->proc];

	if (proc_is_zombie(p))
		return "31";
	if (p->levels > 1 && proc_is_init(p))
		return "1;36";
	return p->levels > 1 ? "36" : NULL;
}

void tree_render(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	autoarena a = { 0 };
	autotext branches = { 0 };
	bool last[TREE_DEPTH_MAX] = { false };
	size_t n;
	const struct tree_row *rows = tree_rows(s, top, style, &a, &n);

	for (size_t i = 0; i < n; i++) {
		const char *colour = style->colour ? colour_of(s, &rows[i]) : NULL;
		unsigned room = 0;

		branches.len = 0;
		text_add(&branches, "");
		tree_add_branches(&branches, &rows[i], last, style->ascii);
		if (style->width) {
			size_t wide = width_of(branches.p, branches.len), cut = 0;

			/* deep ones lose the left of their branches, not their name */
			if (wide > style->width / 2)
				cut = width_cut(branches.p, branches.len, wide - style->width / 2);
			text_add_n(t, branches.p + cut, branches.len - cut);
			room = style->width -
			       (unsigned)width_of(branches.p + cut, branches.len - cut);
		} else {
			text_add_n(t, branches.p, branches.len);
		}
		if (colour)
			text_addf(t, "\x1b[%sm", colour);
		tree_add_label(t, s, &rows[i], style, room);
		text_add(t, colour ? "\x1b[0m\n" : "\n");
	}
}
