/* SPDX-License-Identifier: Apache-2.0 */
/* rm -rf, however deep. */
#pragma once

/*
 * Removes name below dir with all that is in it; follows nothing. A few descriptors do for any
 * depth: what lies deep is moved up into dir first. 0 (also when it was not there) or -errno.
 */
int remove_tree(int dir, const char *name);

/* What is in the folder, not the folder. */
int remove_tree_inside(int dir);
