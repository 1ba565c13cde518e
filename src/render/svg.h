/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of an SVG picture. Sizes are pixels; text is monospaced, 12 pixels high. */
#pragma once

#include "base/str.h"

/* How wide a monospaced column is taken to be, in tenths of a pixel. */
enum { SVG_COLUMN_TENTHS = 73 };

/* A family of colours for a level of nesting; they repeat after six. */
struct svg_level {
	const char *fill, *stroke, *ink;
};
struct svg_level svg_level(unsigned level);

/* Text for XML: escaped for people first, then for the parser; at most columns wide (0: any). */
void svg_add_escaped(struct text *t, const char *s, unsigned columns);

/* Width in pixels of such a text. */
int svg_width(const char *s, unsigned columns);

struct svg_box {
	int x, y, width, height, radius;
	const char *fill, *stroke;
	bool dashed;
};
void svg_rect(struct text *t, const struct svg_box *b);

/* class: "" or one of those in svg_begin(); s is escaped and cut here. Returns its width. */
int svg_text(struct text *t, int x, int y, const char *class, const char *ink, const char *s,
	unsigned columns);

/* Down from (x1, y1), then right to (x2, y2). */
void svg_elbow(struct text *t, int x1, int y1, int x2, int y2, bool dashed);

/* A word in a small box with round ends; returns where the next may begin. */
int svg_pill(struct text *t, int x, int y, const char *fill, const char *ink, const char *word);

/* The document around body. */
void svg_document(
	struct text *t, int width, int height, const char *title, const struct text *body);
