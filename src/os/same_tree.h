/* SPDX-License-Identifier: Apache-2.0 */
/* Are two folders the same, as far as a person could tell? */
#pragma once

#include <stddef.h>

/*
 * Compares kinds, modes, owners, sizes, contents, links and node numbers below two descriptors;
 * not times. 0: the same; 1: not, and what (size bytes) is the path where; or -errno.
 */
int same_tree(int one, int other, char *what, size_t size);
