/* SPDX-License-Identifier: Apache-2.0 */
/* How many columns of a terminal text takes: wide characters two, combining ones none. */
#pragma once

#include <stddef.h>

/* Says once for the program that its text is UTF-8; without, wide characters count as one. */
void width_setup(void);

/* Columns of valid UTF-8 without control characters (text_add_escaped() makes such). */
size_t width_of(const char *s, size_t n);

/* How many bytes of s fit in so many columns; no character is cut in two. */
size_t width_cut(const char *s, size_t n, size_t columns);
