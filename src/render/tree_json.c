/* SPDX-License-Identifier: Apache-2.0 */
/* The tree for programs: nested JSON objects. */
#include <string.h>
#include <sys/wait.h>

#include "base/json.h"
#include "procs/owner.h"
#include "render/tree.h"

static void add_process(
	struct json_writer *w, const struct snapshot *s, uint32_t i, const struct tree_style *style)
{
	static const char *const origins[] = { "unknown", "own", "adopted" };
	const struct proc *p = &s->procs[i];
	const char *name = style->name_of ? style->name_of(style->data, s, i) : NULL;
	char state[2] = { p->state, '\0' };
	int64_t dead_ms = seen_age_ms(style->seen, s, p);
	uint32_t reaper = p->ns == NO_NS ? NO_PROC : proc_reaper(s, i);

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
	json_bool(w, "subreaper", p->is_subreaper);
	json_string(w, "origin", origins[p->origin]);
	if (p->proof)
		json_string(w, "proof", p->proof);
	if (reaper != NO_PROC)
		json_int(w, "reaper", s->procs[reaper].pid);
	json_uint(w, "age_ms", proc_age_ms(s, p));
	if (dead_ms >= 0)
		json_int(w, "zombie_ms", dead_ms);
	if (p->ns != NO_NS)
		json_uint(w, "ns", s->ns[p->ns].inode);
	if (p->ns != NO_NS && s->ns[p->ns].parent != NO_NS)
		json_uint(w, "pns", s->ns[s->ns[p->ns].parent].inode);
	if (name)
		json_string(w, "container", name);
	else if (p->owner)
		json_string(w, "container", p->owner->name ? p->owner->name : p->owner->id);
	if (p->owner)
		json_string(w, "runtime", p->owner->runtime);
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
		while (child != NO_PROC && !tree_is_shown(s, child, style))
			child = s->procs[child].next_sibling;
		if (child != NO_PROC) {
			i = child;
			continue;
		}
		for (;;) {
			uint32_t next = i == top ? NO_PROC : s->procs[i].next_sibling;

			json_end(w, ']');
			json_end(w, '}');
			while (next != NO_PROC && !tree_is_shown(s, next, style))
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
	autoarena a = { 0 };
	struct json_writer w = { .t = t };
	size_t n;
	const uint32_t *roots = tree_roots(s, top, style, &a, &n);

	json_begin(&w, NULL, '[');
	for (size_t i = 0; i < n; i++)
		one_tree(&w, s, roots[i], style);
	json_end(&w, ']');
	text_add(t, "\n");
}
