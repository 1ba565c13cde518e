/* SPDX-License-Identifier: Apache-2.0 */
/* `clade top` on a terminal: draws what top_model.h made, and turns keys into wishes. */
#pragma once

#include "base/err.h"
#include "render/top_model.h"

struct top_screen;

enum top_action {
	TOP_NOTHING,
	TOP_AGAIN, /* the choice changed: make the lines anew */
	TOP_QUIT,
	TOP_SIGNAL, /* for the selected process */
	TOP_REAP,
	TOP_LOGS,
};

/*
 * Takes the terminal. Returns 0, TOP_NO_TERMINAL where it cannot place a cursor (TERM=dumb), or an
 * error. top_close() gives it back; so does every end of the process but SIGKILL.
 */
#define TOP_NO_TERMINAL 1
int top_open(bool colour, struct top_screen **ret, struct err *e);
void top_close(struct top_screen *t);

/* One picture; counts for the first line. All is lent for the call. */
struct top_frame {
	const struct top_data *data;
	const struct top_choice *choice;
	const struct tree_row *rows;
	size_t n_rows;
	const struct top_group *groups;
	size_t n_groups;
	bool has_events;
	uint64_t n_lost, n_orphans;
};
void top_draw(struct top_screen *t, const struct top_frame *f);

/* Indices of the processes that were drawn last, at most max. */
size_t top_visible(
	const struct top_screen *t, const struct top_frame *f, uint32_t *ret, size_t max);

/* The selected process, or NO_PROC. */
uint32_t top_selected(const struct top_screen *t, const struct top_frame *f);

/* Takes all keys there are; never waits. */
enum top_action top_key(struct top_screen *t, const struct top_frame *f, struct top_choice *c);

/* A question on the last line. yes: one key; else a line into buf, false when it was given up. */
bool top_ask_yes(struct top_screen *t, const char *question);
bool top_ask(struct top_screen *t, const char *question, char *buf, size_t size);

/* A sentence on the last line until the next key. */
void top_say(struct top_screen *t, const char *sentence);

/* A page of text, from its end; returns when it was left. */
void top_page(struct top_screen *t, const char *title, const char *text);
