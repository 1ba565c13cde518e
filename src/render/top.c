/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal by ncurses (docs/decisions/top.md). */
#include "render/top.h"

/* before term.h, whose macros are everyday words */
#include "base/cols.h"
#include "base/width.h"

#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <time.h>

enum { WIDE = 60, GROUPS_SHOWN = 6, ESCAPE = 27, ENTER = '\r' };
enum { PAIR_ZOMBIE = 1, PAIR_INIT, PAIR_INSIDE, PAIR_BAR };

struct top_screen {
	SCREEN *screen;
	pid_t selected;	  /* 0: the first line */
	size_t at, first; /* line of the selected one, and the first that is drawn */
	int list_y, list_height;
	char said[160]; /* for the last line */
	bool colour;
};

int top_open(bool colour, struct top_screen **ret, struct err *e)
{
	struct top_screen *t = mem_alloc(sizeof(*t));
	const char *term = getenv("TERM");

	t->screen = newterm(term && *term ? term : "dumb", stdout, stdin);
	if (!t->screen) {
		free(t);
		return err_say(e, "the terminal %s is not known here (TERM)", term ? term : "");
	}
	if (!cursor_address || !clr_eol) {
		endwin();
		delscreen(t->screen);
		free(t);
		return TOP_NO_TERMINAL;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	t->colour = colour && has_colors();
	if (t->colour) {
		start_color();
		use_default_colors();
		init_pair(PAIR_ZOMBIE, COLOR_RED, -1);
		init_pair(PAIR_INIT, COLOR_CYAN, -1);
		init_pair(PAIR_INSIDE, COLOR_CYAN, -1);
		init_pair(PAIR_BAR, COLOR_BLACK, COLOR_CYAN);
	}
	*ret = t;
	return 0;
}

void top_close(struct top_screen *t)
{
	if (!t)
		return;
	endwin();
	delscreen(t->screen);
	free(t);
}

/* One line of the screen, cut to its width; what is left of it is blank. */
static void put(int y, attr_t attributes, const char *s, size_t n)
{
	attrset(attributes);
	move(y, 0);
	addnstr(s, (int)width_cut(s, n, (size_t)COLS));
	if (attributes & A_REVERSE)
		for (int x = getcurx(stdscr); x < COLS && getcury(stdscr) == y; x++)
			addch(' ');
	else if (getcury(stdscr) == y)
		clrtoeol();
	attrset(A_NORMAL);
}

static void put_text(int y, attr_t attributes, const struct text *t)
{
	put(y, attributes, t->p ? t->p : "", t->len);
}

static void draw_summary(int y, const struct top_frame *f)
{
	const struct snapshot *s = f->data->s;
	uint32_t zombies = 0, procs = 0;
	time_t now = time(NULL);
	struct tm tm;
	autotext t = { 0 };

	for (uint32_t i = 0; i < s->n_ns; i++) {
		zombies += s->ns[i].n_zombies;
		procs += s->ns[i].n_procs;
	}
	localtime_r(&now, &tm);
	text_addf(&t, "clade top %02d:%02d:%02d  %u processes, %u zombie%s, %u namespaces",
		tm.tm_hour, tm.tm_min, tm.tm_sec, procs, zombies, zombies == 1 ? "" : "s", s->n_ns);
	if (f->n_orphans)
		text_addf(&t, ", %llu orphaned", (unsigned long long)f->n_orphans);
	if (f->n_lost)
		text_addf(&t, ", %llu events lost", (unsigned long long)f->n_lost);
	if (!f->has_events)
		text_add(&t, "  (no events: read every few seconds)");
	put_text(y, A_BOLD, &t);
}

static void draw_group(struct top_screen *t, int y, const struct top_frame *f, size_t k)
{
	const struct top_group *g = &f->groups[k];
	autotext line = { 0 };

	text_addf(&line, "%5u procs %5u zombies ", g->n_procs, g->n_zombies);
	if (g->rate >= 0.01)
		text_addf(&line, "%+6.2f/s  ", g->rate);
	else
		text_add(&line, "          ");
	text_add_escaped(&line, g->name, strlen(g->name));
	put_text(y, g->n_zombies && t->colour ? (attr_t)COLOR_PAIR(PAIR_ZOMBIE) : A_NORMAL, &line);
}

static void add_bytes(struct text *t, int64_t pages)
{
	double kib = (double)pages * 4;

	if (kib < 1000)
		text_addf(t, "%5.0fK ", kib);
	else if (kib < 1000 * 1024)
		text_addf(t, "%5.1fM ", kib / 1024);
	else
		text_addf(t, "%5.1fG ", kib / 1024 / 1024);
}

/* What stands before the tree: state always, the rest where there is room. */
static void add_numbers(struct text *line, const struct top_frame *f, const struct proc *p)
{
	double cpu = f->data->cpu(f->data->cpu_data, p);
	autotext age = { 0 };

	text_add_n(line, &p->state, 1);
	text_add(line, " ");
	if (COLS < WIDE)
		return;
	if (cpu >= 0)
		text_addf(line, "%5.1f ", cpu);
	else
		text_add(line, "    - ");
	add_bytes(line, p->rss_pages);
	cols_add_age(&age, proc_age_ms(f->data->s, p) / 1000);
	text_addf(line, "%6s ", age.p);
}

static attr_t attributes_of(const struct top_screen *t, const struct top_frame *f, size_t row)
{
	const struct proc *p = &f->data->s->procs[f->rows[row].proc];
	attr_t a = A_NORMAL;

	if (proc_is_zombie(p))
		a = t->colour ? (attr_t)COLOR_PAIR(PAIR_ZOMBIE) : A_NORMAL;
	else if (p->levels > 1 && proc_is_init(p))
		a = A_BOLD | (t->colour ? (attr_t)COLOR_PAIR(PAIR_INIT) : 0);
	else if (p->levels > 1)
		a = t->colour ? (attr_t)COLOR_PAIR(PAIR_INSIDE) : A_NORMAL;
	return row == t->at ? a | A_REVERSE : a;
}

static void draw_row(
	struct top_screen *t, int y, const struct top_frame *f, size_t row, const char *branches)
{
	struct tree_style style = {
		.seen = f->data->seen, .name_of = f->data->name_of, .data = f->data->name_data
	};
	const struct tree_row *r = &f->rows[row];
	autotext line = { 0 };
	size_t used, wide = width_of(branches, strlen(branches));

	/* deep ones lose the left of their branches, not their name */
	if (wide > (size_t)COLS / 2)
		branches += width_cut(branches, strlen(branches), wide - (size_t)COLS / 2);
	add_numbers(&line, f, &f->data->s->procs[r->proc]);
	text_add(&line, branches);
	if (r->closed)
		text_add(&line, "[+] ");
	used = width_of(line.p, line.len);
	tree_add_label(&line, f->data->s, r, &style,
		used + 1 < (size_t)COLS ? (unsigned)((size_t)COLS - used) : 1);
	put_text(y, attributes_of(t, f, row), &line);
}

/* The line of the selected process now; where it has gone, the same place. */
static void find_selected(struct top_screen *t, const struct top_frame *f)
{
	size_t i = 0;

	if (t->at < f->n_rows && f->data->s->procs[f->rows[t->at].proc].pid == t->selected)
		i = t->at;
	else
		while (i < f->n_rows &&
			(f->rows[i].folded ||
				f->data->s->procs[f->rows[i].proc].pid != t->selected))
			i++;
	if (t->selected && i < f->n_rows)
		t->at = i;
	if (t->at >= f->n_rows)
		t->at = f->n_rows ? f->n_rows - 1 : 0;
	t->selected = f->n_rows ? f->data->s->procs[f->rows[t->at].proc].pid : 0;
	if (t->first > t->at)
		t->first = t->at;
	if (t->at >= t->first + (size_t)t->list_height)
		t->first = t->at - (size_t)t->list_height + 1;
}

static void draw_list(struct top_screen *t, const struct top_frame *f)
{
	bool last[TREE_DEPTH_MAX] = { false };
	autotext branches = { 0 };

	/* the branches of a line depend on the lines above it */
	for (size_t i = 0; i < t->first && i < f->n_rows; i++)
		last[f->rows[i].depth < TREE_DEPTH_MAX ? f->rows[i].depth : TREE_DEPTH_MAX - 1] =
			f->rows[i].last;
	for (int k = 0; k < t->list_height; k++) {
		size_t row = t->first + (size_t)k;

		if (row >= f->n_rows) {
			put(t->list_y + k, A_NORMAL, "", 0);
			continue;
		}
		branches.len = 0;
		text_add(&branches, "");
		tree_add_branches(&branches, &f->rows[row], last, false);
		draw_row(t, t->list_y + k, f, row, branches.p ? branches.p : "");
	}
}

static void draw_heading(const struct top_screen *t, int y, const struct top_frame *f)
{
	static const char *const sorts[] = { "PID", "CPU", "memory", "age" };
	autotext line = { 0 };

	text_add(&line, COLS < WIDE ? "S PROCESS" : "S  %CPU    RSS    AGE PROCESS");
	text_addf(&line, "  (by %s%s%s)", sorts[f->choice->sort], f->choice->flat ? ", flat" : "",
		f->choice->zombies_only ? ", zombies" : "");
	if (*f->choice->filter) {
		text_add(&line, "  /");
		text_add_escaped(&line, f->choice->filter, strlen(f->choice->filter));
	}
	put_text(y, A_REVERSE | (t->colour ? (attr_t)COLOR_PAIR(PAIR_BAR) : 0), &line);
}

static void draw_keys(struct top_screen *t)
{
	static const char wide[] =
		"h help  q quit  / filter  s sort  t tree  space fold  z zombies  "
		"k signal  r reap  l logs",
			  narrow[] = "h help  q quit  k signal  r reap";

	if (*t->said)
		put(LINES - 1, A_BOLD, t->said, strlen(t->said));
	else if (COLS >= (int)sizeof(wide))
		put(LINES - 1, A_DIM, wide, sizeof(wide) - 1);
	else
		put(LINES - 1, A_DIM, narrow, sizeof(narrow) - 1);
}

void top_draw(struct top_screen *t, const struct top_frame *f)
{
	size_t groups = f->n_groups < GROUPS_SHOWN ? f->n_groups : GROUPS_SHOWN;
	int y = 0;

	if (LINES > 3)
		draw_summary(y++, f);
	/* at most a quarter for the containers */
	if (groups > (size_t)LINES / 4)
		groups = (size_t)LINES / 4;
	for (size_t k = 0; k < groups; k++)
		draw_group(t, y++, f, k);
	if (LINES > 4)
		draw_heading(t, y++, f);
	t->list_y = y;
	t->list_height = LINES - y - (LINES > 2);
	if (t->list_height < 1)
		t->list_height = 1;
	find_selected(t, f);
	draw_list(t, f);
	if (LINES > 2)
		draw_keys(t);
	refresh();
}

size_t top_visible(const struct top_screen *t, const struct top_frame *f, uint32_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = t->first; i < f->n_rows && n < max && n < (size_t)t->list_height; i++)
		ret[n++] = f->rows[i].proc;
	return n;
}

uint32_t top_selected(const struct top_screen *t, const struct top_frame *f)
{
	return t->at < f->n_rows ? f->rows[t->at].proc : NO_PROC;
}

/* --- keys ------------------------------------------------------------------------------------ */

static const char help[] =
	"Move      arrows, Page Up and Down, Home, End\n"
	"space     fold or unfold what is below; z like zombies each on a line\n"
	"t         tree or list        s  sort: PID, CPU, memory, age\n"
	"Z         only zombies        K  kernel threads, too\n"
	"/         filter by command line, container's name or PID; empty for all\n"
	"k         send a signal to the selected process (asks)\n"
	"r         reap the selected zombie, or all of a selected process (asks)\n"
	"l         the container's logs (clade's own containers)\n"
	"h ?       this            q  quit\n"
	"\n"
	"Above the list: each container, its zombies, how many more a second it gets.\n"
	"A process is shown as 1234/17/1: its PID here, then at every level inward.\n"
	"%CPU is of one core; for the lines that are shown it is a second old at most.\n";

static void move_to(struct top_screen *t, const struct top_frame *f, long at)
{
	if (at >= (long)f->n_rows)
		at = (long)f->n_rows - 1;
	t->at = at < 0 ? 0 : (size_t)at;
	t->selected = f->n_rows ? f->data->s->procs[f->rows[t->at].proc].pid : 0;
}

static enum top_action ask_filter(struct top_screen *t, struct top_choice *c)
{
	char buf[sizeof(c->filter)];

	if (!top_ask(t, "filter: ", buf, sizeof(buf)))
		return TOP_NOTHING;
	memcpy(c->filter, buf, sizeof(buf));
	return TOP_AGAIN;
}

static bool moved(struct top_screen *t, const struct top_frame *f, int key)
{
	long at = (long)t->at, page = t->list_height > 1 ? t->list_height - 1 : 1;

	switch (key) {
	case KEY_UP:
		at--;
		break;
	case KEY_DOWN:
		at++;
		break;
	case KEY_PPAGE:
		at -= page;
		break;
	case KEY_NPAGE:
		at += page;
		break;
	case KEY_HOME:
		at = 0;
		break;
	case KEY_END:
		at = (long)f->n_rows;
		break;
	default:
		return false;
	}
	move_to(t, f, at);
	return true;
}

static enum top_action on_key(
	struct top_screen *t, const struct top_frame *f, struct top_choice *c, int key)
{
	uint32_t selected = top_selected(t, f);

	switch (key) {
	case 'q':
		return TOP_QUIT;
	case 'h':
	case '?':
		top_page(t, "clade top: keys", help);
		return TOP_AGAIN;
	case ' ':
		if (selected != NO_PROC && !f->rows[t->at].folded)
			top_choice_toggle(c, f->data->s->procs[selected].pid);
		return TOP_AGAIN;
	case 't':
		c->flat = !c->flat;
		return TOP_AGAIN;
	case 's':
		c->sort = (c->sort + 1) % TOP_SORTS;
		return TOP_AGAIN;
	case 'z':
		c->unfolded = !c->unfolded;
		return TOP_AGAIN;
	case 'Z':
		c->zombies_only = !c->zombies_only;
		return TOP_AGAIN;
	case 'K':
		c->kernel_threads = !c->kernel_threads;
		return TOP_AGAIN;
	case '/':
		return ask_filter(t, c);
	case 'k':
		return selected == NO_PROC ? TOP_NOTHING : TOP_SIGNAL;
	case 'r':
		return selected == NO_PROC ? TOP_NOTHING : TOP_REAP;
	case 'l':
		return selected == NO_PROC ? TOP_NOTHING : TOP_LOGS;
	case KEY_RESIZE:
		clear();
		return TOP_AGAIN;
	default:
		return TOP_NOTHING;
	}
}

enum top_action top_key(struct top_screen *t, const struct top_frame *f, struct top_choice *c)
{
	enum top_action action = TOP_NOTHING;
	int key;

	while ((key = getch()) != ERR) {
		*t->said = '\0';
		if (moved(t, f, key))
			action = TOP_AGAIN;
		else if ((action = on_key(t, f, c, key)) != TOP_NOTHING)
			return action;
	}
	return action;
}

/* --- questions ------------------------------------------------------------------------------- */

bool top_ask_yes(struct top_screen *t, const char *question)
{
	autotext line = { 0 };
	int key;

	text_addf(&line, "%s (y/n) ", question);
	put_text(LINES - 1, A_BOLD, &line);
	refresh();
	nodelay(stdscr, FALSE);
	while ((key = getch()) == KEY_RESIZE)
		put_text(LINES - 1, A_BOLD, &line);
	nodelay(stdscr, TRUE);
	*t->said = '\0';
	return key == 'y' || key == 'Y';
}

bool top_ask(struct top_screen *t, const char *question, char *buf, size_t size)
{
	size_t n = 0;
	int key = 0;

	(void)t;
	curs_set(1);
	nodelay(stdscr, FALSE);
	while (key != ENTER && key != '\n' && key != KEY_ENTER && key != ESCAPE && key != ERR) {
		autotext line = { 0 };

		text_addf(&line, "%s%.*s", question, (int)n, buf);
		put_text(LINES - 1, A_BOLD, &line);
		refresh();
		key = getch();
		if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && n)
			n--;
		else if (key >= ' ' && key < 127 && n + 1 < size)
			buf[n++] = (char)key;
	}
	buf[n] = '\0';
	nodelay(stdscr, TRUE);
	curs_set(0);
	return key != ESCAPE && key != ERR;
}

void top_say(struct top_screen *t, const char *sentence)
{
	autotext safe = { 0 };

	text_add_escaped(&safe, sentence, strlen(sentence));
	snprintf(t->said, sizeof(t->said), "%s", safe.p ? safe.p : "");
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		n++;
	return n;
}

static void draw_page(const char *title, const char *text, size_t first)
{
	size_t n = 0;

	erase();
	put(0, A_REVERSE, title, strlen(title));
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n', n++) {
		autotext safe = { 0 };

		if (n < first || n >= first + (size_t)(LINES - 2))
			continue;
		text_add_escaped(&safe, text, strcspn(text, "\n"));
		put_text((int)(n - first) + 1, A_NORMAL, &safe);
	}
	put(LINES - 1, A_DIM, "any other key goes back", 23);
	refresh();
}

void top_page(struct top_screen *t, const char *title, const char *text)
{
	size_t n = count_lines(text), first = 0;
	int key;

	(void)t;
	nodelay(stdscr, FALSE);
	if (n > (size_t)(LINES - 2))
		first = n - (size_t)(LINES - 2);
	for (;;) {
		draw_page(title, text, first);
		key = getch();
		if (key == KEY_UP && first)
			first--;
		else if (key == KEY_DOWN && first + 1 < n)
			first++;
		else if (key == KEY_PPAGE)
			first = first > (size_t)LINES ? first - (size_t)LINES : 0;
		else if (key == KEY_NPAGE && first + (size_t)LINES < n)
			first += (size_t)LINES;
		else if (key != KEY_RESIZE && key != KEY_UP && key != KEY_DOWN &&
			 key != KEY_PPAGE && key != KEY_NPAGE)
			break;
	}
	nodelay(stdscr, TRUE);
	clear();
}
