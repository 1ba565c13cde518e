/* SPDX-License-Identifier: Apache-2.0 */
/* The pinned task iterator: made once by root, read by every view from then on. */
#pragma once

#include "base/err.h"

/* Where it is, for a person. */
const char *pin_path(void);

/* Pins it, readable by root and this group (a name or number; NULL: root's). */
int pin_make(const char *group, struct err *e);

int pin_remove(struct err *e);
