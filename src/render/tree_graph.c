/* SPDX-License-Identifier: Apache-2.0 */
/* The tree for programs: JSON, and Graphviz's dot with a box around each PID namespace. */
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "procs/forest.h"
#include "procs/owner.h"
#include "render/tree.h"

static bool shown(const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	return style->kernel_threads || !s->procs[i].kernel_thread;
}

static void add_process(
	struct json_writer *w, const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	static const char *const origins[] = { "unknown", "own", "adopted" };
	const struct proc *p = &s->procs[i];
	const char *name = style->name_of ? style->name_of(style->data, s, i) : NULL;
	char state[2] = { p->state, '\0' };

	json_int(w, "pid", p->pid);
	json_begin(w, "nspid", '[');
	for (int level = 0; level < p->levels; level++)
		json_int(w, NULL, p->nspid ? p->nspid[level] : p->pid);
	json_end(w, ']');
	json_int(w, "ppid", p->ppid);
	json_string(w, "state", state);
	json_string(w, "comm", p->comm);
	json_string(w, "args", p->args ? p->args : "");
	json_bool(w, "zombie", proc_is_zombie(p));
	if (p->exit_status >= 0) {
		json_int(w, "exit", WIFSIGNALED(p->exit_status) ? 0 : WEXITSTATUS(p->exit_status));
		json_int(w, "signal", WIFSIGNALED(p->exit_status) ? WTERMSIG(p->exit_status) : 0);
	}
	json_bool(w, "init", p->levels > 1 && proc_is_init(p));
	json_bool(w, "entered", proc_is_entered(s, i));
	json_string(w, "origin", origins[p->origin]);
	if (p->ns != NO_NS)
		json_uint(w, "ns", s->ns[p->ns].inode);
	if (name)
		json_string(w, "container", name);
	else if (p->owner)
		json_string(w, "container", p->owner->name ? p->owner->name : p->owner->id);
}

/* Without recursion, as the tree may be as deep as there are processes. */
static void one_tree(struct json_writer *w, const struct snapshot *s, uint32_t top,
	const struct tree_style *style)
{
	uint32_t i = top;

	for (;;) {
		uint32_t child = s->procs[i].first_child;

		json_begin(w, NULL, '{');
		add_process(w, s, i, style);
		json_begin(w, "children", '[');
		while (child != NO_PROC && !shown(s, child, style))
			child = s->procs[child].next_sibling;
		if (child != NO_PROC) {
			i = child;
			continue;
		}
		for (;;) {
			uint32_t next = i == top ? NO_PROC : s->procs[i].next_sibling;

			json_end(w, ']');
			json_end(w, '}');
			while (next != NO_PROC && !shown(s, next, style))
				next = s->procs[next].next_sibling;
			if (i == top)
				return;
			if (next != NO_PROC) {
				i = next;
				break;
			}
			i = s->procs[i].parent;
		}
	}
}

void tree_json(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	struct json_writer w = { .t = t };

	json_begin(&w, NULL, '[');
	if (top != NO_PROC)
		one_tree(&w, s, top, style);
	for (uint32_t i = 0; top == NO_PROC && i < s->n; i++)
		if (s->procs[i].parent == NO_PROC && shown(s, i, style))
			one_tree(&w, s, i, style);
	json_end(&w, ']');
	text_add(t, "\n");
}

/* In a quoted string of dot's language. */
static void add_quoted(struct text *t, const char *s)
{
	autotext safe = { 0 };

	text_add_escaped(&safe, s, strlen(s) > 60 ? 60 : strlen(s));
	for (const char *c = safe.p; c && *c; c++) {
		if (*c == '"' || *c == '\\')
			text_add(t, "\\");
		text_add_n(t, c, 1);
	}
}

static void add_node(struct text *t, const struct snapshot *s, uint32_t i)
{
	const struct proc *p = &s->procs[i];

	text_addf(t, "  p%d [label=\"", p->pid);
	for (int level = 0; level < p->levels; level++)
		text_addf(t, "%s%d", level ? "/" : "", p->nspid ? p->nspid[level] : p->pid);
	text_add(t, " ");
	add_quoted(t, p->comm);
	text_add(t, proc_is_zombie(p) ? "\\n<defunct>\"" : "\"");
	if (proc_is_zombie(p))
		text_add(t, ", style=\"rounded,dashed\", color=red");
	else if (p->levels > 1 && proc_is_init(p))
		text_add(t, ", style=\"rounded,bold\"");
	text_add(t, "];\n");
}

static bool is_below(const struct snapshot *s, uint32_t i, uint32_t top)
{
	while (i != NO_PROC && i != top)
		i = s->procs[i].parent;
	return i == top;
}

void tree_dot(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	autoarena arena = { 0 };
	const uint32_t *order = forest_order(s, &arena);
	const struct proc *p;

	text_add(t, "digraph clade {\n  rankdir=LR;\n  node [shape=box, style=rounded, "
		    "fontname=\"monospace\"];\n");
	for (uint32_t k = 0, i; k < s->n; k++) {
		i = order[k];
		if (top != NO_PROC && !is_below(s, i, top))
			continue;
		p = &s->procs[i];
		if (!shown(s, i, style))
			continue;
		if (p->ns != NO_NS && s->ns[p->ns].level > 0)
			text_addf(t,
				"  subgraph cluster_ns%u { label=\"PID namespace %llu, level "
				"%d\";\n",
				p->ns, (unsigned long long)s->ns[p->ns].inode, s->ns[p->ns].level);
		add_node(t, s, i);
		if (p->ns != NO_NS && s->ns[p->ns].level > 0)
			text_add(t, "  }\n");
		if (i != top && p->parent != NO_PROC)
			text_addf(t, "  p%d -> p%d%s;\n", s->procs[p->parent].pid, p->pid,
				p->origin == ORIGIN_ADOPTED ? " [style=dashed, label=adopted]"
							    : "");
	}
	text_add(t, "}\n");
}
