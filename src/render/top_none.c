/* SPDX-License-Identifier: Apache-2.0 */
/* Built without curses: no terminal is good enough, and top prints what it sees once. */
#include "render/top.h"

int top_open(bool colour, struct top_screen **ret, struct err *e)
{
	(void)colour;
	(void)ret;
	(void)e;
	return TOP_NO_TERMINAL;
}

void top_close(struct top_screen *t)
{
	(void)t;
}

void top_draw(struct top_screen *t, const struct top_frame *f)
{
	(void)t;
	(void)f;
}

size_t top_visible(const struct top_screen *t, const struct top_frame *f, uint32_t *ret, size_t max)
{
	(void)t;
	(void)f;
	(void)ret;
	(void)max;
	return 0;
}

uint32_t top_selected(const struct top_screen *t, const struct top_frame *f)
{
	(void)t;
	(void)f;
	return NO_PROC;
}

enum top_action top_key(struct top_screen *t, const struct top_frame *f, struct top_choice *c)
{
	(void)t;
	(void)f;
	(void)c;
	return TOP_QUIT;
}

bool top_ask_yes(struct top_screen *t, const char *question)
{
	(void)t;
	(void)question;
	return false;
}

bool top_ask(struct top_screen *t, const char *question, char *buf, size_t size)
{
	(void)t;
	(void)question;
	(void)buf;
	(void)size;
	return false;
}

void top_say(struct top_screen *t, const char *sentence)
{
	(void)t;
	(void)sentence;
}

void top_page(struct top_screen *t, const char *title, const char *text)
{
	(void)t;
	(void)title;
	(void)text;
}
