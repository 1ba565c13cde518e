/* SPDX-License-Identifier: Apache-2.0 */
/* Copying what is in a folder, as it is, into another. */
#pragma once

/*
 * Files, folders, links and nodes below from into to: contents, modes and owners. Nothing is
 * followed, no mount below from is entered. What may not be made (a node in a user namespace) is
 * left out. 0 or -errno.
 */
int copy_tree(int from, int to);
