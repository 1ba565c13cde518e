/* SPDX-License-Identifier: Apache-2.0 */
#include "render/svg.h"

#include "base/mem.h"
#include "base/width.h"

struct svg_level svg_level(unsigned level)
{
	static const struct svg_level levels[] = {
		{ "#f6f7f9", "#8a94a3", "#4a5361" },
		{ "#e7f0fc", "#4a86cf", "#1f5aa6" },
		{ "#e6f5ea", "#3f9c5c", "#1f6f3a" },
		{ "#fdf1dd", "#cf8f2e", "#8a5a0d" },
		{ "#f4e8f9", "#9355b4", "#682b88" },
		{ "#fde8e6", "#cf5a4a", "#96301f" },
	};

	return levels[level % ARRAY_LEN(levels)];
}

void svg_add_escaped(struct text *t, const char *s, unsigned columns)
{
	autotext safe = { 0 };
	size_t n;

	text_add_escaped(&safe, s, strlen(s));
	n = columns ? width_cut(safe.p ? safe.p : "", safe.len, columns) : safe.len;
	for (size_t i = 0; i < n; i++) {
		if (safe.p[i] == '&')
			text_add(t, "&amp;");
		else if (safe.p[i] == '<')
			text_add(t, "&lt;");
		else if (safe.p[i] == '>')
			text_add(t, "&gt;");
		else if (safe.p[i] == '"')
			text_add(t, "&quot;");
		else if (n - i >= 3 && memcmp(safe.p + i, "\xef\xbf", 2) == 0 &&
			 (unsigned char)safe.p[i + 2] >= 0xbe) {
			text_add(t, "?"); /* U+FFFE and U+FFFF are no XML */
			i += 2;
		} else {
			text_add_n(t, safe.p + i, 1);
		}
	}
	if (n < safe.len)
		text_add(t, "…");
}

int svg_width(const char *s, unsigned columns)
{
	autotext safe = { 0 };
	size_t w;

	text_add_escaped(&safe, s, strlen(s));
	w = width_of(safe.p ? safe.p : "", safe.len);
	if (columns && w > columns)
		w = columns + 1;
	return (int)(w * SVG_COLUMN_TENTHS / 10);
}

void svg_rect(struct text *t, const struct svg_box *b)
{
	text_addf(t,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"%s\" "
		"stroke=\"%s\"%s/>\n",
		b->x, b->y, b->width, b->height, b->radius, b->fill, b->stroke,
		b->dashed ? " stroke-dasharray=\"4 3\"" : "");
}

int svg_text(struct text *t, int x, int y, const char *class, const char *ink, const char *s,
	unsigned columns)
{
	text_addf(t, "<text x=\"%d\" y=\"%d\"", x, y);
	if (*class)
		text_addf(t, " class=\"%s\"", class);
	text_addf(t, " fill=\"%s\">", ink);
	svg_add_escaped(t, s, columns);
	text_add(t, "</text>\n");
	return svg_width(s, columns);
}

void svg_elbow(struct text *t, int x1, int y1, int x2, int y2, bool dashed)
{
	text_addf(t, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#8a94a3\"%s/>\n", x1, y1, y2,
		x2, dashed ? " stroke-dasharray=\"4 3\"" : "");
}

int svg_pill(struct text *t, int x, int y, const char *fill, const char *ink, const char *word)
{
	int width = svg_width(word, 0) + 12;

	svg_rect(t, &(struct svg_box){ x, y - 13, width, 18, 9, fill, ink, false });
	svg_text(t, x + 6, y, "", ink, word, 0);
	return x + width + 4;
}

void svg_document(struct text *t, int width, int height, const char *title, const struct text *body)
{
	text_addf(t,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\">\n<title>",
		width, height, width, height);
	svg_add_escaped(t, title, 0);
	text_add(t, "</title>\n<style>text { font: 12px 'DejaVu Sans Mono', Menlo, Consolas, "
		    "monospace; white-space: pre } .h { font-size: 15px; font-weight: bold } "
		    ".b { font-weight: bold } .s { font-size: 10.5px }</style>\n");
	text_addf(t, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, height);
	text_add_n(t, body->p ? body->p : "", body->len);
	text_add(t, "</svg>\n");
}
