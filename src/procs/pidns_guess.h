/* SPDX-License-Identifier: Apache-2.0 */
/* Places for processes whose namespace link was refused: other users', seen without privilege. */
#pragma once

#include "procs/snapshot.h"

/*
 * A process of one level is in the reader's namespace; one whose last number is 1 begins a
 * namespace; others are where their parent of the same level is, else where the namespace's init
 * has the same cgroup, else in a namespace of which nothing but the level is known.
 * The namespaces that are known have their level already.
 */
void pidns_guess(struct snapshot *s);
