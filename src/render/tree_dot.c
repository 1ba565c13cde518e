/* SPDX-License-Identifier: Apache-2.0 */
/* The tree in the language of Graphviz' dot: a box for each PID namespace inside its parent's. */
#include <string.h>

#include "procs/forest.h"
#include "procs/owner.h"
#include "render/tree.h"

enum { NAME_MAX_BYTES = 60 };

struct graph {
	const struct snapshot *s;
	const struct tree_style *style;
	struct text *t;
	const uint32_t *folded;
	bool *in;			 /* the processes that are drawn */
	uint32_t *first_child, *sibling; /* of the namespaces */
	bool *has;			 /* namespaces with something drawn in them or below */
};

/* In a quoted string of dot's language; cut between characters. */
static void add_quoted(struct text *t, const char *s)
{
	autotext safe = { 0 };

	text_add_escaped(&safe, s, strlen(s));
	for (size_t i = 0, len; i < safe.len && i < NAME_MAX_BYTES; i += len) {
		len = str_utf8_len(safe.p + i, safe.len - i);
		if (safe.p[i] == '"' || safe.p[i] == '\\')
			text_add(t, "\\");
		text_add_n(t, safe.p + i, len);
	}
}

static void add_node(struct graph *g, uint32_t i)
{
	const struct proc *p = &g->s->procs[i];
	struct text *t = g->t;

	text_addf(t, "p%d [label=\"", p->pid);
	add_quoted(t, p->comm);
	if (g->folded[i])
		text_addf(t, "\\n%u like it", g->folded[i] + 1);
	text_add(t, "\\n");
	for (int level = 0; level < p->levels; level++)
		text_addf(t, "%s%d", level ? " / " : "", p->nspid ? p->nspid[level] : p->pid);
	if (proc_is_zombie(p))
		text_add(t, "\\n<defunct>\", style=\"rounded,dashed\", color=\"#c0392b\", "
			    "fontcolor=\"#c0392b\"");
	else if (p->levels > 1 && proc_is_init(p))
		text_add(t, "\\ninit\", style=\"rounded,bold,filled\", fillcolor=white");
	else if (proc_is_entered(g->s, i))
		text_add(t, "\\nentered\", style=\"rounded,filled\", fillcolor=white");
	else
		text_add(t, p->is_subreaper ? "\\nsubreaper\"" : "\"");
	text_add(t, "];\n");
}

static void add_box_label(struct graph *g, uint32_t ns)
{
	const struct pidns *n = &g->s->ns[ns];
	const struct owner *o = n->owner;

	text_addf(g->t, "label=\"PID namespace %llu", (unsigned long long)n->inode);
	if (o) {
		text_add(g->t, "\\n");
		add_quoted(g->t, o->runtime);
		text_add(g->t, *o->runtime ? "/" : "");
		add_quoted(g->t, o->name ? o->name : o->id);
	}
	text_addf(g->t, ", level %d\";\n", n->level);
}

/* At most 33 deep: the kernel nests no further. */
static void add_namespace(struct graph *g, uint32_t ns)
{
	static const char *const fills[] = { "#f7f7f7", "#e8f1fb", "#eaf6ec", "#fdf3e3",
		"#f5eafa" };
	const struct pidns *n = &g->s->ns[ns];

	text_addf(g->t, "subgraph cluster_ns%u {\nstyle=\"rounded,filled\"; fillcolor=\"%s\";\n",
		ns, fills[n->level % ARRAY_LEN(fills)]);
	add_box_label(g, ns);
	for (uint32_t i = n->first_member; i != NO_PROC; i = g->s->procs[i].next_in_ns)
		if (g->in[i])
			add_node(g, i);
	for (uint32_t c = g->first_child[ns]; c != NO_NS; c = g->sibling[c])
		if (g->has[c])
			add_namespace(g, c);
	text_add(g->t, "}\n");
}

/* Which processes and namespaces are drawn. order: each process after its parent. */
static void choose(struct graph *g, uint32_t top, const uint32_t *order, struct arena *a)
{
	const struct snapshot *s = g->s;
	bool *below = arena_array(a, (size_t)s->n + 1, sizeof(*below));
	size_t n_roots;
	const uint32_t *roots = tree_roots(s, top, g->style, a, &n_roots);

	for (size_t i = 0; i < n_roots; i++)
		below[roots[i]] = true;
	for (uint32_t k = 0; k < s->n; k++) {
		uint32_t i = order[k], up = s->procs[i].parent;

		below[i] = below[i] || (up != NO_PROC && below[up]);
		g->in[i] = below[i] && tree_is_shown(s, i, g->style) && g->folded[i] != TREE_FOLDED;
		for (uint32_t ns = g->in[i] ? s->procs[i].ns : NO_NS; ns != NO_NS && !g->has[ns];
			ns = s->ns[ns].parent)
			g->has[ns] = true;
	}
	for (uint32_t i = 0; i < s->n_ns; i++)
		g->first_child[i] = g->sibling[i] = NO_NS;
	for (uint32_t i = s->n_ns; i-- > 0;) {
		uint32_t up = s->ns[i].parent;

		if (up == NO_NS)
			continue;
		g->sibling[i] = g->first_child[up];
		g->first_child[up] = i;
	}
}

void tree_dot(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	autoarena a = { 0 };
	struct graph g = {
		.s = s,
		.style = style,
		.t = t,
		.folded = tree_folds(s, top, style, &a),
		.in = arena_array(&a, (size_t)s->n + 1, sizeof(bool)),
		.first_child = arena_array(&a, (size_t)s->n_ns + 1, sizeof(uint32_t)),
		.sibling = arena_array(&a, (size_t)s->n_ns + 1, sizeof(uint32_t)),
		.has = arena_array(&a, (size_t)s->n_ns + 1, sizeof(bool)),
	};

	choose(&g, top, forest_order(s, &a), &a);
	/* straight lines: dot's routing of curves between many nested boxes gives up at times */
	text_add(t, "digraph clade {\nrankdir=LR;\nsplines=line;\nfontname=\"monospace\";\nnode "
		    "[shape=box, "
		    "style=rounded, fontname=\"monospace\"];\n");
	for (uint32_t ns = 0; ns < s->n_ns; ns++)
		if (g.has[ns] && s->ns[ns].parent == NO_NS)
			add_namespace(&g, ns);
	for (uint32_t i = 0; i < s->n; i++) {
		const struct proc *p = &s->procs[i];

		if (g.in[i] && p->ns == NO_NS)
			add_node(&g, i);
		if (g.in[i] && i != top && p->parent != NO_PROC && g.in[p->parent])
			text_addf(t, "p%d -> p%d%s;\n", s->procs[p->parent].pid, p->pid,
				p->origin == ORIGIN_ADOPTED ? " [style=dashed, label=adopted]"
							    : "");
	}
	text_add(t, "}\n");
}
