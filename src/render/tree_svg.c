/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The living system as the two figures of every textbook: the PID namespaces form a tree, and a
 * process has a PID of its own at every level from the host's to its own. One file without fonts
 * or scripts, valid XML whatever a process calls itself.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "base/cols.h"
#include "procs/owner.h"
#include "render/svg.h"
#include "render/tree.h"

enum {
	MARGIN = 24,
	ROW = 26,
	INDENT = 26,
	DEPTH_SHOWN = 60, /* deeper rows are not moved further to the right */
	BOX_PAD = 10,
	BOX_HEAD = 24,
	COMMAND_COLUMNS = 56,
	NESTED_MAX = 40,
	CARD_WIDTH = 250,
	CARD_HEIGHT = 44,
	CARD_GAP_X = 50,
	CARD_GAP_Y = 12,
};

/* A box around the processes of one namespace that hang together. */
struct box {
	uint32_t ns, depth; /* depth: of the row that began it */
	int x, y, bottom, inset;
};

struct picture {
	const struct snapshot *s;
	const struct tree_style *style;
	struct arena *arena;
	struct box *boxes; /* outer ones first; as many as rows at most */
	size_t n_boxes, open[NESTED_MAX];
	int n_open, y, right;
	struct text lines, rows; /* drawn above the boxes */
	int x_of[TREE_DEPTH_MAX], y_of[TREE_DEPTH_MAX];
	bool *has; /* namespaces with a process in the picture, or one below */
};

static const char *name_of_ns(const struct picture *p, uint32_t ns)
{
	const struct pidns *n = &p->s->ns[ns];
	const struct owner *o = n->owner;
	const char *name = o ? o->name ? o->name : o->id : NULL;

	if (n->level == 0)
		return ns == 0 ? "this host" : "beside it";
	if (name && n->parent != NO_NS && p->s->ns[n->parent].owner == o && n->init != NO_PROC)
		return arena_printf(p->arena, "%s in %s", p->s->procs[n->init].comm, name);
	if (name)
		return *o->runtime ? arena_printf(p->arena, "%s/%s", o->runtime, name) : name;
	return n->init != NO_PROC ? p->s->procs[n->init].comm : "";
}

static const char *counts_of_ns(const struct picture *p, uint32_t ns)
{
	const struct pidns *n = &p->s->ns[ns];

	return arena_printf(p->arena, "%u process%s%s", n->n_procs, n->n_procs == 1 ? "" : "es",
		!n->n_zombies	    ? ""
		: n->n_zombies == 1 ? ", 1 zombie"
				    : arena_printf(p->arena, ", %u zombies", n->n_zombies));
}

/* --- the processes --------------------------------------------------------------------------- */

static void close_box(struct picture *p)
{
	p->boxes[p->open[--p->n_open]].bottom = p->y + BOX_PAD - ROW;
	p->y += BOX_PAD + 4;
}

static void open_box(struct picture *p, uint32_t ns, uint32_t depth)
{
	struct box *b = &p->boxes[p->n_boxes];
	int indent = (int)(depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN) * INDENT;

	*b = (struct box){ ns, depth, MARGIN + indent + p->n_open * BOX_PAD, p->y - ROW / 2, 0,
		p->n_open };
	p->open[p->n_open++] = p->n_boxes++;
	p->y += BOX_HEAD + 4;
}

static int add_tags(struct picture *p, const struct tree_row *row, int x)
{
	const struct proc *q = &p->s->procs[row->proc];
	struct text *t = &p->rows;
	int64_t dead_ms = seen_age_ms(p->style->seen, p->s, q);
	autotext zombie = { 0 };

	if (q->levels > 1 && proc_is_init(q))
		x = svg_pill(t, x, p->y, "#ffffff", "#1f5aa6", "init");
	if (q->is_subreaper)
		x = svg_pill(t, x, p->y, "#ffffff", "#682b88", "subreaper");
	if (proc_is_entered(p->s, row->proc))
		x = svg_pill(t, x, p->y, "#ffffff", "#8a5a0d", "entered");
	if (q->origin == ORIGIN_ADOPTED)
		x = svg_pill(t, x, p->y, "#ffffff", "#4a5361", "adopted");
	if (!proc_is_zombie(q))
		return x;
	text_add(&zombie, "zombie");
	if (q->exit_status >= 0 && WIFSIGNALED(q->exit_status))
		text_addf(&zombie, ", signal %d", WTERMSIG(q->exit_status));
	else if (q->exit_status >= 0)
		text_addf(&zombie, ", exit %d", WEXITSTATUS(q->exit_status));
	if (dead_ms >= 1000) {
		text_add(&zombie, ", ");
		cols_add_age(&zombie, (uint64_t)dead_ms / 1000);
	}
	return svg_pill(t, x, p->y, "#fdecea", "#b02a1a", zombie.p);
}

/* A PID for each level, in that level's colour, then what it is. */
static int add_process(struct picture *p, const struct tree_row *row, int x)
{
	const struct proc *q = &p->s->procs[row->proc];
	bool dead = proc_is_zombie(q);
	const char *what = q->args && *q->args && !dead ? q->args : q->comm;
	char number[16];

	for (int level = 0; level < q->levels || level == 0; level++) {
		struct svg_level c = svg_level((unsigned)level);

		snprintf(number, sizeof(number), "%d",
			level == 0 || !q->nspid ? q->pid : q->nspid[level]);
		x = svg_pill(&p->rows, x, p->y, c.fill, c.ink, number);
	}
	x += 4;
	x += svg_text(&p->rows, x, p->y, q->levels > 1 && proc_is_init(q) ? "b" : "",
		dead ? "#b02a1a" : "#20262e", what, COMMAND_COLUMNS);
	return add_tags(p, row, x + 10);
}

static void add_row(struct picture *p, const struct tree_row *row)
{
	uint32_t depth = row->depth < DEPTH_SHOWN ? row->depth : DEPTH_SHOWN;
	const struct proc *q = &p->s->procs[row->proc];
	uint32_t around =
		row->depth == 0 || q->parent == NO_PROC ? NO_NS : p->s->procs[q->parent].ns;
	int x, end;

	while (p->n_open && p->boxes[p->open[p->n_open - 1]].depth >= row->depth &&
		!(row->depth && p->boxes[p->open[p->n_open - 1]].depth == row->depth &&
			row->folded))
		close_box(p);
	if (!row->folded && q->ns != NO_NS && q->ns != around && p->n_open < NESTED_MAX)
		open_box(p, q->ns, row->depth);
	x = MARGIN + BOX_PAD + (int)depth * INDENT + p->n_open * BOX_PAD;
	if (row->depth)
		svg_elbow(&p->lines, p->x_of[depth - 1] + 8, p->y_of[depth - 1] + 6, x - 3,
			p->y - 4, q->origin == ORIGIN_ADOPTED);
	if (row->folded) {
		char more[48];

		snprintf(more, sizeof(more), "… %u more zombies like it", row->folded);
		end = x + svg_text(&p->rows, x + 4, p->y, "", "#b02a1a", more, 0);
	} else {
		end = add_process(p, row, x);
	}
	p->x_of[depth] = x;
	p->y_of[depth] = p->y;
	p->y += ROW;
	if (end + p->n_open * BOX_PAD > p->right)
		p->right = end + p->n_open * BOX_PAD;
}

static void draw_boxes(struct picture *p, struct text *t, int width)
{
	for (size_t i = 0; i < p->n_boxes; i++) {
		const struct box *b = &p->boxes[i];
		struct svg_level c = svg_level(p->s->ns[b->ns].level);
		int right = width - MARGIN - b->inset * BOX_PAD;
		const char *head = arena_printf(
			p->arena, "PID namespace %llu", (unsigned long long)p->s->ns[b->ns].inode);
		int x = b->x + 12;

		svg_rect(t, &(struct svg_box){ b->x, b->y, right - b->x, b->bottom - b->y, 10,
				    c.fill, c.stroke, false });
		x += svg_text(t, x, b->y + 18, "b", c.ink, name_of_ns(p, b->ns), 40) + 14;
		x += svg_text(t, x, b->y + 18, "s", c.ink, head, 0);
		svg_text(t, x, b->y + 18, "s", c.ink,
			arena_printf(p->arena, "level %d, %s", p->s->ns[b->ns].level,
				counts_of_ns(p, b->ns)),
			0);
	}
}

/* --- the namespaces -------------------------------------------------------------------------- */

struct cards {
	struct picture *p;
	struct text *t;
	uint32_t *first_child, *sibling;
	int y, right;
};

/* At most 33 deep. Children first: a parent stands beside the first of them. Returns its y. */
static int draw_card(struct cards *c, uint32_t ns)
{
	const struct pidns *n = &c->p->s->ns[ns];
	struct svg_level colour = svg_level(n->level);
	int x = MARGIN + n->level * (CARD_WIDTH + CARD_GAP_X), y = c->y;
	bool any = false;

	for (uint32_t child = c->first_child[ns]; child != NO_NS; child = c->sibling[child]) {
		int at;

		if (!c->p->has[child])
			continue;
		at = draw_card(c, child);
		text_addf(c->t, "<path d=\"M%d %dH%dV%dH%d\" fill=\"none\" stroke=\"#8a94a3\"/>\n",
			x + CARD_WIDTH, y + CARD_HEIGHT / 2, x + CARD_WIDTH + CARD_GAP_X / 2,
			at + CARD_HEIGHT / 2, x + CARD_WIDTH + CARD_GAP_X);
		any = true;
	}
	svg_rect(c->t, &(struct svg_box){ x, y, CARD_WIDTH, CARD_HEIGHT, 8, colour.fill,
			       colour.stroke, false });
	svg_text(c->t, x + 12, y + 18, "b", colour.ink, name_of_ns(c->p, ns), 28);
	svg_text(c->t, x + 12, y + 35, "s", colour.ink,
		arena_printf(c->p->arena, "%llu  %s", (unsigned long long)n->inode,
			counts_of_ns(c->p, ns)),
		0);
	if (!any)
		c->y += CARD_HEIGHT + CARD_GAP_Y;
	if (x + CARD_WIDTH > c->right)
		c->right = x + CARD_WIDTH;
	return y;
}

static int draw_namespaces(struct picture *p, struct text *t, int y, int *right)
{
	const struct snapshot *s = p->s;
	struct cards c = {
		.p = p,
		.t = t,
		.first_child = arena_array(p->arena, (size_t)s->n_ns + 1, sizeof(uint32_t)),
		.sibling = arena_array(p->arena, (size_t)s->n_ns + 1, sizeof(uint32_t)),
		.y = y,
	};

	for (uint32_t i = 0; i < s->n_ns; i++)
		c.first_child[i] = c.sibling[i] = NO_NS;
	for (uint32_t i = s->n_ns; i-- > 0;) {
		uint32_t up = s->ns[i].parent;

		if (up == NO_NS)
			continue;
		c.sibling[i] = c.first_child[up];
		c.first_child[up] = i;
	}
	for (uint32_t i = 0; i < s->n_ns; i++)
		if (s->ns[i].parent == NO_NS && p->has[i])
			draw_card(&c, i);
	if (c.right > *right)
		*right = c.right;
	return c.y;
}

/* Above the processes, for them that see it for the first time. */
static void draw_legend(struct text *t, int y, int levels)
{
	static const char *const words[] = { "PID on this host", "PID at level 1", "at level 2",
		"at level 3", "at level 4", "at level 5" };
	int x = MARGIN;

	for (int i = 0; i < levels && i < (int)ARRAY_LEN(words); i++) {
		struct svg_level c = svg_level((unsigned)i);

		x = svg_pill(t, x, y, c.fill, c.ink, words[i]) + 6;
	}
}

void tree_svg(
	const struct snapshot *s, uint32_t top, const struct tree_style *style, struct text *t)
{
	autoarena arena = { 0 };
	autotext cards = { 0 }, boxes = { 0 }, body = { 0 };
	struct picture p = { .s = s, .style = style, .arena = &arena, .right = 560 };
	int levels = 1, width;
	size_t n;
	const struct tree_row *rows = tree_rows(s, top, style, &arena, &n);

	p.boxes = arena_array(&arena, n + 1, sizeof(*p.boxes));
	p.has = arena_array(&arena, (size_t)s->n_ns + 1, sizeof(*p.has));
	for (size_t i = 0; i < n; i++) {
		if (s->procs[rows[i].proc].levels > levels)
			levels = s->procs[rows[i].proc].levels;
		for (uint32_t ns = s->procs[rows[i].proc].ns; ns != NO_NS && !p.has[ns];
			ns = s->ns[ns].parent)
			p.has[ns] = true;
	}
	svg_text(&cards, MARGIN, 34, "h", "#20262e", "The PID namespaces form a tree", 0);
	p.y = draw_namespaces(&p, &cards, 50, &p.right) + 28;
	svg_text(&cards, MARGIN, p.y, "h", "#20262e",
		"One process has a different PID at every level", 0);
	draw_legend(&cards, p.y + 26, levels);
	p.y += 66;
	for (size_t i = 0; i < n; i++)
		add_row(&p, &rows[i]);
	while (p.n_open)
		close_box(&p);
	width = p.right + MARGIN + BOX_PAD;
	draw_boxes(&p, &boxes, width);
	text_add_n(&body, cards.p, cards.len);
	text_add_n(&body, boxes.p ? boxes.p : "", boxes.len);
	text_add_n(&body, p.lines.p ? p.lines.p : "", p.lines.len);
	text_add_n(&body, p.rows.p ? p.rows.p : "", p.rows.len);
	svg_document(t, width, p.y + MARGIN - BOX_PAD, "clade tree", &body);
	text_done(&p.lines);
	text_done(&p.rows);
}
